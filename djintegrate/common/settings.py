"""Typed settings: an app declares each of its settings once, with its name, its type and its default.

From the declarations come the reading, the system checks (`checks`) and the comparison with the reference in the docs.
A value is read when it is needed, and is never coerced: one that does not fit raises Misconfigured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Generic, TypeVar, overload

from django.conf import global_settings, settings

from .errors import Misconfigured
from .types import Type, Unfit, did_you_mean

T = TypeVar("T")


class _Missing:
    def __repr__(self) -> str:
        return "not set"


MISSING = _Missing()
"""The default of a setting that has none."""

NEARLY = 0.9
"""How like one of ours a name must be to be taken for a slip of it, though it does not have our prefix."""


class Setting(Generic[T]):
    """One setting. Calling it gives its value, and so does reading it as an attribute of an object."""

    def __init__(self, name: str, of_type: Type[T], default: Any = MISSING) -> None:
        self.name = name
        self.of_type = of_type
        self.default = default

    def __call__(self) -> T:
        try:
            return self.of_type(self.given)
        except Unfit as unfit:
            raise Misconfigured(f"{self.name}{unfit}") from unfit.__cause__

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | Setting[T]:
        return self if instance is None else self()

    @property
    def given(self) -> Any:
        """What the site's settings say, or the default, as it stands there."""
        return getattr(settings, self.name, self.default)

    @property
    def is_given(self) -> bool:
        return hasattr(settings, self.name)


class Declared:
    """All settings of one app: those in `namespace`, which is a module's or a class's."""

    def __init__(self, app: str, prefix: str, namespace: Mapping[str, Any]) -> None:
        self.app = app
        self.prefix = prefix
        self.namespace = namespace

    def __iter__(self) -> Iterator[Setting[Any]]:
        return (value for value in self.namespace.values() if isinstance(value, Setting))

    def strangers(self) -> Iterator[tuple[str, str]]:
        """The site's settings that look as if they were this app's, and are not; each with a "did you mean"."""
        known = {setting.name for setting in self}
        for name in dir(settings):
            if name.isupper() and name not in known and not hasattr(global_settings, name):
                if name.startswith(self.prefix):
                    yield name, did_you_mean(name, known, prefix=self.prefix)
                elif near := get_close_matches(name, known, n=1, cutoff=NEARLY):
                    yield name, f"Did you mean {near[0]}?"
