// The table of dijits: how each kind stands for the HTML's own control, which stays in the page and is what is sent.
//
// keeps     "box": the control itself is the box, the list or the tick that the dijit shows; what is in it is sent.
//           "beside": the control is hidden, and the dijit writes into it.
//           "itself": the dijit is nothing but the control.
// fits      the types of control that can be that box.
// given     what the dijit is made with, by the control and the specification's field.
// shown     [property, value]: what the dijit is told after the control has changed by other ways, such as a reset.
// written   the text for the control ("beside" only); undefined for what the dijit cannot make anything of.
// readable  whether what is in the dijit can be read; where it is missing, it always can.
// settle    what is done before a form is sent, where the dijit would know it only a moment later.
// plain     a text of the control as the rules have it: numbers with a dot, dates in ISO's form. Empty for one that only the
//           server can read, and check.
// looksUp   whether the server is asked for what was typed, so that the dijit learns it later.
// methods   what instances do in another way than their class.
define(["dojo/_base/lang", "dojo/date/stamp", "./choices", "./moments", "./numbers"], function (lang, stamp, choices, moments, numbers) {
	"use strict";
	var ISO = { date: "%Y-%m-%d", time: "%H:%M:%S" }, rows = {};

	function textOf(value) { return value === null || value === undefined || value !== value ? "" : String(value); }

	// Any dijit with a value: that is written as a text.
	var other = {
		keeps: "beside",
		given: function (node) { return node.value === "" ? {} : { value: node.value }; },
		shown: function (dijit, node) { return ["value", node.value]; },
		written: function (dijit) { return dijit.textbox ? dijit.toString() : textOf(dijit.get("value")); }
	};

	var text = {
		keeps: "box",
		fits: /^(text|search|tel|email|url|password)$/,
		// Dijit's own pattern for any text has no separators of lines in it.
		given: function (node, field, prototype) {
			return prototype.pattern === ".*" ? { value: node.value, pattern: "[\\s\\S]*" } : { value: node.value };
		},
		shown: function (dijit, node) { return ["value", node.value]; }
	};

	var area = lang.mixin({}, text, {
		fits: /textarea/,
		// The browser cuts what is typed and pasted, and leaves what a script has written.
		mixin: {
			_onInput: function _onInput() {
				var most = this.maxLength;
				this.maxLength = "";
				this.inherited(_onInput, arguments);
				this.maxLength = most;
			}
		}
	});

	var tick = {
		keeps: "box",
		fits: /checkbox|radio/,
		given: function (node) { return { checked: node.checked, value: node.value, name: node.name }; },
		shown: function (dijit, node) { return ["checked", node.checked]; }
	};

	var list = {
		keeps: "box",
		fits: /select-multiple/,
		given: function (node) { return node.getAttribute("size") ? { size: node.size } : {}; },
		shown: function (dijit, node) {
			return ["value", Array.from(node.selectedOptions).map(function (option) { return option.value; })];
		}
	};

	// The attributes min and max of <input type="date"> and its kin, as calendars and lists of times take them.
	function bounds(node, selector) {
		var made = {};
		["min", "max"].forEach(function (name) {
			var text = node[name];
			if (text) { made[name] = selector === "date" ? text.slice(0, 10) : "T" + text; }
		});
		return made;
	}

	// A calendar or a list of times. What is typed is sent as it is typed, if the server can read it.
	function moment(selector) {
		function date(parts) { return parts && (selector === "date" ? moments.toDate(parts) : moments.toTime(parts)); }

		function formats(field) { return field.value.formats; }

		function read(text, field) {
			return date(moments.readGenerously(text, formats(field), field.value.locale && selector));
		}

		function same(one, other, shown) {
			return one && other && moments.write(moments.ofDate(one), shown) === moments.write(moments.ofDate(other), shown);
		}

		// A pattern that dojo_field() gave is how the dijit shows it; the control has what the server reads.
		function hasOwn(field) {
			var constraints = field.attrs.constraints || {};
			return !!(constraints[selector + "Pattern"] || constraints.formatLength);
		}

		var boxed = {
			keeps: "box",
			fits: text.fits,
			given: function (node, field) {
				var rendered = field.value.rendered && !moments.read(node.value, formats(field)) && moments.read(node.value, [field.value.rendered]);
				if (rendered) {
					// Django wrote it in a format that the field does not read.
					node.value = moments.write(rendered, field.value.shown);
					node.setAttribute("value", node.value);
				}
				return { value: read(node.value, field), displayedValue: node.value, pattern: ".*" };
			},
			shown: function (dijit, node) { return ["displayedValue", node.value]; },
			readable: function (dijit, node, field) {
				return node.value.trim() === "" || field.value.open || !!read(node.value, field);
			},
			plain: function (text, field) {
				var found = read(text, field);
				return found ? moments.write(moments.ofDate(found), ISO[selector]) : "";
			},
			methods: function (field) {
				var shown = field.value.shown;
				return {
					parse: function (text) { return text.trim() === "" ? null : read(text, field) || undefined; },
					serialize: function (value) { return moments.write(moments.ofDate(value), ISO[selector]); },
					format: function (value) {
						var typed = this.textbox ? this.textbox.value : "";
						if (!value) { return ""; }
						return same(date(moments.read(typed, formats(field))), value, ISO[selector]) ? typed :
							moments.write(moments.ofDate(value), shown);
					}
				};
			}
		};

		var patterned = {
			keeps: "beside",
			given: function (node, field) { return { value: read(node.value, field) }; },
			shown: function (dijit, node, field) { return ["value", read(node.value, field)]; },
			written: function (dijit, node, field) {
				var value = dijit.get("value");
				return value ? moments.write(moments.ofDate(value), field.value.shown) : dijit.textbox.value;
			},
			readable: function (dijit) { return dijit.get("value") !== undefined; },
			plain: boxed.plain
		};

		// <input type="date"> and its kin, which keep ISO's form alone, and whose bounds the browser checks.
		function readIso(text) { return date(moments.read(text, ["%Y-%m-%d", "%H:%M:%S", "%H:%M"])); }

		var native = {
			keeps: "beside",
			given: function (node) { return { value: readIso(node.value), pattern: ".*", constraints: bounds(node, selector) }; },
			shown: function (dijit, node) { return ["value", readIso(node.value)]; },
			written: function (dijit) {
				var value = dijit.get("value");
				return value ? moments.write(moments.ofDate(value), selector === "date" ? ISO.date : value.getSeconds() ? ISO.time : "%H:%M") :
					dijit.textbox.value;
			},
			readable: patterned.readable,
			methods: boxed.methods
		};

		var free = {
			keeps: "beside",
			given: function (node) {
				return node.value === "" ? { value: null } : { value: stamp.fromISOString((selector === "time" && node.value.charAt(0) !== "T" ? "T" : "") + node.value) };
			},
			shown: function (dijit, node, field) { return ["value", free.given(node, field).value]; },
			written: function (dijit) {
				var value = dijit.get("value");
				return value === undefined ? dijit.textbox.value : dijit.toString();
			}
		};

		return function (field, node) {
			if (!field.value || field.value.kind !== selector) { return free; }
			if (node.type === selector) { return native; }
			return hasOwn(field) ? patterned : boxed;
		};
	}

	// The text in the box is in the page's language; the control has it as the server reads it.
	var number = {
		keeps: "beside",
		given: function (node, field) {
			// A number that the attribute has, and the control has not, was taken out of it while the page was loading.
			var html = node.type === "number" && node.getAttribute("value") || "",
				raw = node.value || (numbers.isPlain(html) ? "" : html), exact = exactly(raw, field);
			return lang.mixin({ value: parseFloat(exact), exact: { text: exact || "" } }, exact === null && { displayedValue: raw });
		},
		shown: function (dijit, node, field) {
			dijit.exact.text = exactly(node.value, field) || "";
			return ["value", parseFloat(dijit.exact.text)];
		},
		written: function (dijit, node, field) {
			var read = exactOf(dijit, field);
			return read === null ? dijit.textbox.value : read.replace(".", field.value.wire);
		},
		readable: function (dijit, node, field) { return exactOf(dijit, field) !== null; },
		plain: function (text, field) { return exactly(text, field) || text; },
		methods: function (field, prototype) {
			return lang.mixin(spinner(field, prototype), {
				parse: function (text) {
					var read = text.trim() === "" ? "" : numbers.read(text, field.value);
					if (read === null) { return undefined; }
					this.exact.text = read;
					return parseFloat(read);
				},
				format: function (found) {
					return found !== found ? "" :
						numbers.write(parseFloat(this.exact.text) === found ? this.exact.text : String(found), field.value, !this.focused);
				},
				filter: function (found) { return found === null || found === "" ? NaN : found; },
				_getValueAttr: function () { return this.parse(this.textbox.value); },
				// The rules know the bounds, and say which.
				rangeCheck: function () { return true; },
				// The browser's own steps, from a number that is one to the next.
				adjust: function (found, delta) {
					var own = this.htmlControl, box = document.createElement("input"), step = this.smallDelta || 1,
						min = own.min || field.value.min, max = own.max || field.value.max;
					// Where any number is a step, one is as far from there, and else the steps are counted as the HTML's are.
					lang.mixin(box, { type: "number", value: found, max: max, step: Number(own.step) || step }, own.step === "any" ?
						{ defaultValue: found } : { min: min, defaultValue: own.defaultValue });
					box.stepUp(delta / step);
					return Math.max(box.value, /\d/.test(min) ? min : -Infinity);
				},
				onKeyDown: function (event) {
					var way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
					// A spinner hears its keys itself.
					if (way && !this.upArrowNode && !this.readOnly) {
						event.preventDefault();
						this.set("value", this.adjust(this.get("value"), way));
					}
				}
			});
		}
	};

	// Without a bound, of which Dojo makes one, Home and End move the cursor as in any text.
	function spinner(field, prototype) {
		return {
			_onKeyDown: function (event) {
				if ({ Home: "min", End: "max" }[event.key] in (field.attrs.constraints || {})) { prototype._onKeyDown.call(this, event); }
			}
		};
	}

	// The exact number that a text of the control is: with a dot, or as the page's language has it.
	function exactly(text, field) {
		return text === "" ? "" : numbers.isPlain(text) && field.value.wire === "." ? text : numbers.read(text, field.value);
	}

	function exactOf(dijit, field) {
		var typed = dijit.textbox.value.trim();
		return typed === "" ? "" : numbers.read(typed, field.value);
	}

	// Numbers that are shown by a format of the dijit's own, such as money.
	var amount = {
		keeps: "beside",
		given: function (node, field) {
			var exact = field.value ? exactly(node.value, field) : node.value;
			return exact === "" || exact === null ? {} : { value: Number(exact) };
		},
		shown: function (dijit, node) { return ["value", parseFloat(node.value)]; },
		written: function (dijit, node, field) {
			var value = dijit.get("value");
			return value === undefined ? dijit.textbox.value : textOf(value).replace(".", field.value ? field.value.wire : ".");
		},
		methods: spinner
	};

	var slider = {
		keeps: "beside",
		// Page Up and Page Down go a tenth of the way, as in the browser's own.
		given: function (node, field) {
			return { value: Number(node.value), pageIncrement: Math.round((field.attrs.discreteValues - 1) / 10) || 1 };
		},
		shown: function (dijit, node) { return ["value", Number(node.value)]; },
		// Without what binary fractions add to 0.1 and 0.2.
		written: function (dijit) { return String(Number(Number(dijit.get("value")).toPrecision(12))); }
	};

	function numeric(field) {
		var constraints = field.attrs.constraints || {};
		return field.value && field.value.kind === "number" && field.rules && !("pattern" in constraints || "type" in constraints) ? number : amount;
	}

	rows = {
		"dijit.form.TextBox": text,
		"dijit.form.ValidationTextBox": text,
		"dijit.form.MappedTextBox": other,
		"dijit.form.SimpleTextarea": area,
		"dijit.form.CheckBox": tick,
		"dijit.form.MultiSelect": list,
		"dijit.form.DateTextBox": moment("date"),
		"dijit.form.TimeTextBox": moment("time"),
		"dijit.form.NumberTextBox": numeric,
		"dijit.form.NumberSpinner": numeric,
		"dijit.form.CurrencyTextBox": amount,
		"dijit.form.HorizontalSlider": slider,
		"dijit.form.Select": choices.menu,
		"dijit.form.FilteringSelect": choices.sought,
		"dijit.form.ComboBox": choices.typed,
		"djintegrate.StoreSelect": choices.stored,
		"djintegrate.DateTimeBox": {
			keeps: "beside",
			given: function (node, field) { return { text: node.value, formats: field.value || {}, constraints: bounds(node, "date") }; },
			shown: function (dijit, node) { return ["text", node.value]; },
			written: function (dijit) { return dijit.toString(); },
			readable: function (dijit) { return dijit.get("value") !== undefined; },
			plain: function (text, field) {
				var found = moments.read(text, field.value.formats);
				return found ? moments.write(found, "%Y-%m-%dT%H:%M:%S") : "";
			}
		},
		"djintegrate.Editor": {
			keeps: "beside",
			given: function () { return {}; },
			shown: function (dijit, node) { return ["value", node.value]; },
			written: function (dijit) { return dijit.sent(); }
		},
		"djintegrate.Native": { keeps: "itself", given: function () { return {}; }, shown: function (dijit, node) { return node.type === "file" ? null : ["value", node.value]; } }
	};

	// The row of a class, or of the nearest one that it is derived from.
	function of(Dijit, field, node) {
		var base = Dijit._meta.bases.find(function (base) { return base.prototype.declaredClass in rows; }),
			row = base ? rows[base.prototype.declaredClass] : other;
		row = typeof row === "function" ? row(field, node) : row;
		// A dijit over a control of another shape than its own stays beside it: a text box over a <select>, say.
		return row.fits && !row.fits.test(node.type) ? other : row;
	}

	return { of: of };
});
