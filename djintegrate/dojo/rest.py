"""StoreView: rows of either ORM, as dojo/store/JsonRest and dstore read and write them.

It shows, filters by and sorts by the named fields and no others, and writes through a form alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db.models import Model
from django.db.models.deletion import ProtectedError, RestrictedError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseBase, JsonResponse, QueryDict
from django.utils.cache import patch_cache_control
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.views import View

from .rows import reading, showing
from .rows.jsonrest import BadRequest, Pattern, wanted_filters, wanted_order, wanted_range, wants_total
from .rows.rows import Rows, rows_of

ACTIONS = {"GET": "view", "HEAD": "view", "POST": "add", "PUT": "change", "DELETE": "delete"}
MAX_BODY = 1024 * 1024


class StoreView(View):
    """A collection at its address, and its items below: `path("people/", …)` and `path("people/<str:key>", …)`.

    `rows` is a QuerySet, or what a Storm store's find() gives. Override get_rows() where it depends on the request, as
    it does with Storm, whose stores are a thread's own. What must not be seen must not be in the rows.
    """

    rows: Any = None
    #: What an item shows: names of attributes. A method of this view of that name gets the object instead.
    fields: ClassVar[Sequence[str]] = ()
    #: The name of the key in an item.
    id_field = "id"
    #: Name in the query → the field, or the fields, where a pattern such as `ab*` is searched. Storm: columns.
    search: ClassVar[Mapping[str, Any]] = {}
    #: Name in the query → the field that must have the value, or one of the values.
    filters: ClassVar[Mapping[str, Any]] = {}
    #: Name in `sort(…)` → the field; or a sequence of names that are fields.
    sort: ClassVar[Mapping[str, Any] | Sequence[str]] = ()
    #: The form that writes. Without one nothing can be added or changed.
    form_class: type[BaseForm] | None = None
    #: Actions (view, add, change, delete) that need no permission.
    public: ClassVar[frozenset[str] | set[str]] = frozenset()
    #: At most so many items in one answer.
    max_items = 200
    #: Rows are counted no further than this: counting many takes longer than showing a few. None counts them all.
    max_total: int | None = None

    def get_rows(self) -> Any:
        if self.rows is None:
            raise ImproperlyConfigured(
                f"{type(self).__name__} has no rows. Set `rows` to a QuerySet, or override get_rows()."
            )
        return self.rows.all() if hasattr(self.rows, "all") else self.rows

    def has_permission(self, action: str, obj: Any = None) -> bool:
        """Whether this request may view, add, change or delete. By default the model's permissions say."""
        if action in self.public:
            return True
        user, model = getattr(self.request, "user", None), self._rows.model
        if user is None or model is None:
            return False
        return bool(user.has_perm(f"{model._meta.app_label}.{action}_{model._meta.model_name}"))

    def item(self, obj: Any) -> dict[str, Any]:
        """What is shown of an object."""
        return {self.id_field: self.key_of(obj), **{name: self._shown(obj, name) for name in self.fields}}

    def key_of(self, obj: Any) -> Any:
        return obj.pk if isinstance(obj, Model) else obj.id

    def get_form(self, data: Mapping[str, Any], obj: Any = None) -> BaseForm:
        """The form that checks what was sent: a ModelForm, or one that takes `instance` and has save() as those do."""
        if self.form_class is None:
            raise BadRequest(_("Nothing can be written here."), 405)
        form: BaseForm = self.form_class(data, instance=obj)
        return form

    # The requests

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method not in ACTIONS:
                return self._error(_("This method is not allowed."), 405)
            self._rows = self._source()
            key = kwargs.get("key")
            if request.method in ("GET", "HEAD"):
                response = self._list(request) if key is None else self._show(key)
            elif request.method == "POST":
                response = self._add(request)
            else:
                response = self._write(request, key)
        except BadRequest as error:
            response = self._error(error.message, error.status)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def _list(self, request: HttpRequest) -> JsonResponse:
        self._need("view")
        rows = self._sorted(self._filtered(self._rows, request), request)
        wanted = wanted_range(request, self.max_items)
        counted = wants_total(request)
        try:
            # One more than is shown says whether it is the last part, and so how many there are.
            found = rows.slice(wanted.start, wanted.count + 1) if wanted.count else []
            is_last = len(found) <= wanted.count and (found or not wanted.start) and wanted.count
            found, end = found[: wanted.count], wanted.start + len(found)
            most = None if self.max_total is None else max(self.max_total, end)
            total = end if is_last else rows.count(most) if counted or not found else None
        except (ValueError, ValidationError, FieldError) as error:
            raise BadRequest(_("A filter has a value that its field cannot have: %s") % _text(error)) from error
        response = JsonResponse([self._item(obj) for obj in found], safe=False)
        shown = f"{wanted.start}-{wanted.start + len(found) - 1}" if found else "*"
        response["Content-Range"] = f"items {shown}/{'*' if total is None else total}"
        response["Accept-Ranges"] = "items"
        if not counted:
            response["Preference-Applied"] = "count=none"
        response.status_code = 206 if total is None or len(found) < total else 200
        return response

    def _show(self, key: str) -> JsonResponse:
        obj = self._object(key)
        self._need("view", obj)
        return JsonResponse(self._item(obj))

    def _add(self, request: HttpRequest) -> JsonResponse:
        self._need("add")
        sent = self._body(request)
        # A form that has the key among its fields reads it, and checks it.
        if sent.get(self.id_field) not in (None, "") and self.id_field not in self._form_fields():
            raise BadRequest(_("Add an item without a key: this site gives it one."))
        form = self.get_form(sent)
        if not isinstance(sent, QueryDict):
            reading.read(form, sent)
        return self._save(form, sent, status=201)

    def _write(self, request: HttpRequest, key: str | None) -> JsonResponse:
        if key is None:
            return self._error(_("This method is for one item: its key is missing in the address."), 405)
        obj = self._rows.get(key)
        if request.method == "PUT" and request.headers.get("If-None-Match") == "*":
            # JsonRest adds so, where the new item has a key already. Keys are the database's to give.
            status = 405 if obj is None else 412
            return self._error(_("Add an item without a key: this site gives it one."), status)
        obj = self._object(key)
        if request.method == "PUT":
            self._need("change", obj)
            return self._change(obj, self._body(request))
        self._need("delete", obj)
        try:
            self._rows.delete(obj)
        except (ProtectedError, RestrictedError) as error:
            return self._error(_("It cannot be deleted, for others need it: %s") % error.args[0], 409)
        return JsonResponse({}, status=200)

    def _change(self, obj: Any, sent: Mapping[str, Any]) -> JsonResponse:
        shown = showing.through_json(self._item(obj))
        key = shown[self.id_field]
        if sent.get(self.id_field, key) not in (key, str(key)):
            raise BadRequest(_("The item has another key in the address. A key stays what it is."))
        form = self.get_form(sent, obj)
        reading.read(form, sent, obj, shown)
        return self._save(form, sent, status=200, obj=obj)

    # Their steps

    def _source(self) -> Rows:
        return rows_of(self.get_rows())

    def _need(self, action: str, obj: Any = None) -> None:
        if self.has_permission(action, obj):
            return
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            raise BadRequest(_("Sign in first."), 401)
        raise BadRequest(_("You may not do this."), 403)

    def _object(self, key: str) -> Any:
        obj = self._rows.get(key)
        if obj is None:
            raise BadRequest(_("There is no item %r.") % key[:100], 404)
        return obj

    def _filtered(self, rows: Rows, request: HttpRequest) -> Rows:
        for name, values in wanted_filters(request).items():
            try:
                if name in self.search:
                    for value in values:
                        rows = rows.search(_several(self.search[name]), Pattern.parse(value))
                elif name in self.filters:
                    rows = rows.equal(self.filters[name], values)
                else:
                    raise BadRequest(_unknown(_("filter"), name, [*self.search, *self.filters]))
            except (ValueError, TypeError, ValidationError) as error:
                message = _("The filter %(name)r cannot have the value %(value)r.")
                raise BadRequest(message % {"name": name, "value": ", ".join(values)[:100]}) from error
        return rows

    def _sorted(self, rows: Rows, request: HttpRequest) -> Rows:
        known = self.sort if isinstance(self.sort, Mapping) else {name: name for name in self.sort}
        orders = wanted_order(request)
        for order in orders:
            if order.name not in known:
                raise BadRequest(_unknown(_("order"), order.name, known))
        return rows.sort([(known[order.name], order.descending) for order in orders])

    def _body(self, request: HttpRequest) -> Mapping[str, Any]:
        if not (request.content_type or "").endswith("json"):
            if request.method == "POST":
                return request.POST
            raise BadRequest(_("Send JSON, with a Content-Type that says so."), 415)
        if len(request.body) > MAX_BODY:
            raise BadRequest(_("The request is too long."), 413)
        try:
            data = reading.parsed(request.body)
        except (ValueError, RecursionError) as error:
            raise BadRequest(_("The request is not JSON: %s") % error) from error
        if not isinstance(data, dict):
            raise BadRequest(_("The request must be one JSON object, with the fields of the form."))
        return data

    def _save(self, form: Any, sent: Mapping[str, Any], status: int, obj: Any = None) -> JsonResponse:
        key = None if obj is None else self.key_of(obj)
        if form.is_valid():
            reading.refuse_nulls(form, sent)
        if form.is_valid() and obj is not None and self.key_of(obj) != key:
            # Django would save it as one more row, or as another that has this key.
            raise BadRequest(_("The form changes the key. A key stays what it is."))
        if not form.is_valid():
            fields = {name: [force_str(text) for text in texts] for name, texts in form.errors.items()}
            return JsonResponse({"error": _("Some values are not valid."), "fields": fields}, status=400)
        saved = form.save()
        response = JsonResponse(self._item(saved), status=status)
        if status == 201:
            response["Location"] = f"{self.request.path.rstrip('/')}/{self.key_of(saved)}"
        return response

    def _error(self, message: str, status: int) -> JsonResponse:
        response = JsonResponse({"error": str(message)}, status=status)
        if status == 405:
            response["Allow"] = "GET, HEAD" + (", POST, PUT" if self.form_class else "") + ", DELETE"
        return response

    def _item(self, obj: Any) -> dict[str, Any]:
        """What item() says, as JSON that a browser loses nothing of."""
        made = {}
        for name, value in self.item(obj).items():
            try:
                made[name] = showing.plain(value)
            except TypeError as error:
                raise self._unshowable(name, error) from error
        return made

    def _shown(self, obj: Any, name: str) -> Any:
        if self._is_method(name):
            return getattr(self, name)(obj)
        try:
            return showing.shown(obj, name, self._form_fields().get(name))
        except TypeError as error:
            raise self._unshowable(name, error) from error

    def _unshowable(self, name: str, error: TypeError) -> TypeError:
        return TypeError(
            f"{type(self).__name__} cannot show {name!r}: {error}. Give the view a method {name}(obj) that returns a "
            "text, a number or the like."
        )

    def _form_fields(self) -> Mapping[str, Any]:
        return getattr(self.form_class, "base_fields", {})

    def _is_method(self, name: str) -> bool:
        return callable(getattr(type(self), name, None)) and not hasattr(View, name)


def _several(sources: Any) -> Sequence[Any]:
    return sources if isinstance(sources, (list, tuple)) else (sources,)


def _text(error: Exception) -> str:
    return "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def _unknown(what: str, name: str, known: Any) -> str:
    message = _("There is no %(what)s called %(name)r. There is: %(known)s.")
    return message % {"what": what, "name": name[:100], "known": ", ".join(map(repr, known)) or _("none")}
