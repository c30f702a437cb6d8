// Before dojo.js: hands the page's configuration to Dojo's loader. No AMD module, for there is no loader yet.
// In a build, the file of a language's texts is this script with the texts, by the name of their module, as the argument of
// its function. The first paint would have to share the machine with what is fetched or done beside it, so all but the
// first lines, Dojo itself and the theme wait for the paint.
(function (texts) {
	"use strict";
	var root = document.documentElement,
		specification = document.getElementById("djintegrate-dojo"),
		nonce = document.currentScript.nonce,
		late = document.getElementById("djintegrate-late"),
		early = [];

	// The plain page is shown before dijits are made of it. What is not seen is not painted, nor is a hidden frame.
	function afterPaint(then) {
		var timer, watch;
		function once() {
			clearTimeout(timer);
			watch.disconnect();
			then();
		}
		if (document.hidden || performance.getEntriesByType("paint").length) { return then(); }
		timer = setTimeout(once, 250);
		watch = new PerformanceObserver(once);
		watch.observe({ type: "paint" });
	}

	function fail(message) {
		root.setAttribute("data-djintegrate", "failed");
		console.error("djintegrate: no dijits are made, for a file of Dojo's did not come. " + message);
	}

	// A file that does not come before start.js is there, or start.js itself: nobody else says so.
	function heed(page) {
		require.on("error", function (error) {
			if (!page.isStarted) { fail(error.message); }
		});
	}

	function start() { require(["djintegrate/start"]); }

	// What scripts asked for before there was a loader, who may wait to be told that the dijits are there.
	function answer() {
		early.splice(0).forEach(function (asked) { require.apply(null, asked); });
	}

	function configure() {
		var page = JSON.parse(specification.textContent), config = page.config;
		root.classList.add(page.theme);
		config.djintegrate = page;
		config.deps = config.deps || [];
		config.callback = (function (callback) {
			return function () {
				if (callback) { callback.apply(this, arguments); }
				if (texts) {
					answer();
					start();
				} else {
					heed(page);
					afterPaint(start);
				}
			};
		})(config.callback);
		if (Object.keys(page.urls).length) {
			config.fixupUrl = function (url) { return page.urls[url] || url; };
		}
		if (nonce || texts) {
			// The texts are here already. A policy may allow no script but those with the nonce, and Dojo's loader knows of none.
			config.loaderPatch = {
				injectUrl: function (url, loaded, module) {
					var script = document.createElement("script"), here = texts && texts[module.mid];
					if (here) {
						here();
						return loaded();
					}
					script.nonce = nonce;
					script.src = url;
					script.onload = function () { loaded && loaded(); };
					script.onerror = function () {
						require.signal("error", { src: "dojoLoader", message: "scriptError: " + url, info: [url] });
					};
					module.node = script;
					return document.head.appendChild(script);
				}
			};
		}
		window.dojoConfig = config;
	}

	function run() {
		var come = document.importNode(late.content, true), script = come.querySelector("script");
		configure();
		script.onload = function () {
			heed(dojoConfig.djintegrate);
			answer();
		};
		script.onerror = function () { fail(script.src); };
		late.replaceWith(come);
	}

	if (texts && (!late || window.dojoConfig && window.dojoConfig.djintegrate)) {
		// The loader has asked for them, since a page of somebody else's, or one that does not know its build, began with Dojo.
		Object.keys(texts).forEach(function (name) { texts[name](); });
		return;
	}
	root.setAttribute("data-djintegrate", "loading");
	if (texts) {
		// The page's other scripts may ask for modules already.
		window.require = function () { early.push(arguments); };
		afterPaint(run);
	} else {
		configure();
	}
})();
