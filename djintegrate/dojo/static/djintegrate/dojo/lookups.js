// Dijits that ask the server which row was typed: whether they have its answer yet, and who waits for it.
define(["dojo/aspect", "dojo/when"], function (aspect, when) {
	"use strict";

	function answer(link) {
		var then = link.then;
		link.answered = link.dijit.textbox.value;
		link.then = null;
		if (then) { setTimeout(then); }
	}

	// The answer may come when a reset, say, has written something newer than what it was asked about: `meet` says so.
	function attend(link, meet) {
		var dijit = link.dijit;
		if (!link.row.looksUp) { return; }
		aspect.around(dijit, "_callbackSetLabel", function (original) {
			return function (found, query) {
				var isLast = !query || query[dijit.searchAttr] === dijit._lastQuery;
				if (!query || !meet(link)) { original.apply(dijit, arguments); }
				if (isLast) { answer(link); }
			};
		});
	}

	function isOpen(link) {
		var text = link.row.looksUp && link.dijit.textbox.value;
		return !!text && !link.dijit.item && link.answered !== text;
	}

	// `then` is told whether what was asked about is still what is there.
	function ask(link, then) {
		var dijit = link.dijit, text = dijit.textbox.value;
		link.then = function () { then(!dijit._destroyed && dijit.textbox.value === text); };
		dijit._abortQuery();
		dijit.item = null;
		dijit.set("displayedValue", text);
		when(dijit._fetchHandle, null, function () { answer(link); });
	}

	return { attend: attend, isOpen: isOpen, ask: ask };
});
