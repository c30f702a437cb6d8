"""Names that Dojo does not have, in the settings and on fields: dojo_build says so before it starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from djintegrate.dojo import grid
from djintegrate.dojo.build import build, discovery, served
from djintegrate.dojo.checks import check_build, check_configuration
from djintegrate.dojo.models import dojo_field


@pytest.fixture
def site(settings: Any, dojo_root: Path, tmp_path: Path) -> Any:
    settings.DOJO_BUILD_ROOT = tmp_path / "dojo-release"
    settings.ROOT_URLCONF = "tests.dojo.site"
    return settings


def test_each_row_of_the_table_has_a_name_of_its_own() -> None:
    labels = [build.label(name) for name in [*served.THEMES, *grid.STYLESHEETS]]
    assert len(set(labels)) == len(labels) and "claro.css" in labels and "dgrid/css/skins/claro.css" in labels


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DOJO_BUILD_MODULES", ["dijit.form.Ratnig"],
         "DOJO_BUILD_MODULES: there is no module dijit/form/Ratnig. Did you mean dojox/form/Rating?"),
        ("DOJO_BUILD_MODULES", ["app.forms"],
         "DOJO_BUILD_MODULES: there is no module app/forms. Say where the modules app/"),
        ("DOJO_FORM_FUNCTION", ("dijit.Dialgo", "make"),
         "DOJO_FORM_FUNCTION: there is no module dijit/Dialgo. Did you mean dijit/Dialog?"),
        ("DOJO_BUILD_STYLESHEETS", ["dojox/form/resources/Ratnig.css"],
         "DOJO_BUILD_STYLESHEETS: there is no stylesheet dojox/form/resources/Ratnig.css"),
        ("DOJO_BUILD_STYLESHEETS", ["dojox/form/resources/Ratnig.css"],
         "Did you mean dojox/form/resources/Rating.css?"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_said_before_the_build_starts(
    site: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: Any, said: str
) -> None:
    monkeypatch.setattr(build, "find_node", lambda: pytest.fail("The build has started."))
    setattr(site, setting, value)
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("dojo_build", verbosity=0)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DOJO_BUILD_MODULES", ["dijit.Dialogg"], "there is no module dijit/Dialogg. Did you mean dijit/Dialog?"),
        ("DOJO_BUILD_MODULES", ["dijit/Dialog.js"], "DOJO_BUILD_MODULES: 'dijit/Dialog.js' is the name of a file"),
        ("DOJO_FORM_FUNCTION", ("site.forms", "make"), "there is no module site/forms. Say where the modules site/"),
        ("DOJO_BUILD_STYLESHEETS", ["dijit/themes/dijitt.css"], "Did you mean dijit/themes/dijit.css?"),
    ],
)  # fmt: skip
def test_the_checks_say_what_the_command_would_refuse(
    site: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: Any, said: str
) -> None:
    monkeypatch.setattr(build, "find_node", lambda: pytest.fail("The build has started."))
    setattr(site, setting, value)
    [found] = [message for message in run_checks(tags=["staticfiles"]) if message.id == "dojo.W007"]
    assert said in found.msg
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("dojo_build", verbosity=0)


def test_a_folder_that_the_build_may_not_replace_is_refused_by_both(site: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    for folder, said in ((site.DOJO_ROOT, "DOJO_BUILD_ROOT is DOJO_ROOT"), (tmp_path / "mine", "something in it")):
        site.DOJO_BUILD_ROOT = folder
        [found] = check_build()
        assert said in found.msg
        with pytest.raises(CommandError, match=said):
            call_command("dojo_build", verbosity=0)


def test_a_server_that_has_only_the_build_is_asked_for_no_names(site: Any, tmp_path: Path) -> None:
    site.DOJO_ROOT, site.DOJO_BUILD_MODULES = tmp_path / "none", ["site.forms"]
    assert check_build() == []
    site.DOJO_BUILD_MODULES = "site.forms"  # which is told once, by the other check
    assert check_build() == []


def test_what_is_built_is_in_order(site: Any) -> None:
    assert check_build() == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("djintegrate.dojo.forms.DijitRendere", "Did you mean djintegrate.dojo.forms.DijitRenderer?"),
        ("djintegrat.dojo.forms.DijitRenderer", "(ModuleNotFoundError: No module named 'djintegrat')"),
        ("datetime.date", "Make it the path of a renderer's class"),
        (None, "FORM_RENDERER is None, of which no renderer can be made"),
    ],
)
def test_a_renderer_that_is_none_is_an_error_and_no_traceback(site: Any, path: Any, said: str) -> None:
    site.FORM_RENDERER = path
    [found] = [message for message in check_configuration() if message.id == "dojo.E006"]
    assert said in found.msg
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("dojo_build", verbosity=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"paths": ["/static/site"]}, "DOJO_DJCONFIG['paths'] is ['/static/site'], a list. Make it a dictionary of"),
        ({"packages": "site"}, "DOJO_DJCONFIG['packages'] is 'site', a string. Make it a list of dictionaries"),
        ({"has": None}, "DOJO_DJCONFIG['has'] is None. Make it a dictionary of features"),
    ],
)
def test_what_the_build_reads_of_the_configuration_has_its_shape(site: Any, given: Any, said: str) -> None:
    site.DOJO_DJCONFIG = given
    [found] = check_configuration()
    assert found.id == "dojo.E003" and said in found.msg
    assert check_build() == []


def test_packages_beside_dojo_need_no_address(site: Any) -> None:
    site.DOJO_DJCONFIG = {"packages": ["moment", {"name": "lodash", "main": "lodash"}]}
    assert check_build() == []


def test_a_misspelt_dijit_is_said_with_its_field(dojo_root: Path) -> None:
    # No form class: that would be found by the builds of other tests.
    form = type("Misspelt", (), {"base_fields": {"hall": dojo_field(forms.CharField(), "dijit.form.TextBx")}})
    found = discovery.Found()
    found.add_form(form, automatic=False)
    assert found.lacking(dojo_root) == [
        "The field 'hall' of Misspelt: there is no module dijit/form/TextBx. Did you mean dijit/form/TextBox?"
    ]
