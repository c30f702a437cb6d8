// A FilteringSelect that pages through the rows of a StoreView. It is made over a <select> with the chosen option, or
// over an <input> with the key and the label of what is chosen. No more rows are fetched than a menu shows.
define([
	"dojo/_base/declare", "dojo/store/JsonRest", "dijit/form/FilteringSelect"
], function (declare, JsonRest, FilteringSelect) {
	"use strict";

	// Rows that it has seen are not asked for again: that of the page when the dijit is made, and when a form is reset.
	var Rows = declare(JsonRest, {
		constructor: function () {
			this.seen = {};
		},
		note: function (item) {
			this.seen[this.getIdentity(item)] = item;
		},
		get: function get(id) {
			return this.seen[id] || this.inherited(get, arguments).then(null, function () {
				// No such row: the dijit says that the value is not valid.
			});
		},
		query: function query() {
			var results = this.inherited(query, arguments);
			results.then(function (items) { items.forEach(this.note, this); }.bind(this), function () {});
			return results;
		}
	});

	return declare("djintegrate.StoreSelect", FilteringSelect, {
		storeUrl: "",
		idProperty: "id",

		postMixInProperties: function postMixInProperties() {
			if (!this.store) {
				// The menu needs to know whether there are more rows, not how many.
				this.store = new Rows({
					target: this.storeUrl, idProperty: this.idProperty, headers: { Prefer: "count=none" }
				});
				this._readHtml(this.htmlControl || this.srcNodeRef);
			}
			this.inherited(postMixInProperties, arguments);
		},

		_readHtml: function (node) {
			var option = node && node.options && node.options[node.selectedIndex],
				label = option ? option.text : node && node.getAttribute("data-label"),
				item = {};
			if (!node) { return; }
			this.value = "";
			if (label && node.value) {
				item[this.searchAttr] = item[this.labelAttr || this.searchAttr] = label;
				item[this.idProperty] = this.value = node.value;
				this.store.note(item);
			}
		}
	});
});
