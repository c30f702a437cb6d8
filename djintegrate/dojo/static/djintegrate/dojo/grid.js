// Makes a dgrid of a table that {% dojo_grid %} wrote: its pages, orders and searches come from the StoreView. The
// table stays if the first rows cannot be loaded.
define([
	"require", "dojo/_base/declare", "dojo/_base/config", "dojo/Deferred", "dojo/on", "dgrid/Grid", "dgrid/Keyboard",
	"dgrid/extensions/DijitRegistry", "dgrid/extensions/Pagination", "dgrid/util/misc", "dstore/Rest", "./cells",
	// dstore asks for it by a plugin, of which a build knows nothing.
	"dojo/request/xhr"
], function (require, declare, config, Deferred, on, Grid, Keyboard, DijitRegistry, Pagination, misc, Rest, cells) {
	"use strict";
	var sheet;

	// dgrid adds a style element for a few rules, which a Content-Security-Policy may forbid. A sheet that is made by
	// program is allowed.
	misc.addCssRule = function (selector, css) {
		var rule;
		if (!sheet) {
			sheet = new CSSStyleSheet();
			document.adoptedStyleSheets = document.adoptedStyleSheets.concat(sheet);
		}
		rule = sheet.cssRules[sheet.insertRule(selector + "{" + css + "}", sheet.cssRules.length)];
		return {
			get: function (property) { return rule.style[property]; },
			set: function (property, value) { rule.style[property] = value; },
			remove: function () {
				var index = Array.prototype.indexOf.call(sheet.cssRules, rule);
				if (index >= 0) { sheet.deleteRule(index); }
			}
		};
	};

	// The footer is below the grid, see build(); and a finger hits its links.
	[
		[".djintegrate-grid > .dgrid-footer", "position: static; width: auto; border: 1px solid #aaa; border-top: none"],
		[".djintegrate-grid .dgrid-page-link", "display: inline-block; min-width: 24px; line-height: 24px; text-align: center"]
	].forEach(function (rule) { misc.addCssRule(rule[0], rule[1]); });

	// What dgrid leaves unsaid to those who do not see it.
	var Accessible = declare(null, {
		buildRendering: function buildRendering() {
			this.inherited(buildRendering, arguments);
			this.domNode.setAttribute("aria-label", this.name);
			this.contentNode.setAttribute("role", "rowgroup");
			this.paginationStatusNode.setAttribute("role", "status");
			this.paginationStatusNode.removeAttribute("tabindex");
			this.paginationNavigationNode.setAttribute("role", "group");
			this.paginationNavigationNode.setAttribute("aria-label", this.name);
			this._listeners.push(on(this.paginationNavigationNode, ".dgrid-page-link:keydown", function (event) {
				if (event.key === " ") {
					event.preventDefault();
					this.click();
				}
			}));
		},
		updateSortArrow: function updateSortArrow(sort) {
			this.inherited(updateSortArrow, arguments);
			Object.keys(this.columns).forEach(function (id) {
				var column = this.columns[id], is = sort[0] && sort[0].property === column.field;
				if (column.sortable !== false && column.headerNode) {
					column.headerNode.setAttribute("aria-sort", is ? sort[0].descending ? "descending" : "ascending" : "none");
				}
			}, this);
		},
		_updateNavigation: function _updateNavigation() {
			this.inherited(_updateNavigation, arguments);
			Array.prototype.forEach.call(this.paginationNavigationNode.querySelectorAll(".dgrid-page-link"), function (link) {
				var number = link.parentNode === this.paginationLinksNode,
					disabled = link.classList.contains("dgrid-page-disabled");
				link.setAttribute("role", "button");
				link.setAttribute("aria-disabled", String(disabled));
				if (number) {
					link.setAttribute("aria-label", this.pageText + " " + link.textContent.trim());
					if (disabled) { link.setAttribute("aria-current", "page"); }
				}
			}, this);
		}
	});

	// A page that was asked for by its address is the first one that is shown.
	var Kept = declare(null, {
		refresh: function refresh(options) {
			var keep = this.collection && this.keepPage;
			if (keep) { this.keepPage = false; }
			return this.inherited(refresh, arguments, [keep ? { keepCurrentPage: true } : options]);
		}
	});

	var Made = declare([Grid, Pagination, Accessible, Kept, Keyboard, DijitRegistry]);

	function pattern(expression, text) {
		return expression.replace("${0}", function () { return text.replace(/([\\*?])/g, "\\$1"); });
	}

	function wanted(store, page, text) {
		var filter = {};
		if (!text) { return store; }
		filter[page.search] = pattern(page.queryExpr, text);
		return store.filter(filter);
	}

	function escaped(text) {
		var node = document.createElement("i");
		node.textContent = text;
		return node.innerHTML;
	}

	function make(page) {
		var made = new Deferred(),
			formatters = page.columns.filter(function (column) { return column.formatter; });
		require(formatters.map(function (column) { return column.formatter[0]; }), function () {
			try {
				formatters.forEach(function (column, i) {
					column.make = this[i][column.formatter[1]];
					if (typeof column.make !== "function") {
						throw new Error("The module " + column.formatter.join(" has no function ") + ".");
					}
				}, arguments);
				build(page, made);
			} catch (error) {
				made.reject(error);
			}
		});
		return made.promise;
	}

	function build(page, made) {
		var table = document.getElementById(page.id + "-table"),
			pages = document.getElementById(page.id + "-pages"),
			caption = table.caption && document.createElement("div"),
			form = document.getElementById(page.id + "-form"),
			input = document.getElementById(page.id + "-search"),
			locale = config.locale,
			store = new Rest({ target: page.url, idProperty: page.idProperty, useRangeHeaders: true }),
			node = table.parentNode.insertBefore(document.createElement("div"), table),
			grid, footer, timer, first = true;

		node.id = page.id + "-dgrid";
		grid = new Made({
			name: page.name,
			className: "dgrid-autoheight",
			columns: page.columns.map(function (column) {
				return {
					field: column.field, label: column.label, sortable: column.sortable,
					renderCell: function (item, value) { return cells.make(column, item, value, page, locale); }
				};
			}),
			sort: page.sort ? [{ property: page.sort.replace(/^-/, ""), descending: page.sort.charAt(0) === "-" }] : [],
			rowsPerPage: page.pageSize,
			pageText: page.texts.page,
			showLoadingMessage: false,
			noDataMessage: escaped(page.texts.empty),
			tabableHeader: true,
			keepPage: page.start > 0,
			_total: page.total,
			_currentPage: Math.floor(page.start / page.pageSize) + 1
		}, node);

		// In an element of the role `grid` are rows and nothing else.
		footer = grid.footerNode;
		grid.showFooter = false;
		node.parentNode.insertBefore(footer, node.nextSibling);
		grid.resize();

		on(node, "dgrid-error", function (event) {
			event.preventDefault();
			console.error("djintegrate: the grid " + page.id + " has no rows.", event.error);
			grid.paginationStatusNode.textContent = page.texts.failed;
			if (first) {
				grid.destroy();
				footer.remove();
				if (caption) { caption.remove(); }
				table.hidden = pages.hidden = false;
				made.resolve(null);
			}
		});
		on(node, "dgrid-refresh-complete", function () {
			if (first) {
				first = false;
				table.remove();
				pages.remove();
				made.resolve(grid);
			}
		});
		table.hidden = pages.hidden = true;
		if (caption) {
			caption.textContent = page.name;
			node.parentNode.insertBefore(caption, node);
		}
		grid.set("collection", wanted(store, page, page.text));
		grid.startup();

		function search() {
			clearTimeout(timer);
			if (input.value !== page.text) {
				page.text = input.value;
				grid.set("collection", wanted(store, page, page.text));
			}
		}
		if (form) {
			on(form, "submit", function (event) {
				event.preventDefault();
				search();
			});
			on(input, "input", function () {
				clearTimeout(timer);
				timer = setTimeout(search, 300);
			});
		}
	}

	return { make: make };
});
