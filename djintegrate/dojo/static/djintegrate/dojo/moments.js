// Dates and times as texts in the formats of Python's strptime(), which the server names: what it would read, this
// reads, and what this writes, it reads. The names of months are English ones, as they are for the server.
define(["dojo/date/locale", "./numbers"], function (locale, numbers) {
	"use strict";
	var MONTHS = "January February March April May June July August September October November December".split(" "),
		DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" "),
		PARTS = {
			d: "3[0-1]|[1-2]\\d|0[1-9]|[1-9]| [1-9]", m: "1[0-2]|0[1-9]|[1-9]", Y: "\\d{4}", y: "\\d\\d",
			H: "2[0-3]|[0-1]\\d|\\d", I: "1[0-2]|0[1-9]|[1-9]", M: "[0-5]\\d|\\d", S: "[0-5]\\d|\\d", f: "\\d{1,6}", p: "AM|PM",
			B: MONTHS.join("|"), b: MONTHS.map(short).join("|"), A: DAYS.join("|"), a: DAYS.map(short).join("|")
		},
		compiled = {};

	function short(name) { return name.slice(0, 3); }

	function padded(number, length) { return ("0000" + number).slice(-length); }

	// The regular expression of a format and the letters of its groups; null for one with a directive that is not here.
	function compile(format) {
		var letters = [], known = true, source;
		if (!(format in compiled)) {
			source = format.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+").replace(/%([^])/g, function (all, letter) {
				if (letter === "%") { return "%"; }
				known = known && letter in PARTS;
				letters.push(letter);
				return "(" + PARTS[letter] + ")";
			});
			compiled[format] = known ? { expression: new RegExp("^(?:" + source + ")$", "i"), letters: letters } : null;
		}
		return compiled[format];
	}

	function indexOf(names, text) {
		return names.map(short).map(function (name) { return name.toLowerCase(); }).indexOf(text.slice(0, 3).toLowerCase());
	}

	// What one text says by one format: { year, month, day, hour, minute, second }, or null.
	function readAs(text, format) {
		var form = compile(format), found = form && form.expression.exec(text), parts = {}, made, hour, last;
		if (!found) { return null; }
		form.letters.forEach(function (letter, i) { parts[letter] = found[i + 1]; });
		hour = Number(parts.H || parts.I || 0);
		if (parts.I) { hour = hour % 12 + (/pm/i.test(parts.p || "") ? 12 : 0); }
		made = {
			year: parts.Y ? Number(parts.Y) : parts.y ? Number(parts.y) + (parts.y < 69 ? 2000 : 1900) : 1900,
			month: parts.m ? Number(parts.m) : parts.B || parts.b ? indexOf(MONTHS, parts.B || parts.b) + 1 : 1,
			day: Number(parts.d || 1), hour: hour, minute: Number(parts.M || 0), second: Number(parts.S || 0)
		};
		last = toDate({ year: made.year, month: made.month + 1, day: 0 }).getDate();
		return made.year > 0 && made.day <= last ? made : null;
	}

	// By the first format that fits, as Django does it.
	function read(text, formats) {
		var i, made = null;
		text = text.trim();
		for (i = 0; i < formats.length && !made; i++) { made = readAs(text, formats[i]); }
		return made;
	}

	function write(parts, format) {
		var hour = parts.hour || 0, texts = {
			Y: padded(parts.year, 4), y: padded(parts.year, 2), m: padded(parts.month, 2), d: padded(parts.day, 2),
			H: padded(hour, 2), I: padded(hour % 12 || 12, 2), M: padded(parts.minute || 0, 2), S: padded(parts.second || 0, 2),
			f: "000000", p: hour < 12 ? "AM" : "PM", B: MONTHS[parts.month - 1], b: short(MONTHS[parts.month - 1] || ""), "%": "%"
		}, day = parts.year ? DAYS[(toDate(parts).getDay() + 6) % 7] : "";
		texts.A = day;
		texts.a = short(day);
		return format.replace(/%([^])/g, function (all, letter) { return texts[letter]; });
	}

	function toDate(parts) {
		var made = new Date(2000, 0, 1, parts.hour || 0, parts.minute || 0, parts.second || 0);
		// Date's own constructor takes the years before 100 for those of the twentieth century.
		made.setFullYear(parts.year, parts.month - 1, parts.day);
		return made;
	}

	function toTime(parts) { return new Date(1970, 0, 1, parts.hour, parts.minute, parts.second); }

	function ofDate(date) {
		return {
			year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate(),
			hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds()
		};
	}

	// What the page's language knows beside the server's formats: names of months, a.m. and p.m.
	function dojoReads(text, selector) {
		var bundle = locale._getGregorianBundle(), found = null;
		["short", "medium"].forEach(function (length) {
			var options = { selector: selector };
			options[selector + "Pattern"] = numbers.tidy(bundle[selector + "Format-" + length]);
			found = found || locale.parse(text, options);
		});
		return found && found.getFullYear() > 0 && found.getFullYear() < 10000 ? ofDate(found) : null;
	}

	// Other digits than those of strptime() and marks of direction are read too; and, where Dojo knows the language
	// (`selector` is "date" or "time" then), what Dojo reads in it.
	function readGenerously(text, formats, selector) {
		var tidied = numbers.tidy(text);
		return read(text, formats) || read(tidied, formats) || (selector && tidied ? dojoReads(tidied, selector) : null);
	}

	return {
		read: read, readGenerously: readGenerously, write: write, toDate: toDate, toTime: toTime, ofDate: ofDate
	};
});
