// What a page's scripts do to a control: they write into it, ask whether it is valid, and give it the focus. Of none of that
// there is an event, so each of these asks the control's dijit too.
define(["dojo/aspect", "./kept", "./validity"], function (aspect, kept, validity) {
	"use strict";

	function look(link) {
		kept.meet(link);
		validity.refresh(link.entry);
	}

	// Once the script is through. What the dijit itself has written it has told by then.
	function ring(link) {
		if (!link.isRung) {
			link.isRung = true;
			queueMicrotask(function () {
				link.isRung = false;
				if (kept.meet(link)) { validity.refresh(link.entry); }
			});
		}
	}

	function afterSetting(object, from, name, then) {
		var own = Object.getOwnPropertyDescriptor(from, name);
		if (own) {
			Object.defineProperty(object, name, {
				configurable: true, enumerable: true, get: own.get, set: function (value) {
					own.set.call(this, value);
					then(this);
				}
			});
		}
	}

	afterSetting(HTMLOptionElement.prototype, HTMLOptionElement.prototype, "selected", function (option) {
		var link = kept.linkOf(option.closest("select"));
		if (link) { ring(link); }
	});

	function attend(link) {
		var node = link.node;
		["value", "checked", "selectedIndex", "valueAsNumber", "valueAsDate"].forEach(function (name) {
			afterSetting(node, Object.getPrototypeOf(node), name, function () { ring(link); });
		});
		["stepUp", "stepDown"].forEach(function (name) {
			if (node[name]) { aspect.after(node, name, function () { ring(link); }); }
		});
		["checkValidity", "reportValidity"].forEach(function (name) {
			aspect.before(node, name, function () { look(link); });
		});
		if (link.row.keeps === "beside") {
			node.focus = function (options) { (kept.faces(link.dijit)[0] || link.dijit).focus(options); };
		}
	}

	return { attend: attend, look: look };
});
