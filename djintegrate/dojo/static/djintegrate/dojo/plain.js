// Gives a control back to the page as plain HTML: one whose dijit left the page with it, and one of a dead dijit, for what
// cloneNode(), innerHTML and HTMX's history keep of a dijit is how it looked, and nothing that works.
define(["dijit/registry"], function (registry) {
	"use strict";
	var CONTROL = "input:not([role~=presentation]), select, textarea",
		// On the element of each dijit: what its control said to assistive technology before, and whose specification it has.
		MARK = "data-djintegrate-dijit",
		// What a dijit says there by the control's own attributes.
		SAID = /^(aria-.*|role)$/,
		// Properties of the control that are its own while it has a dijit.
		OWN = ["value", "checked", "selectedIndex", "valueAsNumber", "valueAsDate", "stepUp", "stepDown", "checkValidity", "reportValidity", "setCustomValidity", "focus"],
		alive = new WeakSet();

	function within(root, selector) {
		return (root.matches(selector) ? [root] : []).concat(Array.from(root.querySelectorAll(selector)));
	}

	function mark(link, name) {
		var said = {};
		Object.keys(link.before).filter(function (name) { return SAID.test(name); }).forEach(function (name) { said[name] = link.before[name]; });
		link.dijit.domNode.setAttribute(MARK, JSON.stringify({ said: said, name: name }));
		alive.add(link.dijit.domNode);
	}

	function clean(node, before) {
		Array.from(node.attributes).forEach(function (attribute) {
			var name = attribute.name;
			if (SAID.test(name) && !(name in before) || name === "widgetid" || name === MARK) { node.removeAttribute(name); }
		});
		Object.keys(before).forEach(function (name) {
			if (SAID.test(name)) { node.setAttribute(name, before[name]); }
		});
		Array.from(node.classList).forEach(function (name) {
			if (/^(dijit|djintegrate)/.test(name)) { node.classList.remove(name); }
		});
		// Dijit sets that of what is ticked.
		node.style.userSelect = "";
		["class", "style"].forEach(function (name) { if (!node.getAttribute(name)) { node.removeAttribute(name); } });
	}

	// The control is where its dijit was, as it was before, with what it holds now.
	function giveBack(link) {
		var node = link.node, dijit = link.dijit, dom = dijit.domNode;
		link.ended.abort();
		if (link.options) { link.options.disconnect(); }
		OWN.forEach(function (name) { delete node[name]; });
		node.setCustomValidity(link.said || "");
		if (dom) {
			alive["delete"](dom);
			if (dom !== node && dom.contains(node) && !dom.isConnected) { dom.replaceWith(node); }
			// Dojo empties what it destroys.
			dijit.destroyRecursive(dom.contains(node));
		}
		clean(node, link.before);
	}

	function isDead(dom) {
		var dijit = registry.byId(dom.getAttribute("widgetid"));
		return !dijit || dijit.domNode !== dom;
	}

	// Dead dijits in HTML that has come go. Their controls are there again, and the names of their specifications are returned.
	function strip(root) {
		var found = [];
		within(root, "[" + MARK + "]").forEach(function (dom) {
			var node = dom, marked;
			if (alive.has(dom)) { return; }
			marked = JSON.parse(dom.getAttribute(MARK));
			if (!dom.matches(CONTROL)) {
				node = dom.previousElementSibling;
				if (node && node.matches(".djintegrateHidden")) {
					dom.remove();
				} else {
					node = dom.querySelector(CONTROL);
					dom.replaceWith(node || "");
				}
			}
			if (node) {
				clean(node, marked.said);
				found.push(marked.name);
			}
		});
		if (found.length) { within(root, ".djintegrate-error").forEach(function (text) { text.remove(); }); }
		// A copy of the whole page has those of menus and calendars too.
		within(root, ".dijitPopup").forEach(function (popup) {
			if (Array.from(popup.children).every(isDead)) { popup.remove(); }
		});
		return found;
	}

	return { mark: mark, giveBack: giveBack, strip: strip, within: within };
});
