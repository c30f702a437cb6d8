// What a cell of a grid shows. A text is never taken for HTML, and an address that would run something is none.
define([], function () {
	"use strict";

	function digits(value) {
		var places = (String(value).split(".")[1] || "").length;
		return { minimumFractionDigits: typeof value === "string" ? Math.min(places, 20) : 0, maximumFractionDigits: 20 };
	}

	// Some browsers take the text of a long number for a neighbour of it; none writes what is no number as it is.
	function loses(value, options) {
		return typeof value === "string" && new Intl.NumberFormat("en", options).format(value) !== value;
	}

	var formats = {
		number: function (value, page, locale) {
			var options = digits(value);
			options.useGrouping = false;
			if (typeof value === "object" || loses(value, options)) { return value; }
			options.useGrouping = page.grouping;
			return new Intl.NumberFormat(locale, options).format(value);
		},
		date: function (value, page, locale) {
			return moment(value.slice(0, 10), locale, { dateStyle: "medium", timeZone: "UTC" });
		},
		datetime: function (value, page, locale) {
			var options = { dateStyle: "medium", timeStyle: "short" };
			// A moment without a zone is shown as it is.
			if (page.timeZone && /(Z|[+-]\d\d:?\d\d)$/.test(value)) { options.timeZone = page.timeZone; }
			return moment(value, locale, options);
		},
		time: function (value, page, locale) {
			return moment("1970-01-01T" + value.slice(0, 8) + "Z", locale, { timeStyle: "short", timeZone: "UTC" });
		}
	};

	function moment(text, locale, options) {
		return new Intl.DateTimeFormat(locale, options).format(new Date(text));
	}

	function text(value, format, page, locale) {
		if (value === null || value === undefined) { return ""; }
		if (format === "boolean" || typeof value === "boolean") { return page.texts.yesNo[value ? 0 : 1]; }
		try {
			return asItIs(formats[format] ? formats[format](value, page, locale) : value);
		} catch (error) {
			return asItIs(value);
		}
	}

	function asItIs(value) {
		return typeof value === "object" ? JSON.stringify(value) : String(value);
	}

	function isSafe(url) {
		try {
			return /^https?:$/.test(new URL(url, document.baseURI).protocol);
		} catch (error) {
			return false;
		}
	}

	function make(column, item, value, page, locale) {
		var shown = column.make ? column.make(value, item) : text(value, column.format, page, locale),
			node = shown && shown.nodeType ? shown : document.createTextNode(shown === null || shown === undefined ? "" : shown),
			url = column.link && item[column.link],
			link;
		if (!url || !isSafe(url)) { return node; }
		link = document.createElement("a");
		link.href = url;
		link.appendChild(node);
		return link;
	}

	return { make: make };
});
