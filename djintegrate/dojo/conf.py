"""The settings of the Dojo app, read in one place, with their defaults."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_script_prefix

from .page import names

# Where Dojo's names for a language differ from Django's.
LOCALES = {"zh-hans": "zh-cn", "zh-hant": "zh-tw", "nn": "nb", "no": "nb"}
# Those that Dojo has the names of months and the forms of numbers for.
LANGUAGES = (
    "ar", "bs", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hr", "hu", "id", "it", "ja", "ko", "mk",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "zh",
)  # fmt: skip
DJCONFIG = {"isDebug": False, "parseOnLoad": False}

_Value = TypeVar("_Value")


def url() -> str:
    """Where dojo.js lives, without a slash at its end."""
    value = getattr(settings, "DOJO_URL", None)
    if not isinstance(value, str) or not value.strip("/"):
        raise ImproperlyConfigured(
            f"DOJO_URL is {value!r}. Make it the address of the folder that has dojo.js, for instance "
            'DOJO_URL = STATIC_URL + "dojo/dojo". `manage.py dojo_install` fetches Dojo.'
        )
    value = value.rstrip("/")
    # Django does the same with STATIC_URL, of which this one is usually made.
    if not value.startswith(("/", "http://", "https://")):
        value = get_script_prefix() + value
    return value


def enabled() -> bool:
    return bool(getattr(settings, "DOJO_ENABLED", True))


def auto() -> bool:
    """Whether fields that nobody named a dijit for become the fitting one."""
    return bool(getattr(settings, "DOJO_AUTO", False))


def theme() -> str:
    return _checked("DOJO_THEME", getattr(settings, "DOJO_THEME", "claro"), names.theme)


def dj_config() -> dict[str, Any]:
    """A copy that is the caller's own."""
    value = getattr(settings, "DOJO_DJCONFIG", DJCONFIG)
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"DOJO_DJCONFIG is {value!r}. Make it a dictionary, such as {DJCONFIG!r}.")
    return copy.deepcopy(value)


def form_function() -> tuple[str, str] | None:
    return _checked("DOJO_FORM_FUNCTION", getattr(settings, "DOJO_FORM_FUNCTION", None), names.form_function)


def root() -> Path:
    """Where dojo_install puts Dojo's sources."""
    return _folder("DOJO_ROOT", 'DOJO_ROOT = BASE_DIR / "dojo"')


def cache() -> Path:
    """Where dojo_install keeps its downloads."""
    if getattr(settings, "DOJO_CACHE", None) is None:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "djintegrate").expanduser()
    return _folder("DOJO_CACHE", 'DOJO_CACHE = BASE_DIR / ".cache"')


def build_root() -> Path:
    """Where dojo_build puts what it makes; beside DOJO_ROOT by default."""
    if getattr(settings, "DOJO_BUILD_ROOT", None) is None:
        sources = root()
        return sources.with_name(sources.name + "-release")
    return _folder("DOJO_BUILD_ROOT", 'DOJO_BUILD_ROOT = BASE_DIR / "dojo-release"')


def build_modules() -> list[str]:
    """Modules that dojo_build cannot find in the code."""
    return _texts("DOJO_BUILD_MODULES", '["dijit.Dialog"]')


def build_stylesheets() -> list[str]:
    """Stylesheets of Dojo's, beside those of the themes, that the build has too."""
    return _texts("DOJO_BUILD_STYLESHEETS", '["dojox/grid/resources/claroGrid.css"]')


def locales() -> list[str]:
    """The names that Dojo has for the site's languages, and English, which stands in for those it does not have."""
    return sorted({"en", locale(settings.LANGUAGE_CODE), *(locale(code) for code, _ in settings.LANGUAGES)})


def locale(language: str) -> str:
    """Dojo's name for a language; English for one that it does not know: there a month would be called M01."""
    code = language.lower()
    code = LOCALES.get(code, code)
    return code if code.partition("-")[0] in LANGUAGES else "en"


def _texts(name: str, example: str) -> list[str]:
    value = getattr(settings, name, [])
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        raise ImproperlyConfigured(f"{name} is {value!r}. Make it a list of names, for instance {example}.")
    return list(value)


def _folder(name: str, example: str) -> Path:
    value = getattr(settings, name, None)
    if not isinstance(value, (str, os.PathLike)) or not str(value):
        raise ImproperlyConfigured(f"{name} is {value!r}. Make it the path of a folder, for instance {example}.")
    return Path(value)


def _checked(name: str, value: Any, check: Callable[[Any], _Value]) -> _Value:
    try:
        return check(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error
