// What dijits open is at the end of <body>, where nothing can be clicked while a modal <dialog> is open: from within one,
// it opens inside of that.
define(["dojo/aspect", "dijit/popup"], function (aspect, popup) {
	"use strict";

	function put(wrapper, around) {
		var box = around.getBoundingClientRect(), size = wrapper.getBoundingClientRect(), below = innerHeight - box.bottom;
		wrapper.style.position = "fixed";
		wrapper.style.left = Math.max(0, Math.min(box.left, innerWidth - size.width)) + "px";
		wrapper.style.right = "auto";
		wrapper.style.top = (below >= size.height || below >= box.top ? box.bottom : Math.max(0, box.top - size.height)) + "px";
		wrapper.style.bottom = "auto";
	}

	// A click on what cannot have the focus would give it to the dialog, and what is open would close before it hears the click.
	function keepFocus(event) { event.preventDefault(); }

	aspect.after(popup, "open", function (options) {
		var around = options.around, wrapper = options.popup._popupWrapper, dialog = around && around.closest && around.closest("dialog");
		if (!wrapper) { return; }
		if (dialog && dialog.matches(":modal")) {
			dialog.appendChild(wrapper);
			put(wrapper, around);
			wrapper.addEventListener("mousedown", keepFocus);
		} else if (wrapper.parentNode !== document.body && wrapper.closest("dialog")) {
			wrapper.style.position = "";
			wrapper.removeEventListener("mousedown", keepFocus);
			document.body.appendChild(wrapper);
		}
	}, true);
});
