"""What the documentation says of Dojo is what the code has, and its tutorial leads where it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django import forms

from djintegrate.dojo import checks, conf, models, richtext
from djintegrate.dojo.build import discovery
from djintegrate.dojo.fields import auto
from djintegrate.dojo.page.page import Dojo, names
from tests.dojo import site
from tests.dojo.forms import Talk
from tests.dojo.test_auto import entries, fields_of_django, form_of, minimal
from tests.dojo.test_browser import made, sent, type_into
from tests.support.browser import complaints
from tests.support.helpers import wait_until

DOCS = Path(__file__).parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference" / "dojo.md").read_text()
FORM_FUNCTION = (DOCS / "how-to" / "dojo-form-function.md").read_text()
TUTORIAL = (DOCS / "tutorial" / "a-django-form-as-dijits.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_every_check_is_documented() -> None:
    documented = set(re.findall(r"^\| `(dojo\.[EW]\d{3})` \|", REFERENCE, re.MULTILINE))
    assert documented == set(re.findall(r'"(dojo\.[EW]\d{3})"', Path(checks.__file__).read_text()))


def test_every_attribute_and_method_of_request_dojo_is_documented() -> None:
    section = REFERENCE.partition("## `request.dojo`")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", re.sub(r"\|[^|]*\|$", "", section, flags=re.MULTILINE)))
    # What only the tags use.
    internal = {
        "stylesheets", "late_theme", "is_late", "boot", "preloaded", "functions", "specification", "fragment",
        "grid_stylesheets", "own_grid", "owner",
    }  # fmt: skip
    public = {name for name in vars(Dojo) if not name.startswith("_")} - internal
    assert public <= documented | {"enabled", "nonce"}
    assert "`enabled`, `nonce`" in section


def test_the_table_of_fields_is_what_the_code_does() -> None:
    page = (DOCS / "reference" / "dojo-fields.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (.*?) \|$", page, re.MULTILINE))
    for field in fields_of_django():
        if field is not forms.MultiValueField:
            made = dict.fromkeys(entry["dijit"] for entry in entries(form_of(f=minimal(field))()).values())
            assert rows.pop(field.__name__) == ", ".join(f"`{module}`" for module in made)
    for widget, module in auto.BY_WIDGET.items():
        if widget is not forms.widgets.Input:
            assert rows.pop(widget.__name__).startswith(f"`{module}`" if module else "none: ")
    assert rows == {}
    assert all(f"`{element}`" in page for element in richtext.ELEMENTS)


def test_the_default_map_and_the_themes_are_the_documented_ones() -> None:
    assert f"Default: `{conf.DJCONFIG!r}`".replace("'", '"') in REFERENCE
    assert all(f'`"{theme}"`' in REFERENCE for theme in names.THEMES)
    for function in (models.dojo_field, models.as_html):
        assert function.__name__ in REFERENCE


def test_each_theme_is_shown() -> None:
    """`make screenshots` makes the images."""
    shown = re.findall(r"!\[[^]]+\]\(\.\./images/dojo-(\w+)\.png\)", REFERENCE)
    assert sorted(shown) == sorted(names.THEMES)
    images = {path: path.read_bytes() for path in (DOCS / "images").glob("dojo-*.png")}
    assert {path.stem.removeprefix("dojo-") for path in images} == set(names.THEMES)
    for path, data in images.items():
        assert data.startswith(b"\x89PNG") and len(data) < 60_000, path
    assert len(set(images.values())) == len(names.THEMES)


def test_the_tutorial_leads_to_a_page_of_dijits_before_there_is_a_build(
    sources: None, show: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(show, settings, monkeypatch, 0, "NumberTextBox")


def test_the_tutorial_leads_to_a_page_of_dijits(show: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(show, settings, monkeypatch, 1, "NumberSpinner")


def follow(show: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, number: int, dijit: str) -> None:
    """The tutorial's pages, as it has them first, or as it changes them later."""
    monkeypatch.setitem(sys.modules, "talks", ModuleType("talks"))
    make_modules(monkeypatch, number)
    [template] = blocks(TUTORIAL, "html")
    settings.FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"
    settings.TEMPLATES = [
        {
            **settings.TEMPLATES[0],
            "APP_DIRS": False,
            "OPTIONS": {
                **settings.TEMPLATES[0]["OPTIONS"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"propose.html": template}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ]
    browser = show(view=sys.modules["mysite.urls"].urlpatterns[0].callback)
    assert browser.execute_script("return performance.getEntriesByType('resource').length > 100") is (number == 0)
    assert made(browser) == {
        "id_title": "dijit.form.ValidationTextBox",
        "id_day": "dijit.form.DateTextBox",
        "id_seats": f"dijit.form.{dijit}",
    }
    browser.find_element("tag name", "button").click()
    wait_until(lambda: browser.switch_to.active_element.get_attribute("id") == "id_title")
    type_into(browser, "id_title", "Dijits")
    type_into(browser, "id_day", "2/3/2026")
    browser.find_element("tag name", "button").click()
    wait_until(lambda: "Dijits, 03 February" in browser.page_source)
    assert [said for said in complaints(browser) if "favicon" not in said] == []
    assert site.submitted == []


def make_modules(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The files that the tutorial names: of those that it changes later, the first or the second version."""
    files: dict[str, list[str]] = {}
    for block in blocks(TUTORIAL, "python")[1:]:  # the first one is the settings
        files.setdefault(block.partition("\n")[0].removeprefix("# "), []).append(block)
    for name, versions in files.items():
        module = ModuleType(name.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(versions[min(number, len(versions) - 1)], module.__dict__)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("where", ["view", "settings"])
def test_the_form_function_of_the_how_to_makes_the_dijits(show: Any, settings: Any, tmp_path: Path, where: str) -> None:
    [script] = blocks(FORM_FUNCTION, "js")
    (tmp_path / "forms.js").write_text(script.replace("// dijits[", "window.made = dijits; // dijits["))
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("site", tmp_path)]
    in_view, in_settings = blocks(FORM_FUNCTION, "python")
    namespace: dict[str, Any] = {"STATIC_URL": "static/"}
    exec(in_view if where == "view" else in_settings, namespace)
    if where == "settings":
        settings.DOJO_FORM_FUNCTION = namespace["DOJO_FORM_FUNCTION"]
        settings.DOJO_DJCONFIG = namespace["DOJO_DJCONFIG"]
        # The build has the module, as the page says.
        built = discovery.of_settings()
        assert "site/forms" in built.modules and built.lacking(settings.DOJO_ROOT) == []

    def prepare(page: Any, form: Any) -> None:
        if where == "settings":
            page.dojo_form(form)
        else:
            namespace["form"] = form
            namespace["propose"](SimpleNamespace(dojo=page))

    browser = show(Talk, prepare)
    assert complaints(browser) == []
    assert browser.execute_script("return Object.keys(window.made)") == [f"id_{name}" for name in Talk.base_fields]
    assert browser.execute_script("return window.made.id_title.tooltipPosition") == ["below"]


@pytest.mark.usefixtures("built")
def test_a_form_function_that_fails_leaves_the_form_as_the_how_to_says(
    show: Any, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "forms.js").write_text(
        "define([], function () { return { dijitize: function () { throw 'broken'; } }; });"
    )
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("site", tmp_path)]
    settings.DOJO_FORM_FUNCTION = ("site.forms", "dijitize")
    settings.DOJO_DJCONFIG = {"paths": {"site": "/static/site"}}
    browser = show(Talk, state="failed")
    assert made(browser) == {}
    assert any("broken" in said for said in complaints(browser))
    type_into(browser, "id_title", "Plain")
    [form] = sent(browser)
    assert form.cleaned_data["title"] == "Plain"
