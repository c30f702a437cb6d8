// Numbers as exact texts: what the user typed in the page's language becomes "-1234.50", digit by digit, and back.
// JavaScript's own numbers have fifteen digits, Django's integers and decimals as many as are typed. The signs of the
// language, { decimal, group, grouping }, are Django's, and come with the specification.
define([], function () {
	"use strict";
	var PLAIN = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i,
		WITH_DOT = /^([+-]?)(\d*)\.(\d*)(?:e([+-]?\d+))?(-?)$/i,
		MARKS = /[\u200e\u200f\u061c]/g,
		// As a text, for the minifier reads no newer expressions.
		DIGITS = new RegExp("\\p{Nd}", "gu"),
		DIGIT = new RegExp("\\p{Nd}", "u");

	// The ten digits of a script begin at a code that ends in 0 or in 6.
	function latin(digit) {
		var code = digit.codePointAt(0), row = code - code % 16;
		return String(code - row - (DIGIT.test(String.fromCodePoint(row)) ? 0 : 6));
	}

	function tidy(text) {
		return text.normalize("NFKC").replace(MARKS, "").replace(DIGITS, latin).replace(/\u2212/g, "-").replace(/\s+/g, " ").trim();
	}

	function quoted(text) {
		return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	}

	// The exact text, or null where this is not a number in the page's language.
	function read(text, signs) {
		var tidied = tidy(text),
			// A space stands for a group's sign that is one: no keyboard has a narrow or a protected space.
			group = quoted(tidy(signs.group) || " "),
			sizes = [].concat(signs.grouping || 3).filter(Boolean),
			most = Math.max.apply(null, sizes), least = Math.min.apply(null, sizes),
			whole = !signs.group ? "\\d*" : "\\d{1," + most + "}(?:" + group + "\\d{" + least + "," + most + "})*" + group + "\\d{" + sizes[0] + "}|\\d*",
			shape = new RegExp("^([+-]?)(" + whole + ")(?:" + quoted(tidy(signs.decimal)) + "(\\d*))?(?:e([+-]?\\d+))?(-?)$", "i"),
			// Where a dot can be nothing else, it is a decimal point too: many keyboards have that key.
			found = shape.exec(tidied) || WITH_DOT.exec(tidied), digits;
		if (!found || !(found[2] || found[3]) || (found[1] && found[5])) {
			return null;
		}
		digits = found[2].replace(/\D/g, "").replace(/^0+(?=\d)/, "") || "0";
		return ((found[1] || found[5]) === "-" ? "-" : "") + digits + (found[3] ? "." + found[3] : "") +
			(found[4] ? "e" + found[4] : "");
	}

	// In groups of the sizes that Django's NUMBER_GROUPING has: 3, or [3, 2, 0], where 0 repeats the last.
	function inGroups(digits, signs) {
		var sizes = [].concat(signs.grouping || 3), groups = [], size = sizes.shift();
		while (signs.group && size > 0 && digits.length > size) {
			groups.unshift(digits.slice(-size));
			digits = digits.slice(0, -size);
			size = sizes.shift() || size;
		}
		return [digits].concat(groups).join(signs.group);
	}

	// The exact text as the page's language has it.
	function write(exact, signs, grouped) {
		var found = PLAIN.exec(exact);
		return found[1] + (grouped ? inGroups(found[2], signs) : found[2]) +
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
