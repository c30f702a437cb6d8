// Tells the browser what Django's rules and the dijits say of each control, by setCustomValidity(): so a submit, HTMX and
// checkValidity() know of it as they know of HTML's own rules. Shows what is wrong as a text beside the dijit, once
// somebody has been there or has tried to send the form; and marks what the server refused until that is changed.
define(["./kept", "./patterns", "./rules"], function (kept, patterns, rules) {
	"use strict";
	var isPressed = false, waiting = [], marked = new WeakMap();

	// What appears or goes while a button of the mouse is down moves the page, and the click would miss what was aimed at.
	document.addEventListener("pointerdown", function () { isPressed = true; }, true);
	["pointerup", "pointercancel"].forEach(function (type) {
		document.addEventListener(type, function () {
			isPressed = false;
			setTimeout(function () { waiting.splice(0).forEach(display); });
		}, true);
	});

	function isList(entry) {
		var node = entry.links[0].node;
		return node.multiple || (node.type === "checkbox" && node.id !== entry.field.id);
	}

	// What the browser is going to send of a field, a list.
	function sent(entry) {
		var node = entry.links[0].node;
		if (kept.isBox(node)) {
			return entry.links.map(function (link) { return link.node; }).filter(function (one) { return one.checked; })
				.map(function (one) { return one.value; });
		}
		if (node.type === "file") { return Array.from(node.files, function (file) { return file.name; }); }
		if (node.options) {
			return Array.from(node.selectedOptions).filter(function (option) { return !option.disabled; })
				.map(function (option) { return option.value; });
		}
		return [node.value.replace(/\r?\n/g, "\r\n")];
	}

	function given(list) { return (list || []).filter(function (text) { return text !== ""; }); }

	function atFirst(entry) {
		return entry.links.reduce(function (found, link) {
			var node = link.node;
			if (kept.isBox(node)) { return node.defaultChecked ? found.concat(node.value) : found; }
			if (node.options) {
				return found.concat(Array.from(node.options).filter(function (option, i) {
					return option.defaultSelected || (!node.multiple && i === 0 && !node.querySelector("option[selected]"));
				}).map(function (option) { return option.value; }));
			}
			return node.type === "file" ? found : found.concat(node.defaultValue.replace(/\r?\n/g, "\r\n"));
		}, []);
	}

	function isUntouched(entry) {
		return unreadable(entry) === null && given(sent(entry)).sort().join("\n") ===
			given(entry.field.initial || atFirst(entry)).sort().join("\n");
	}

	// A form of a formset that nobody filled in, or that is to be deleted, is not checked by Django either.
	function isAbsent(step) {
		var box = step["delete"] && document.getElementById(step["delete"]);
		return (box && box.checked) || (step.optional && step.entries.every(isUntouched));
	}

	// The link of which the dijit has something that it cannot read.
	function unreadable(entry) {
		return entry.links.find(function (link) {
			return link.row.readable && !link.row.readable(link.dijit, link.node, link.field);
		}) || null;
	}

	function plainText(html) {
		var template = document.createElement("template");
		template.innerHTML = html;
		return template.content.textContent.trim();
	}

	// The attribute that says in HTML what the rule does, min_value say, is another one by now: the browser checks that.
	function isChanged(link, rule) {
		var word = rule.replace(/_value|_/, "");
		return word in link.before && link.node.getAttribute(word) !== link.before[word];
	}

	function byRules(entry) {
		var field = entry.field, link = entry.links[0], text;
		text = given(sent(entry).map(function (one) { return field.rules.strip ? patterns.strip(one) : one; }))[0] || "";
		// Elements without anything to see are no text.
		if (field.rules.html && !/<(hr|img)\b/i.test(text) && !text.replace(/<[^>]*>|&nbsp;|\s/g, "")) { text = ""; }
		// Of several choices, one whose value is empty is one all the same.
		if (text === "" && sent(entry).length && isList(entry)) { return ""; }
		if (text === "") { return isChanged(link, "required") ? "" : field.rules.required || ""; }
		return rules.broken(field.rules.list.filter(function (rule) { return !isChanged(link, rule[0]); }), link.row.plain ? link.row.plain(text, field) : text, link.node.files);
	}

	// What a dijit without such rules says itself.
	function byDijits(entry) {
		var wrong = entry.links.find(function (link) { return link.valid && !link.valid(); });
		return wrong ? rules.filled(wrong.message(), wrong.node.value) || " " : "";
	}

	function problem(entry) {
		var node = entry.links[0].node, lost, typed;
		if (kept.isDisabled(node) || isAbsent(entry.step)) { return ""; }
		lost = unreadable(entry);
		if (lost) {
			typed = lost.dijit.textbox ? lost.dijit.textbox.value : lost.node.value;
			// The server wrote it, and refused nothing.
			if (typed === lost.node.defaultValue && !entry.field.errors) { return ""; }
			return rules.filled(entry.field.rules && entry.field.rules.invalid, typed) || rules.filled(invalid(entry.links[0].dijit), typed) || " ";
		}
		return entry.field.rules ? byRules(entry) : byDijits(entry);
	}

	// Dijit's own words where nobody gave it any.
	function invalid(dijit) {
		return dijit.invalidMessage === "$_unset_$" ? dijit.messages.invalidMessage : dijit.invalidMessage;
	}

	// The list of errors that Django wrote beside the field goes with the error, and comes back with it.
	function isRefused(entry) {
		var is = !!entry.refused && JSON.stringify(sent(entry)) === entry.refused,
			list = document.getElementById(entry.field.id + "_error");
		if (list && entry.refused) { list.hidden = !is; }
		return is;
	}

	function check(entry) {
		var own = problem(entry), native;
		entry.links.forEach(function (link, i) { say(link.node, link.said || (i ? "" : plainText(own) || own)); });
		native = entry.links.find(function (link) { return link.node.willValidate && !link.node.validity.valid; });
		if (native && (native.said || !own && !(entry.step.optional && isAbsent(entry.step)))) {
			own = rules.html(native.node.validationMessage) + (own && "<br>" + own);
		}
		entry.wrong = own;
	}

	// What a page's own script says of a control stays, and goes before.
	function say(node, text) { Object.getPrototypeOf(node).setCustomValidity.call(node, text); }

	function place(entry) {
		var last = entry.links[entry.links.length - 1].dijit.domNode, whole = last.closest(".dj-field"), list = entry.links.length > 1 && document.getElementById(entry.field.id), node;
		if (!entry.text || !entry.text.isConnected) {
			node = entry.text = document.createElement("span");
			node.className = "djintegrate-error";
			node.id = entry.links[0].dijit.id + "__problem";
			node.hidden = true;
			// Where DijitRenderer wrote the field, it is the place of Django's own errors.
			if (whole) {
				(whole.querySelector("fieldset") || whole).appendChild(node);
			} else if (list) {
				list.appendChild(node);
			} else {
				last.after(node);
			}
		}
		return entry.text;
	}

	// The parts of one field may all lack the same.
	function sayOnce(field) {
		var said = { "": true };
		if (field.closest(".dj-field")) {
			field.querySelectorAll(".djintegrate-error").forEach(function (text) {
				text.hidden = said[text.innerHTML];
				said[text.innerHTML] = true;
			});
		}
	}

	function describe(face, id, is) {
		var ids = (face.getAttribute("aria-describedby") || "").split(/\s+/).filter(function (one) { return one && one !== id; });
		if (is) { ids.unshift(id); }
		kept.setAttribute(face, "aria-describedby", ids.length ? ids.join(" ") : undefined);
	}

	// What the page itself says there stays while there is nothing to say.
	function mark(face, is) {
		if (is) {
			if (!marked.has(face)) { marked.set(face, face.getAttribute("aria-invalid") || "false"); }
			face.setAttribute("aria-invalid", "true");
		} else if (marked.has(face)) {
			face.setAttribute("aria-invalid", marked.get(face));
			marked["delete"](face);
		}
	}

	function display(entry) {
		if (isPressed) {
			waiting.push(entry);
			return;
		}
		var shown = entry.wrong && entry.visited ? entry.wrong : "", refused = !shown && isRefused(entry), text;
		if (shown) { isRefused(entry); }
		if (shown || entry.text) {
			text = place(entry);
			if (text.innerHTML !== shown) { text.innerHTML = shown; }
			text.hidden = !shown;
			sayOnce(text.parentNode);
		}
		entry.links.forEach(function (link) {
			var dijit = link.dijit, is = !!(shown || refused);
			if (dijit._destroyed) { return; }
			kept.parts(dijit).concat(dijit).forEach(function (part) { part._set("state", is ? "Error" : ""); });
			dijit._set("message", shown || (refused ? entry.field.errors.join("<br>") : ""));
			dijit.domNode.classList.toggle("djintegrate-wrong", is);
			kept.faces(dijit).concat(link.node).forEach(function (face) {
				mark(face, is);
				if (entry.text && !dijit.describe) { describe(face, entry.text.id, !!shown); }
			});
			if (dijit.describe) { dijit.describe(plainText(shown)); }
		});
	}

	// All fields of a form that may be left alone or deleted, for whether it has to be checked at all may have changed.
	function refresh(entry) {
		(entry.step.optional || entry.step["delete"] ? entry.step.entries : [entry]).forEach(function (one) {
			check(one);
			display(one);
		});
	}

	function visit(entry) {
		entry.visited = true;
		refresh(entry);
	}

	// The dijit says of itself what is said here, and shows no tip of its own about it.
	function teach(entry, link) {
		var dijit = link.dijit, validates = !!dijit.validate, isValid = dijit.isValid, message = dijit.getErrorMessage, validate = dijit.validate;
		if (validates && isValid) {
			link.valid = function () { return isValid.call(dijit, false); };
			link.message = function () { return message ? message.call(dijit, false) : dijit._missingMsg || ""; };
		}
		if (validates && !entry.field.rules) {
			dijit.displayMessage = function (text) {
				if (this.state !== "Error") { this.constructor.prototype.displayMessage.call(this, text); }
			};
		} else if (validates) {
			dijit.displayMessage = function () {};
		}
		dijit.isValid = function () {
			check(entry);
			return !entry.wrong;
		};
		if (message) { dijit.getErrorMessage = function () { return entry.wrong; }; }
		dijit.validate = function (isFocused) {
			var said;
			if (this._hasBeenBlurred && !isFocused) { entry.visited = true; }
			if (!entry.field.rules && message) {
				said = this.focusNode && this.focusNode.getAttribute("aria-invalid");
				validate.apply(this, arguments);
				// Which is said by what is shown.
				if (this.focusNode) { kept.setAttribute(this.focusNode, "aria-invalid", said === null ? undefined : said); }
			}
			refresh(entry);
			return !entry.wrong;
		};
		["value", "displayedValue", "checked"].forEach(function (name) {
			dijit.own(dijit.watch(name, function () { if (dijit._started && !link.quiet) { refresh(entry); } }));
		});
		dijit.own(dijit.watch("focused", function (name, was, is) {
			// From one box of a list to the next is not yet away.
			if (!is && entry.links.length === 1) { visit(entry); }
		}));
		// Before a listener of the page's, who may ask.
		["input", "change"].forEach(function (type) { link.node.addEventListener(type, function () { refresh(entry); }, { capture: true, signal: link.ended.signal }); });
		link.said = link.node.validity.customError ? link.node.validationMessage : "";
		link.node.setCustomValidity = function (text) {
			link.said = String(text);
			refresh(entry);
		};
	}

	// For all dijits of one field, before they are started.
	function attach(links, field, step) {
		var entry = { links: links, field: field, step: step, wrong: "", visited: false };
		step.entries = (step.entries || []).concat(entry);
		links.forEach(function (link) {
			link.entry = entry;
			teach(entry, link);
		});
	}

	// What the server refused is what the controls hold now that the dijits are started.
	function remember(step) {
		(step.entries || []).forEach(function (entry) {
			if (entry.field.errors) { entry.refused = entry.refused || entry.field.refused || JSON.stringify(sent(entry)); }
			if (entry.field.errors) {
				// Django wrote that.
				entry.links.forEach(function (link) { kept.faces(link.dijit).concat(link.node).forEach(function (face) { marked.set(face, "false"); }); });
			}
			check(entry);
			display(entry);
		});
	}

	return {
		attach: attach, remember: remember, refresh: refresh, visit: visit,
		forget: function (entry) {
			entry.step.entries = entry.step.entries.filter(function (one) { return one !== entry; });
			// Should it come back, that is still what the server refused.
			entry.field.refused = entry.refused;
			if (entry.text) { entry.text.remove(); }
		}
	};
});
