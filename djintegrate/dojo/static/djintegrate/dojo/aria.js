// What dijits do not tell to assistive technology: they were written for ARIA 1.0, and the rules have moved on.
define(["dojo/_base/kernel", "dojo/aspect", "dijit/registry"], function (kernel, aspect, registry) {
	"use strict";
	// The signs on their buttons, ▼ and the like, are inputs that nobody can use.
	var SIGNS = "input[role~=presentation][tabindex='-1']";

	// HTML's labels know of its own controls only: beside a hidden one, the dijit is called what that is called.
	function label(node, dijit, own) {
		var labels;
		if (!node || node === own || node.hasAttribute("aria-label") || node.hasAttribute("aria-labelledby")) {
			if (node === own && node) { legend(node); }
			return;
		}
		labels = Array.from(own && own.labels || []);
		labels.forEach(function (label, i) { label.id = label.id || dijit.id + "_label" + (i || ""); });
		if (labels.some(function (label) { return label.contains(own); })) {
			node.setAttribute("aria-label", labels.map(function (label) { return textOf(label, own, dijit.domNode); }).join(" "));
		} else if (labels.length) {
			node.setAttribute("aria-labelledby", labels.map(function (label) { return label.id; }).join(" "));
		} else if (own && own.title) {
			node.setAttribute("aria-label", own.title);
		} else if (own) {
			legend(node);
		}
	}

	// What a label says, without what the dijit within it shows.
	function textOf(label, first, last) {
		var range = document.createRange(), text;
		range.selectNodeContents(label);
		if (label.contains(first)) { range.setEndBefore(first); }
		text = range.toString();
		if (label.contains(last)) {
			range.selectNodeContents(label);
			range.setStartAfter(last);
			text += range;
		}
		return text.trim();
	}

	// Where Django writes several controls for one field, their common legend is all there is.
	function legend(node) {
		var fieldset = node.closest("fieldset"), found = fieldset && fieldset.querySelector("legend");
		if (!found || (node.labels && node.labels.length) || node.title || node.matches("[aria-label], [aria-labelledby]")) { return; }
		found.id = found.id || node.id + "_legend";
		node.setAttribute("aria-labelledby", found.id);
	}

	// A spinner that is empty has no number to tell.
	function spinner(dijit) {
		function now() {
			if (dijit.focusNode.getAttribute("aria-valuenow") === "NaN") { dijit.focusNode.removeAttribute("aria-valuenow"); }
		}
		aspect.after(dijit, "_setValueAttr", now);
		now();
	}

	function popup(dijit, node) {
		node.setAttribute("aria-expanded", "false");
		aspect.after(dijit, "openDropDown", function () {
			node.setAttribute("aria-controls", node.getAttribute("aria-owns"));
			// Between a list and its choices, a table's body would be one of them.
			dijit.dropDown.domNode.querySelectorAll("tbody").forEach(function (body) {
				if (body.parentNode.getAttribute("role") === "listbox") { body.setAttribute("role", "presentation"); }
			});
		});
	}

	// dijit/form/Select calls itself the listbox that it opens, and what it shows an option of it.
	function select(dijit, node) {
		function plain() {
			node.querySelectorAll("[role=option]").forEach(function (shown) {
				shown.removeAttribute("role");
				shown.removeAttribute("aria-selected");
			});
		}
		node.setAttribute("role", "combobox");
		node.setAttribute("aria-haspopup", "listbox");
		aspect.after(dijit, "_setDisplay", plain);
		plain();
	}

	// The parts of one control are called by its name and their own, for which the browser has words in each language.
	function call(face, field) {
		var word = new Intl.DisplayNames(kernel.locale, { type: "dateTimeField" }).of(field), by = face.getAttribute("aria-labelledby");
		face.setAttribute("aria-label", (face.getAttribute("aria-label") || "") + " " + word);
		if (by) { face.setAttribute("aria-labelledby", by + " " + face.id); }
	}

	function tell(dijit, own) {
		var node = dijit._popupStateNode;
		label(dijit.focusNode, dijit, own);
		if (dijit.dateBox) { label(dijit.domNode, dijit, own); }
		dijit.domNode.querySelectorAll(SIGNS).forEach(function (sign) {
			sign.setAttribute("aria-hidden", "true");
		});
		if (node && node.getAttribute("role") === "listbox") { select(dijit, node); }
		if (node && node.getAttribute("role") === "combobox") { popup(dijit, node); }
		if (dijit.focusNode && dijit.focusNode.getAttribute("role") === "spinbutton") { spinner(dijit); }
		registry.findWidgets(dijit.domNode).forEach(function (part) { tell(part, dijit.dateBox && own); });
		if (dijit.dateBox) {
			call(dijit.dateBox.focusNode, "day");
			call(dijit.timeBox.focusNode, "hour");
		}
	}

	return tell;
});
