// Numbers as exact texts: what the user typed in the page's language becomes "-1234.50", digit by digit, and back.
// JavaScript's own numbers have fifteen digits, Django's integers and decimals as many as are typed.
define(["dojo/i18n", "dojo/i18n!dojo/cldr/nls/number"], function (i18n) {
	"use strict";
	var PLAIN = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i,
		MARKS = /[\u200e\u200f\u061c]/g,
		// Of fullwidth digits normalize() takes care.
		DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g;

	function tidy(text) {
		return text.normalize("NFKC").replace(MARKS, "").replace(DIGITS, function (digit) {
			return String((digit.charCodeAt(0) & 0xf) - (digit.charCodeAt(0) >= 0x966 ? 6 : 0));
		}).replace(/\u2212/g, "-").replace(/\s+/g, " ").trim();
	}

	function symbols() {
		var bundle = i18n.getLocalization("dojo.cldr", "number");
		return { group: tidy(bundle.group) || " ", decimal: bundle.decimal, shownGroup: bundle.group };
	}

	function quoted(text) {
		return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	}

	// The exact text, or null where this is no number in the page's language.
	function read(text) {
		var signs = symbols(),
			group = quoted(signs.group),
			// Where a dot can be nothing else, it is a decimal point too: many keyboards have that key.
			decimal = signs.group === "." ? quoted(signs.decimal) : "[." + quoted(signs.decimal) + "]",
			shape = new RegExp("^([+-]?)(\\d{1,3}(?:" + group + "\\d{3})+|\\d*)(?:" + decimal + "(\\d*))?(?:e([+-]?\\d+))?(-?)$", "i"),
			found = shape.exec(tidy(text)), whole;
		if (!found || !(found[2] || found[3]) || (found[1] && found[5])) {
			return null;
		}
		whole = found[2].split(signs.group).join("").replace(/^0+(?=\d)/, "") || "0";
		return ((found[1] || found[5]) === "-" ? "-" : "") + whole + (found[3] ? "." + found[3] : "") +
			(found[4] ? "e" + found[4] : "");
	}

	// The exact text as the page's language has it.
	function write(exact, grouped) {
		var signs = symbols(), found = PLAIN.exec(exact);
		return found[1] + (grouped ? found[2].replace(/\B(?=(\d{3})+$)/g, signs.shownGroup) : found[2]) +
			(found[3] ? signs.decimal + found[3] : "") + (found[4] ? "e" + found[4] : "");
	}

	// { negative, digits, exponent }: the digits without zeros in front, and how many places they are to be shifted.
	function parts(exact) {
		var found = PLAIN.exec(exact);
		return {
			negative: found[1] === "-",
			digits: (found[2] + found[3]).replace(/^0+/, ""),
			exponent: Number(found[4] || 0) - found[3].length
		};
	}

	function compare(one, other) {
		var a = parts(one), b = parts(other), lowest = Math.min(a.exponent, b.exponent), sign;
		if (!a.digits || !b.digits || a.negative !== b.negative || Math.abs(a.exponent - b.exponent) > 1000) {
			return Number(one) - Number(other);
		}
		sign = a.negative ? -1 : 1;
		a = a.digits + "0".repeat(a.exponent - lowest);
		b = b.digits + "0".repeat(b.exponent - lowest);
		return sign * (a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
	}

	// As Python's Decimal counts them, trailing zeros too.
	function count(exact) {
		var number = parts(exact), digits = number.digits || "0", places = Math.max(-number.exponent, 0);
		return {
			all: number.exponent >= 0 ? digits.length + (digits === "0" ? 0 : number.exponent) : Math.max(digits.length, places),
			places: places
		};
	}

	function isPlain(text) { return PLAIN.test(text) && /\d/.test(text); }

	return { isPlain: isPlain, read: read, write: write, compare: compare, count: count, tidy: tidy };
});
