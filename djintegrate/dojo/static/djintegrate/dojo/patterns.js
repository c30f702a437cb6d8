// The browser's half of djintegrate/dojo/patterns.py: what the server's patterns find, rules.js asks here.
// dijit's own attribute `pattern` is another thing: a match of the whole text, by a RegExp that knows no Unicode.
define([], function () {
	"use strict";
	// What Python's str.strip() takes away, which is more and less than JavaScript's trim() does.
	var BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+",
		ENDS = new RegExp("^" + BLANK + "|" + BLANK + "$", "g"),
		compiled = {};

	// Null where this browser lacks what the pattern needs: then the server checks.
	function compile(source) {
		if (!(source in compiled)) {
			try {
				compiled[source] = new RegExp(source, "u");
			} catch (error) {
				compiled[source] = null;
			}
		}
		return compiled[source];
	}

	// As Django's CharField does it.
	function strip(text) {
		return text.replace(ENDS, "");
	}

	// What is wanted, no or yes, where this browser cannot tell.
	function matches(source, text, isInverse) {
		var regExp = compile(source);
		return regExp ? regExp.test(text) : !isInverse;
	}

	return { matches: matches, strip: strip };
});
