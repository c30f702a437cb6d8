// How dijits show a value in the page's language, read what is typed, and write it for Django: per instance, as
// methods that go over the dijit's own. The specification's `value` says in which kind and format.
define([
	"dojo/date/locale", "dojo/date/stamp", "dojo/_base/lang", "./numbers"
], function (locale, stamp, lang, numbers) {
	"use strict";

	// strftime's, as far as it writes numbers alone.
	function strftime(format, date) {
		function padded(number, length) { return ("000" + number).slice(-length); }
		var parts = {
			Y: padded(date.getFullYear(), 4), m: padded(date.getMonth() + 1, 2), d: padded(date.getDate(), 2),
			H: padded(date.getHours(), 2), M: padded(date.getMinutes(), 2), S: padded(date.getSeconds(), 2), "%": "%"
		};
		return format.replace(/%(.)/g, function (all, letter) { return parts[letter]; });
	}

	// What cannot be read is sent as it is: the server then says what is wrong, and nothing is lost.
	function asSent() {
		var value = this.filter(this.get("value"));
		return value === undefined ? this.textbox.value : value === null || value !== value ? "" : this.serialize(value);
	}

	function moments(selector, iso) {
		return function (value) {
			var own = value.patterns || [];

			// What the dijit was given by dojo_field() comes first.
			function patterns(constraints) {
				var bundle = locale._getGregorianBundle(), given = [constraints[selector + "Pattern"]];
				return given.concat(own.length ? own : [constraints.formatLength, "short", "medium"].map(function (length) {
					return bundle[selector + "Format-" + length];
				})).filter(Boolean);
			}

			function parsed(text, pattern, strict) {
				var options = { selector: selector, strict: strict };
				options[selector + "Pattern"] = numbers.tidy(pattern);
				return locale.parse(text, options);
			}

			function read(text, constraints) {
				var i, found, all = patterns(constraints || {});
				text = numbers.tidy(text);
				for (i = 0; i < all.length && !found; i++) {
					found = parsed(text, all[i]);
				}
				for (i = 0; i < iso.length && !found; i++) {
					found = parsed(text, iso[i], true);
				}
				return found && found.getFullYear() > 0 && found.getFullYear() < 10000 ? found : undefined;
			}

			return {
				value: value.is ? stamp.fromISOString((selector === "time" ? "T" : "") + value.is) : null,
				displayedValue: value.text,
				asSent: asSent,
				strftime: strftime,
				serialize: function (date) { return strftime(value.wire, date); },
				// All that parse() reads: the dijit's own pattern is that of the language alone.
				pattern: ".*",
				parse: function (text, constraints) { return numbers.tidy(text) === "" ? null : read(text, constraints); },
				format: function (date, constraints) {
					var options = lang.mixin({}, constraints), pattern = selector + "Pattern";
					if (!date) { return ""; }
					if (own.length) {
						options[pattern] = options[pattern] || own[0];
					} else if (selector === "time" && date.getSeconds() && !options.formatLength) {
						options.formatLength = "medium";
					}
					return locale.format(date, options);
				}
			};
		};
	}

	// Numbers that the dijit shows by a format of its own, such as money, keep that; only what is sent is ours.
	function number(value, isOurs) {
		// The text behind the number that the dijit works with.
		var exact = { text: value.is || "" },
			start = value.is ? Number(value.is) : NaN,
			attrs = {
				value: start,
				displayedValue: value.text,
				asSent: asSent,
				serialize: function (found) { return exactOf(found).replace(".", value.wire); }
			};

		function exactOf(found) {
			return exact.text !== "" && Number(exact.text) === found ? exact.text : String(found);
		}

		return !isOurs ? attrs : lang.mixin(attrs, {
			parse: function (text) {
				var read = text.trim() === "" ? "" : numbers.read(text);
				if (read === null) { return undefined; }
				exact.text = read;
				return read === "" ? NaN : Number(read);
			},
			format: function (found) {
				return found !== found ? "" : numbers.write(exactOf(found), !this.focused);
			},
			filter: function (found) {
				return found === null || found === "" ? NaN : found;
			},
			_getValueAttr: function () { return this.parse(this.textbox.value); },
			// The rules know the bounds, and say which.
			rangeCheck: function () { return true; },
			// A spinner's step, without what binary fractions add to 0.1 and 0.2.
			adjust: function (found, delta) {
				var low = Number(value.min), high = Number(value.max), next;
				next = found !== found ? Math.max(0, low || 0) : Number((found + delta).toPrecision(12));
				return next > high ? high : next < low ? low : next;
			}
		});
	}

	var kinds = {
		date: moments("date", ["yyyy-MM-dd"]),
		time: moments("time", ["HH:mm", "HH:mm:ss"])
	};

	// The attributes for a dijit of this class; none if it is not one for such a value.
	function adapt(value, prototype, isOurs) {
		var attrs = {}, isText = "editOptions" in prototype;
		if (value && (prototype._selector || "").toLowerCase() === value.kind) {
			attrs = value.kind === "datetime" ? { value: value.is || "", text: value.text } : kinds[value.kind](value);
		} else if (value && value.kind === "number" && typeof prototype.value === "number") {
			attrs = number(value, isOurs && isText);
			attrs = isText ? attrs : value.is ? { value: attrs.value } : {};
		}
		Object.keys(attrs).forEach(function (name) {
			if (attrs[name] === undefined) { delete attrs[name]; }
		});
		return attrs;
	}

	// A dijit takes attributes of any name but this.
	function finish(dijit) {
		if (dijit.asSent) { dijit.toString = dijit.asSent; }
		return dijit;
	}

	return { adapt: adapt, finish: finish };
});
