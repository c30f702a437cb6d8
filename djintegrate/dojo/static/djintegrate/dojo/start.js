// Does the page's steps, its functions and forms, in their order, once the document and the modules are there.
// <html data-djintegrate> then says "ready", or "failed"; the topic "djintegrate/ready" and the promise `ready` too.
define([
	"require", "dojo/_base/config", "dojo/_base/lang", "dojo/Deferred", "dojo/has", "dojo/on", "dojo/topic", "./forms", "./json", "dojo/domReady!"
], function (require, config, lang, Deferred, has, on, topic, forms) {
	"use strict";
	var page = config.djintegrate,
		ready = new Deferred(),
		FRAGMENT = "script[id='djintegrate-dojo-fragment']";

	function load(modules) {
		var loaded = new Deferred();
		var handle = require.on("error", function (error) {
			loaded.reject(error);
		});
		require(modules, function () {
			handle.remove();
			loaded.resolve(Array.from(arguments));
		});
		return loaded.promise;
	}

	function formModules(form) {
		return (form["function"] ? [form["function"][0]] : []).concat(form.fields.map(function (field) {
			return field.dijit;
		}));
	}

	function make(form) {
		if (!form["function"] || form.pattern) {
			return forms.make(form);
		}
		return load([form["function"][0]]).then(function (modules) {
			var make = modules[0][form["function"][1]];
			if (typeof make !== "function") {
				throw new Error("The module " + form["function"][0] + " has no function " + form["function"][1] + ".");
			}
			return make(form, forms.make);
		});
	}

	function step(todo) {
		return "call" in todo ? window.djintegrateFunctions[todo.call]() : make(todo);
	}

	function complain(what, error) {
		// Only where a file could not be loaded may the build lack it.
		console.error("djintegrate: the dijits of " + what + " are not all made." + (has("dojo-built") && error.src === "dojoLoader" ?
			" Name a module that this build lacks in DOJO_BUILD_MODULES." : ""), error);
	}

	function settle(state, error) {
		document.documentElement.setAttribute("data-djintegrate", state);
		if (error) { complain("this page", error); }
		topic.publish("djintegrate/" + state, error);
	}

	// The tag of a grid is in the body, so its specification is not among the page's.
	function grids() {
		var found = Array.from(document.querySelectorAll("script[id$='-djintegrate-grid']"), function (script) {
				return JSON.parse(script.textContent);
			}),
			needed = ["djintegrate/grid"];
		found.forEach(function (grid) {
			grid.columns.forEach(function (column) {
				if (column.formatter) { needed.push(column.formatter[0]); }
			});
		});
		return found.length ? load(needed).then(function (modules) {
			return Promise.all(found.map(modules[0].make));
		}) : null;
	}

	function run(wanted) {
		if (wanted.lacking) { return new Deferred().reject(Error(wanted.lacking)); }
		return load(wanted.steps.reduce(function (modules, todo) {
			return todo.fields && !todo.pattern ? modules.concat(formModules(todo)) : modules;
		}, wanted.modules)).then(function () {
			return wanted.steps.reduce(function (before, todo) {
				return before.then(function () { return step(todo); });
			}, new Deferred().resolve());
		});
	}

	// The dijits of HTML that has arrived: what a {% dojo_fragment %} within it says.
	function dijitize(node) {
		var scripts = Array.from(node.querySelectorAll(FRAGMENT)).concat(node.matches && node.matches(FRAGMENT) ? [node] : []);
		return ready.promise.then(function () {
			return Promise.all(scripts.filter(function (script) { return script.parentNode; }).map(function (script) {
				script.remove();
				return run(JSON.parse(script.textContent));
			}));
		}).then(null, function (error) {
			complain("what arrived", error);
			throw error;
		});
	}

	// Dijits measure themselves, so the theme is to be there.
	function styled() {
		var theme = document.getElementById("djintegrate-theme"), loaded = new Deferred();
		function look(event) {
			if (!theme || theme.sheet || event && event.type === "error") { loaded.resolve(); }
		}
		look();
		if (theme) { on(theme, "load, error", look); }
		return loaded.promise;
	}

	// What these themes say of pages from right to left is for a theme's class below <html>, which has the direction's.
	if (/soria|nihilo/.test(page.theme)) {
		document.body.classList.add(page.theme);
	}

	page.isStarted = true;
	styled().then(function () { return run(page); }).then(grids).then(function () {
		settle("ready");
		ready.resolve();
	}, function (error) {
		settle("failed", error);
		ready.reject(error);
	});

	window.djintegrate = lang.mixin(window.djintegrate || {}, { dojo: { dijitize: dijitize } });
	// HTMX 2 and 4, when what has come has its own attributes again. Its new nodes have those of the old ones for a moment.
	["htmx:load", "htmx:after:process"].forEach(function (type) {
		document.addEventListener(type, function (event) { dijitize(event.target); });
	});

	return { ready: ready.promise, dijitize: dijitize };
});
