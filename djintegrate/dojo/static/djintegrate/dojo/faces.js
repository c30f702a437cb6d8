// The face of a dijit: that part of it which has the focus, in the place of a hidden control. What the HTML says of the
// control to people and to assistive technology is said of the face; the rest, its name say, stays with the control alone.
define([], function () {
	"use strict";
	var CARRIED = /^(aria-(?!invalid).*|accesskey|autocapitalize|autocomplete|autocorrect|autofocus|dir|enterkeyhint|inputmode|lang|list|maxlength|placeholder|spellcheck|title)$/;

	function parts(dijit) { return dijit.dateBox ? [dijit.dateBox, dijit.timeBox] : [dijit]; }

	// The part of a dijit that has the focus, or each of them.
	function of(dijit) {
		// An editor has its focus in a frame, which says for itself what it is.
		return parts(dijit).map(function (part) { return part.focusNode; }).filter(Boolean);
	}

	function carry(link) {
		var node = link.node, first = of(link.dijit)[0];
		of(link.dijit).forEach(function (face) {
			// Beside a list of choices, that of what was typed earlier would be in the way.
			if (!node.options) { face.removeAttribute("autocomplete"); }
			Array.from(node.attributes).forEach(function (attribute) {
				if (CARRIED.test(attribute.name) && !(attribute.name === "autofocus" && face !== first)) {
					face.setAttribute(attribute.name, attribute.value);
				}
			});
			if (node.required) { face.setAttribute("aria-required", "true"); }
		});
		if (/^(number|email|url|tel|search)$/.test(node.type) && !node.hasAttribute("inputmode") && first && first.matches("input")) {
			// The keyboard that a phone shows for the control.
			first.inputMode = node.type === "number" ? "decimal" : node.type;
		}
	}

	return { parts: parts, of: of, carry: carry };
});
