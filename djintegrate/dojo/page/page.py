"""`request.dojo`: what a page wants of Dojo, collected by the view, and written by `{% dojo request.dojo %}`.

It makes no HTML itself, and never touches a form's HTML.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.forms import BaseForm, BaseFormSet, BoundField
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import get_language

from djintegrate.common import csp
from djintegrate.common.types import did_you_mean

from .. import conf, sources
from ..forms import wants_stylesheet, wants_stylesheet_by_default
from . import names, specification
from .release import LAYER, SEPARATE, Release, parents, release

STATIC = "djintegrate/dojo"

logger = logging.getLogger("djintegrate.dojo")


class Dojo:
    """One page's wishes. The steps, functions and forms, are done in the browser in their order."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._paths: dict[str, str] = {}
        self._stylesheets: list[str] = []
        self._modules: list[str] = []
        self._steps: list[dict[str, Any] | str] = []
        self._owners: dict[str, str] = {}
        self._grids: set[str] = set()
        self._has_look = False
        self._written = False

    # To a type checker, a class with such a method takes any attribute.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            # An attribute of another name would be nobody's, and the page would stay as it is.
            if not (name.startswith("_") or hasattr(type(self), name)):
                known = [one for one in vars(type(self)) if not one.startswith("_")]
                raise AttributeError(f"request.dojo has no {name!r}. {did_you_mean(name, known)}".rstrip())
            super().__setattr__(name, value)

    @property
    def enabled(self) -> bool:
        return conf.enabled()

    @property
    def src(self) -> str:
        """The address of dojo.js: with its hash, where the storage of static files gives it one."""
        return _address(f"{conf.url()}/dojo.js")

    @property
    def theme(self) -> names.Theme:
        return self._theme

    @theme.setter
    def theme(self, name: names.Theme) -> None:
        self._theme = names.theme(name)

    @cached_property
    def _theme(self) -> names.Theme:
        return conf.theme()

    @cached_property
    def dj_config(self) -> dict[str, Any]:
        """Goes to Dojo as its configuration; a copy of DOJO_DJCONFIG that is this page's own."""
        return conf.dj_config()

    @property
    def form_function(self) -> tuple[str, str] | None:
        """The module and the function in it that make the dijits of forms given to dojo_form() from here on."""
        return self._form_function

    @form_function.setter
    def form_function(self, value: tuple[str, str] | None) -> None:
        self._form_function = names.form_function(value)

    @cached_property
    def _form_function(self) -> tuple[str, str] | None:
        return conf.form_function()

    def set_module_path(self, name: str, url: str) -> None:
        """Modules called `name.…` are found under this address."""
        if not isinstance(url, str) or not url:
            raise ValueError(f"The path of {name!r} cannot be {url!r}. Make it an address, such as '/static/{name}'.")
        self._paths[names.module(name)] = url.rstrip("/")
        self._note_late()

    def append_stylesheet(self, url: str) -> None:
        """A stylesheet after the theme's. Only once, however often it is asked for."""
        if not isinstance(url, str) or not url:
            raise ValueError(f"A stylesheet cannot be {url!r}. Give its address, such as '/static/site.css'.")
        if url not in self._stylesheets:
            self._stylesheets.append(url)
        self._note_late()

    def append_module(self, name: str) -> None:
        """A module that is loaded before the steps are done."""
        mid = sources.known(names.module(name))
        if mid not in self._modules:
            self._modules.append(mid)
        self._note_late()

    def append_aol(self, function: str) -> None:
        """A JavaScript function, `"function() {…}"`, that runs after all the steps so far."""
        self._steps.append(names.function(function))
        self._note_late()

    def prepend_aol(self, function: str) -> None:
        """A JavaScript function that runs before all the steps so far."""
        self._steps.insert(0, names.function(function))
        self._note_late()

    def dojo_form(self, form: BaseForm | BaseFormSet[Any], auto: bool | None = None) -> None:
        """The fields of this form, or of each form of this formset, become the dijits that dojo_field() said.

        With `auto` the others become what fits them; None is what DOJO_AUTO says.
        """
        if auto is not None and not isinstance(auto, bool):
            raise ValueError(f"dojo_form() was given auto={auto!r}. Make it True or False, or None for DOJO_AUTO.")
        by_itself = conf.auto() if auto is None else auto
        for one in _forms(form):
            self._steps.append(self._step(one, by_itself))
        if isinstance(form, BaseFormSet):
            # For the rows that a script makes of it. What has `__prefix__` in its id stays as it is.
            self._steps.append({**self._step(form.empty_form, by_itself), "pattern": True})
        self._note_late()

    def _step(self, form: BaseForm, by_itself: bool) -> dict[str, Any]:
        self._has_look = self._has_look or wants_stylesheet(form.renderer)
        fields = []
        for bound, entry in specification.entries(form, by_itself):
            self._own(bound, entry["id"])
            fields.append(entry)
        step: dict[str, Any] = {"fields": fields, **specification.circumstances(form, by_itself)}
        if self.form_function:
            step["function"] = self.form_function
        return step

    def _own(self, bound: BoundField, identifier: str) -> None:
        where = f"The field {bound.name!r} of {type(bound.form).__name__}"
        if not identifier:
            raise ValueError(
                f"{where} has no id in the page, because its form has auto_id={bound.form.auto_id!r}. Leave auto_id at "
                "its default, or make it a text with %s, such as 'id_%s'."
            )
        if identifier in self._owners:
            raise ValueError(
                f"{where} has the id {identifier!r}, and so has {self._owners[identifier]} on the same page. Give one "
                "of the two forms a prefix or an auto_id of its own, such as auto_id='second_%s'."
            )
        self._owners[identifier] = where[0].lower() + where[1:]

    def owner(self, identifier: str) -> str:
        """Which field has this id, in words."""
        return self._owners[identifier]

    def own_grid(self, prefix: str) -> None:
        """Each grid of a page has a prefix of its own, for its ids and for its names in the page's address."""
        if prefix in self._grids:
            raise ValueError(f"Two grids of this page have the prefix {prefix!r}. Give one another: Grid(…, prefix=…).")
        self._grids.add(prefix)

    def _note_late(self) -> None:
        # No error: the page that says so may be the one that reports another.
        if self._written:
            logger.warning(
                "Something was asked of request.dojo after {% dojo %} was written: it is not in this page. Call "
                "dojo_form(), append_module() and the like in the view, before the template is rendered.",
                stack_info=True,
            )

    # What the tag writes

    @property
    def nonce(self) -> str:
        return csp.nonce(self._request)

    @property
    def stylesheets(self) -> list[str]:
        """Those that the first paint waits for, in their order."""
        if not self.enabled:
            return self._look
        theme = [] if self._is_theme_late else [self._theme_address(), *self._rtl]
        return [*theme, *([] if self._is_look_in_theme else self._look), *self._stylesheets]

    @property
    def late_theme(self) -> str:
        """The theme's stylesheet, where the first paint need not wait for it: in a build all of it is of dijits."""
        return self._theme_address() if self._is_theme_late else ""

    @property
    def _is_theme_late(self) -> bool:
        return self.is_late and not self._is_look_in_theme

    def _theme_address(self, kind: str = "") -> str:
        base = conf.url().rpartition("/")[0]
        return _address(f"{base}/dijit/themes/{self.theme}/{self.theme}{kind}.css")

    @property
    def _rtl(self) -> list[str]:
        """What such a theme lacks, unless this is a build, where it is in the theme."""
        return [] if self._release or self.theme not in names.RTL_APART else [self._theme_address("_rtl")]

    @property
    def _look(self) -> list[str]:
        """DijitRenderer's, where it writes a form of this page, or may write one that arrives later."""
        has_look = self._has_look or wants_stylesheet_by_default()
        return [static(f"{STATIC}/form.css")] if has_look else []

    @property
    def _is_look_in_theme(self) -> bool:
        return bool(self._look and self._release and self._release.has_look)

    @property
    def grid_stylesheets(self) -> list[str]:
        """Those of dgrid, for the first grid of a page."""
        base = conf.url().rpartition("/")[0]
        files = ("dgrid/css/dgrid.css", f"dgrid/css/skins/{self.theme}.css")
        return [_address(f"{base}/{file}") for file in files] if len(self._grids) == 1 else []

    @cached_property
    def _release(self) -> Release | None:
        return release()

    @property
    def boot(self) -> str:
        """What runs first. In a build the file of the language's texts has it, and fetches what is late."""
        return self._start or static(f"{STATIC}/boot.js")

    @property
    def is_late(self) -> bool:
        """Whether Dojo and the theme are fetched after the first paint, which would share the machine with them."""
        return bool(self._start)

    @cached_property
    def _start(self) -> str:
        return self._texts(LAYER)

    @property
    def preloaded(self) -> list[str]:
        """What dojo.js will ask for, as far as that is known: so it is fetched with it, and not after it."""
        base, wanted = conf.url().rpartition("/")[0], self._dijits()
        layers = [layer for layer in SEPARATE if layer in wanted] if self.is_late else []
        texts = [text for text in map(self._texts, layers) if text]
        return [*(_address(f"{base}/{layer}.js") for layer in layers), *texts]

    def _texts(self, layer: str) -> str:
        """The address of a layer's texts in the language of the page, as far as a build is known to have them."""
        found = self._release.texts(layer, self._locale()) if self._release else []
        return _address(f"{conf.url().rpartition('/')[0]}/{found[0]}") if found else ""

    @property
    def functions(self) -> list[str]:
        """The sources, such that none of them can end the script element that they are in."""
        return [_in_script(step) for step in self._steps if isinstance(step, str)]

    def specification(self) -> dict[str, Any]:
        """What the browser has to know, as JSON can say it."""
        self._written = True
        numbers = iter(range(len(self._steps)))
        return {
            "theme": self.theme,
            "config": self._config(),
            "urls": self._hashed(),
            "modules": self._modules,
            "steps": [{"call": next(numbers)} if isinstance(step, str) else step for step in self._steps],
            **self._lacking(),
        }

    def fragment(self) -> dict[str, Any]:
        """What a page that is there already has to know of HTML that it fetches."""
        self._written = True
        return {"modules": self._modules, "steps": self._steps, **self._lacking()}

    def _hashed(self) -> dict[str, str]:
        """Where the storage has put the files that the loader would ask for by the names they had in the build."""
        stored = getattr(staticfiles_storage, "hashed_files", {})
        base, prefix = conf.url().rpartition("/")[0], _static_url()
        if not stored or not base.startswith(prefix):
            return {}
        locales = parents(self._locale())
        urls = [f"{base}/{layer}.js" for layer in SEPARATE]
        for folder, _, name in (layer.rpartition("/") for layer in (LAYER, *SEPARATE)):
            urls += [f"{base}/{folder}/nls/{name}_{locale}.js" for locale in locales]
        return {url: static(url.removeprefix(prefix)) for url in urls if url.removeprefix(prefix) in stored}

    def _dijits(self) -> set[str]:
        return {field["dijit"] for step in self._steps if isinstance(step, dict) for field in step["fields"]}

    def _lacking(self) -> dict[str, str]:
        """A page stays plain HTML that asks for what its build lacks, and no browser has to ask in vain to know that.

        Modules of the site's own are fetched.
        """
        if not self._release:
            return {}
        wanted = self._dijits().union(self._modules)
        lacking = {name for name in wanted - self._release.modules if names.is_dojos(name)}
        if lacking:
            said = f"The build of Dojo has no {', '.join(sorted(lacking))}"
            logger.warning(
                "%s, so %s stays plain HTML. Run dojo_build and collectstatic again if forms have changed since the "
                "build. What `manage.py dojo_build --list` leaves out, because only a view or a template names it, "
                "goes into DOJO_BUILD_MODULES first.",
                said, self._request.path,
            )  # fmt: skip
            return {"lacking": f"{said}. Run dojo_build again, if need be with DOJO_BUILD_MODULES."}
        return {}

    def _locale(self) -> str:
        given = self.dj_config.get("locale")
        if "locale" in self.dj_config and given not in conf.locales():
            raise ImproperlyConfigured(
                f"dj_config['locale'] is {given!r}, of which the build has no texts: it has "
                f"{', '.join(conf.locales())}. Add the language to LANGUAGES and run dojo_build, or name another."
            )
        return str(given or conf.locale(get_language() or settings.LANGUAGE_CODE))

    def _config(self) -> dict[str, Any]:
        given = self.dj_config
        # Of what the settings say, a system check has told.
        for name, meant in names.slips(given.keys() - conf.configuration().keys()):
            logger.warning("dj_config has %r, which Dojo does not know. Did you mean %r?", name, meant)
        return {
            "async": True,
            "baseUrl": conf.url() + "/",
            **given,
            "locale": self._locale(),
            # Without this Dojo makes functions of texts, which a Content-Security-Policy forbids.
            "has": {"csp-restrictions": True, **given.get("has", {})},
            "packages": [{"name": "djintegrate", "location": _static_url() + STATIC}, *given.get("packages", [])],
            "paths": {**given.get("paths", {}), **self._paths},
        }


def _forms(form: Any) -> Iterator[BaseForm]:
    if isinstance(form, BaseFormSet):
        return iter(form.forms)
    if isinstance(form, BaseForm):
        return iter([form])
    raise TypeError(f"dojo_form() was given {form!r}. Give it a form or a formset, not a class and not a field.")


def _static_url() -> str:
    url: str = settings.STATIC_URL or "/"
    return url


def _address(url: str) -> str:
    """The address that the storage of static files gives to what is one of them; others stay as they are."""
    prefix = _static_url()
    return static(url.removeprefix(prefix)) if url.startswith(prefix) else url


def _in_script(source: str) -> str:
    # In JavaScript's texts, where these three have a sense, a backslash before / or ! says nothing.
    return source.replace("</", "<\\/").replace("<!--", "<\\!--")
