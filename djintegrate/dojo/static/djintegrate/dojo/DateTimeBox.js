// A date and a time of day side by side, for one field: its value is the text "2026-02-03T10:30:00", of no time zone.
// The two are kept apart, since one JavaScript Date would skip the hour that the browser's own time zone skips.
define([
	"dojo/_base/declare", "dojo/_base/lang", "dojo/dom-construct", "dijit/_WidgetBase", "dijit/form/DateTextBox",
	"dijit/form/TimeTextBox", "./values"
], function (declare, lang, domConstruct, _WidgetBase, DateTextBox, TimeTextBox, values) {
	"use strict";
	return declare("djintegrate.DateTimeBox", _WidgetBase, {
		_selector: "dateTime",
		_setNameAttr: "valueNode",
		name: "",
		value: "",
		text: "",
		disabled: false,
		readOnly: false,
		required: false,
		baseClass: "djintegrateDateTimeBox",

		buildRendering: function () {
			this.domNode = domConstruct.create("span", { role: "group", id: "widget_" + this.id });
			if (this.srcNodeRef) { this.srcNodeRef.parentNode.replaceChild(this.domNode, this.srcNodeRef); }
			this.valueNode = domConstruct.create("input", { type: "hidden", name: this.name, disabled: this.disabled }, this.domNode);
			this.dateBox = this._part(DateTextBox, "date", "%Y-%m-%d", 0);
			this.timeBox = this._part(TimeTextBox, "time", "%H:%M:%S", 1);
			this.focusNode = this.dateBox.focusNode;
			this._label();
		},

		_part: function (Dijit, kind, wire, number) {
			var texts = (this.text || "").split(/[ T](.*)/),
				value = { kind: kind, wire: wire, is: this.value.split("T")[number] };
			if (this.text) { value = { kind: kind, wire: wire, text: texts[number] || "" }; }
			var box = values.finish(new Dijit(lang.mixin({
				id: this.id + "__" + kind, disabled: this.disabled, readOnly: this.readOnly, tabIndex: this.tabIndex || "0",
				constraints: {}, promptMessage: this.promptMessage || "", tooltipPosition: this.tooltipPosition || [],
				// Together they are right or wrong.
				isValid: lang.hitch(this, function () { return !this.timeBox || this.isValid(); }),
				getErrorMessage: lang.hitch(this, "getErrorMessage")
			}, values.adapt(value, Dijit.prototype))));
			this.own(box.watch("value", lang.hitch(this, "_changed")));
			this.own(box.watch("displayedValue", lang.hitch(this, "_changed")));
			box.placeAt(this.domNode);
			return box;
		},

		// The label stays that of the first of the two, and names both.
		_label: function () {
			var labels = document.querySelectorAll("label[for='" + this.id + "']"), label = labels[0];
			if (!label) { return; }
			label.id = label.id || this.id + "_label";
			Array.prototype.forEach.call(labels, function (one) { one.htmlFor = this.id + "__date"; }, this);
			this.domNode.setAttribute("aria-labelledby", label.id);
			this.timeBox.focusNode.setAttribute("aria-labelledby", label.id);
		},

		startup: function startup() {
			if (this._started) { return; }
			this.inherited(startup, arguments);
			this.dateBox.startup();
			this.timeBox.startup();
			this._changed();
		},

		_changed: function () {
			if (!this.timeBox) { return; }
			var value = this._read();
			this.valueNode.value = this.toString();
			if (value !== this.value) {
				this._set("value", value);
				this.onChange(value);
			}
		},

		onChange: function () {},

		// Empty where nothing is typed, undefined for what is no date and time. A date alone is its midnight, as for Django.
		_read: function () {
			var date = this.dateBox.get("value"), time = this.timeBox.get("value");
			if (date === undefined || time === undefined || (!date && time)) { return undefined; }
			return date ? this.dateBox.serialize(date) + "T" + (time ? this.timeBox.serialize(time) : "00:00:00") : "";
		},

		toString: function () {
			var value = this._read();
			return value === undefined ? this.dateBox.toString() + " " + this.timeBox.toString() : value;
		},

		_getValueAttr: function () { return this._read(); },

		_setValueAttr: function (value) {
			if (!this._created) {
				// The two boxes have it.
				this._set("value", value || "");
				return;
			}
			var parts = (value || "").split("T");
			this.dateBox.set("value", parts[0] || null);
			this.timeBox.set("value", parts[1] ? "T" + parts[1] : null);
			this._changed();
		},

		_setRequiredAttr: function (required) { this._set("required", required); },

		_setDisabledAttr: function (disabled) {
			this._set("disabled", disabled);
			if (this.timeBox) {
				this.valueNode.disabled = disabled;
				this.dateBox.set("disabled", disabled);
				this.timeBox.set("disabled", disabled);
			}
		},

		isValid: function () {
			var value = this._read();
			return value !== undefined && !(this.required && value === "");
		},

		getErrorMessage: function () {
			return this._read() === "" ? this.missingMessage : this.invalidMessage;
		},

		validate: function () {
			this.dateBox._hasBeenBlurred = this.timeBox._hasBeenBlurred = true;
			this._changed();
			var isValid = this.dateBox.validate() && this.timeBox.validate();
			this._set("state", isValid ? "" : "Error");
			this._set("message", isValid ? "" : this.getErrorMessage());
			return isValid;
		},

		// Of the server, on what is right as far as the browser knows.
		_setMessageAttr: function (message) {
			this._set("message", message);
			[this.dateBox, this.timeBox].forEach(function (box) {
				box._set("state", message ? "Error" : "");
				box.set("message", message);
			});
		},

		focus: function () {
			// To the one that is wrong by itself, if one is.
			(this.dateBox.get("value") && !this.timeBox.get("value") ? this.timeBox : this.dateBox).focus();
		},

		_onBlur: function _onBlur() {
			if (this.dateBox.get("value") && this.timeBox.get("value") === null) {
				this.timeBox.set("value", "T00:00:00");
			}
			this.inherited(_onBlur, arguments);
		},

		reset: function () {
			this.dateBox.reset();
			this.timeBox.reset();
			this._changed();
		},

		destroy: function destroy() {
			this.dateBox.destroy();
			this.timeBox.destroy();
			this.inherited(destroy, arguments);
		}
	});
});
