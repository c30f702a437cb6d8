// Lets the dijits of a field check the rules of Django's field, and say its messages; and shows on them what the server
// said of the value that came back. Dijits without dojo_form(auto=True) keep the checks that they have themselves; of those
// that have none it is checked here whether what is required is there.
define(["dijit/Tooltip", "./choices", "./patterns", "./rules"], function (Tooltip, choices, patterns, rules) {
	"use strict";

	function isBox(dijit) { return dijit.type === "checkbox" || dijit.type === "radio"; }

	// A text in a box with choices of which it is none, or not yet: that of a store may still have to be asked for.
	function isSought(dijit) { return "item" in dijit && "searchAttr" in dijit && !dijit.item && dijit.textbox.value; }

	// What is going to be sent, a list; null for a text that the dijit cannot make anything of.
	function sent(entry) {
		var dijit = entry.dijits[0], value;
		if (isBox(dijit)) {
			return entry.dijits.filter(function (one) { return one.get("checked"); })
				.map(function (one) { return one.value; });
		}
		if (dijit.domNode.type === "file") {
			return dijit.get("files").map(function (file) { return file.name; });
		}
		value = dijit.sent ? dijit.sent() : dijit.get("value");
		if (value === undefined || String(value).charAt(0) === choices.HEADING || isSought(dijit)) {
			return "ComboBox" in dijit ? [dijit.textbox.value] : null;
		}
		if (value === null || value !== value) { return []; }
		if (Array.isArray(value)) { return value; }
		value = dijit.valueNode && dijit.textbox && !("searchAttr" in dijit) ? dijit.toString() : String(value);
		// As the browser sends a text of several lines.
		return [value.replace(/\r?\n/g, "\r\n")];
	}

	// For the rules numbers have a dot, and dates ISO's form, whatever is sent.
	function plain(entry, text) {
		var dijit = entry.dijits[0], value = entry.field.value, iso = { date: "%Y-%m-%d", time: "%H:%M:%S" };
		if (!value) { return text; }
		return value.kind === "number" && value.wire ? text.replace(value.wire, ".") :
			iso[value.kind] && dijit.strftime ? dijit.strftime(iso[value.kind], dijit.get("value")) : text;
	}

	function given(list) {
		return (list || []).filter(function (text) { return text !== ""; });
	}

	function isUntouched(entry) {
		var now = given(sent(entry) || [""]), first = given(entry.field.initial);
		return sent(entry) !== null && (isBox(entry.dijits[0]) && entry.dijits.length === 1 ? now.length === first.length :
			now.slice().sort().join("\n") === first.slice().sort().join("\n"));
	}

	// A form of a formset that nobody filled in, or that is to be deleted, is not checked by Django either.
	function isAbsent(step) {
		var box = step["delete"] && document.getElementById(step["delete"]);
		return (box && box.checked) || (step.optional && step.entries.every(isUntouched));
	}

	function problem(entry) {
		var field = entry.field, texts, text;
		if (!field.rules || entry.dijits[0].get("disabled") || isAbsent(entry.step)) { return ""; }
		texts = sent(entry);
		if (texts === null) { return field.rules.invalid || " "; }
		text = given(texts.map(function (one) { return field.rules.strip ? patterns.strip(one) : one; }))[0] || "";
		// Elements without anything to see are no text.
		if (field.rules.html && !/<(hr|img)\b/i.test(text) && !text.replace(/<[^>]*>|&nbsp;|\s/g, "")) { text = ""; }
		if (text === "") { return field.rules.required || ""; }
		return rules.broken(field.rules.list, plain(entry, text), entry.dijits[0].get("files"));
	}

	// The list of errors that Django wrote beside the field goes with the error, and comes back with it.
	function refusal(entry) {
		var is = entry.refused && JSON.stringify(sent(entry)) === entry.refused,
			list = document.getElementById(entry.field.id + "_error");
		if (list && entry.refused) { list.hidden = !is; }
		return is ? entry.field.errors.join("<br>") : "";
	}

	// A dijit that shows messages by itself.
	function teach(entry, dijit) {
		var validate = dijit.validate;
		if (entry.field.rules) {
			dijit.isValid = function () { return !problem(entry); };
			dijit.getErrorMessage = function () { return problem(entry) || refusal(entry); };
		}
		dijit.validate = function () {
			var isValid = validate.apply(this, arguments), said = refusal(entry);
			if (isValid && said) {
				this._set("state", "Error");
				(this.focusNode || this.domNode).setAttribute("aria-invalid", "true");
				this.set("message", said);
			}
			return isValid;
		};
	}

	// One that shows none.
	function accompany(entry, dijit) {
		var around = dijit.domNode, shown = "", text = dijit.textbox || (around.matches("textarea, select") && around);

		if (entry.field.rules && entry.field.rules.required && text) {
			text.setAttribute("aria-required", "true");
		}

		function tell() {
			if (shown && dijit.focused) {
				Tooltip.show(shown, around, [], !dijit.isLeftToRight());
			} else {
				Tooltip.hide(around);
			}
		}

		dijit.validate = function () {
			var wrong = problem(entry), said = wrong || refusal(entry), visible = !wrong || dijit._hasBeenBlurred;
			shown = visible ? said : "";
			dijit.set("state", shown ? "Error" : "");
			dijit.set("message", shown);
			// The themes have a sign for texts alone.
			around.style.boxShadow = shown && !around.matches("textarea") ? "0 0 0 1px #d46464" : "";
			(dijit.focusNode || dijit.domNode).setAttribute("aria-invalid", shown ? "true" : "false");
			tell();
			return !wrong;
		};
		dijit.own(dijit.watch("focused", function (name, before, now) {
			// From one box of a list to the next is not yet away.
			if (now || entry.dijits.length > 1) { tell(); } else { dijit.validate(); }
		}), { remove: function () { Tooltip.hide(around); } });
		["value", "checked", "displayedValue"].forEach(function (name) {
			dijit.own(dijit.watch(name, function () {
				if (dijit._started && (dijit.state || entry.refused)) {
					entry.dijits.forEach(function (one) { one.validate(); });
				}
			}));
		});
	}

	// For all dijits of one field, before they are started.
	function attach(dijits, field, step) {
		var entry = { dijits: dijits, field: field, step: step };
		step.entries = (step.entries || []).concat(entry);
		if (!field.rules && !field.errors) { return; }
		dijits.forEach(function (dijit) {
			(dijit.getErrorMessage ? teach : accompany)(entry, dijit);
		});
	}

	// What the server refused is what the dijits hold now that they are started.
	function remember(step) {
		(step.entries || []).forEach(function (entry) {
			if (entry.field.errors) {
				entry.refused = JSON.stringify(sent(entry));
				entry.dijits.forEach(function (dijit) { dijit.validate && dijit.validate(); });
			}
		});
	}

	return { attach: attach, remember: remember };
});
