"""Names that Dojo does not have, in the settings and on fields: dojo_build says so before it starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command

from djintegrate.dojo import grid
from djintegrate.dojo.build import build, discovery, served
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


def test_a_misspelt_dijit_is_said_with_its_field(dojo_root: Path) -> None:
    # No form class: that would be found by the builds of other tests.
    form = type("Misspelt", (), {"base_fields": {"hall": dojo_field(forms.CharField(), "dijit.form.TextBx")}})
    found = discovery.Found()
    found.add_form(form, automatic=False)
    assert found.lacking(dojo_root) == [
        "The field 'hall' of Misspelt: there is no module dijit/form/TextBx. Did you mean dijit/form/TextBox?"
    ]
