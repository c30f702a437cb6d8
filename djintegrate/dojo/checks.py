"""System checks: what is wrong with the settings, with the value and the remedy.

They read settings, and look whether the files are there that these name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from djintegrate.common.checks import unknown_names, wrong_values
from djintegrate.common.types import did_you_mean

from . import conf, forms, places
from .page import names

TAG = "dojo"
"""For commands that need no other checks: dojo_build makes the folder that Django's own would miss."""
MIDDLEWARE = "djintegrate.dojo.middleware.DojoMiddleware"
OWN_IDS = {
    "DOJO_URL": "dojo.E001", "DOJO_THEME": "dojo.E002", "DOJO_DJCONFIG": "dojo.E003", "DOJO_FORM_FUNCTION": "dojo.E004",
}  # fmt: skip


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    return [
        *_values(),
        *_renderer(),
        *unknown_names(conf.DECLARED, "dojo.W002"),
        *_middleware(),
        *_address(),
        *_own_files(),
        *_sources(),
        *_djconfig(),
    ]


def check_build(**kwargs: Any) -> list[CheckMessage]:
    """What dojo_build would end with, as far as that is known without Node. The command says so itself."""
    try:
        lines = list(_refused())
    except ImproperlyConfigured:
        # check_configuration() tells of that.
        return []
    return [
        Warning(line, hint="Until this is corrected, dojo_build ends before it starts.", id="dojo.W007")
        for line in lines
    ]


def _refused() -> Iterator[str]:
    # They import all that forms may become, which most commands do not need.
    from .build import build, discovery, install

    if conf.root.is_given:
        root = conf.root().absolute()
        yield from build.occupied(root, conf.build_root().absolute())
        # A server that has only a build knows no names.
        if install.installed(root):
            yield from discovery.of_settings().lacking(root)
            yield from build.lacking_stylesheets(root, conf.build_stylesheets())


def _values() -> Iterator[CheckMessage]:
    for setting in conf.DECLARED:
        # A site that has switched Dojo off needs no DOJO_URL, and one that does not run the commands no DOJO_ROOT.
        is_off = setting is conf.address and conf.enabled.given is False
        is_left_out = setting is conf.root and not setting.is_given
        if not (is_off or is_left_out):
            yield from wrong_values([setting], OWN_IDS.get(setting.name, "dojo.E005"))


def _renderer() -> Iterator[CheckMessage]:
    try:
        forms.wants_stylesheet_by_default()
    except ImproperlyConfigured as error:
        yield Error(str(error), hint="Correct FORM_RENDERER.", id="dojo.E006")


def _middleware() -> Iterator[CheckMessage]:
    if MIDDLEWARE not in settings.MIDDLEWARE:
        yield Warning(
            "DojoMiddleware is not in MIDDLEWARE: requests have no attribute `dojo`.",
            hint=f"Add {MIDDLEWARE!r}, anywhere in MIDDLEWARE.",
            id="dojo.W001",
        )


def _address() -> Iterator[CheckMessage]:
    """DOJO_URL = "dojo" is a string as well, and every page would ask in vain for /dojo/dojo.js."""
    try:
        given, url, known = conf.address(), conf.url(), places.addresses()
        is_told = bool(places.folders()) and conf.enabled()
    except ImproperlyConfigured:
        return
    name = places.static_name(url)
    if not (given == url or url.startswith(settings.STATIC_URL or "//")):
        yield Warning(
            f"DOJO_URL is {given!r}: browsers look for {url}/dojo.js, which is not below STATIC_URL "
            f"({settings.STATIC_URL!r}).",
            hint='Write DOJO_URL = STATIC_URL + "dojo/dojo"; or, for what another server has, begin with a slash or '
            "with https://.",
            id="dojo.W003",
        )
    elif is_told and name is not None and url not in known and not places.found(f"{name}/dojo.js"):
        # Where it is known and nothing is there yet, dojo_install or dojo_build has not run.
        yield Warning(
            f"DOJO_URL is {given!r}, and there is no {name}/dojo.js among the static files. "
            f"{did_you_mean(url, known)}".rstrip(),
            hint=f"Those of DOJO_ROOT and DOJO_BUILD_ROOT are: {', '.join(known)}."
            if known
            else f"Add {places.FINDER!r} to STATICFILES_FINDERS, or the folder to STATICFILES_DIRS.",
            id="dojo.W004",
        )


def _own_files() -> Iterator[CheckMessage]:
    try:
        is_told = conf.enabled() and not places.found(places.OWN)
    except ImproperlyConfigured:
        return
    if is_told:
        yield Warning(
            f"{places.OWN} is not among the static files, nor are the app's others: no page gets a dijit.",
            hint=places.remedy_for_own(),
            id="dojo.W008",
        )


def _djconfig() -> Iterator[CheckMessage]:
    try:
        given = conf.configuration()
    except ImproperlyConfigured:
        return
    for name, meant in names.slips(given):
        yield Warning(
            f"DOJO_DJCONFIG has {name!r}, which Dojo does not know. Did you mean {meant!r}?",
            hint='Correct the name. If a module of the site\'s own reads it: SILENCED_SYSTEM_CHECKS = ["dojo.W006"]',
            id="dojo.W006",
        )


def _sources() -> Iterator[CheckMessage]:
    for folder in places.collected_sources():
        yield Warning(
            f"STATICFILES_DIRS has Dojo's sources, {folder}: collectstatic would take all of their 13,000 files, and a "
            "storage that hashes names fails with them.",
            hint=f"Take them out of STATICFILES_DIRS, and add {places.FINDER!r} to STATICFILES_FINDERS: it shows them "
            "to pages in development, and only the build to collectstatic.",
            id="dojo.W005",
        )
