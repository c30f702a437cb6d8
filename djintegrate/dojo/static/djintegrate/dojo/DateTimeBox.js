// A date and a time of day side by side, for one control: its value is the text "2026-02-03T10:30:00", of no time zone.
// The two are kept apart, since one JavaScript Date would skip the hour that the browser's own time zone skips.
define([
	"dojo/_base/declare", "dojo/_base/lang", "dojo/aspect", "dojo/dom-construct", "dijit/_WidgetBase", "dijit/form/DateTextBox",
	"dijit/form/TimeTextBox", "./moments"
], function (declare, lang, aspect, domConstruct, _WidgetBase, DateTextBox, TimeTextBox, moments) {
	"use strict";
	var ISO = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"],
		// What Django reads after a date in ISO's form, whatever its formats: a fraction, and an offset from UTC.
		EXACT = /^(?=.*[^\d:])\d\d?:\d\d?(:\d\d?([.,]\d{1,12})?)?\s*(Z|[+-]\d\d(:?\d\d)?)?$/;

	// A box of which the text is read and written in these formats.
	function methods(isDate, formats, selector) {
		function made(parts) { return parts && (isDate ? moments.toDate(parts) : moments.toTime(parts)); }
		function read(text) { return made(moments.readGenerously(text, formats, selector)); }
		return {
			pattern: ".*",
			parse: function (text) { return text.trim() === "" ? null : read(text) || undefined; },
			serialize: function (value) { return moments.write(moments.ofDate(value), isDate ? "%Y-%m-%d" : "%H:%M:%S"); },
			format: function (value) {
				var typed = this.textbox ? this.textbox.value : "", as = typed && read(typed);
				if (!value) { return ""; }
				return as && this.serialize(as) === this.serialize(value) ? typed : moments.write(moments.ofDate(value), formats[0]);
			}
		};
	}

	return declare("djintegrate.DateTimeBox", _WidgetBase, {
		value: "",
		text: "",
		formats: {},
		constraints: {},
		disabled: false,
		readOnly: false,
		required: false,
		baseClass: "djintegrateDateTimeBox",

		buildRendering: function () {
			this.domNode = domConstruct.create("span", { role: "group", id: "widget_" + this.id, "class": this.baseClass });
			if (this.srcNodeRef) { this.srcNodeRef.replaceWith(this.domNode); }
			this.dateBox = this._part(DateTextBox, "date", this.formats.date || ["%Y-%m-%d"]);
			this.timeBox = this._part(TimeTextBox, "time", this.formats.time || ["%H:%M:%S", "%H:%M"]);
			this.focusNode = this.dateBox.focusNode;
			this._show(this.text);
		},

		_part: function (Dijit, kind, formats) {
			var box = new Dijit(lang.mixin({
				id: this.id + "__" + kind, disabled: this.disabled, readOnly: this.readOnly, tabIndex: this.tabIndex || "0",
				constraints: kind === "date" ? lang.mixin({}, this.constraints) : {},
				promptMessage: this.promptMessage || "", tooltipPosition: this.tooltipPosition || [],
				// Together they are right or wrong, which the whole says.
				isValid: function () { return true; }, displayMessage: function () {}, _refreshState: function () {}, validate: function () { return true; }
			}, methods(kind === "date", formats, this.formats.locale && kind)));
			this.own(box.watch("value", lang.hitch(this, "_changed")), box.watch("displayedValue", lang.hitch(this, "_changed")));
			box.placeAt(this.domNode);
			return box;
		},

		// The control's text in two: as the server writes it, or what somebody typed.
		_show: function (text) {
			this._quiet = true;
			this._fill(text, (this.formats.formats || []).concat(ISO));
			this._quiet = false;
			this._text = text || "";
			this._shown = this._typed();
		},

		_fill: function (text, formats) {
			var halves = (text || "").split(/[ T](.*)/), parts = !EXACT.test(halves[1]) && moments.read(text || "", formats);
			if (parts) {
				this.dateBox.set("value", moments.toDate(parts));
				this.timeBox.set("value", moments.toTime(parts));
			} else {
				this.dateBox.set("displayedValue", halves[0] || "");
				this.timeBox.set("displayedValue", halves[1] || "");
			}
		},

		// A date and a time that were both put into the box of the date.
		_whole: function () {
			var text = this.dateBox.textbox.value.trim(), halves = text.split(/[ T](.*)/), parts;
			if (this.dateBox.get("value") !== undefined || this.timeBox.textbox.value.trim()) { return ""; }
			parts = !EXACT.test(halves[1]) && moments.read(text, (this.formats.formats || []).concat(ISO));
			return parts ? moments.write(parts, ISO[0]) :
				EXACT.test(halves[1]) && moments.read(halves[0], ["%Y-%m-%d"]) ? halves[0] + "T" + halves[1] : "";
		},

		_typed: function () { return this.dateBox.textbox.value + "\n" + this.timeBox.textbox.value; },

		_setTextAttr: function (text) {
			this._set("text", text || "");
			if (this.timeBox) {
				this._show(text);
				this._set("value", this._read());
			}
		},

		startup: function startup() {
			if (this._started) { return; }
			this.inherited(startup, arguments);
			this.dateBox.startup();
			this.timeBox.startup();
			this._set("value", this._read());
			this.own(aspect.after(this.dateBox, "onBlur", function () {
				var whole = this._whole();
				if (whole) { this.set("value", whole); }
			}.bind(this)));
		},

		_changed: function () {
			if (!this._started || this._quiet) { return; }
			var value = this._read();
			this._set("displayedValue", this.toString());
			if (value !== this.value) {
				this._set("value", value);
				this.onChange(value);
			}
		},

		onChange: function () {},

		// Empty where nothing is typed, undefined for what is not a date and time. A date alone is its midnight, as for Django.
		// A time that is more exact than the boxes stays as it was typed.
		_read: function () {
			var date = this.dateBox.get("value"), time = this.timeBox.get("value"), typed = this.timeBox.textbox.value.trim(), whole = this._whole();
			if (whole) { return whole; }
			if (date && EXACT.test(typed) && moments.read(typed.split(/[^\d:]/)[0], ["%H:%M:%S", "%H:%M"])) {
				return this.dateBox.serialize(date) + "T" + typed;
			}
			if (date === undefined || time === undefined || (!date && time)) { return undefined; }
			return date ? this.dateBox.serialize(date) + "T" + (time ? this.timeBox.serialize(time) : "00:00:00") : "";
		},

		// What is sent: as the server writes it, where it reads that; what nobody changed as it was; what cannot be read as it
		// was typed.
		toString: function () {
			var value = this._read(), parts = moments.read(value || "", ISO);
			if (this._typed() === this._shown) { return this._text; }
			if (value === undefined) { return (this.dateBox.textbox.value + " " + this.timeBox.textbox.value).trim(); }
			return parts && this.formats.shown ? moments.write(parts, this.formats.shown) : value;
		},

		_getValueAttr: function () { return this._read(); },

		_setValueAttr: function (value) {
			if (!this._created) { return; }
			this._fill(value, ISO);
			this._changed();
		},

		_setRequiredAttr: function (required) { this._set("required", required); },

		_setDisabledAttr: function (disabled) { this._setBoth("disabled", disabled); },

		_setReadOnlyAttr: function (readOnly) { this._setBoth("readOnly", readOnly); },

		_setBoth: function (name, value) {
			this._set(name, value);
			if (this.timeBox) {
				this.dateBox.set(name, value);
				this.timeBox.set(name, value);
			}
		},

		isValid: function () {
			var value = this._read();
			return value !== undefined && !(this.required && value === "");
		},

		getErrorMessage: function () {
			return this._read() === "" ? this.missingMessage : this.invalidMessage;
		},

		validate: function () { return this.isValid(); },

		focus: function () { this.dateBox.focus(); },

		// After a refused submit: to the one that is wrong by itself, if one is.
		focusWrong: function () {
			(this.dateBox.get("value") && !this.timeBox.get("value") ? this.timeBox : this.dateBox).focus();
		},

		_onBlur: function _onBlur() {
			if (this.dateBox.get("value") && this.timeBox.get("value") === null) {
				this.timeBox.set("value", new Date(1970, 0, 1));
			}
			this.inherited(_onBlur, arguments);
		},

		destroy: function destroy() {
			this.dateBox.destroy();
			this.timeBox.destroy();
			this.inherited(destroy, arguments);
		}
	});
});
