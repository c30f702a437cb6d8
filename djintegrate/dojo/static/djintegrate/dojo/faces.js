// The face of a dijit: that part of it which has the focus, in the place of a hidden control. What the HTML says of the
// control to people and to assistive technology is said of the face; the rest, its name say, stays with the control alone.
define([], function () {
	"use strict";
	var NAMES = ("accesskey autocapitalize autocomplete autocorrect dir enterkeyhint inputmode lang list maxlength placeholder spellcheck title " +
			"aria-label aria-labelledby aria-description aria-describedby aria-details aria-errormessage aria-hidden aria-keyshortcuts " +
			"aria-live aria-placeholder aria-roledescription").split(" "),
		CARRIED = /^(aria-(?!invalid).*|autofocus)$/,
		// These are the same at both, and no dijit has one of its own.
		SHARED = ["aria-describedby", "aria-invalid"];

	function parts(dijit) { return dijit.dateBox ? [dijit.dateBox, dijit.timeBox] : [dijit]; }

	// The part of a dijit that has the focus, or each of them.
	function of(dijit) {
		// An editor has its focus in a frame, which says for itself what it is.
		return parts(dijit).map(function (part) { return part.focusNode; }).filter(Boolean);
	}

	// Null gives back what the dijit had there by itself.
	function put(link, face, name, text) {
		var own = link.faces.get(face) || {};
		link.faces.set(face, own);
		if (!(name in own)) { own[name] = face.getAttribute(name); }
		if (text === null && SHARED.indexOf(name) < 0) { text = own[name]; }
		if (text === null) {
			face.removeAttribute(name);
		} else if (face.getAttribute(name) !== text) {
			face.setAttribute(name, text);
		}
	}

	// A script has changed an attribute of the control.
	function follow(link, name) {
		var node = link.node, dijit = link.dijit, text = node.getAttribute(name), isName = /^aria-label/.test(name);
		if (name === "tabindex") {
			link.before.tabindex = text === null ? undefined : text;
			if (link.row.keeps === "beside") { parts(dijit).forEach(function (part) { part.set("tabIndex", text === null ? "0" : text); }); }
		} else if (link.row.keeps === "beside" && NAMES.concat(SHARED).indexOf(name) >= 0) {
			// The boxes of a date and a time have names of their own.
			(isName && dijit.dateBox ? [dijit.domNode] : of(dijit)).forEach(function (face) {
				put(link, face, name, text);
				// A label of HTML's gives way to that, as the dijit's own has to.
				if (name === "aria-label" && !node.hasAttribute("aria-labelledby")) {
					put(link, face, "aria-labelledby", null);
					if (text !== null) { face.removeAttribute("aria-labelledby"); }
				}
			});
		}
	}

	function carry(link) {
		var node = link.node, first = of(link.dijit)[0];
		of(link.dijit).forEach(function (face) {
			// Beside a list of choices, that of what was typed earlier would be in the way.
			if (!node.options) { face.removeAttribute("autocomplete"); }
			Array.from(node.attributes).forEach(function (attribute) {
				var name = attribute.name;
				if ((CARRIED.test(name) || NAMES.indexOf(name) >= 0) && !(name === "autofocus" && face !== first)) { put(link, face, name, attribute.value); }
			});
			if (node.required) { face.setAttribute("aria-required", "true"); }
		});
		if (/^(number|email|url|tel|search)$/.test(node.type) && !node.hasAttribute("inputmode") && first && first.matches("input")) {
			// The keyboard that a phone shows for the control.
			first.inputMode = node.type === "number" ? "decimal" : node.type;
		}
	}

	return { parts: parts, of: of, carry: carry, follow: follow, followed: NAMES.concat(SHARED, "tabindex") };
});
