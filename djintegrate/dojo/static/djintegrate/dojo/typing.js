// Whoever is typing while the dijits are made: the page was plain HTML, and in use, until then.
define([], function () {
	"use strict";

	// What somebody is typing, and what of it is marked. Of a number or an address the browser tells that only by what it
	// marks, a text that is no number yet, such as "-", included.
	function at(node) {
		var selection = getSelection(), text = node.value, start = node.selectionStart, end = node.selectionEnd, marked;
		function mark(how, where, unit) {
			selection.modify(how, where, unit);
			return selection.toString();
		}
		if (/^(number|email)$/.test(node.type)) {
			marked = selection.toString().length;
			if (marked) { mark("move", "backward", "character"); }
			start = mark("extend", "backward", "lineboundary").length;
			mark("move", "backward", "lineboundary");
			text = mark("extend", "forward", "lineboundary");
			end = start + marked;
			// Firefox marks nothing there.
			if (!text) {
				text = node.value;
				start = end = text.length;
			}
		}
		return { text: text, start: start, end: end };
	}

	// Whoever is typing goes on at the same place.
	function resume(link) {
		var typed = link.typing, dijit = link.dijit, node = link.node,
			isInTime = dijit.dateBox && typed.start > dijit.dateBox.textbox.value.length, face, shown, gap;
		if (dijit.goOn) { return dijit.goOn(); }
		(isInTime ? dijit.timeBox : dijit).focus();
		face = document.activeElement;
		if (typeof face.selectionStart !== "number") { return; }
		shown = face.value;
		if (node.type === "number" && link.row.written) {
			// The text may be in the browser's language, which is another one than the page's.
			face.value = typed.text;
			if (node.value && link.row.written(dijit, node, link.field) !== node.value) { face.value = shown; }
		}
		gap = typed.text.indexOf(face.value) ? face.value.length - typed.text.length : 0;
		if (node.options) {
			face.select();
		} else {
			face.setSelectionRange(Math.max(typed.start + gap, 0), Math.max(typed.end + gap, 0));
		}
	}

	return { at: at, resume: resume };
});
