"""The settings that the documentation shows: they run, their paths lead somewhere, the system checks are content."""

from __future__ import annotations

import re
import runpy
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import django
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils.module_loading import import_string

from djintegrate.common.engine import MIDDLEWARE
from tests.support.doc_pages import RUNNABLE, Block, blocks, every_block, is_settings, name

ENGINE = {"ENGINE": "djintegrate.storm_backend"}
APPS = {
    "storm_backend": r"STORM_|DATABASES|storm_backend",
    "openid_auth": r"OPENID_|openid_auth",
    "dojo": r"DOJO_|\.dojo",
    "jsonrpc": r"JSONRPC_|\.jsonrpc",
    "acl": r"ACL_|\.acl",
    "files": r"FILES_|djintegrate\.files",
    "jobs": r"JOBS_|TASKS|djintegrate\.jobs",
}
"""How to see that a block is about one of the apps."""
OLD_PICKLES = "django.contrib.sessions.serializers.PickleSerializer"
PAGES_THAT_RUN = {*map(name, RUNNABLE), "docs/tutorial/storm-in-ten-minutes.md"}
BLOCKS = [block for block in every_block("python") if is_settings(block) and block.page not in PAGES_THAT_RUN]
SITE_WITH_JOBS = "docs/tutorial/a-job-with-a-progress-bar.md"
"""Whose first block the blocks about jobs are added to."""
NOT_INSTALLED = {"storm_backend.E003", "storm_backend.E010", "storm_backend.W011"}
"""Drivers, their pools, and the folders of examples, that this environment may do without."""
SITES_OWN = {
    "catalog": [],
    "mysite.middleware": ["ErrorPages"],
    "talks": [],
    "shop.ledger_schema": ["CREATES", "DROPS", "DELETES"],
}
"""Modules of the reader's site, and what the blocks want to be in them."""


@pytest.fixture(scope="module")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a new Django project."""
    folder = tmp_path_factory.mktemp("project")
    call_command("startproject", "project_of_the_docs", str(folder))
    (folder / "roles.xml").write_text(
        blocks("docs/tutorial/roles-from-a-file.md", "xml")[0].text.replace(' if="own"', "")
    )
    found = runpy.run_path(str(folder / "project_of_the_docs" / "settings.py"))
    return {key: value for key, value in found.items() if key.isupper()}


@pytest.fixture
def sites_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, names in SITES_OWN.items():
        for part in (path.partition(".")[0], path):
            module = ModuleType(part)
            module.__path__ = []
            module.__file__ = f"{part}/__init__.py"
            monkeypatch.setitem(sys.modules, part, module)
        for each in names:
            setattr(module, each, type(each, (), {}) if each == "ErrorPages" else [])


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_checks_have_nothing_to_say(
    block: Block, new_project: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch, sites_own: None
) -> None:
    if OLD_PICKLES in block.text:
        with pytest.raises(ImportError):  # the page says to remove it, since Django has it no more
            import_string(OLD_PICKLES)
        return
    shown = shown_settings(block, new_project)
    if "MAILERS" in shown and django.VERSION < (6, 1):
        pytest.skip("Django has MAILERS since 6.1.")
    for path in dotted_paths(shown):
        lead_somewhere(path)
    stores = shown.get("STORM_STORES", {"main": "postgres:///site"})
    databases = shown.get("DATABASES") or {"default": {**ENGINE, "NAME": next(iter(stores))}}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(databases))
    all_three = shown_settings(blocks("docs/reference/which-settings.md", "python")[-1], new_project)
    about = [app for app, pattern in APPS.items() if re.search(pattern, block.text)]
    if "jobs" in about:
        all_three |= {**shown_settings(blocks(SITE_WITH_JOBS, "python")[0], new_project), "JOBS_CACHE": "default"}
    settings.STATICFILES_DIRS = []  # as in a new project, unlike in the tests' own settings
    for key, value in {**all_three, **shown, "STORM_STORES": stores}.items():
        if key not in ("DATABASES", "INSTALLED_APPS"):
            setattr(settings, key, value)
    settings.ROOT_URLCONF = "tests.openid_auth.urls"  # The pages say to include the login's.
    if "DATABASES" not in shown and MIDDLEWARE not in settings.MIDDLEWARE:
        # The block is part of a site on the engine, as is said above.
        settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    assert about or block.page.endswith("dojo-production.md")  # which shows STORAGES alone
    checks = [import_module(f"djintegrate.{app}.checks").check_configuration for app in about]
    assert [str(each) for check in checks for each in check() if each.id not in NOT_INSTALLED] == []


def shown_settings(block: Block, new_project: dict[str, Any]) -> dict[str, Any]:
    """What the block sets. Its lists go on with what a new project has, where the block says so."""
    namespace = block.run({key: value[:] if isinstance(value, list) else value for key, value in new_project.items()})
    shown = {key: value for key, value in namespace.items() if key.isupper() and value != new_project.get(key)}
    for key, value in shown.items():
        if isinstance(value, list) and (... in value or "# …" in block.text):
            given = [each for each in value if each is not ...]
            others = [each for each in new_project.get(key, []) if each not in given]
            comes_after = re.search(rf"^{key} = \[\s*# …", block.text, re.MULTILINE)
            shown[key] = [*others, *given] if comes_after else [*given, *others]
    return shown


def dotted_paths(value: Any, key: str = "") -> list[str]:
    """The strings in a setting that name something in Python."""
    if isinstance(value, dict):
        return [path for name, each in value.items() for path in dotted_paths(each, str(name))]
    if isinstance(value, list | tuple):
        return [path for each in value for path in dotted_paths(each, key)]
    if isinstance(value, str) and re.match(r"(djintegrate|django)\.[\w.]+$", value):
        return [value]
    return [value] if key in ("INSTALLED_APPS", "MIDDLEWARE", "SCHEMA") else []


def lead_somewhere(path: str) -> None:
    try:
        import_module(path)
    except ModuleNotFoundError:
        import_string(path)
