// Before dojo.js: hands the page's configuration to Dojo's loader. No AMD module, for there is no loader yet.
// In a build, dojo.js is this script with Dojo as the argument of its function. The first paint would have to wait for
// what a script does that is there early, so all but the first lines waits for the paint.
(function (dojo) {
	"use strict";
	var root = document.documentElement,
		specification = document.getElementById("djintegrate-dojo"),
		nonce = document.currentScript.nonce,
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

	// A file that does not come before start.js is there, of the language's texts or of start.js itself: nobody else says so.
	function heed(page) {
		require.on("error", function (error) {
			if (page.isStarted) { return; }
			root.setAttribute("data-djintegrate", "failed");
			console.error("djintegrate: no dijits are made, for a file of Dojo's did not come. " + error.message);
		});
	}

	function start() { require(["djintegrate/start"]); }

	function configure() {
		var page = JSON.parse(specification.textContent), config = page.config;
		root.classList.add(page.theme);
		config.djintegrate = page;
		config.deps = config.deps || [];
		config.callback = (function (callback) {
			return function () {
				if (callback) { callback.apply(this, arguments); }
				if (dojo) {
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
		if (nonce) {
			// A policy may allow no script but those with the nonce, and Dojo's loader knows of none.
			config.loaderPatch = {
				injectUrl: function (url, loaded, module) {
					var script = document.createElement("script");
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
		var theme = document.getElementById("djintegrate-theme");
		if (theme) {
			// Nothing has its classes before there are dijits.
			theme.rel = "stylesheet";
		}
		configure();
		dojo();
		heed(dojoConfig.djintegrate);
		early.forEach(function (asked) { require.apply(null, asked); });
	}

	if (dojo && (!specification || window.dojoConfig && window.dojoConfig.djintegrate)) {
		// A page of somebody else's has a configuration of its own, or this script has run already, by itself.
		dojo();
		return;
	}
	root.setAttribute("data-djintegrate", "loading");
	if (dojo) {
		// The page's other scripts may ask for modules already.
		window.require = function () { early.push(arguments); };
		afterPaint(run);
	} else {
		configure();
	}
})();
