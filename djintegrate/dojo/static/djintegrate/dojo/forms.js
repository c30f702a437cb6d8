// Makes dijits over the HTML fields of a form, by the page's specification, and looks after them: submits, resets, fields
// that are switched off, and HTML that comes and goes later.
// A field that is not in the page is left out: a template need not show every field of its form.
define(["require", "dojo/Deferred", "dojo/aspect", "./faces", "./kept", "./lookups", "./plain", "./scripts", "./validity"], function (require, Deferred, aspect, faces, kept, lookups, plain, scripts, validity) {
	"use strict";
	var CONTROLS = "input, select, textarea", FRAGMENT = "script[id='djintegrate-dojo-fragment']", MOST = 500,
		patterns = [], isSending = false, by = null, first = null, named = 0,
		// The specifications by names that HTML of another time, which a history keeps, has not; and of controls that have left.
		known = new Map(), left = new WeakMap(), run = Date.now();

	// The controls of a field: the element of that id, those inside of it (radio buttons), or id_0, id_1… (a MultiWidget).
	function controls(id) {
		var found = [], node = document.getElementById(id), i;
		if (node) {
			return node.matches(CONTROLS) ? [node] : Array.from(node.querySelectorAll(CONTROLS));
		}
		for (i = 0; (node = document.getElementById(id + "_" + i)); i++) {
			found.push(node);
		}
		return found;
	}

	// The controls of a form may be anywhere, by their attribute `form`.
	function linksOf(root) {
		return Array.from(root.elements || root.querySelectorAll(CONTROLS), kept.linkOf).filter(Boolean);
	}

	// What the dijits have not said yet, such as the text of an editor, is in the controls before the browser looks at them.
	function settle(form) {
		linksOf(form).forEach(function (link) {
			kept.settle(link);
			scripts.look(link);
		});
	}

	// What the server is still asked about is sent when it has said what that is, if nobody has changed it since.
	function waits(form, submitter) {
		var open = linksOf(form).filter(lookups.isOpen), count = open.length, isSame = true;
		// Who sends it again meanwhile waits for what is there by then.
		open.forEach(function (link) {
			lookups.ask(link, function (is) {
				isSame = isSame && is;
				count -= 1;
				if (!count && isSame && form.isConnected) { form.requestSubmit(submitter && submitter.form === form ? submitter : null); }
			});
		});
		return open.length > 0;
	}

	function sending(form, submitter) {
		isSending = true;
		by = submitter || null;
		settle(form);
		setTimeout(function () { isSending = false; });
	}

	function onInvalid(event) {
		var link = kept.linkOf(event.target);
		if (!link) { return; }
		// The dijit says it, and the browser need not look for a control that is hidden.
		event.preventDefault();
		if (isSending && lookups.isOpen(link)) {
			waits(event.target.form, by);
			return;
		}
		validity.visit(link.entry);
		if (isSending && !first) {
			first = link.entry.links[0];
			setTimeout(function () {
				var dijit = first.dijit;
				// With its label, which is above.
				(dijit.domNode.closest(".dj-field") || dijit.domNode).scrollIntoView({ block: "nearest" });
				(dijit.focusWrong ? dijit : first.node)[dijit.focusWrong ? "focusWrong" : "focus"]();
				first = null;
			});
		}
	}

	function listen() {
		document.addEventListener("click", function (event) {
			var button = event.target.closest && event.target.closest("button, input");
			if (button && button.form && /^(submit|image)$/.test(button.type)) { sending(button.form, button); }
		}, true);
		document.addEventListener("keydown", function (event) {
			if (event.key === "Enter" && event.target.form) { sending(event.target.form); }
		}, true);
		aspect.before(HTMLFormElement.prototype, "checkValidity", function () { linksOf(this).forEach(scripts.look); });
		["reportValidity", "requestSubmit"].forEach(function (name) {
			aspect.before(HTMLFormElement.prototype, name, function (submitter) { sending(this, submitter); });
		});
		document.addEventListener("submit", function (event) {
			settle(event.target);
			if (waits(event.target, event.submitter)) {
				event.preventDefault();
				event.stopImmediatePropagation();
			}
		}, true);
		document.addEventListener("invalid", onInvalid, true);
		document.addEventListener("reset", function (event) {
			// The browser resets its own controls after this event.
			setTimeout(function () {
				if (event.defaultPrevented) { return; }
				linksOf(event.target).forEach(function (link) {
					link.dijit._hasBeenBlurred = false;
					link.entry.visited = false;
					kept.show(link);
					validity.refresh(link.entry);
				});
			});
		});
		// After Back, a browser fills in its own controls when it has shown the page.
		window.addEventListener("pageshow", function () { kept.all().forEach(scripts.look); });
		new MutationObserver(function (changes) {
			changes.forEach(function (change) {
				var own = kept.linkOf(change.target);
				if (own || change.target.tagName === "FIELDSET") {
					// Those say nothing of the value, and the dijit's own validity is told by some of them.
					if (faces.followed.indexOf(change.attributeName) >= 0) {
						if (own) { faces.follow(own, change.attributeName); }
						if (change.attributeName !== "maxlength") { return; }
					}
					(own ? [own] : linksOf(change.target)).forEach(function (link) {
						kept.adapt(link);
						scripts.look(link);
					});
				}
			});
		}).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: [
			"disabled", "readonly", "hidden", "style", "required", "min", "max", "step", "minlength", "pattern"
		].concat(faces.followed) });
		new MutationObserver(onNodes).observe(document.documentElement, { subtree: true, childList: true });
	}

	function onNodes(changes) {
		var come = [], gone = false;
		changes.forEach(function (change) {
			change.addedNodes.forEach(function (node) { if (node.nodeType === 1) { come.push(node); } });
			gone = gone || Array.from(change.removedNodes).some(function (node) {
				return node.nodeType === 1 && (kept.linkOf(node) || linksOf(node).length);
			});
		});
		if (gone) { setTimeout(forget); }
		come = come.filter(function (node) { return node.isConnected; });
		come.forEach(bringBack);
		if (patterns.length) { come.forEach(grow); }
	}

	// Dijits whose HTML has left the page.
	function forget() {
		kept.all().forEach(function (link) {
			if (!link.node.isConnected) {
				left.set(link.node, link.entry.step);
				validity.forget(link.entry);
				kept.forget(link);
			}
		});
	}

	// HTML that had left the page, and copies of such that was in it, become dijits anew.
	function bringBack(root) {
		var dead = plain.strip(root).map(function (name) { return known.get(name); }),
			back = plain.within(root, CONTROLS).map(function (node) { return left.get(node); });
		// HTMX has for a moment given the new HTML the attributes of the old, and the fragment says itself what it is.
		if (plain.within(root, FRAGMENT).length) { return; }
		new Set(dead.concat(back).filter(Boolean)).forEach(make);
	}

	function remember(step) {
		step.name = step.name || run + "-" + ++named;
		known["delete"](step.name);
		known.set(step.name, step);
		if (known.size > MOST) { known["delete"](known.keys().next().value); }
	}

	// A row that a script made of a formset's empty form: its ids have a number where that has `__prefix__`.
	function grow(root) {
		patterns.forEach(function (pattern) {
			var numbers = {};
			Array.from(root.querySelectorAll("[id]")).concat(root).forEach(function (node) {
				var found = pattern.expression.exec(node.id || "");
				if (found && !kept.linkOf(node)) { numbers[found[1]] = true; }
			});
			Object.keys(numbers).forEach(function (number) {
				make(JSON.parse(pattern.source.replace(/__prefix__/g, number)));
			});
		});
	}

	function learn(step) {
		var prefixes = step.fields.map(function (field) {
			return field.id.slice(0, field.id.indexOf("__prefix__")).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
		});
		if (prefixes.length) {
			patterns.push({ expression: new RegExp("^" + prefixes[0] + "(\\d+)-"), source: JSON.stringify({ fields: step.fields, optional: step.optional, "delete": step["delete"] }) });
		}
	}

	function make(form) {
		var made = new Deferred();
		if (form.pattern) {
			learn(form);
			return made.resolve({});
		}
		require(form.fields.map(function (field) { return field.dijit; }), function () {
			var dijits = {}, modules = arguments, links = [], taken;
			try {
				forget();
				remember(form);
				// A copy that kept the ids of what is still there stays plain HTML.
				taken = new Set(kept.all().map(function (link) { return link.node.id; }).filter(Boolean));
				form.fields.forEach(function (field, i) {
					var those = controls(field.id).filter(function (node) {
						return !kept.linkOf(node) && node.type !== "hidden" && !taken.has(node.id);
					}).map(function (node) { return kept.make(modules[i], node, field); });
					those.forEach(function (link) { dijits[link.dijit.id] = link.dijit; });
					if (those.length) { validity.attach(those, field, form); }
					those.forEach(function (link) { plain.mark(link, form.name); });
					links = links.concat(those);
				});
				links.forEach(function (link) {
					link.dijit.startup();
					kept.connect(link);
					scripts.attend(link);
				});
				validity.remember(form);
				made.resolve(dijits);
			} catch (error) {
				made.reject(error);
			}
		});
		return made.promise;
	}

	listen();

	return { make: make };
});
