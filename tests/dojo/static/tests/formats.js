// A formatter of a site's own, as the tests use it.
define([], function () {
	return {
		stars: function (value, item) {
			var node = document.createElement("b");
			node.textContent = "*".repeat(value % 4) + item.text;
			return node;
		},
		loud: function (value) { return "<b>" + value + "</b>"; }
	};
});
