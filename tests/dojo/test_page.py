"""request.dojo as the view and the template see it: what is collected, and what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.template import engines
from django.test import Client
from django.urls import path
from django.utils import translation

from djintegrate.dojo import models as dojo
from djintegrate.dojo.page.page import Dojo
from tests.dojo.forms import Many, Talk


@pytest.fixture
def page(rf: Any) -> Dojo:
    request = rf.get("/")
    request.dojo = Dojo(request)
    return request.dojo


def head(page: Any, request: Any = None) -> str:
    template = engines["django"].from_string("{% load dojo %}{% dojo page %}")
    return str(template.render({"page": page}, request))


def specification(page: Dojo) -> dict[str, Any]:
    found = re.search(r'<script id="djintegrate-dojo" type="application/json">(.*?)</script>', head(page))
    assert found
    made: dict[str, Any] = json.loads(found[1])
    return made


class Elements(HTMLParser):
    """Every element of an HTML text with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_head_brings_the_theme_the_specification_and_dojo(page: Dojo) -> None:
    page.theme = "soria"
    page.append_stylesheet("/static/a.css?x=1&y=2")
    page.append_stylesheet("/static/a.css?x=1&y=2")
    assert Elements(head(page)).found == [
        ("link", {"rel": "stylesheet", "href": "/static/dojo/dijit/themes/soria/soria.css"}),
        ("link", {"rel": "stylesheet", "href": "/static/dojo/dijit/themes/soria/soria_rtl.css"}),
        ("link", {"rel": "stylesheet", "href": "/static/a.css?x=1&y=2"}),
        ("script", {"id": "djintegrate-dojo", "type": "application/json"}),
        ("script", {"defer": None, "fetchpriority": "low", "src": "/static/djintegrate/dojo/boot.js"}),
        ("script", {"defer": None, "fetchpriority": "low", "src": "/static/dojo/dojo/dojo.js"}),
    ]
    assert page.src == "/static/dojo/dojo/dojo.js"


def test_dojo_is_configured_by_the_settings_and_the_page(page: Dojo, settings: Any) -> None:
    packages = [{"name": "a", "location": "/a"}]
    settings.DOJO_DJCONFIG = {"isDebug": False, "has": {"dojo-bidi": True}, "packages": packages}
    page.dj_config["isDebug"] = True
    page.set_module_path("custom", "/static/custom/")
    page.set_module_path("my.own", "/static/own")
    page.append_module("dijit.Dialog")
    page.append_module("dijit/Dialog")
    made = specification(page)
    assert made["theme"] == "claro"
    assert made["modules"] == ["dijit/Dialog"]
    assert made["config"] == {
        "async": True,
        "baseUrl": "/static/dojo/dojo/",
        "locale": "en-us",
        "isDebug": True,
        "has": {"csp-restrictions": True, "dojo-bidi": True},
        "packages": [{"name": "djintegrate", "location": "/static/djintegrate/dojo"}, *packages],
        "paths": {"custom": "/static/custom", "my/own": "/static/own"},
    }


@pytest.mark.parametrize(
    ("language", "locale"), [("de", "de"), ("pt-br", "pt-br"), ("zh-hans", "zh-cn"), ("zh-hant", "zh-tw"), ("cy", "en")]
)
def test_dojo_speaks_the_language_of_the_page(page: Dojo, language: str, locale: str) -> None:
    with translation.override(language):
        assert specification(page)["config"]["locale"] == locale


def test_steps_are_in_the_order_in_which_they_were_asked_for(page: Dojo) -> None:
    page.append_aol("function() { second(); }")
    page.dojo_form(Talk())
    page.append_aol("function() { third(); }")
    page.prepend_aol("function() { first(); }")
    steps = specification(page)["steps"]
    assert [step.get("call", "form") for step in steps] == [0, 1, "form", 2]
    assert page.functions == ["function() { first(); }", "function() { second(); }", "function() { third(); }"]


def test_a_form_says_for_each_field_its_id_its_dijit_and_its_attributes(page: Dojo) -> None:
    page.dojo_form(Talk(prefix="p"))
    [step] = specification(page)["steps"]
    assert [(field["id"], field["dijit"]) for field in step["fields"]] == [
        ("id_p-title", "dijit/form/ValidationTextBox"),
        ("id_p-seats", "dijit/form/NumberTextBox"),
        ("id_p-public", "dijit/form/CheckBox"),
        ("id_p-room", "dijit/form/Select"),
    ]
    assert step["fields"][1]["attrs"]["constraints"] == {"min": 1}


def test_each_form_has_the_form_function_of_its_time(page: Dojo, settings: Any) -> None:
    settings.DOJO_FORM_FUNCTION = ("site.forms", "all")
    page.dojo_form(Talk(prefix="a"))
    page.form_function = ("app.forms", "dijitize")
    page.dojo_form(Talk(prefix="b"))
    page.form_function = None
    page.dojo_form(Talk(prefix="c"))
    functions = [step.get("function") for step in specification(page)["steps"]]
    assert functions == [["site/forms", "all"], ["app/forms", "dijitize"], None]


def test_a_formset_is_each_of_its_forms_and_a_pattern_for_more(page: Dojo) -> None:
    page.dojo_form(forms.formset_factory(Talk, extra=2)(prefix="talks"))
    steps = specification(page)["steps"]
    names = [step["fields"][0]["id"] for step in steps]
    assert names == ["id_talks-0-title", "id_talks-1-title", "id_talks-__prefix__-title"]
    assert [step.get("pattern", False) for step in steps] == [False, False, True]


def test_one_form_twice_needs_ids_of_its_own(page: Dojo) -> None:
    page.dojo_form(Talk())
    with pytest.raises(ValueError, match="has the id 'id_title', and so has the field 'title' of Talk") as error:
        page.dojo_form(Talk())
    assert "auto_id='second_%s'" in str(error.value)
    page.dojo_form(Talk(auto_id="second_%s"))
    assert [step["fields"][0]["id"] for step in specification(page)["steps"]] == ["id_title", "second_title"]


def test_a_form_without_ids_is_refused(page: Dojo) -> None:
    with pytest.raises(ValueError, match=r"The field 'title' of Talk has no id in the page.* auto_id=False"):
        page.dojo_form(Talk(auto_id=False))


def test_an_id_of_the_widgets_own_is_found(page: Dojo) -> None:
    form = Talk()
    form.fields["title"].widget.attrs["id"] = "mine"
    page.dojo_form(form)
    assert specification(page)["steps"][0]["fields"][0]["id"] == "mine"


@pytest.mark.parametrize("value", [Talk, None, "form", Talk()["title"]])
def test_what_is_no_form_is_refused(page: Dojo, value: Any) -> None:
    with pytest.raises(TypeError, match="Give it a form or a formset, not a class and not a field"):
        page.dojo_form(value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda page: setattr(page, "theme", "blue"), "'blue' is not a theme"),
        (lambda page: page.append_module("a b"), "'a b' is not the name of a module"),
        (lambda page: page.set_module_path("a b", "/x"), "'a b' is not the name of a module"),
        (lambda page: page.set_module_path("custom", ""), "Make it an address"),
        (lambda page: page.append_stylesheet(None), "Give its address"),
        (lambda page: setattr(page, "form_function", "app.forms.f"), "form_function cannot be 'app.forms.f'"),
        (lambda page: page.append_aol("alert(1)"), "is not a JavaScript function"),
        (lambda page: page.prepend_aol(None), "is not a JavaScript function"),
    ],
)
def test_wrong_use_says_what_to_do(page: Dojo, wrong: Callable[[Dojo], Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        wrong(page)
    made = specification(page)
    assert (made["theme"], made["modules"], made["config"]["paths"], made["steps"]) == ("claro", [], {}, [])


@pytest.mark.parametrize(("name", "meant"), [("them", "theme"), ("dj_confg", "dj_config"), ("quite_other", "")])
def test_an_attribute_that_is_not_there_cannot_be_set(page: Dojo, name: str, meant: str) -> None:
    with pytest.raises(
        AttributeError, match=rf"request\.dojo has no '{name}'\." + (rf" .*{meant}\?" if meant else "$")
    ):
        setattr(page, name, "soria")


def test_in_development_a_misspelt_module_is_refused(page: Dojo, settings: Any, dojo_root: Path) -> None:
    page.append_module("dijit.Dialgo")
    settings.DEBUG = True
    with pytest.raises(ValueError, match=r"Dojo has no module 'dijit/Dialgo'\. Did you mean dijit/Dialog\?"):
        page.append_module("dijit.Dialgo")
    page.append_module("dijit.Dialog")
    page.append_module("mine.own")


def test_the_source_is_read_only(page: Dojo) -> None:
    with pytest.raises(AttributeError):
        page.src = "/elsewhere.js"  # type: ignore[misc]


def test_without_a_url_the_template_says_what_to_set(page: Dojo, settings: Any) -> None:
    settings.DOJO_URL = None
    with pytest.raises(ImproperlyConfigured, match="DOJO_URL is None"):
        head(page)


TAGS = ["dojo", "dojo_fragment"]


def written(tag: str, context: Any, request: Any, what: str = "request.dojo") -> str:
    return str(engines["django"].from_string(f"{{% load dojo %}}{{% {tag} {what} %}}").render(context, request))


@pytest.mark.parametrize("tag", TAGS)
def test_without_the_middleware_the_template_says_what_to_add(tag: str, rf: Any, settings: Any) -> None:
    settings.MIDDLEWARE = []
    with pytest.raises(ImproperlyConfigured, match=r"DojoMiddleware' to MIDDLEWARE"):
        written(tag, {}, rf.get("/"))
    with pytest.raises(ImproperlyConfigured, match=r"DojoMiddleware' to MIDDLEWARE"):
        written(tag, {"request": rf.get("/")}, None)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_that_is_given_something_else_says_what_to_give_it(tag: str, rf: Any) -> None:
    request = rf.get("/")
    request.dojo = Dojo(request)
    with pytest.raises(ImproperlyConfigured, match=rf"{tag} %}} was given ''\. Write {{% {tag} request\.dojo %}}"):
        written(tag, {}, request, "reqest.dojo")


@pytest.mark.parametrize("tag", TAGS)
def test_a_template_that_is_rendered_without_a_request_has_nothing_of_dojo(tag: str) -> None:
    assert written(tag, {}, None).strip() == ""


def fails(request: HttpRequest) -> None:
    raise ValueError("The view fails.")


def forbids(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> None:
        raise PermissionDenied("Nobody may.")

    return middleware


ERROR_PAGE = "{% load dojo %}<title>Sorry</title>{% dojo request.dojo %}<p>We are looking into it.</p>"


@pytest.mark.parametrize(("before", "status"), [([], 500), ([f"{__name__}.forbids"], 403)])
def test_the_sites_own_error_pages_are_shown(settings: Any, before: list[str], status: int) -> None:
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("", fails)]})
    settings.MIDDLEWARE = [*before, "djintegrate.dojo.middleware.DojoMiddleware"]
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "libraries": {"dojo": "djintegrate.dojo.templatetags.dojo"},
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {f"{status}.html": ERROR_PAGE}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ]
    response = Client(raise_request_exception=False).get("/")
    assert response.status_code == status
    assert "We are looking into it." in response.content.decode()


def test_switched_off_nothing_is_written_and_nothing_needed(page: Dojo, settings: Any) -> None:
    settings.DOJO_ENABLED = False
    settings.DOJO_URL = None
    page.dojo_form(Talk())
    page.append_aol("function() {}")
    assert head(page).strip() == ""


def test_what_comes_after_the_tag_is_warned_of(page: Dojo, caplog: pytest.LogCaptureFixture) -> None:
    page.append_module("dijit.Dialog")
    assert not caplog.records
    head(page)
    page.dojo_form(Talk())
    assert "after {% dojo %} was written" in caplog.text


def test_dates_decimals_and_lazy_texts_are_written(page: Dojo) -> None:
    field = forms.CharField()
    dojo.dojo_field(
        field, "dijit.form.TextBox",
        dojo_attrs={"day": date(2026, 2, 3), "price": Decimal("1.50"), "text": translation.gettext_lazy("Yes")},
    )  # fmt: skip
    form = forms.Form()
    form.fields["a"] = field
    page.dojo_form(form)
    attrs = specification(page)["steps"][0]["fields"][0]["attrs"]
    assert (attrs["day"], attrs["price"], attrs["text"]) == ("2026-02-03", "1.50", "Yes")


def test_what_json_cannot_say_is_refused_with_the_place_to_convert_it(page: Dojo) -> None:
    page.dj_config["x"] = object()
    with pytest.raises(TypeError, match=r"JSON has no object\. It is in dj_config: convert it there"):
        head(page)


NASTY = "</script><script>alert(1)</script><!--\u2028\u2029'\"&{{ x }}{% now %}${id}"


def test_nothing_in_the_specification_can_end_its_element(page: Dojo) -> None:
    form = Talk()
    form.fields["title"].help_text = NASTY
    dojo.dojo_field(form["title"], "dijit.form.TextBox", {"help_text": ("placeHolder", None)}, {"title": NASTY})
    page.dojo_form(form)
    page.dj_config["x"] = NASTY
    page.append_aol("function() { return " + json.dumps(NASTY, ensure_ascii=False) + "; }")
    page.append_stylesheet("/x.css?" + NASTY)
    text = head(page)
    assert text.lower().count("</script") == 4  # one for each of ours
    assert "<!--" not in text
    made = specification(page)
    assert made["steps"][0]["fields"][0]["attrs"]["title"] == NASTY
    assert made["config"]["x"] == NASTY


def test_the_markup_of_a_form_stays_djangos_own(page: Dojo) -> None:
    """No attribute of Dojo's parser, no inline handler, no inline style; nothing of the form changes."""
    plain = Many().as_div()
    form = Many()
    page.dojo_form(form)
    page.append_aol("function() {}")
    assert form.as_div() == plain
    for _, attributes in Elements(head(page) + form.as_div()).found:
        for name in attributes:
            assert not name.startswith(("data-dojo", "on", "style")), name


def test_a_function_that_ends_in_a_comment_leaves_room_for_the_next(page: Dojo) -> None:
    page.append_aol("function() {} // one")
    page.append_aol("function() {} // two")
    assert "// one\n," in head(page) and "// two\n]" in head(page)


def test_a_locale_of_which_the_build_has_no_texts_is_refused(page: Dojo, settings: Any) -> None:
    settings.LANGUAGES = [("de", "German")]
    page.dj_config["locale"] = "fr"
    with pytest.raises(ImproperlyConfigured, match=r"'fr'.*LANGUAGES"):
        page.specification()
