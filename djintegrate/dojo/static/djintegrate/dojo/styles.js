// Dijit's templates have style attributes, which a Content-Security-Policy may forbid in HTML that a script brings in.
// The same styles set by program are allowed, so each piece of HTML gets them that way. What dijits of djintegrate's own
// need on every page is set so as well, rather than by one more request; any rule of the page's goes over it.
define(["dojo/dom-construct"], function (domConstruct) {
	"use strict";
	var toDom = domConstruct.toDom,
		STYLE = /(<[a-z][^<>]*?\s)style(\s*=)/gi,
		ASIDE = "data-aside-style",
		sheet = new CSSStyleSheet();

	sheet.replaceSync(".djintegrateHidden { display: none !important; }" +
		":where(.djintegrateDateTimeBox) { display: inline-flex; gap: 8px; }" +
		":where(.djintegrate-error) { color: #b3151f; color: light-dark(#b3151f, #ff9a92); }" +
		":where(.djintegrate-error:not([hidden])) { display: block; }");
	document.adoptedStyleSheets.push(sheet);

	function apply(element) {
		element.style.cssText = element.getAttribute(ASIDE);
		element.removeAttribute(ASIDE);
	}

	domConstruct.toDom = function (html, document) {
		var node = toDom.call(domConstruct, String(html).replace(STYLE, "$1" + ASIDE + "$2"), document);
		if (node.nodeType !== 3) {
			if (node.getAttribute && node.hasAttribute(ASIDE)) {
				apply(node);
			}
			node.querySelectorAll("[" + ASIDE + "]").forEach(apply);
		}
		return node;
	};
});
