// Makes a dijit for a control of the HTML, which stays in the page with its name, its attributes and its listeners: it is
// what is sent, reset, refilled, validated and heard. The table of kinds.js says how a dijit stands for it.
define([
	"dojo/_base/declare", "dojo/_base/lang", "dojo/aspect", "dijit/focus", "./aria", "./faces", "./kinds", "./lookups", "./plain", "./typing", "./dialogs", "./styles"
], function (declare, lang, aspect, focus, aria, faces, kinds, lookups, plain, typing) {
	"use strict";
	var CONTROL = "[data-dojo-attach-point*=focusNode], [data-dojo-attach-point*=textbox]",
		// What a template says of its own control, which the HTML's has itself or does without.
		FOREIGN = ["autocomplete", "checked", "name", "required", "tabindex", "type", "value"],
		STATE = ["disabled", "readonly", "hidden", "class", "style", "role"],
		classes = [],
		links = new Map(),
		isCopy = false;

	// Dijit, which hears of every focus in the page, would take a copy for a way out of the dijit.
	["_onFocusNode", "_onBlurNode"].forEach(function (name) {
		aspect.around(focus, name, function (original) {
			return function () { if (!isCopy) { original.apply(focus, arguments); } };
		});
	});

	// A dijit whose template has the HTML's control in the place of its own one.
	var Around = {
		_attachTemplateNodes: function _attachTemplateNodes(root) {
			var own = this.htmlControl, place = root.matches(CONTROL) ? root : root.querySelector(CONTROL), marker;
			if (place && place !== own) {
				marker = document.createElement("span");
				own.replaceWith(marker);
				Array.from(place.attributes).forEach(function (attribute) {
					if (attribute.name === "class") {
						own.className = (own.className + " " + attribute.value).trim();
					} else if (/^(aria-|data-dojo-|role$)/.test(attribute.name) && !own.hasAttribute(attribute.name)) {
						own.setAttribute(attribute.name, attribute.value);
					}
				});
				if (place === root) {
					this.domNode = root = own;
				} else {
					place.replaceWith(own);
				}
				this.srcNodeRef = marker;
			}
			this.inherited(_attachTemplateNodes, arguments, [root]);
			Array.from(own.attributes).forEach(function (attribute) {
				if (/^data-dojo-/.test(attribute.name)) { own.removeAttribute(attribute.name); }
			});
		},

		// Nobody is typing where the focus is not, and a list of times would open for it: see meet().
		_onInput: function _onInput() {
			if (document.activeElement === this.htmlControl) { this.inherited(_onInput, arguments); }
		}
	};

	// One class for each of Dojo's and each row of the table, however many dijits are made.
	function classOf(Dijit, row) {
		var found = classes.find(function (one) { return one.of === Dijit && one.row === row; });
		if (!found) {
			found = { of: Dijit, row: row };
			found.made = declare(row.keeps === "box" ? [Dijit, declare(null, Around)] : Dijit, lang.mixin(
				{ declaredClass: Dijit.prototype.declaredClass }, row.mixin
			));
			classes.push(found);
		}
		return found.made;
	}

	// Dojo looks for ids within selectors, and some names of fields would end those.
	function safe(id) { return id.replace(/["'\\\]\s]/g, "_"); }

	function setAttribute(node, name, text) {
		if (text === undefined) {
			node.removeAttribute(name);
		} else if (node.getAttribute(name) !== text) {
			node.setAttribute(name, text);
		}
	}

	function attributesOf(node) {
		var found = {};
		Array.from(node.attributes).forEach(function (attribute) { found[attribute.name] = attribute.value; });
		return found;
	}

	function stateOf(node) {
		return [node.value, node.checked, Array.from(node.selectedOptions || [], function (option) { return option.index; })];
	}

	// A dijit that is made changes attributes and values, so that a reset would come back to something else.
	function restore(node, before, state) {
		FOREIGN.concat(Object.keys(before)).forEach(function (name) {
			if (STATE.indexOf(name) < 0 && node.getAttribute(name) !== before[name]) { setAttribute(node, name, before[name]); }
		});
		if (isBox(node)) {
			node.checked = state[1];
		} else if (node.options) {
			Array.from(node.options).forEach(function (option, i) {
				var is = state[2].indexOf(i) >= 0;
				if (option.selected !== is) { option.selected = is; }
			});
		} else if (node.type !== "file" && node.value !== state[0]) {
			node.value = state[0];
		}
	}

	function isBox(node) { return /checkbox|radio/.test(node.type); }

	function isDisabled(node) { return node.matches(":disabled"); }

	function fire(node, type) { node.dispatchEvent(new Event(type, { bubbles: true })); }

	// Hides the control, which stays in its place. A style of its own would be another one's: HTMX carries it over to what
	// comes with the same id, which a policy may forbid.
	function hide(node, is) { node.classList.toggle("djintegrateHidden", is); }

	function put(link, text) {
		var node = link.node;
		if (node.type !== link.type) { node.setAttribute("type", link.type); }
		if (text !== undefined && text !== node.value) { node.value = text; }
		if (text && !node.value) {
			// <input type="number"> and its kin keep nothing of what they cannot read, and the server is to say.
			node.setAttribute("type", "text");
			node.value = text;
		}
	}

	// Write what the dijit has into the control, and let the page hear of it as of any control: of each key, and of what is new.
	function write(link, isFinal, isKey, isSent) {
		var node = link.node, before = link.known;
		if (link.quiet || link.dijit._destroyed) { return; }
		if (link.row.write) {
			link.row.write(link.dijit, node, isSent);
			if (link.options) { link.options.takeRecords(); }
		} else {
			put(link, link.row.written(link.dijit, node, link.field));
		}
		know(link);
		if (isKey && node.value === link.typed || link.known !== before) { fire(node, "input"); }
		if (isKey) { link.typed = node.value; }
		if (isFinal && link.known !== link.reported) {
			note(link);
			fire(node, "change");
		}
	}

	// What the control and its dijit have told each other. A control that holds something else was written by a script, a
	// reset or the browser's memory, and is the newer one: see meet().
	function know(link) { link.known = String(stateOf(link.node)); }

	function note(link) {
		know(link);
		link.reported = link.known;
		link.typed = link.node.value;
	}

	function show(link) {
		var dijit = link.dijit, told;
		if (dijit._destroyed) { return; }
		link.quiet = true;
		if (link.options) { link.row.renew(dijit, link.node); }
		told = link.row.shown(dijit, link.node, link.field);
		if (told) {
			if (told[0] === "displayedValue") { dijit.textbox.value = told[1]; }
			dijit.set(told[0], told[1], false);
		}
		link.quiet = false;
		note(link);
	}

	// Whether the control has been written since, which its dijit then shows.
	function meet(link) {
		var isNew = !link.quiet && String(stateOf(link.node)) !== link.known;
		if (isNew) { show(link); }
		return isNew;
	}

	function adapt(link) {
		var dijit = link.dijit, node = link.node, disabled = isDisabled(node), itself = node.disabled,
			hidden = node.hidden || node.style.display === "none";
		if (dijit._destroyed) { return; }
		if (!!dijit.disabled !== disabled) {
			dijit.set("disabled", disabled);
			// That of a fieldset is not the control's own.
			node.disabled = itself;
			if (link.row.keeps === "box") { setAttribute(node, "tabindex", link.before.tabindex); }
		}
		if (disabled && link.row.keeps === "beside") {
			// Dijit leaves those that are no control of HTML to the mouse and to scripts.
			faces.of(dijit).forEach(function (face) { face.removeAttribute("tabindex"); });
		}
		if ("readOnly" in dijit && !isBox(node) && !!dijit.readOnly !== !!node.readOnly && "readOnly" in node) {
			dijit.set("readOnly", node.readOnly);
		}
		if (!!link.hidden !== hidden) {
			link.hidden = hidden;
			hide(dijit.domNode, hidden);
		}
	}

	function connectBeside(link) {
		var dijit = link.dijit, node = link.node;
		faces.of(dijit).forEach(function (face) {
			["input", "change"].forEach(function (type) {
				// The page hears the control, which has a name.
				face.addEventListener(type, function (event) {
					event.stopPropagation();
					if (type === "input") { setTimeout(function () { write(link, false); }); }
					write(link, type === "change", type === "input");
				});
			});
			// A search that is still to come would take the focus back.
			face.addEventListener("blur", function () { if (dijit._abortQuery) { dijit._abortQuery(); } });
			// What the control's own listeners hear of any control.
			["focus", "blur", "keydown", "keypress", "keyup", "click", "paste"].forEach(function (type) {
				face.addEventListener(type, function (event) {
					if (event.relatedTarget && dijit.domNode.contains(event.relatedTarget)) { return; }
					isCopy = true;
					if (!node.dispatchEvent(new event.constructor(type, lang.mixin({}, event, { bubbles: false })))) { event.preventDefault(); }
					isCopy = false;
				});
			});
		});
		["displayedValue", "value"].forEach(function (property) {
			dijit.own(dijit.watch(property, function () { write(link, property === "value"); }));
		});
		// What was chosen already and is typed once more is found anew, and neither of those changes.
		dijit.own(dijit.watch("item", function () { setTimeout(function () { if (!meet(link)) { write(link, false); } }); }));
		lookups.attend(link, meet);
		(node.labels || []).forEach(function (label) {
			label.addEventListener("click", function (event) {
				if (!dijit.domNode.contains(event.target)) { node.focus(); }
			}, { signal: link.ended.signal });
		});
	}

	// What a dijit does to the HTML's own box by program, a calendar's day say, is heard as well.
	function connectBox(link) {
		var node = link.node;
		["value", "displayedValue", "checked"].forEach(function (property) {
			link.dijit.own(link.dijit.watch(property, function () {
				var before = link.known;
				if (link.quiet) { return; }
				know(link);
				// Of the radio buttons of a list, the page hears the one that is chosen.
				if (link.known === before || node.type === "radio" && !node.checked) { return; }
				fire(node, "input");
				fire(node, "change");
			}));
		});
	}

	function make(Dijit, node, field) {
		var row = kinds.of(Dijit, field, node), Made = classOf(Dijit, row), given = row.given(node, field, Dijit.prototype),
			before = attributesOf(node), state = stateOf(node), isBeside = row.keeps === "beside",
			typed = document.activeElement === node && typing.at(node),
			attrs = lang.mixin(
				{ htmlControl: node, "class": node.className },
				node.readOnly && { readOnly: true }, node.hasAttribute("tabindex") && { tabIndex: node.tabIndex }, node.title && { title: node.title },
				given, row.methods && row.methods(field, Dijit.prototype), lang.clone(field.attrs)
			), place = node, link, dijit;
		if (given.constraints) { attrs.constraints = lang.mixin(given.constraints, attrs.constraints); }
		attrs.disabled = node.disabled || !!field.attrs.disabled;
		(node.labels || []).forEach(function (label) {
			// A label around the control would be that of the first control in the dijit's template.
			if (node.id && !label.htmlFor) { label.htmlFor = node.id; }
		});
		if (node.id) { attrs.id = safe(node.id); }
		if (attrs.required && !("_setRequiredAttr" in Dijit.prototype)) {
			// It would be an attribute, and mean the element that the dijit is made of.
			delete attrs.required;
			if (!field.rules && !Dijit.prototype.validate) { field.rules = { required: attrs.missingMessage || " ", list: [] }; }
		}
		if (attrs.value === undefined) { delete attrs.value; }
		if (field.rules && node.tagName === "INPUT" && /^(email|url)$/.test(node.type)) {
			// Django reads addresses that the browser refuses, a.de as https://a.de say. The rules have what it does not.
			node.inputMode = node.inputMode || node.type;
			node.type = before.type = "text";
		}
		if (isBeside) {
			place = document.createElement("span");
			node.after(place);
			hide(node, true);
		}
		dijit = new Made(attrs, place);
		restore(node, before, state);
		// For those who ask the dijit; what is sent has the control's.
		dijit.name = node.name;
		link = { node: node, type: node.type, dijit: dijit, row: row, field: field, before: before, typing: typed, faces: new Map(), ended: new AbortController() };
		links.set(node, link);
		note(link);
		if (isBeside) {
			faces.of(dijit).concat(dijit.domNode).forEach(function (face) {
				if (face.id === dijit.id || face.id === node.id) { face.id = dijit.id + "__face"; }
			});
			faces.carry(link);
		}
		if (!typed && node.autofocus && document.activeElement === document.body) { setTimeout(function () { dijit.focus(); }); }
		return link;
	}

	// After the dijit has been started.
	function connect(link) {
		var dijit = link.dijit, node = link.node;
		aria(dijit, node);
		adapt(link);
		if (link.typing) { typing.resume(link); }
		if (node.type === "number" && !node.value && link.row.readable) {
			// What the server could not read is to be sent again.
			put(link, link.row.written(dijit, node, link.field));
			note(link);
		}
		if (link.row.keeps === "beside") {
			connectBeside(link);
		} else if (link.row.keeps === "box") {
			connectBox(link);
		}
		["input", "change", "click"].forEach(function (type) {
			node.addEventListener(type, function () {
				// What somebody types or ticks there, the dijit reads by itself.
				if (type === "click" ? isBox(node) : document.activeElement === node) {
					know(link);
				} else {
					meet(link);
				}
			}, { capture: true, signal: link.ended.signal });
		});
		dijit.own(dijit.watch("disabled", function (name, was, is) {
			if (is !== isDisabled(node)) { node.disabled = !!is; }
		}));
		dijit.sent = dijit.sent || function () { return node.value; };
		if (link.row.keeps !== "itself") { dijit.reset = function () { reset(link); }; }
		if (node.options && link.row.renew) {
			link.options = new MutationObserver(function () { show(link); });
			// Options of its own making are not the page's.
			link.options.observe(node, { childList: true, subtree: true });
		}
	}

	// dijit.reset(), as the form's own reset does it for this control.
	function reset(link) {
		var node = link.node;
		if (isBox(node)) {
			node.checked = node.defaultChecked;
		} else if (node.options) {
			Array.from(node.options).forEach(function (option) { option.selected = option.defaultSelected; });
		} else {
			node.value = node.defaultValue;
		}
		link.dijit._hasBeenBlurred = false;
		show(link);
	}

	return {
		make: make, connect: connect, show: show, meet: meet, adapt: adapt, isBox: isBox, isDisabled: isDisabled,
		settle: function (link) {
			if (meet(link)) { return; }
			if (link.row.settle) { link.row.settle(link.dijit); }
			if (link.row.keeps === "beside") { write(link, true, false, true); }
		},
		linkOf: function (node) { return links.get(node); },
		all: function () { return Array.from(links.values()); },
		// Its HTML has left the page, and has as plain HTML what was typed, should it come back.
		forget: function (link) {
			if (!meet(link) && link.row.keeps === "beside") { write(link, false); }
			if (link.row.written) { put(link, link.node.value); }
			links["delete"](link.node);
			plain.giveBack(link);
		},
		faces: faces.of, parts: faces.parts, setAttribute: setAttribute
	};
});
