"""What the descriptors in Storm classes have in common: a column of the class, a name in it, and a Django model."""

from __future__ import annotations

import copy
from typing import Any
from weakref import WeakSet

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from storm.expr import Column

from .targets import attribute_of, model_named

# Every descriptor that was made, for the system checks.
every: WeakSet[ColumnDescriptor] = WeakSet()


class ColumnDescriptor:
    """A descriptor in a Storm class, on a column given as the property, as `Session.owner_id`, or as a string.

    `field` is the name of the field of the model `to` that holds the same values; None means the primary key.
    """

    def __init__(self, local_key: Any, to: Any, field: str | None) -> None:
        self._local_key = local_key
        self.to = to
        self.field = field
        self.cls: Any = local_key.cls if isinstance(local_key, Column) else None
        self._name: str | None = None
        every.add(self)

    def __set_name__(self, owner: type, name: str) -> None:
        self.cls, self._name = owner, name

    def for_class(self, cls: Any) -> Any:
        """This descriptor as `cls` has it: in a subclass, and in a ClassAlias, the column is another."""
        if cls is self.cls:
            return self
        mine = copy.copy(self)
        mine._name = self._name or _name_in(cls, self)
        mine.cls = cls
        mine._local_key = self.attribute
        return mine

    def instead(self, model: str, name: str) -> str:
        """What to write for `Session.owner.name`."""
        raise NotImplementedError

    @property
    def model(self) -> Any:
        if isinstance(self.to, str):
            try:
                self.to = model_named(self.to)
            except LookupError as error:
                raise ImproperlyConfigured(f"{self.label} names {self.to!r}, which is not a model: {error}") from error
        return self.to

    @property
    def attname(self) -> str:
        """The attribute of the Django object that holds what the column holds."""
        options = self.model._meta
        try:
            field = options.pk if self.field is None else options.get_field(self.field)
        except FieldDoesNotExist as error:
            raise ImproperlyConfigured(f"{self.label}: {error}") from error
        return str(field.attname)

    @property
    def name(self) -> str:
        if self._name is None:
            # The descriptor was set after its class was made, so that Python did not call __set_name__().
            self._name = _name_in(self.cls, self)
        return self._name

    @property
    def attribute(self) -> str:
        """The name of the column in the class."""
        if isinstance(self._local_key, Column):
            self._local_key = attribute_of(self._local_key)
        elif not isinstance(self._local_key, str):
            self._local_key = _name_in(self.cls, self._local_key)
        # A string may name the class as well, as Storm's references allow: "Session.owner_id".
        return str(self._local_key).rpartition(".")[2]

    @property
    def column(self) -> Any:
        return getattr(self.cls, self.attribute)

    @property
    def label(self) -> str:
        """What error messages call the descriptor."""
        return f"{self.cls.__name__}.{self.name}"


class OfClass:
    """What a descriptor gives for the class itself, as `Session.owner`: it has no attributes of its own."""

    def __init__(self, descriptor: ColumnDescriptor) -> None:
        self._descriptor = descriptor

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        label, to = self._descriptor.label, self._descriptor.to
        model = to.rpartition(".")[2] if isinstance(to, str) else to.__name__
        raise AttributeError(
            f"Cannot look at {name!r} through {label}: {model} is a Django model, and Storm cannot join its table. "
            f"{self._descriptor.instead(model, name)}"
        )


def _name_in(cls: type, wanted: Any) -> str:
    for each in cls.__mro__:
        for name, value in vars(each).items():
            if value is wanted:
                return name
    raise RuntimeError(f"{wanted!r} is not an attribute of {cls!r}.")
