// Does the page's steps, its functions and forms, in their order, once the document and the modules are there.
// <html data-djintegrate> then says "ready", or "failed"; the topic "djintegrate/ready" and the promise `ready` too.
define([
	"require", "dojo/_base/config", "dojo/Deferred", "dojo/promise/all", "dojo/has", "dojo/topic", "./forms", "./json", "dojo/domReady!"
], function (require, config, Deferred, all, has, topic, forms) {
	"use strict";
	var page = config.djintegrate,
		ready = new Deferred();

	function load(modules) {
		var loaded = new Deferred();
		var handle = require.on("error", function (error) {
			loaded.reject(error);
		});
		require(modules, function () {
			handle.remove();
			loaded.resolve(Array.prototype.slice.call(arguments));
		});
		return loaded.promise;
	}

	function formModules(form) {
		return (form["function"] ? [form["function"][0]] : []).concat(form.fields.map(function (field) {
			return field.dijit;
		}));
	}

	function make(form) {
		if (!form["function"]) {
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

	function hint() {
		return has("dojo-built") ? " A module that this build lacks is to be named in DOJO_BUILD_MODULES." : "";
	}

	function settle(state, error) {
		document.documentElement.setAttribute("data-djintegrate", state);
		if (error) {
			console.error("djintegrate: the dijits of this page are not all made." + hint(), error);
		}
		topic.publish("djintegrate/" + state, error);
	}

	// The tag of a grid is in the body, so its specification is not among the page's.
	function grids() {
		var found = Array.prototype.map.call(document.querySelectorAll("script[id$='-djintegrate-grid']"), function (script) {
				return JSON.parse(script.textContent);
			}),
			needed = ["djintegrate/grid"];
		found.forEach(function (grid) {
			grid.columns.forEach(function (column) {
				if (column.formatter) { needed.push(column.formatter[0]); }
			});
		});
		return found.length ? load(needed).then(function (modules) {
			return all(found.map(modules[0].make));
		}) : null;
	}

	load(page.steps.reduce(function (modules, todo) {
		return todo.fields ? modules.concat(formModules(todo)) : modules;
	}, page.modules)).then(function () {
		return page.steps.reduce(function (before, todo) {
			return before.then(function () { return step(todo); });
		}, new Deferred().resolve());
	}).then(grids).then(function () {
		settle("ready");
		ready.resolve();
	}, function (error) {
		settle("failed", error);
		ready.reject(error);
	});

	return { ready: ready.promise };
});
