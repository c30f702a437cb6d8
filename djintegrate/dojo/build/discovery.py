"""Finds the modules that a project's pages ask for, in its code, so that dojo_build can put them into one file.

Three ways together: the calls of dojo_field(), append_module() and their kin in the source of the installed apps; the
fields of every form class that the URLconf and the apps' `forms` modules import; DOJO_BUILD_MODULES. No view is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.forms import BaseForm
from django.urls import get_resolver
from django.utils.module_loading import autodiscover_modules

from ..fields import auto
from .. import conf, grid, models, widgets
from ..page import names, page

OWN = ("djintegrate/start",)
"""What every page needs; the loader knows the rest from these."""
BROWSER_FILES = Path(__file__).parents[1] / "static" / page.STATIC

_NOT_SEARCHED = {"migrations", "node_modules", "site-packages", "tests"}
_REQUIRED_IN_FUNCTION = re.compile(r"require\(\s*\[([^\]]*)\]")
_QUOTED = re.compile(r"""["']([^"'!]+)["']""")


@dataclass
class Found:
    """The modules, the folders of those that are not Dojo's own, and what could not be read."""

    modules: set[str] = field(default_factory=set)
    paths: dict[str, Path] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    auto: bool = False
    stylesheets: list[str] = field(default_factory=list)

    def add(self, name: Any, where: str) -> None:
        try:
            self.modules.add(names.module(name))
        except ValueError as error:
            self.unread.append(f"{where}: {error}")

    def add_grids(self) -> None:
        self.modules.update(grid.MODULES)
        self.stylesheets = list(grid.STYLESHEETS)

    def add_path(self, name: str, url: str, where: str) -> None:
        """The folder of the static files behind this address holds the modules called `name/…`."""
        prefix = settings.STATIC_URL
        relative = url.removeprefix(prefix) if url.startswith(prefix) else url.removeprefix("/" + prefix)
        folder = finders.find(relative.strip("/")) if relative != url else None
        if folder:
            self.paths[names.module(name)] = Path(folder)
        else:
            self.unread.append(f"{where}: no static files are found for {url!r}, the path of the modules {name!r}")


def discover() -> Found:
    found = Found(set(OWN), {"djintegrate": BROWSER_FILES}, auto=conf.auto())
    for name in conf.build_modules():
        found.add(name, "DOJO_BUILD_MODULES")
    function = conf.form_function()
    if function:
        found.add(function[0], "DOJO_FORM_FUNCTION")
    configuration = conf.dj_config()
    for name, url in configuration.get("paths", {}).items():
        found.add_path(name, url, "DOJO_DJCONFIG")
    for package in configuration.get("packages", []):
        found.add_path(package["name"], package["location"], "DOJO_DJCONFIG")
    for path in _sources():
        _read(path, found)
    for form in _forms():
        for form_field in form.base_fields.values():
            dijit = models.dijit_of(form_field)
            if isinstance(dijit, models.Dijit):
                found.modules.add(dijit.module)
        if found.auto:
            found.modules.update(auto.modules_of(form))
    return found


def _sources() -> Iterator[Path]:
    """The project's own Python files: of its apps, and beside its URLconf."""
    folders = {Path(config.path) for config in apps.get_app_configs() if _is_searched(config.name)}
    root = Path(import_module(settings.ROOT_URLCONF).__file__ or "")
    if "." in settings.ROOT_URLCONF:
        folders.add(root.parent)
    else:
        # In no package: beside it may be anything, the virtualenv too.
        yield root
    found = {path: path.relative_to(folder).parts for folder in folders for path in folder.rglob("*.py")}
    for path, parts in sorted(found.items()):
        hidden = any(part in _NOT_SEARCHED or part.startswith(".") for part in parts)
        if not hidden and not path.name.startswith("test"):
            yield path


def _is_searched(module: str) -> bool:
    return not (module + ".").startswith(("django.", "djintegrate.dojo."))


def _forms() -> Iterator[Any]:
    """Every form class that is imported once the URLconf and the apps' forms are, and those of the generic views."""
    autodiscover_modules("forms")
    of_views = list(_forms_of_views(get_resolver().url_patterns))
    classes: list[Any] = [BaseForm]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        if one in of_views or (_may_be_shown(one) and hasattr(one, "base_fields")):
            yield one


def _may_be_shown(form: type) -> bool:
    """A class that a factory made is in the factory's module; and a view may show those of contrib.auth as they are."""
    module = form.__module__
    return _is_searched(module) or module.startswith(("django.forms.", "django.contrib.auth."))


def _forms_of_views(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        # An include() imports its URLconf when it is first asked for its patterns.
        yield from _forms_of_views(getattr(pattern, "url_patterns", ()))
        callback = getattr(pattern, "callback", None)
        view = getattr(callback, "view_class", None)
        if hasattr(view, "get_form_class"):
            yield from _form_of_view(view, getattr(callback, "view_initkwargs", {}))


def _form_of_view(view: Any, options: dict[str, Any]) -> Iterator[Any]:
    """What a generic view without a request says. One that needs the request for it says nothing."""
    with suppress(Exception):
        yield view(**options).get_form_class()


def _read(path: Path, found: Found) -> None:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        found.unread.append(f"{path}: {error}")
        return
    for node in ast.walk(tree):
        where = f"{path}:{getattr(node, 'lineno', '')}"
        if isinstance(node, ast.Call):
            _read_call(node, where, found)
        elif isinstance(node, ast.ImportFrom) and _imports_grids(node):
            found.add_grids()
        elif isinstance(node, ast.Assign) and any(_name(target) == "form_function" for target in node.targets):
            value = _literal(node.value)
            if isinstance(value, (tuple, list)) and value:
                found.add(value[0], where)


def _read_call(node: ast.Call, where: str, found: Found) -> None:
    called = _name(node.func)
    if called == "dojo_field":
        dijit = _argument(node, 1, "dijit")
        if isinstance(dijit, str):
            found.add(dijit, where)
        # Others are seen on the field, if that is in the body of a form's class.
    elif called == "Column":
        formatter = _argument(node, None, "formatter")
        if isinstance(formatter, tuple) and formatter:
            found.add(formatter[0], where)
    elif called == "StoreSelect":
        found.modules.add(widgets.MODULE)
    elif called == "dojo_form":
        found.auto = found.auto or bool(_argument(node, 1, "auto"))
    elif called == "append_module":
        name = _argument(node, 0, "name")
        if isinstance(name, str):
            found.add(name, where)
        else:
            found.unread.append(f"{where}: append_module() with a name that is made elsewhere")
    elif called == "set_module_path":
        name, url = _argument(node, 0, "name"), _argument(node, 1, "url")
        if isinstance(name, str) and isinstance(url, str):
            found.add_path(name, url, where)
    elif called in ("append_aol", "prepend_aol"):
        source = _argument(node, 0, "function")
        for modules in _REQUIRED_IN_FUNCTION.findall(source if isinstance(source, str) else ""):
            for name in _QUOTED.findall(modules):
                found.add(name, where)


def _imports_grids(node: ast.ImportFrom) -> bool:
    """Also by `from djintegrate.dojo import grid`."""
    return f"{grid.__name__}." in f"{node.module}." or any(
        f"{node.module}.{alias.name}" == grid.__name__ for alias in node.names
    )


def _argument(node: ast.Call, position: int | None, keyword: str) -> Any:
    if position is not None and len(node.args) > position:
        return _literal(node.args[position])
    return next((_literal(given.value) for given in node.keywords if given.arg == keyword), None)


def _literal(node: ast.expr) -> Any:
    # static("custom") is as good as its text.
    if isinstance(node, ast.Call) and _name(node.func) == "static" and node.args:
        inner = _literal(node.args[0])
        return f"{settings.STATIC_URL}{inner}" if isinstance(inner, str) else None
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
