// What dijits do not read of a <select> by themselves: groups, and an empty choice that stands for "none yet". And what
// those that search miss, if one leaves them as fast as a program or a scanner of labels does.
define([], function () {
	"use strict";
	var INDENT = "&#160;&#160;&#160;",
		// What no choice's value begins with.
		HEADING = "\0";

	// dijit/form/Select knows no groups, but choices that cannot be chosen.
	function withHeadings(select) {
		var options = [];
		Array.prototype.forEach.call(select.children, function (child, i) {
			var isGroup = child.tagName === "OPTGROUP",
				heading = document.createElement("b");
			if (isGroup) {
				heading.textContent = child.label;
				options.push({ value: HEADING + i, label: heading.outerHTML, disabled: true });
			}
			Array.prototype.forEach.call(isGroup ? child.children : [child], function (option) {
				options.push({
					value: option.value,
					label: (isGroup ? INDENT : "") + option.innerHTML,
					disabled: option.disabled,
					selected: option.selected
				});
			});
		});
		return options;
	}

	// Dijit notes a moment later that what is typed is to be looked up, and a Tab before that would make it forget so.
	function promptly(processInput) {
		return function () {
			this._abortQuery();
			this.item = undefined;
			processInput.apply(this, arguments);
		};
	}

	function adapt(node, prototype, isAuto) {
		var empty, attrs = "_startSearch" in prototype ? { _processInput: promptly(prototype._processInput) } : {};
		if (node.tagName !== "SELECT" || node.multiple) { return attrs; }
		if ("emptyLabel" in prototype && node.querySelector("optgroup")) {
			attrs.options = withHeadings(node);
			return attrs;
		}
		if (isAuto && "searchAttr" in prototype && !("storeUrl" in prototype)) {
			attrs.value = node.value;
			empty = node.options[0];
			if (empty && empty.value === "") {
				attrs.placeHolder = empty.textContent.replace(/^-+$/, "");
				node.removeChild(empty);
			}
		}
		return attrs;
	}

	return { adapt: adapt, HEADING: HEADING };
});
