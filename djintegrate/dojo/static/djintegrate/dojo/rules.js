// The rules of Django's fields, each as a test of the text that is going to be sent. The server's message comes with it.
define(["./numbers", "./patterns"], function (numbers, patterns) {
	"use strict";
	var INTEGER = /^-?\d+(\.0*)?$/;

	// Python counts characters, JavaScript their halves too.
	function characters(text) {
		return text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "_").length;
	}

	function order(text, limit) {
		// Numbers; or dates and times, which in ISO's form are in the order of their texts.
		return /^-?[\d.]+(e[+-]?\d+)?$/i.test(limit[0]) ?
			(limit[1] ? Number(text) - Number(limit[0]) : numbers.compare(text, limit[0])) :
			(text < limit[0] ? -1 : text > limit[0] ? 1 : 0);
	}

	function isAddress(text, protocol) {
		var octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
		if (text.indexOf(":") < 0) {
			return protocol !== "ipv6" && new RegExp("^" + octet + "(\\." + octet + "){3}$").test(text);
		}
		try {
			return protocol !== "ipv4" && !/[[\]/?#@\s]/.test(text) && !!new URL("http://[" + text.replace(/%[^%]+$/, "") + "]/");
		} catch (error) {
			return false;
		}
	}

	// Undefined for what is none.
	function json(text) {
		try {
			// Python reads some numbers that JSON has not.
			return JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|-?\bInfinity\b|\bNaN\b/g, function (all, quoted) {
				return quoted || "0";
			}));
		} catch (error) {}
	}

	function fileName(file) { return file.name; }

	// Each is given the text, what the rule says, and the control's files. True is right; a text or a number that comes
	// in its place is for the message.
	var tests = {
		number: function (text) { return numbers.isPlain(text); },
		float: function (text) { return numbers.isPlain(text) && isFinite(Number(text)); },
		integer: function (text) { return INTEGER.test(text); },
		min_value: function (text, limit) { return order(text, limit) >= 0; },
		max_value: function (text, limit) { return order(text, limit) <= 0; },
		step: function (text, step) {
			var rest = Number(text) - step[1];
			rest -= step[0] * Math.round(rest / step[0]);
			return Math.abs(rest) <= 1e-9;
		},
		max_digits: function (text, most) { return numbers.count(text).all <= most; },
		max_decimal_places: function (text, most) { return numbers.count(text).places <= most; },
		max_whole_digits: function (text, most) {
			var found = numbers.count(text);
			return found.all - found.places <= most;
		},
		min_length: function (text, least) { return characters(text) >= least; },
		max_length: function (text, most) { return characters(text) <= most; },
		without_null: function (text) { return text.indexOf("\0") < 0; },
		pattern: function (text, pattern) {
			return patterns.matches(pattern[0], text, pattern[1]) !== pattern[1];
		},
		any: function (text, sources) {
			return sources.some(function (source) { return patterns.matches(source, text); });
		},
		uuid: function (text) {
			return /^[0-9a-f]{32}$/i.test(text.replace(/urn:|uuid:/g, "").replace(/^[{}]+|[{}]+$/g, "").replace(/-/g, ""));
		},
		json: function (text) { return json(text) !== undefined; },
		// Python takes these for "nothing there".
		json_value: function (text) { return ["null", '""', "[]", "{}"].indexOf(JSON.stringify(json(text))) < 0; },
		colons: function (text) { return text.indexOf(":") < 0 || isAddress(text, "ipv6"); },
		address: isAddress,
		email: function (text, email) {
			var at = text.lastIndexOf("@"), domain = text.slice(at + 1), literal;
			if (at < 0 || characters(text) > 320 || !patterns.matches(email[0], text.slice(0, at))) { return false; }
			if (email[3].indexOf(domain) >= 0 || patterns.matches(email[1], domain)) { return true; }
			literal = domain.charAt(0) === "[" && new RegExp(email[2], "u").exec(domain);
			return !!literal && isAddress(literal[1], "both");
		},
		url: function (text, url) {
			var host, scheme;
			// The field adds the scheme by itself.
			if (!/^[a-z][^:/]*:/i.test(text)) { text = url[2] + (text.slice(0, 2) === "//" ? ":" : "://") + text; }
			if (/[\t\r\n]/.test(text) || characters(text) > url[3]) { return false; }
			scheme = text.split("://")[0].toLowerCase();
			if (url[1].indexOf(scheme) < 0 || !patterns.matches(url[0], text)) { return false; }
			host = /^[^:]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(text)[1];
			return host.charAt(0) === "[" ? isAddress(host.slice(1, -1), "ipv6") : characters(host) <= 253;
		},
		filename: function (text, most, files) {
			return files.every(function (file) { return characters(file.name) <= most; }) ||
				Math.max.apply(null, files.map(fileName).map(characters));
		},
		content: function (text, nothing, files) {
			return files.every(function (file) { return file.size > 0; });
		},
		extension: function (text, allowed, files) {
			var wrong = files.map(function (file) {
				return (/[^.]\.([^.]*)$/.exec(file.name) || ["", ""])[1].toLowerCase();
			}).filter(function (extension) { return allowed.indexOf(extension) < 0; });
			return wrong.length ? wrong[0] || " " : true;
		}
	};

	function html(text) {
		return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");
	}

	// A message with what only the browser knows: the length or the value found, and the text.
	function filled(message, text, result) {
		return message && message.replace(/\ue000/g, html(result === undefined ? characters(text) : result))
			.replace(/\ue001/g, html(text));
	}

	// The message of the first rule that is broken, or nothing. Nothing is what an empty text breaks.
	function broken(rules, text, files) {
		var i, rule, result;
		for (i = 0; text !== "" && i < rules.length; i++) {
			rule = rules[i];
			result = tests[rule[0]](text, rule[1], Array.from(files || []));
			if (result !== true) {
				return filled(rule[2], text, typeof result === "boolean" ? undefined : result);
			}
		}
		return "";
	}

	return { broken: broken, filled: filled, html: html };
});
