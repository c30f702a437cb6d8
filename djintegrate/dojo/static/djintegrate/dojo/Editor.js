// dijit/Editor beside a <textarea>, which is hidden and is what is sent. Dijit's own editor wants a <div>, and
// fills its frame by a javascript: address and inline handlers, all of which a Content-Security-Policy may forbid.
define(["dojo/_base/declare", "dojo/on", "dijit/Editor"], function (declare, on, Editor) {
	"use strict";
	// RichText gives the body the colours that the page has at that moment. The frame's own follow the page's color-scheme.
	var FRAME = "html, body { margin: 0; } " +
		"body { padding: 2px 4px; font: inherit; color: CanvasText !important; background: none !important; } " +
		"#dijitEditorBody { outline: none; min-height: 100%; }";

	// What a page says in <meta name="color-scheme"> is not in the computed style.
	function scheme(node) {
		var said = getComputedStyle(node).colorScheme, meta = document.querySelector("meta[name='color-scheme']");
		return said === "normal" && meta ? meta.content : said;
	}

	return declare("djintegrate.Editor", Editor, {
		buildRendering: function buildRendering() {
			this.field = this.htmlControl;
			this.domNode = this.field.ownerDocument.createElement("div");
			this.srcNodeRef.parentNode.insertBefore(this.domNode, this.srcNodeRef);
			this.srcNodeRef.remove();
			this.srcNodeRef = null;
			this.inherited(buildRendering, arguments);
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
				sheet.replaceSync(FRAME + "html { color-scheme: " + scheme(this.domNode) + "; }");
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
			this.describe("");
			this.own(on(this.document, "input", function () { this._set("displayedValue", this.sent()); }.bind(this)));
		},

		// Where typing goes on that began in the <textarea>. Its place there is one in the source of what is shown here.
		goOn: function () { this.onLoadDeferred.then(this.placeCursorAtEnd.bind(this)); },

		// Within the frame no id of the page's leads anywhere, so what describes the control is said in words.
		describe: function (wrong) {
			var body = this.isLoaded && this.document.getElementById("dijitEditorBody"), texts = [];
			if (!body) { return; }
			(this.field.getAttribute("aria-describedby") || "").split(/\s+/).forEach(function (id) {
				var node = id && document.getElementById(id);
				if (node && !node.hidden) { texts.push(node.textContent.trim()); }
			});
			body.setAttribute("aria-description", (wrong ? [wrong] : []).concat(texts).join(" "));
			body.setAttribute("aria-invalid", String(!!wrong));
			if (this.field.required) { body.setAttribute("aria-required", "true"); }
		},

		// What nobody changed stays as it was, to the letter.
		sent: function () {
			var value = this.isLoaded ? this.get("value") : this._first;
			return value === this._first || value === undefined ? this._untouched : value;
		},

		postMixInProperties: function postMixInProperties() {
			this._untouched = this.htmlControl.value;
			this.value = this.htmlControl.value;
			this.inherited(postMixInProperties, arguments);
		},

		// What the control was given by a reset or a script is as good as what it had first.
		_setValueAttr: function _setValueAttr(value) {
			this.inherited(_setValueAttr, arguments);
			if (this.isLoaded && value === this.field.value) {
				this._untouched = value;
				this._first = this.get("value");
			}
		}
	});
});
