// dijit/Editor over a <textarea>, which keeps its name and is what is submitted. Dijit's own editor wants a <div>, and
// fills its frame by a javascript: address and inline handlers, all of which a Content-Security-Policy may forbid.
define(["dojo/_base/declare", "dojo/on", "dijit/Editor"], function (declare, on, Editor) {
	"use strict";
	var FRAME = "html, body { margin: 0; } body { padding: 2px 4px; font: inherit; } #dijitEditorBody { outline: none; min-height: 100%; }";

	return declare("djintegrate.Editor", Editor, {
		buildRendering: function buildRendering() {
			var field = this.field = this.srcNodeRef;
			this.srcNodeRef = null;
			this.domNode = field.ownerDocument.createElement("div");
			field.parentNode.insertBefore(this.domNode, field);
			field.hidden = true;
			field.required = false; // the browser would look for it in vain
			field.removeAttribute("id");
			this.inherited(buildRendering, arguments);
		},

		postCreate: function postCreate() {
			var label = document.querySelector("label[for='" + this.id + "']");
			this.inherited(postCreate, arguments);
			if (label) {
				this.own(on(label, "click", this.focus.bind(this)));
			}
			if (this.field.form) {
				this.own(on(this.field.form, "submit", function () { this.field.value = this.sent(); }.bind(this)));
			}
		},

		// RichText sets the frame's address after it has asked for the document's text.
		_getIframeDocTxt: function _getIframeDocTxt() {
			var text = this.inherited(_getIframeDocTxt, arguments);
			Object.defineProperty(this.iframe, "src", { configurable: true, set: function () {} });
			return text;
		},

		open: function open() {
			this.inherited(open, arguments);
			var frame = this.iframe, inside = frame.contentDocument, sheet, body;
			delete frame.src;
			inside.open();
			inside.write("<!DOCTYPE html><html><head><title></title></head><body></body></html>");
			inside.close();
			inside.title = frame.title;
			inside.documentElement.lang = document.documentElement.lang;
			inside.documentElement.dir = this.isLeftToRight() ? "ltr" : "rtl";
			if (inside.adoptedStyleSheets) {
				sheet = new frame.contentWindow.CSSStyleSheet();
				sheet.replaceSync(FRAME);
				inside.adoptedStyleSheets = [sheet];
			}
			body = inside.createElement("div");
			body.id = "dijitEditorBody";
			body.setAttribute("role", "textbox");
			body.setAttribute("aria-multiline", "true");
			body.setAttribute("aria-label", frame.title);
			inside.body.appendChild(body);
			frame._loadFunc(frame.contentWindow);
		},

		onLoad: function onLoad() {
			this.inherited(onLoad, arguments);
			this._first = this.get("value");
		},

		// What nobody changed stays as it was, to the letter.
		sent: function () {
			var value = this.isLoaded ? this.get("value") : this._first;
			return value === this._first ? this.field.defaultValue : value;
		},

		_setDisabledAttr: function _setDisabledAttr(disabled) {
			this.inherited(_setDisabledAttr, arguments);
			this.field.disabled = !!disabled;
		},

		reset: function () {
			this.set("value", this.field.defaultValue);
		}
	});
});
