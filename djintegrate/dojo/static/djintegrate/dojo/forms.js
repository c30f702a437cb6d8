// Makes dijits over the HTML fields of a form, by the page's specification, and checks them before a submit.
// A field that is not in the page is left out: a template need not show every field of its form.
define([
	"require", "dojo/_base/lang", "dojo/Deferred", "dojo/on", "dojo/window", "dijit/registry", "./aria", "./checks",
	"./choices", "./values", "./styles"
], function (require, lang, Deferred, on, win, registry, aria, checks, choices, values) {
	"use strict";
	var CONTROLS = "input, select, textarea",
		KEPT = /^(aria-(describedby|invalid)|autocomplete|inputmode|spellcheck|lang|dir|form|accept|multiple|data-.*)$/;

	// The controls of a field: the element of that id, those inside of it (radio buttons), or id_0, id_1… (a MultiWidget).
	function controls(id) {
		var found = [], node = document.getElementById(id), i;
		if (node) {
			return node.matches(CONTROLS) ? [node] : Array.prototype.slice.call(node.querySelectorAll(CONTROLS));
		}
		for (i = 0; (node = document.getElementById(id + "_" + i)); i++) {
			found.push(node);
		}
		return found;
	}

	// What the HTML says already need not be said in the specification.
	function fromHtml(node, prototype) {
		var attrs = { id: node.id, name: node.name, disabled: node.disabled };
		if (node.tabIndex > 0) { attrs.tabIndex = node.tabIndex; }
		if (node.className) { attrs["class"] = node.className; }
		if (node.title) { attrs.title = node.title; }
		if (node.placeholder) { attrs.placeHolder = node.placeholder; }
		if (node.readOnly) { attrs.readOnly = true; }
		if (node.type === "password" || node.type === "file") { attrs.type = node.type; }
		if (node.type === "checkbox" || node.type === "radio") {
			attrs.checked = node.checked;
			attrs.value = node.value;
		} else if (node.tagName === "SELECT") {
			// Those that search their options, and those with many values, read them by themselves.
			if (!node.multiple && !("searchAttr" in prototype)) { attrs.value = node.value; }
		} else if (node.type !== "file") {
			attrs.value = valueFor(prototype, node.value);
		}
		return attrs;
	}

	// Numbers' dijits want a number, dates' none rather than an empty text.
	function valueFor(prototype, text) {
		if (typeof prototype.value === "number") {
			return text === "" ? NaN : Number(text);
		}
		return prototype.value instanceof Date && text === "" ? null : text;
	}

	function keep(attributes, dijit) {
		var node = dijit.focusNode || dijit.domNode;
		attributes.forEach(function (attribute) {
			if (KEPT.test(attribute.name)) {
				node.setAttribute(attribute.name, attribute.value);
			}
		});
	}

	function makeOne(Dijit, node, field) {
		var attributes = Array.prototype.slice.call(node.attributes),
			form = node.form,
			prototype = Dijit.prototype,
			attrs = lang.mixin(fromHtml(node, prototype), choices.adapt(node, prototype, !!field.rules)),
			dijit;
		lang.mixin(attrs, values.adapt(field.value, prototype, !!field.rules), lang.clone(field.attrs));
		if (attrs.required && !("_setRequiredAttr" in prototype) && (field.rules || !prototype.validate)) {
			// It would be the HTML attribute, and the browser would stop a submit before Dojo hears of it.
			delete attrs.required;
			field.rules = field.rules || { required: attrs.missingMessage || " ", list: [] };
		}
		dijit = values.finish(new Dijit(attrs, node));
		keep(attributes, dijit);
		if (form) {
			watch(form).push(dijit);
		}
		return dijit;
	}

	// One listener for each <form>, however many of Django's forms and formsets are inside.
	function watch(form) {
		if (!form.djintegrateDijits) {
			form.djintegrateDijits = [];
			on(form, "submit", function (event) {
				// Also where nobody is to be stopped: this is when dijits hand their values to the fields that are sent.
				var wrong = check(form);
				if (wrong.length && !(event.submitter && event.submitter.formNoValidate) && !form.noValidate) {
					event.preventDefault();
					show(wrong[0]);
				}
			});
			on(form, "reset", function () {
				// The browser resets its own fields after this event.
				setTimeout(function () {
					form.djintegrateDijits.forEach(function (dijit) { dijit.reset && dijit.reset(); });
				});
			});
		}
		return form.djintegrateDijits;
	}

	function check(form) {
		return form.djintegrateDijits.filter(function (dijit) {
			// As if the user had been there, so that the dijit says what is wrong.
			dijit._hasBeenBlurred = true;
			return !dijit._destroyed && !dijit.get("disabled") && dijit.validate && !dijit.validate();
		});
	}

	function show(dijit) {
		win.scrollIntoView(dijit.domNode);
		if (dijit.focus) { dijit.focus(); }
	}

	function make(form) {
		var made = new Deferred();
		require(form.fields.map(function (field) { return field.dijit; }), function () {
			var dijits = {}, modules = arguments;
			try {
				form.fields.forEach(function (field, i) {
					var those = controls(field.id).filter(function (node) {
						return !registry.byId(node.id);
					}).map(function (node) {
						return makeOne(modules[i], node, field);
					});
					those.forEach(function (dijit) { dijits[dijit.id] = dijit; });
					if (those.length) {
						checks.attach(those, field, form);
						those.forEach(function (dijit) {
							dijit.startup();
							aria(dijit);
						});
					}
				});
				checks.remember(form);
				made.resolve(dijits);
			} catch (error) {
				made.reject(error);
			}
		});
		return made.promise;
	}

	return { make: make };
});
