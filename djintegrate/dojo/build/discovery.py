"""Finds the modules that a project's forms need, so that dojo_build can put them into one file.

They are the dijits of the fields of every form class that is there once the URLconf and the apps' modules `forms` and
`admin` are imported, wherever it was made, and what DOJO_BUILD_MODULES names. No view is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import get_resolver
from django.utils.module_loading import autodiscover_modules

from .. import conf, grid, models
from ..fields import auto
from ..forms import wants_stylesheet, wants_stylesheet_by_default
from ..page import catalogue, names, page, release

OWN = ("djintegrate/start",)
"""What every page needs; the loader knows the rest from these."""
SELDOM = (*release.SEPARATE, *grid.MODULES)
"""The layers of their own: they cost a page that does not need them nothing, so every build has them."""
BROWSER_FILES = Path(__file__).parents[1] / "static" / page.STATIC
LOOK = BROWSER_FILES / "form.css"

# Of contrib.auth, the admin's. A DojoAdminMixin among its admins says that they become dijits.
_OF_ADMIN = {"AdminPasswordChangeForm", "AdminUserCreationForm", "UserChangeForm"}


@dataclass
class Found:
    """The modules, the folders of those that are not Dojo's own, and what could not be found."""

    modules: set[str] = field(default_factory=set)
    #: Who named a module that no code of djintegrate's did.
    named: dict[str, str] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    #: What the settings or a field name, and no module can be called.
    misnamed: list[str] = field(default_factory=list)
    #: Whether a form is written by DijitRenderer.
    has_look: bool = False

    def add(self, name: Any, where: str) -> None:
        try:
            module = names.module(name)
        except ValueError as error:
            self.misnamed.append(f"{where}: {error}")
        else:
            self.modules.add(module)
            self.named.setdefault(module, where)

    def add_path(self, name: str, url: str, where: str) -> None:
        """The folder of the static files behind this address holds the modules called `name/…`."""
        prefix = settings.STATIC_URL
        relative = url.removeprefix(prefix) if url.startswith(prefix) else url.removeprefix("/" + prefix)
        # With a slash at its end, it may also be the prefix of an entry of STATICFILES_DIRS.
        folder = finders.find(relative.strip("/") + "/") if relative != url else None
        if folder:
            self.paths[names.module(name)] = Path(folder)
        else:
            self.unread.append(f"{where}: no static files are found for {url!r}, the path of the modules {name!r}")

    def add_form(self, form: Any, automatic: bool) -> None:
        for name, form_field in form.base_fields.items():
            where = f"The field {name!r} of {form.__name__}"
            try:
                dijit = models.dijit_of(form_field)
            except ValueError as error:
                # A widget may make its own when it is asked.
                self.misnamed.append(f"{where}: {error}")
                continue
            if isinstance(dijit, models.Dijit):
                self.add(dijit.module, where)
        if automatic:
            self.modules.update(auto.modules_of(form))
        renderer = getattr(form, "default_renderer", None)
        self.has_look = self.has_look or wants_stylesheet(renderer() if isinstance(renderer, type) else renderer)

    def lacking(self, root: Path) -> list[str]:
        """A line for each module whose file is nowhere, and each name that is none: a build ends with them."""
        return [*self.misnamed, *self.nowhere(root).values()]

    def nowhere(self, root: Path) -> dict[str, str]:
        """The modules whose file is neither in Dojo's sources nor in the folders, each with a line that says so."""
        lines = {}
        for name, where in sorted(self.named.items()):
            if not catalogue.has_module(root, name, self.paths):
                package = name.partition("/")[0]
                question = catalogue.did_you_mean_module(root, name)
                if not (question or names.is_dojos(name) or package in self.paths):
                    question = f"Say where the modules {package}/… are, in `paths` or `packages` of DOJO_DJCONFIG."
                lines[name] = f"{where}: there is no module {name}. {question}".rstrip()
        return lines


def of_settings() -> Found:
    """What the settings name. No form is looked for."""
    found = Found({*OWN, *SELDOM}, paths={"djintegrate": BROWSER_FILES})
    for name in conf.build_modules():
        found.add(name, "DOJO_BUILD_MODULES")
    function = conf.form_function()
    if function:
        found.add(function[0], "DOJO_FORM_FUNCTION")
    configuration = conf.dj_config()
    for name, url in configuration.get("paths", {}).items():
        found.add_path(name, url, "DOJO_DJCONFIG")
    for package in configuration.get("packages", []):
        if isinstance(package, Mapping) and "location" in package:
            found.add_path(package["name"], package["location"], "DOJO_DJCONFIG")
    return found


def discover() -> Found:
    found = of_settings()
    found.has_look = wants_stylesheet_by_default()
    # A view may ask for fitting dijits by itself, unless the settings say in so many words that none does.
    automatic = conf.auto() or not conf.auto.is_given
    for form in _form_classes():
        found.add_form(form, automatic)
    for form, asks in [*_forms_of_views(get_resolver().url_patterns), *_forms_of_admins()]:
        found.add_form(form, automatic or asks)
    return found


def _form_classes() -> Iterator[Any]:
    """Every form class that is there once the URLconf and the apps are imported."""
    autodiscover_modules("forms", "admin")
    import_module(settings.ROOT_URLCONF)
    classes: list[Any] = [BaseForm]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        if hasattr(one, "base_fields") and _may_be_shown(one):
            yield one


def _may_be_shown(form: type) -> bool:
    """A class that a factory made is in the factory's module; and a view may show those of contrib.auth as they are."""
    module = form.__module__
    is_of_auth = module.startswith("django.contrib.auth.") and apps.is_installed("django.contrib.auth")
    return _is_searched(module) or module.startswith("django.forms.") or (is_of_auth and form.__name__ not in _OF_ADMIN)


def _is_searched(module: str) -> bool:
    return not (module + ".").startswith(("django.", "djintegrate.dojo."))


def _forms_of_views(patterns: Any) -> Iterator[tuple[Any, bool]]:
    """The forms of the generic views in the URLconf, each with whether its view asks for fitting dijits."""
    for pattern in patterns:
        # An include() imports its URLconf when it is first asked for its patterns.
        yield from _forms_of_views(getattr(pattern, "url_patterns", ()))
        callback = getattr(pattern, "callback", None)
        view = getattr(callback, "view_class", None)
        if hasattr(view, "get_form_class"):
            yield from _form_of_view(view, getattr(callback, "view_initkwargs", {}))


def _form_of_view(view: Any, options: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
    """What a generic view without a request says. One that needs the request for it says nothing."""
    with suppress(Exception):
        one = view(**options)
        form = one.get_form_class()
        yield getattr(form, "form", form), bool(getattr(one, "dojo_auto", False))


def _forms_of_admins() -> Iterator[tuple[Any, bool]]:
    """The add and change forms of DojoAdminMixin's admins, as somebody who may do everything sees them."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.sites import all_sites

    from ..admin import DojoAdminMixin

    request: Any = HttpRequest()
    request.user = _Anybody()
    admins: list[Any] = [admin for site in all_sites for admin in site._registry.values()]
    for admin in admins:
        if issubclass(type(admin), DojoAdminMixin):
            with suppress(Exception):
                yield admin.get_form(request), True
                for inline in admin.get_inline_instances(request):
                    yield inline.get_formset(request).form, True


class _Anybody:
    is_active = is_staff = is_superuser = is_authenticated = True

    def has_perm(self, *args: Any) -> bool:
        return True

    has_module_perms = has_perm
