"""DojoAdminMixin: the admin's add and change pages as dijits, inlines and "Add another" included."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.test import RequestFactory
from django.urls import path
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from djintegrate.dojo.admin import DojoAdminMixin
from djintegrate.dojo.page.names import THEMES
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.richtext import RichTextField
from tests.apps.people.models import Sample
from tests.dojo.conftest import wait
from tests.dojo.forms import CHOICES
from tests.dojo.test_accessibility import OPEN
from tests.dojo.test_browser import type_into
from tests.settings import MIDDLEWARE
from tests.support.axe import violations
from tests.support.browser import complaints, resize
from tests.support.combinations import few
from tests.support.helpers import wait_until

pytestmark = pytest.mark.django_db


class GroupsOfUser(admin.TabularInline):
    model = User.groups.through
    extra = 1


class UserAdmin(DojoAdminMixin, admin.ModelAdmin):
    fields = ["username", "email", "is_active", "last_login", "user_permissions"]
    inlines = [GroupsOfUser]


@pytest.fixture
def steps(settings: Any) -> list[dict[str, Any]]:
    """Of the change page of a user with a group."""
    user = User.objects.create_superuser("ada", "ada@example.org", "x")
    user.groups.add(Group.objects.create(name="Schedulers"))
    request = RequestFactory().get("/")
    request.user = user
    request.dojo = Dojo(request)
    site = admin.AdminSite()
    site.register(User, UserAdmin)
    site.register([Group, Permission])
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("admin/", admin.site.urls)]})
    response = UserAdmin(User, site).changeform_view(request, str(user.pk))
    assert response.template_name == "djintegrate/dojo/change_form.html"
    return request.dojo.specification()["steps"]


def test_the_form_its_inlines_and_the_rows_that_are_added_become_dijits(steps: list[dict[str, Any]]) -> None:
    [form, *rows, pattern] = steps
    found = {field["id"]: field["dijit"] for field in form["fields"]}
    assert found == {
        "id_username": "dijit/form/ValidationTextBox",
        "id_email": "dijit/form/ValidationTextBox",
        "id_is_active": "dijit/form/CheckBox",
        "id_last_login": "djintegrate/DateTimeBox",
        "id_user_permissions": "dijit/form/MultiSelect",
    }
    assert [field["id"] for row in rows for field in row["fields"]][:1] == ["id_User_groups-0-group"]
    assert pattern["pattern"] is True
    assert next((field["id"], field["dijit"]) for field in pattern["fields"]) == (
        "id_User_groups-__prefix__-group",
        "dijit/form/FilteringSelect",
    )


class OwnClock(GroupsOfUser):
    formfield_overrides = {models.TimeField: {"widget": forms.Textarea}}


class Inlines(UserAdmin):
    inlines = [GroupsOfUser, OwnClock]


@pytest.mark.parametrize(("number", "clock"), [(0, forms.TimeInput), (1, forms.Textarea)])
def test_the_inlines_have_no_calendars_of_the_admins_own_beside_the_dijits(
    number: int, clock: type, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True)
    inline = Inlines(User, admin.AdminSite()).get_inline_instances(request)[number]
    found = {
        name: type(inline.formfield_for_dbfield(Sample._meta.get_field(name), request).widget)
        for name in ("day", "moment", "clock", "text")
    }
    assert found == {
        "day": forms.DateInput, "moment": forms.DateTimeInput, "clock": clock,
        "text": admin.widgets.AdminTextareaWidget,
    }  # fmt: skip


def as_superuser(get_response: Any) -> Any:
    """Everybody is one, without a login."""

    def middleware(request: Any) -> Any:
        request.user = User.objects.filter(is_superuser=True).first()
        return get_response(request)

    return middleware


class RichForm(forms.ModelForm):
    story = RichTextField(required=False)
    size = forms.IntegerField(required=False, widget=forms.NumberInput({"type": "range"}))
    hall = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)
    fixed = forms.CharField(disabled=True, required=False)


class RichAdmin(UserAdmin):
    form = RichForm
    fields = ["username", "is_active", "last_login", "user_permissions", "story", "size", "hall", "fixed"]


@pytest.fixture
def add_page(transactional_db: None, server: str, settings: Any) -> Callable[[type], str]:
    """The address of the page that adds a user, by the admin that is passed."""

    def address(user_admin: type) -> str:
        site = admin.AdminSite()
        site.register(User, user_admin)
        site.register([Group, Permission])
        settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("admin/", site.urls)]})
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.as_superuser"]
        User.objects.get_or_create(username="ada", is_superuser=True, is_staff=True)
        for name in ("Chairs", "Schedulers"):
            Group.objects.get_or_create(name=name)
        return f"{server}/admin/auth/user/add/"

    return address


def test_a_user_is_changed_and_a_group_added_in_the_browser(add_page: Any, browser: Any) -> None:
    browser.get(add_page(UserAdmin))
    wait(browser)
    assert browser.execute_script("return require('dijit/registry').byId('id_User_groups-0-group').declaredClass")
    browser.find_element("id", "id_username").send_keys("grace")
    for row, name in enumerate(("Chairs", "Schedulers")):
        if row:
            browser.find_element("css selector", ".add-row a").click()
        face = f"id_User_groups-{row}-group__face"
        wait_until(lambda face=face: browser.find_elements("id", face))
        type_into(browser, f"id_User_groups-{row}-group", name + Keys.TAB)
    browser.find_element("name", "_save").click()
    wait_until(lambda: User.objects.filter(username="grace").exists())
    assert sorted(User.objects.get(username="grace").groups.values_list("name", flat=True)) == ["Chairs", "Schedulers"]
    assert complaints(browser) == []


class WholeUserAdmin(DojoAdminMixin, DjangosUserAdmin):
    """With a template of its own for adding."""


def test_an_admin_with_a_template_of_its_own_for_adding_adds_with_dijits(add_page: Any, browser: Any) -> None:
    browser.get(add_page(WholeUserAdmin))
    wait(browser)
    assert "edit more user options" in browser.find_element("id", "content").text
    browser.find_element("id", "id_username").send_keys("grace")
    for name in ("password1", "password2"):
        browser.find_element("id", f"id_{name}").send_keys("correct horse battery")
    assert browser.execute_script("return require('dijit/registry').byId('id_password1').declaredClass")
    # Since Django 5.1 one may choose to have no password, which hides the boxes.
    for way in browser.find_elements("name", "usable_password")[::-1]:
        way.click()
        assert browser.find_element("id", "id_password1").is_displayed() is (way.get_attribute("value") == "true")
    browser.find_element("name", "_save").click()
    wait_until(lambda: User.objects.filter(username="grace").exists())
    assert User.objects.get(username="grace").check_password("correct horse battery")
    assert complaints(browser) == []


class TemplatesAdmin(admin.ModelAdmin):
    """As an app brings it, with what is to be beside the mixin."""

    change_form_template = "app/change.html"


class AddTemplatesAdmin(TemplatesAdmin):
    add_form_template = "app/add.html"


EXTENDS = '{%% extends "%s" %%}{%% block form_top %%}{{ block.super }}%s{%% endblock %%}'
BRINGS = {
    "app/change.html": EXTENDS % ("admin/change_form.html", "(app: change)"),
    "app/add.html": EXTENDS % ("admin/change_form.html", "(app: add)"),
    "admin/auth/group/change_form.html": EXTENDS % ("admin/change_form.html", "(site: group)"),
    "own.html": EXTENDS % ("djintegrate/dojo/change_form.html", "(own)"),
}


@pytest.mark.parametrize(
    ("base", "own", "add", "change"),
    [
        (admin.ModelAdmin, {}, ["site: group"], ["site: group"]),
        (TemplatesAdmin, {}, ["app: change"], ["app: change"]),
        (AddTemplatesAdmin, {}, ["app: add"], ["app: change"]),
        (admin.ModelAdmin, {"change_form_template": "own.html"}, ["site: group", "own"], ["site: group", "own"]),
        (AddTemplatesAdmin, {"change_form_template": "own.html"}, ["app: add"], ["app: change", "own"]),
        (AddTemplatesAdmin, {"add_form_template": "own.html"}, ["app: add", "own"], ["app: change"]),
    ],
)
def test_the_pages_extend_what_the_admin_has_without_the_mixin(
    base: type, own: dict[str, str], add: list[str], change: list[str], rf: RequestFactory, settings: Any
) -> None:
    [backend] = [one for one in settings.TEMPLATES if one["BACKEND"].endswith("DjangoTemplates")]
    loaders = [
        ("django.template.loaders.locmem.Loader", BRINGS),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.TEMPLATES = [{"BACKEND": backend["BACKEND"], "OPTIONS": {**backend["OPTIONS"], "loaders": loaders}}]
    site = admin.AdminSite()
    made = type("Made", (DojoAdminMixin, base), own)(Group, site)
    site.register(Group, type(made))
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("admin/", site.urls)]})
    group = Group.objects.create(name="Schedulers")
    for address, said in ((None, add), (str(group.pk), change)):
        request = rf.get("/")
        request.user = User(username="ada", is_superuser=True, is_active=True)
        request.dojo = Dojo(request)
        text = made.changeform_view(request, address).rendered_content
        assert re.findall(r"\((app: \w+|site: group|own)\)", text) == said
        assert text.count('id="djintegrate-dojo"') == 1


# What is seen behind and of each dijit, the editor's text and the open calendar included.
COLOURS = """
const of = node => {
    const style = node.ownerDocument.defaultView.getComputedStyle(node);
    return [style.backgroundColor, style.color];
};
const boxes = ".dijitTextBox:not(.dijitDisabled), .dijitMultiSelect, .dijitEditor, .dijitPopup:not([style*=none])";
return { page: of(document.body), boxes: Array.from(document.querySelectorAll(boxes), of),
    text: of(document.querySelector("iframe").contentDocument.body)[1] };
"""


@pytest.mark.parametrize("theme", few([THEMES[0], THEMES[-1]]))
def test_the_dijits_have_the_colours_of_the_admin_light_and_dark(
    add_page: Any, browser: Any, dark: Any, settings: Any, theme: str
) -> None:
    settings.DOJO_THEME = theme
    browser.get(add_page(RichAdmin))
    wait(browser)
    browser.execute_async_script(OPEN, "id_last_login__date")
    for is_dark in (False, True):
        dark(is_dark)
        wait_until(lambda: browser.execute_script("return document.getAnimations().length === 0"))
        found = browser.execute_script(COLOURS)
        assert len(found["boxes"]) == 7
        assert {tuple(box) for box in found["boxes"]} == {tuple(found["page"])}
        contrasts = [said for said in violations(browser) if re.match("color-contrast: .*(dijit|id_)", said)]
        assert contrasts == []


class BoxesForm(forms.ModelForm):
    """A box of each kind that has text in it."""

    price = forms.DecimalField(initial="1.50")
    seats = forms.IntegerField(initial=10)
    steps = forms.IntegerField(initial=10)
    fee = forms.DecimalField(initial="12.25")
    day = forms.DateField(initial="2026-02-03")
    clock = forms.TimeField(initial="10:30")
    starts = forms.DateTimeField(initial="2026-02-03 10:30")
    home = forms.CharField(initial="https://example.org/")
    hint = forms.CharField(widget=forms.TextInput({"placeholder": "a hint"}))
    fixed = forms.CharField(initial="fixed", disabled=True)
    hall = forms.ChoiceField(choices=CHOICES)
    file = forms.FileField(required=False)

    dojo.dojo_field(steps, "dijit.form.NumberSpinner")
    dojo.dojo_field(fee, "dijit.form.CurrencyTextBox")


class BoxesInline(admin.TabularInline):
    model = User.groups.through
    form = BoxesForm
    fields = ["group", "home", "clock", "starts", "file", "seats", "price"]
    extra = 1


class PlainBoxesAdmin(admin.ModelAdmin):
    form = BoxesForm
    fields = ["last_login", *BoxesForm.declared_fields]
    inlines = [BoxesInline]


class BoxesAdmin(DojoAdminMixin, PlainBoxesAdmin):
    pass


# The texts of boxes that are not wholly within their box, or that lie under one of its buttons, and the boxes that are
# wider than their page. In a table of inlines these may be, since it scrolls.
CUT_OFF = """
const area = node => node.getBoundingClientRect();
const seen = node => area(node).width > 0;
const within = (one, other) => one.left > other.left - 1 && one.right < other.right + 1 && one.top > other.top - 1
    && one.bottom < other.bottom + 1;
const apart = (one, other) => one.right < other.left + 1 || other.right < one.left + 1;
const labels = ".dijitInputInner, .dijitSelect .dijitButtonText, .dijitPlaceHolder";
const texts = Array.from(document.querySelectorAll(labels)).filter(seen);
const cut = texts.filter(text => {
    const box = text.closest(".dijitTextBox, .dijitSelect");
    for (let around = text.parentNode; around !== box.parentNode; around = around.parentNode) {
        if (!within(area(text), area(around))) { return true; }
    }
    const buttons = Array.from(box.querySelectorAll(".dijitArrowButton")).filter(seen);
    return buttons.some(button => !within(area(button), area(box)) || !apart(area(button), area(text)))
        || !box.closest(".tabular") && !(area(box).left >= 0 && area(box).right <= innerWidth);
});
const names = texts => texts.map(text => require("dijit/registry").getEnclosingWidget(text).id.split("__")[0]);
return [names(texts), names(cut)];
"""


@pytest.mark.parametrize("theme", few(THEMES, "claro"))
def test_the_text_of_each_box_lies_within_the_box_in_both_directions_of_writing(
    add_page: Any, browser: Any, settings: Any, theme: str
) -> None:
    settings.DOJO_THEME = theme
    address = add_page(BoxesAdmin)
    for language in ("en", "ar"):
        settings.LANGUAGE_CODE = language
        browser.get(address)
        wait(browser)
        assert browser.execute_script("return document.dir") == {"en": "ltr", "ar": "rtl"}[language]
        for width in (1280, 390):
            resize(browser, (width, 900))
            found, cut_off = browser.execute_script(CUT_OFF)
            assert {f"id_{name}" for name in BoxesForm.base_fields if name != "file"} <= set(found)
            assert {f"id_User_groups-0-{name}" for name in BoxesInline.fields if name != "file"} <= set(found)
            assert cut_off == [], (language, width)


def test_a_table_of_inlines_is_no_wider_than_the_plain_admins(add_page: Any, browser: Any, settings: Any) -> None:
    resize(browser, (1200, 900))
    widths = []
    for is_plain, user_admin in enumerate([BoxesAdmin, PlainBoxesAdmin]):
        browser.get(add_page(user_admin))
        if not is_plain:
            wait(browser)
        widths.append(browser.execute_script("return document.documentElement.scrollWidth"))
    ours, plain = widths
    assert 1200 < ours <= plain
