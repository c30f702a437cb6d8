"""StormForeignKey: a Django field whose attribute gives and takes Storm objects, on a real column.

For migrations and queries it is a plain column. What happens when a Storm object is removed is in `deletion`,
the column's type and constraint in `connection.schema_editor`, the form field in `forms`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.db import router
from django.db.models import Field, ForeignKey, Model
from django.utils.translation import gettext_lazy as _
from storm.info import get_cls_info, get_obj_info
from storm.store import ResultSet, Store

from ..connection import schema_editor
from ..stores import SharedStore, store_on
from .checks import check_foreign_key
from .forms import StormModelChoiceField
from .targets import StoreKey, StormObjectDoesNotExist, StormSide, StormTarget, is_storm_object, refuse_unless_allowed


class StormForeignKey(Field):
    """`session = StormForeignKey("sprints.storm_models.Session", on_delete=models.CASCADE)`."""

    empty_strings_allowed = False
    description = _("Foreign key to a Storm class (%(to)s)")
    # Django's words, so that its translations hold.
    default_error_messages = ForeignKey.default_error_messages

    def __init__(
        self,
        to: str | type,
        on_delete: Callable[..., Any],
        *,
        to_field: str | None = None,
        column_type: str | None = None,
        db_constraint: bool = True,
        limit_choices_to: Any = None,
        **kwargs: Any,
    ) -> None:
        """`to` is a Storm class or its dotted path, `to_field` the name of one of its columns if not its primary key.

        `column_type` is the type of the database column; without it, that of the column pointed at is looked up where
        the field is migrated. `limit_choices_to` is a Storm expression for the choices of a form, or a function that
        gives one.
        """
        if not callable(on_delete):
            raise TypeError(f"on_delete must be callable, not {on_delete!r}: for instance django.db.models.CASCADE.")
        for name in ("related_name", "related_query_name"):
            if name in kwargs:
                raise TypeError(f"StormForeignKey has no {name}. Write a DjangoReferenceSet in the Storm class.")
        self.target = StormTarget(to, to_field)
        self.to = self.target.path
        self.on_delete = on_delete
        self.to_field = to_field
        self.column_type = column_type
        self.db_constraint = db_constraint
        # What the schema editor asks: Django's own fields have a `db_constraint` too.
        self.has_storm_constraint = db_constraint
        self.limit_choices_to = limit_choices_to
        kwargs.setdefault("db_index", True)
        super().__init__(**kwargs)

    @property
    def label(self) -> str:
        """What error messages call the field."""
        return f"{self.model.__name__}.{self.name}"

    @property
    def non_db_attrs(self) -> tuple[str, ...]:
        # Django 6.1's DB_CASCADE and so on are part of the constraint.
        in_python = not hasattr(self.on_delete, "on_delete_sql")
        return tuple(name for name in super().non_db_attrs if name != "on_delete" or in_python)

    # On the model

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only=private_only)
        setattr(cls, name, StormObjectAttribute(self))
        # For prefetch_related() to set.
        setattr(cls, f"_storm_object_{name}", property(fset=self.keep))

    def keep(self, instance: Model, obj: Any) -> None:
        """Keep `obj`, if there is one, for as long as `instance` points at it: then Storm needs no query for it."""
        instance._state.fields_cache[self.name] = Kept(obj)

    def kept(self, instance: Model, store: SharedStore) -> Any:
        """What keep() has kept, if it is the object that `store` would give; else None."""
        obj = getattr(instance._state.fields_cache.get(self.name), "obj", None)
        if obj is None or Store.of(obj) is not store or "invalidated" in get_obj_info(obj):
            return None
        return obj if getattr(obj, self.target.attribute) == getattr(instance, self.attname) else None

    def store_for(self, instance: Model) -> SharedStore:
        """The store where the object is that `instance` points at."""
        return store_on(instance._state.db or router.db_for_read(type(instance), instance=instance))

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs.update(to=self.to, on_delete=self.on_delete)
        kwargs.pop("db_index", None)
        for key, default in (("to_field", None), ("column_type", None), ("db_constraint", True), ("db_index", True)):
            if getattr(self, key) != default:
                kwargs[key] = getattr(self, key)
        return name, "djintegrate.storm_backend.references.StormForeignKey", args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *check_foreign_key(self)]

    def _check_backend_specific_checks(self, **kwargs: Any) -> list[checks.CheckMessage]:
        # Those checks ask for the column's type, and the migration that is about to run may make the table that has it.
        return []

    # In the database

    def get_internal_type(self) -> str:
        # MariaDB's schema editor wants to know which columns have an index for a foreign key.
        return "ForeignKey"

    def db_type(self, connection: Any) -> str:
        return str(self.db_parameters(connection)["type"])

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        found = {"type": self.column_type} if self.column_type else schema_editor.type_of_target(self, connection)
        return {"check": None, **found}

    def cast_db_type(self, connection: Any) -> str:
        # Asked for statements only, where any integer type will do.
        return "bigint" if self.target.is_int else self.db_type(connection)

    def db_type_suffix(self, connection: Any) -> str | None:
        return schema_editor.constraint_sql(self, connection) if self.has_storm_constraint else None

    # Values

    def to_python(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        try:
            return self.target.to_python(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self._invalid(value) from error

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if value is None or isinstance(value, StoreKey):
            return value
        if is_storm_object(value):
            return self.target.store_key(value, self.label)
        try:
            return self.target.to_python(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(
                f"{self.label} takes a {self.target.cls.__name__} or its {self.target.attribute}, not {value!r}."
            ) from error

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if not prepared:
            value = self.get_prep_value(value)
        if isinstance(value, StoreKey):
            if value.alias != connection.alias:
                raise ValueError(
                    f"{self.label} was given an object that is in the store on {value.alias!r}, for a query on "
                    f"{connection.alias!r}."
                )
            value = value.value
        return None if value is None else self.target.to_db(value)

    def get_db_converters(self, connection: Any) -> list[Any]:
        if self.target.is_int:
            return []
        return [lambda value, expression, connection: self.target.from_db(value)]

    def get_default(self) -> Any:
        default = super().get_default()
        return self.get_prep_value(default).value if is_storm_object(default) else default

    def value_to_string(self, obj: Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(self.target.to_db(value))

    def get_lookup(self, lookup_name: str) -> Any:
        lookup = super().get_lookup(lookup_name)
        # A query keeps its values and has to be picklable, and Storm's objects cannot be pickled.
        return lookup and (lambda lhs, rhs: lookup(lhs, self._keys_for_storm_objects(rhs)))

    def get_transform(self, lookup_name: str) -> Any:
        transform = super().get_transform(lookup_name)
        if transform is None:
            cls = self.target.cls.__name__
            raise FieldError(
                f"Cannot look at {lookup_name!r} through {self.label}: {cls} is a Storm class, and Django cannot join "
                f"its table. Find its objects with Storm, and filter by them: {self.name}__in=store.find({cls}, …)."
            )
        return transform

    def validate(self, value: Any, model_instance: Model) -> None:
        super().validate(value, model_instance)
        if value is None:
            return
        store = self.store_for(model_instance)
        # get() comes first: it takes a key that is too large for the database.
        if self.target.get(store, value) is None or (
            self.limit_choices_to is not None and self.choices_in(store).find(self.target.column == value).is_empty()
        ):
            raise self._invalid(value)

    def _keys_for_storm_objects(self, value: Any) -> Any:
        if is_storm_object(value):
            return self.get_prep_value(value)
        if isinstance(value, (list, tuple, set, frozenset, ResultSet)):
            return [self._keys_for_storm_objects(each) for each in value]
        return value

    def _invalid(self, value: Any) -> ValidationError:
        params = {"model": self.target.cls.__name__, "field": self.target.attribute, "value": value}
        return ValidationError(self.error_messages["invalid"], code="invalid", params=params)

    # In forms

    def choices_in(self, store: SharedStore) -> Any:
        """What a form offers, as a result set."""
        limit = self.limit_choices_to() if callable(self.limit_choices_to) else self.limit_choices_to
        result = store.find(self.target.cls, *([] if limit is None else [limit]))
        # A class without an order of its own gets one, so that the choices do not change places.
        ordered = isinstance(get_cls_info(self.target.cls).default_order, list)
        return result if ordered else result.order_by(self.target.column)

    def formfield(self, *, using: str | None = None, **kwargs: Any) -> Any:
        return super().formfield(
            **{
                "form_class": StormModelChoiceField,
                "to": self.target,
                "find": self.choices_in,
                "using": using or router.db_for_read(self.model),
                "blank": self.blank,
                **kwargs,
            }
        )


class StormObjectAttribute:
    """The attribute with the object, `session`."""

    def __init__(self, field: StormForeignKey) -> None:
        self.field = field

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        field = self.field
        key = getattr(instance, field.attname)
        if key is None:
            if field.null:
                return None
            raise StormObjectDoesNotExist(f"{type(instance).__name__} has no {field.name}.")
        store = field.store_for(instance)
        obj = field.kept(instance, store) or field.target.get(store, key)
        if obj is None:
            raise StormObjectDoesNotExist(
                f"There is no {field.target.cls.__name__} with {field.target.attribute} {key!r}."
            )
        field.keep(instance, obj)
        return obj

    def __set__(self, instance: Any, value: Any) -> None:
        field = self.field
        key = field.get_prep_value(value)
        if not isinstance(key, StoreKey):
            setattr(instance, field.attname, key)
            return
        instance._state.db = instance._state.db or key.alias
        if instance._state.db != key.alias:
            raise ValueError(
                f"{field.label} cannot be {value!r}, which is in the store on {key.alias!r}: the object is in the "
                f"database {instance._state.db!r}."
            )
        refuse_unless_allowed(StormSide(value, key.alias), instance)
        setattr(instance, field.attname, key.value)
        field.keep(instance, value)

    # What prefetch_related() asks of a descriptor

    def is_cached(self, instance: Any) -> bool:
        return self.field.kept(instance, self.field.store_for(instance)) is not None

    def get_prefetch_querysets(self, instances: list[Any], querysets: Any = None) -> Any:
        if querysets:
            raise ValueError(f"{self.field.label} gives Storm objects, which Prefetch() cannot have a queryset for.")
        field = self.field
        keys = {getattr(instance, field.attname) for instance in instances} - {None}
        found = field.target.get_many(field.store_for(instances[0]), keys)
        its_key, key_here = attrgetter(field.target.attribute), attrgetter(field.attname)
        return found, its_key, key_here, True, f"_storm_object_{field.name}", True


class Kept:
    """Holds a Storm object for a Django object. Its copies hold nothing, nor does what comes out of a pickle."""

    def __init__(self, obj: Any = None) -> None:
        self.obj = obj

    def __reduce__(self) -> Any:
        return Kept, ()
