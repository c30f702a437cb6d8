// A form function of a site's own, as the tests use it: it changes what is asked for, and then lets djintegrate make it.
define(["dojo/_base/array"], function (array) {
	return {
		dijitize: function (form, make) {
			array.forEach(form.fields, function (field) { field.attrs.title = "by the form function"; });
			return make(form);
		}
	};
});
