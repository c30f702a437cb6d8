"""The models in the admin, and what the two settings of the admin make of the user page and of the way in."""

from __future__ import annotations

import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import include, path
from openid.store.nonce import SKEW

from djintegrate.openid_auth.admin import OpenIDUserAdminMixin
from djintegrate.openid_auth.apps import OpenIDAuthConfig
from djintegrate.openid_auth.models import Association, Nonce, UserOpenID
from djintegrate.openid_auth.site.admin_login import OpenIDAdminSiteMixin
from tests.support.forks import python

pytestmark = pytest.mark.django_db

NOW = int(time.time())


def urls() -> Any:
    """The addresses of a site with the admin as it is now."""
    module = types.ModuleType("urls_of_a_site_that_starts")
    module.urlpatterns = [  # type: ignore[attr-defined]
        path("admin/", admin.site.urls),
        path("openid/", include("djintegrate.openid_auth.urls")),
    ]
    return module


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.ROOT_URLCONF = urls()


@pytest.fixture
def asked_for(settings: Any) -> Iterator[Any]:
    """Applies the settings to the default admin site as the AppConfig does when a site starts; undone at the end."""
    before = dict(admin.site._registry)

    def ask(**chosen: Any) -> None:
        for name, value in {"LOGIN_URL": "openid-login", **chosen}.items():
            setattr(settings, name, value)
        OpenIDAuthConfig("djintegrate.openid_auth", __import__("djintegrate.openid_auth")).set_up_admin()
        settings.ROOT_URLCONF = urls()

    yield ask
    admin.site._registry.clear()
    admin.site._registry.update(before)
    vars(admin.site).pop("login", None)
    vars(admin.site._wrapped).pop("login", None)  # type: ignore[attr-defined]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    return client


def user_page(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


class TestModels:
    def test_identities_are_listed_and_searched(self, staff: Client, django_assert_max_num_queries: Any) -> None:
        for number in range(3):
            user = User.objects.create_user(f"user{number}")
            UserOpenID.objects.create(user=user, claimed_id=f"https://op.example/{number}", display_id=str(number))
        with django_assert_max_num_queries(8):
            page = staff.get("/admin/openid_auth/useropenid/").content.decode()
        assert page.count("https://op.example/") == 3
        page = staff.get("/admin/openid_auth/useropenid/?q=example/2").content.decode()
        assert page.count("https://op.example/") == 1

    def test_an_identity_that_somebody_has_is_refused(self, staff: Client) -> None:
        user = User.objects.create_user("ada")
        UserOpenID.objects.create(user=user, claimed_id="https://op.example/a", display_id="a")
        form = {"user": user.pk, "claimed_id": "https://op.example/a", "display_id": "a"}
        page = staff.post("/admin/openid_auth/useropenid/add/", form).content.decode()
        assert "This identity already belongs to a user." in page

    def test_expired_nonces_are_removed_by_an_action(self, staff: Client) -> None:
        for age in (0, SKEW + 5):
            kept = Nonce.objects.create(server_url="https://op.example/", timestamp=NOW - age, salt=str(age))
        form = {"action": "cleanup_nonces", "_selected_action": kept.pk}
        page = staff.post("/admin/openid_auth/nonce/", form, follow=True).content.decode()
        assert "1 expired nonce removed" in page
        assert Nonce.objects.get().salt == "0"

    def test_expired_associations_are_removed_by_an_action(self, staff: Client) -> None:
        for lifetime in (5, 1000):
            kept = association(str(lifetime), lifetime)
        form = {"action": "cleanup_associations", "_selected_action": kept.pk}
        page = staff.post("/admin/openid_auth/association/", form, follow=True).content.decode()
        assert "1 expired association removed" in page
        assert Association.objects.get().handle == "1000"

    def test_what_the_protocol_keeps_is_not_written_by_hand_and_its_secrets_are_not_shown(self, staff: Client) -> None:
        kept = association("handle", 1000)
        page = staff.get(f"/admin/openid_auth/association/{kept.pk}/change/").content.decode()
        assert "https://op.example/" in page
        assert "aHVzaA==" not in page
        assert "_save" not in page
        assert staff.get("/admin/openid_auth/association/add/").status_code == 403
        assert staff.get("/admin/openid_auth/nonce/add/").status_code == 403


class TestUserPage:
    @pytest.fixture(autouse=True)
    def _mapping(self, settings: Any) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"lp-drivers": "drivers", "lp-more": "drivers"}

    def test_without_the_setting_it_is_djangos_own(self, asked_for: Any) -> None:
        before = type(admin.site.get_model_admin(User))
        asked_for()
        assert type(admin.site.get_model_admin(User)) is before
        assert not issubclass(before, OpenIDUserAdminMixin)

    def test_identities_are_on_it_to_be_changed(self, asked_for: Any, staff: Client) -> None:
        asked_for(OPENID_USER_ADMIN=True)
        ada = User.objects.create_user("ada")
        identity = UserOpenID.objects.create(user=ada, claimed_id="https://op.example/a", display_id="a")
        page = staff.get(user_page(ada)).content.decode()
        assert 'value="https://op.example/a"' in page
        form = {
            "username": "ada", "date_joined_0": "2020-01-01", "date_joined_1": "00:00:00",
            "useropenid_set-TOTAL_FORMS": 2, "useropenid_set-INITIAL_FORMS": 1,
            "useropenid_set-0-id": identity.pk, "useropenid_set-0-user": ada.pk, "useropenid_set-0-DELETE": "on",
            "useropenid_set-0-claimed_id": "https://op.example/a", "useropenid_set-0-display_id": "a",
            "useropenid_set-1-user": ada.pk,
            "useropenid_set-1-claimed_id": "https://op.example/b", "useropenid_set-1-display_id": "b",
        }  # fmt: skip
        response = staff.post(user_page(ada), form)
        assert response.status_code == 302, response.content.decode()
        assert list(UserOpenID.objects.values_list("claimed_id", flat=True)) == ["https://op.example/b"]

    def test_a_group_that_teams_drive_is_shown_as_such(self, asked_for: Any, staff: Client) -> None:
        asked_for(OPENID_USER_ADMIN=True)
        Group.objects.create(name="drivers")
        Group.objects.create(name="plain")
        page = staff.get(user_page(User.objects.create_user("ada"))).content.decode()
        assert "drivers (Launchpad team: lp-drivers, lp-more)" in page
        assert ">plain<" in page
        page = staff.get("/admin/auth/group/").content.decode()
        assert "lp-drivers, lp-more" in page

    def test_it_is_not_given_by_hand_but_may_be_kept(self, asked_for: Any, staff: Client) -> None:
        asked_for(OPENID_USER_ADMIN=True)
        ada = User.objects.create_user("ada")
        drivers, plain = Group.objects.create(name="drivers"), Group.objects.create(name="plain")
        form = {
            "username": "ada", "date_joined_0": "2020-01-01", "date_joined_1": "00:00:00",
            "useropenid_set-TOTAL_FORMS": 0, "useropenid_set-INITIAL_FORMS": 0,
        }  # fmt: skip
        page = staff.post(user_page(ada), {**form, "groups": [drivers.pk, plain.pk]}).content.decode()
        assert "The group drivers follows the Launchpad team lp-drivers, lp-more. You cannot assign it by hand." in page
        assert not ada.groups.exists()
        ada.groups.add(drivers)
        assert staff.post(user_page(ada), {**form, "groups": [drivers.pk, plain.pk]}).status_code == 302
        assert set(ada.groups.all()) == {drivers, plain}

    def test_with_auto_mapping_every_group_is_driven_but_the_listed(
        self, asked_for: Any, staff: Client, settings: Any
    ) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO = True
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST = ["drivers"]
        asked_for(OPENID_USER_ADMIN=True)
        for name in ("drivers", "speakers"):
            Group.objects.create(name=name)
        page = staff.get(user_page(User.objects.create_user("ada"))).content.decode()
        assert "speakers (Launchpad team: speakers)" in page
        assert ">drivers<" in page

    def test_a_user_is_added_as_before(self, asked_for: Any, staff: Client) -> None:
        asked_for(OPENID_USER_ADMIN=True)
        page = staff.get("/admin/auth/user/add/").content.decode()
        assert "claimed_id" not in page
        assert "username" in page


@pytest.mark.parametrize("first", ["admin", "openid_auth"])
def test_the_settings_work_in_a_site_that_starts_whatever_the_order_of_its_apps(first: str) -> None:
    apps = ["django.contrib.admin", "djintegrate.openid_auth"]
    code = f"""
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS={apps if first == "admin" else apps[::-1]} + ["django.contrib.auth", "django.contrib.contenttypes"],
    OPENID_USER_ADMIN=True, OPENID_USE_AS_ADMIN_LOGIN=True,
)
django.setup()
from django.contrib import admin
from django.contrib.auth.models import Group, User
assert {{"OpenIDUserAdminMixin", "OpenIDGroupAdminMixin"}} <= {{
    base.__name__ for model in (User, Group) for base in type(admin.site.get_model_admin(model)).__mro__
}}
assert "login" in vars(admin.site._wrapped)
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


class TestWayIn:
    def test_without_the_setting_it_asks_for_a_password(self, asked_for: Any, client: Client) -> None:
        asked_for()
        assert 'type="password"' in client.get("/admin/", follow=True).content.decode()

    def test_the_setting_is_read_at_each_visit(self, asked_for: Any, client: Client, settings: Any) -> None:
        asked_for()
        settings.OPENID_USE_AS_ADMIN_LOGIN = True
        assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/openid/login/?next=/admin/"
        settings.OPENID_USE_AS_ADMIN_LOGIN = False
        assert 'type="password"' in client.get("/admin/", follow=True).content.decode()

    def test_a_wrong_value_opens_neither_way_in(self, asked_for: Any, client: Client) -> None:
        asked_for(OPENID_USE_AS_ADMIN_LOGIN="False")
        with pytest.raises(ImproperlyConfigured, match="OPENID_USE_AS_ADMIN_LOGIN is 'False', a string"):
            client.get("/admin/login/")

    def test_it_is_openid_and_leads_back(self, asked_for: Any, client: Client) -> None:
        asked_for(OPENID_USE_AS_ADMIN_LOGIN=True)
        response = client.get("/admin/auth/user/", follow=True)
        assert response.redirect_chain[-1] == ("/openid/login/?next=/admin/auth/user/", 302)
        assert "openid_identifier" in response.content.decode()

    def test_it_never_leads_elsewhere(self, asked_for: Any, client: Client) -> None:
        asked_for(OPENID_USE_AS_ADMIN_LOGIN=True)
        response = client.get("/admin/login/?next=https://evil.example/")
        assert response["Location"] == "/openid/login/?next=/admin/"

    def test_who_is_no_staff_is_told_so(self, asked_for: Any, client: Client) -> None:
        asked_for(OPENID_USE_AS_ADMIN_LOGIN=True)
        client.force_login(User.objects.create_user("ada"), "django.contrib.auth.backends.ModelBackend")
        response = client.get("/admin/", follow=True)
        assert response.status_code == 403
        assert "ada may not use the admin" in response.content.decode()

    def test_staff_comes_in(self, asked_for: Any, staff: Client) -> None:
        asked_for(OPENID_USE_AS_ADMIN_LOGIN=True)
        assert staff.get("/admin/login/")["Location"] == "/admin/"
        assert staff.get("/admin/").status_code == 200

    def test_it_works_with_the_middleware_that_asks_everybody_to_log_in(
        self, asked_for: Any, client: Client, settings: Any
    ) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
        asked_for(OPENID_USE_AS_ADMIN_LOGIN=True)
        response = client.get("/admin/", follow=True)
        assert response.redirect_chain[-1] == ("/openid/login/?next=/admin/", 302)
        assert response.status_code == 200

    def test_an_admin_site_of_ones_own_takes_the_mixin(self, rf: Any) -> None:
        class Site(OpenIDAdminSiteMixin, admin.AdminSite):
            pass

        request = rf.get("/admin/login/")
        request.user = types.SimpleNamespace(is_active=True, is_staff=True)
        assert Site().login(request)["Location"] == "/admin/"


def association(handle: str, lifetime: int) -> Association:
    return Association.objects.create(
        server_url="https://op.example/", handle=handle, secret="aHVzaA==", issued=int(time.time()) - 10,
        lifetime=lifetime, assoc_type="HMAC-SHA1",
    )  # fmt: skip
