// Dijits beside a <select>: which choices they have, and which option of the <select> is chosen by them.
define(["dojo/_base/lang", "dojo/store/Memory"], function (lang, Memory) {
	"use strict";
	// The space itself: a key looks for the letter after it, and would not know an entity.
	var INDENT = "\u00a0\u00a0\u00a0", MARK = "\0";

	function optionsOf(node) { return Array.from(node.options || []); }

	function isDisabled(option) {
		return option.disabled || (option.parentNode.tagName === "OPTGROUP" && option.parentNode.disabled);
	}

	// dijit/form/Select has no choice whose value is empty, and none of two whose value is the same. Those it knows by
	// their place.
	function token(option, options) {
		var first = options.find(function (one) { return one.value === option.value; });
		return option.value !== "" && first === option ? option.value : MARK + options.indexOf(option);
	}

	// It knows no groups either, but choices that cannot be chosen.
	function entries(node) {
		var all = optionsOf(node), made = [];
		Array.from(node.children).forEach(function (child, i) {
			var isGroup = child.tagName === "OPTGROUP", heading = document.createElement("b");
			if (isGroup) {
				heading.textContent = child.label;
				made.push({ value: MARK + "group" + i, label: heading.outerHTML, disabled: true });
			}
			(isGroup ? Array.from(child.children) : [child]).forEach(function (option) {
				if (option.tagName !== "OPTION" || option.hidden) { return; }
				made.push({
					value: token(option, all), label: (isGroup ? INDENT : "") + (option.innerHTML || "&#160;"),
					disabled: isDisabled(option), selected: option.selected
				});
			});
		});
		return made;
	}

	function chosen(node) { return node.options[node.selectedIndex] || null; }

	// Choose what has this value. The control then has one choice, or none.
	function choose(node, value) {
		var found = optionsOf(node).find(function (option) { return option.value === value; });
		node.selectedIndex = found ? found.index : -1;
	}

	// What the page did not suggest, for the server to judge.
	function add(node, value, text) {
		var option = new Option(text, value);
		node.appendChild(option);
		node.selectedIndex = option.index;
		return option;
	}

	var menu = {
		keeps: "beside",
		given: function (node) { return { options: entries(node), value: chosen(node) ? token(chosen(node), optionsOf(node)) : undefined }; },
		renew: function (dijit, node) {
			dijit.set("options", entries(node));
			dijit._loadChildren();
		},
		shown: function (dijit, node) { return ["value", chosen(node) ? chosen(node).value : null]; },
		write: function (dijit, node) {
			var value = dijit._get("value");
			if (value.charAt(0) !== MARK) {
				choose(node, value);
			} else if (/^\d+$/.test(value.slice(1))) {
				node.selectedIndex = Number(value.slice(1));
			}
		},
		mixin: {
			_fillContent: function _fillContent() {
				this.inherited(_fillContent, arguments);
				// Tab takes what is highlighted, and goes on from the box.
				this.dropDown.domNode.addEventListener("keydown", function (event) {
					if (event.key === "Tab" && this.dropDown.focusedChild) {
						event.stopPropagation();
						this.dropDown.onItemClick(this.dropDown.focusedChild, event);
					}
				}.bind(this));
			},
			_getMenuItemForOption: function _getMenuItemForOption(option) {
				return lang.mixin(this.inherited(_getMenuItemForOption, arguments), { isFocusable: function () { return !option.disabled; } });
			},
			_setValueAttr: function _setValueAttr(value, priority) {
				var options = optionsOf(this.htmlControl), found;
				if (typeof value === "string" && value.charAt(0) !== MARK) {
					found = options.find(function (option) { return option.value === value; });
					value = found ? token(found, options) : value;
				}
				return this.inherited(_setValueAttr, arguments, [value, priority]);
			},
			_setDisplay: function _setDisplay(label) {
				return this.inherited(_setDisplay, arguments, [(label || "").replace(/^\u00a0+/, "")]);
			},
			_getValueAttr: function () {
				var value = this._get("value") || "", option = value.charAt(0) === MARK && this.htmlControl.options[value.slice(1)];
				return option ? option.value : value.charAt(0) === MARK ? "" : value;
			}
		}
	};

	// Dijit notes a moment later that what is typed is to be looked up, and a Tab before that would make it forget so.
	function promptly(prototype) {
		return function () {
			this._abortQuery();
			this.item = undefined;
			prototype._processInput.apply(this, arguments);
		};
	}

	// Rows that are in the page are there at once. Dijit would wait before it looks them up, and lose the keys that come
	// meanwhile; each of those is a step, as in a <select>.
	function keys(prototype) {
		return {
			loadDropDown: function () {
				this.defer = function (then) { then.call(this); };
				prototype.loadDropDown.call(this);
				delete this.defer;
			},
			_onKey: function (event) {
				var menu;
				prototype._onKey.call(this, event);
				if (this._toggleOnKeyUp) {
					this._toggleOnKeyUp = false;
					this.loadDropDown();
					menu = this.dropDown;
					if (this._opened && !event.altKey) {
						menu.set("selected", menu.containerNode.querySelector("[item='" + menu.items.indexOf(this.item) + "']"));
						prototype._onKey.call(this, event);
					}
				}
			}
		};
	}

	function store(node) {
		return new Memory({ idProperty: "value", data: optionsOf(node).filter(function (option) {
			return option.value !== "" && !option.hidden && !isDisabled(option);
		}).map(function (option) { return { value: option.value, name: option.text }; }) });
	}

	function placeholder(node) {
		var empty = optionsOf(node).find(function (option) { return option.value === ""; });
		return empty ? empty.text.replace(/^-+$/, "") : "";
	}

	function isFound(dijit) { return !dijit.textbox.value || !!dijit.item; }

	// What is left at once, by a Tab or a button, does not wait for dijit to look up and complete what was typed.
	function complete(dijit) {
		var text = dijit.textbox.value.toLowerCase(), found;
		if (!text || dijit.item !== undefined || !dijit.autoComplete || dijit._prev_key_backspace) { return; }
		found = (dijit.store.data || []).filter(function (one) { return one[dijit.searchAttr].toLowerCase().indexOf(text) === 0; });
		// The label itself before a longer one.
		found = found.find(function (one) { return one[dijit.searchAttr].length === text.length; }) || found[0];
		if (found) { dijit.set("item", found); }
	}

	var sought = {
		keeps: "beside",
		given: function (node, field, prototype) {
			var made = {
				value: node.value, _processInput: promptly(prototype),
				_setBlurValue: function () {
					complete(this);
					prototype._setBlurValue.call(this);
				}
			};
			if (node.tagName === "SELECT" && !field.attrs.store) {
				lang.mixin(made, keys(prototype), { store: store(node), placeHolder: placeholder(node) });
			}
			return made;
		},
		renew: function (dijit, node) { dijit.set("store", store(node)); },
		shown: function (dijit, node) { return ["value", node.value]; },
		settle: function (dijit) {
			complete(dijit);
			if (!isFound(dijit)) { dijit.set("displayedValue", dijit.textbox.value); }
		},
		// What is not found is sent as it is typed, by an option that is no choice; but not what the server would take for another.
		write: function (dijit, node, isSent) {
			var text = dijit.textbox.value, is = isFound(dijit), value = is && text ? String(dijit.get("value")) : "";
			if (node.tagName !== "SELECT") {
				node.value = value;
				return;
			}
			if (dijit.unknown) { dijit.unknown.remove(); }
			choose(node, value);
			if (is ? value && node.selectedIndex < 0 : isSent && optionsOf(node).every(function (option) { return option.value !== text; })) {
				dijit.unknown = add(node, is ? value : text, text);
				dijit.unknown.hidden = true;
			}
		},
		readable: isFound
	};

	// A text of which the choices are suggestions.
	var typed = {
		keeps: "beside",
		given: function (node, field, prototype) {
			var option = chosen(node);
			return !option ? { value: node.value } : lang.mixin(keys(prototype), {
				store: store(node), value: option.value === "" ? "" : option.text, placeHolder: placeholder(node)
			});
		},
		renew: sought.renew,
		shown: function (dijit, node) { return ["value", chosen(node) ? chosen(node).text : node.value]; },
		write: function (dijit, node) {
			var text = dijit.textbox.value, found;
			if (node.tagName !== "SELECT") {
				node.value = text;
				return;
			}
			found = optionsOf(node).find(function (option) { return text ? option.text === text : option.value === ""; });
			if (found) {
				node.selectedIndex = found.index;
			} else {
				add(node, text, text);
			}
		}
	};

	// Its rows come from a StoreView, which takes its time; the <select> gets the one that is chosen.
	var stored = lang.mixin({}, sought, {
		given: function (node, field, prototype) { return { _processInput: promptly(prototype) }; },
		renew: null, settle: null, looksUp: true,
		// Nor is what has not been looked up yet.
		write: function (dijit, node) { sought.write(dijit, node); }
	});

	return { menu: menu, sought: sought, typed: typed, stored: stored };
});
