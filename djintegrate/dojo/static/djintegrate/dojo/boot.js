// Before dojo.js: hands the page's configuration to Dojo's loader. No AMD module, for there is no loader yet.
(function () {
	"use strict";
	var root = document.documentElement,
		page = JSON.parse(document.getElementById("djintegrate-dojo").textContent),
		config = page.config,
		nonce = document.currentScript.nonce,
		theme = document.getElementById("djintegrate-theme");

	// The plain page is shown before dijits are made of it. What is not seen is not painted, nor is a hidden frame.
	function afterPaint(then) {
		var once = function () { clearTimeout(timer); once = function () {}; then(); }, timer;
		if (document.hidden || performance.getEntriesByType("paint").length) { return then(); }
		timer = setTimeout(function () { once(); }, 250);
		requestAnimationFrame(function () { setTimeout(function () { once(); }); });
	}

	root.classList.add(page.theme);
	root.setAttribute("data-djintegrate", "loading");
	config.djintegrate = page;
	config.deps = config.deps || [];
	config.callback = (function (callback) {
		return function () {
			if (callback) { callback.apply(this, arguments); }
			afterPaint(function () { require(["djintegrate/start"]); });
		};
	})(config.callback);
	if (theme) {
		// Nothing has its classes before there are dijits, so the first paint has not waited for it.
		theme.rel = "stylesheet";
	}
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
})();
