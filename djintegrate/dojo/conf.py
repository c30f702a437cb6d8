"""The settings of the Dojo app, declared in one place, with their types and defaults; what follows from them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import get_script_prefix

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import boolean, dictionary, folder, one_of, optional, text, texts, unfit

from .page import names

# Where Dojo's names for a language differ from Django's.
LOCALES = {"zh-hans": "zh-cn", "zh-hant": "zh-tw", "nn": "nb", "no": "nb"}
# Those that Dojo has the names of months and the forms of numbers for.
LANGUAGES = (
    "ar", "bs", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hr", "hu", "id", "it", "ja", "ko", "mk",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "zh",
)  # fmt: skip
DJCONFIG = {"isDebug": False, "parseOnLoad": False}
SHAPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "paths": (dict, 'a dictionary of addresses, such as {"site": "/static/site"}'),
    "packages": ((list, tuple), 'a list of dictionaries, such as [{"name": "site", "location": "/static/site"}]'),
    "has": (dict, 'a dictionary of features, such as {"dojo-bidi": True}'),
}
"""What pages and the build read of it themselves."""

ADDRESS = (
    'the address of the folder that has dojo.js, for instance DOJO_URL = STATIC_URL + "dojo/dojo". '
    "`manage.py dojo_install` fetches Dojo"
)
FORM_FUNCTION = 'a module and a function in it, such as ("app.forms", "dijitize"), or None'


def _address(value: Any) -> str:
    address = text(ADDRESS)(value).rstrip("/")
    if not address:
        raise unfit(value, ADDRESS, "")
    return address


def _form_function(value: Any) -> tuple[str, str] | None:
    try:
        return names.form_function(value)
    except ValueError:
        raise unfit(value, FORM_FUNCTION, "" if isinstance(value, tuple | list) else None) from None


def _configuration(value: Any) -> dict[str, Any]:
    given: dict[str, Any] = dictionary(f"a dictionary, such as {DJCONFIG!r}")(value)
    for key, (kind, should_be) in SHAPES.items():
        if key in given and not isinstance(given[key], kind):
            raise unfit(given[key], should_be).inside(key)
    return given


def _theme(value: Any) -> names.Theme:
    return names.theme(one_of(*names.THEMES)(value))


address = Setting("DOJO_URL", _address)
enabled = Setting("DOJO_ENABLED", boolean, True)
auto = Setting("DOJO_AUTO", boolean, False)
"""Whether fields that nobody named a dijit for become the fitting one."""
theme: Setting[names.Theme] = Setting("DOJO_THEME", _theme, "claro")
configuration: Setting[dict[str, Any]] = Setting("DOJO_DJCONFIG", _configuration, DJCONFIG)
form_function = Setting("DOJO_FORM_FUNCTION", _form_function, None)
root = Setting("DOJO_ROOT", folder('the path of a folder, for instance DOJO_ROOT = BASE_DIR / "dojo"'))
"""Where dojo_install puts Dojo's sources."""
given_build_root = Setting(
    "DOJO_BUILD_ROOT",
    optional(folder('the path of a folder, for instance DOJO_BUILD_ROOT = BASE_DIR / "dojo-release", or None')),
    None,
)
build_modules = Setting("DOJO_BUILD_MODULES", texts('a list of names, for instance ["dijit.Dialog"]'), ())
"""Modules that dojo_build cannot find in the code."""
build_stylesheets = Setting(
    "DOJO_BUILD_STYLESHEETS", texts('a list of paths, for instance ["dojox/grid/resources/claroGrid.css"]'), ()
)
"""Stylesheets of Dojo's, beside those of the themes, that the build has too."""

DECLARED = Declared("dojo", "DOJO_", globals())


def url() -> str:
    """Where dojo.js lives, without a slash at its end."""
    value = address()
    # Django does the same with STATIC_URL, of which this one is usually made.
    return value if value.startswith(("/", "http://", "https://")) else get_script_prefix() + value


def dj_config() -> dict[str, Any]:
    """A copy that is the caller's own."""
    return copy.deepcopy(configuration())


def build_root() -> Path:
    """Where dojo_build puts what it makes; beside DOJO_ROOT by default."""
    return given_build_root() or root().with_name(root().name + "-release")


def locales() -> list[str]:
    """The names that Dojo has for the site's languages, and English, which stands in for those it does not have."""
    return sorted({"en", locale(settings.LANGUAGE_CODE), *(locale(code) for code, _ in settings.LANGUAGES)})


def locale(language: str) -> str:
    """Dojo's name for a language; English for one that it does not know: there a month would be called M01."""
    code = language.lower()
    code = LOCALES.get(code, code)
    return code if code.partition("-")[0] in LANGUAGES else "en"
