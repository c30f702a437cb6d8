// A control that stays the browser's own, such as a chooser of files or colours: a dijit in that it is found by its id,
// and in that it is checked before a submit as others are.
define(["dojo/_base/declare", "dijit/_WidgetBase", "dijit/_FocusMixin"], function (declare, _WidgetBase, _FocusMixin) {
	"use strict";
	return declare("djintegrate.Native", [_WidgetBase, _FocusMixin], {
		baseClass: "djintegrateNative",

		buildRendering: function buildRendering() {
			this.inherited(buildRendering, arguments);
			this.focusNode = this.domNode;
			this.on("change", function () { this.onChange(this.domNode.value); }.bind(this));
			this.on("input", function () { this._set("value", this.domNode.value); }.bind(this));
		},

		// The HTML has them already, and a file's name nobody may set.
		_setValueAttr: function (value) {
			if (this._created && this.domNode.type !== "file") {
				this.domNode.value = value;
				this._set("value", value);
			}
		},

		_setTypeAttr: null,
		_setDisabledAttr: { node: "domNode", type: "attribute" },

		_getValueAttr: function () { return this.domNode.value; },

		_getFilesAttr: function () { return this.domNode.files ? Array.from(this.domNode.files) : []; },

		onChange: function () {},

		focus: function () { this.domNode.focus(); }
	});
});
