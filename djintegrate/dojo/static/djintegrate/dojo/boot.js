// Before dojo.js: hands the page's configuration to Dojo's loader. No AMD module, for there is no loader yet.
(function () {
	"use strict";
	var root = document.documentElement,
		page = JSON.parse(document.getElementById("djintegrate-dojo").textContent),
		config = page.config,
		nonce = document.currentScript.nonce;

	root.classList.add(page.theme);
	root.setAttribute("data-djintegrate", "loading");
	config.deps = (config.deps || []).concat("djintegrate/start");
	config.djintegrate = page;
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
