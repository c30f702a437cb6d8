"""What the views do, and what a site may change about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django import forms
from django.http import HttpResponse

from djintegrate.openid_auth import models, views
from djintegrate.openid_auth.store import DjangoOpenIDStore
from tests.openid_auth.hostile import Hostile, sent_back
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, fields_of, host_of, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


def test_the_consumer_is_one_of_python3_openid(provider: Provider, rf: Any, client: Any) -> None:
    request = rf.get("/")
    request.session = client.session
    consumer = views.make_consumer(request)
    assert isinstance(consumer.store, DjangoOpenIDStore)
    openid_request = consumer.begin(provider.url)
    answer = provider.decide(openid_request.redirectURL("http://testserver/", "http://testserver/back/"))
    response = consumer.complete(answer.fields, "http://testserver/back/")
    assert (response.status, response.identity_url) == ("success", provider.identity("ada"))


class TestLoginBegin:
    def test_a_get_shows_the_form(self) -> None:
        page = Visitor().client.get("/openid/login/?next=/there/")
        assert page.status_code == 200
        assert 'name="openid_identifier"' in page.content.decode()
        assert page.context["next"] == "/there/"
        assert "no-store" in page["Cache-Control"]

    @pytest.mark.parametrize("identifier", ["", "x" * 300])
    def test_what_the_form_refuses_shows_it_again(self, identifier: str) -> None:
        page = Visitor().begin(identifier)
        assert page.status_code == 200
        assert page.context["form"].errors

    def test_i_names_are_refused_by_the_form_or_found_nowhere(self, settings: Any) -> None:
        assert Visitor().begin("=somebody").status_code == 400
        settings.OPENID_DISALLOW_INAMES = True
        page = Visitor().begin("=somebody")
        assert page.context["form"].errors == {"openid_identifier": ["i-names are not supported"]}

    def test_a_form_and_a_template_of_ones_own(self, provider: Provider, rf: Any, client: Any) -> None:
        class Form(forms.Form):
            openid_identifier = forms.IntegerField()

        request = rf.post("/", {"openid_identifier": "nonsense"})
        request.session = client.session
        asked = views.login_begin(request, template_name="openid/login.html", form_class=Form)
        assert b"Enter a whole number" in asked.content

    def test_single_sign_on_asks_nothing(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_SSO_SERVER_URL = provider.url
        response = Visitor().client.get("/openid/login/?next=/there/")
        fields = fields_of(response)
        assert fields["openid.claimed_id"] == "http://specs.openid.net/auth/2.0/identifier_select"
        assert parse_qs(urlsplit(fields["openid.return_to"]).query)["next"] == ["/there/"]

    def test_the_trust_root_is_the_site_or_what_the_setting_says(self, settings: Any, provider: Provider) -> None:
        assert Visitor().request(provider.url)["openid.realm"] == "http://testserver/"
        settings.OPENID_TRUST_ROOT = "http://*.example/"
        assert Visitor().request(provider.url)["openid.realm"] == "http://*.example/"

    def test_what_is_asked_for_is_what_the_settings_want(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_SREG_REQUIRED_FIELDS = ["email", "language"]
        settings.OPENID_SREG_EXTRA_FIELDS = ["timezone"]
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"a": "x"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["b", "a"]
        settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
        settings.OPENID_VALID_VERIFICATION_SCHEMES = {hostile.endpoint: ["x"]}
        fields = Visitor().request(hostile.select)
        assert fields["openid.sreg.required"] == "email,language"
        assert fields["openid.sreg.optional"] == "fullname,nickname,timezone"
        assert fields["openid.lp.query_membership"] == "a,b"
        assert "multi-factor-physical" in fields["openid.pape.preferred_auth_policies"]
        fields = Visitor().request(f"{hostile.url}select-ax")
        assert "openid.ax.type.account_verified" in fields
        assert "openid.sreg.optional" not in fields

    def test_a_long_request_goes_by_a_form(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {f"a-team-with-a-long-name-{n}": "g" for n in range(100)}
        visitor = Visitor()
        assert "a-team-with-a-long-name-99" in fields_of(visitor.begin(provider.url))["openid.lp.query_membership"]
        visitor.sign_in(provider)
        assert visitor.who == "ada"


class TestFailures:
    def test_a_function_of_the_sites_own_shows_them(self, settings: Any, provider: Provider) -> None:
        seen: list[Any] = []

        def show(
            request: Any, message: Any, status: Any = None, template_name: Any = None, exception: Any = None
        ) -> Any:
            seen.append((str(message), status, type(exception).__name__))
            return HttpResponse("ours", status=418)

        settings.OPENID_RENDER_FAILURE = show
        settings.OPENID_STRICT_USERNAMES = True
        visitor = Visitor()
        assert (
            visitor.complete(provider.decide(visitor.begin(provider.url)["Location"], allow=False)).status_code == 418
        )
        assert Visitor().begin("http://127.0.0.1:9/").content == b"ours"
        assert [entry[1:] for entry in seen] == [(403, "NoneType"), (400, "NotFound")]
        assert seen[0][0] == "Authentication cancelled"

    def test_a_plain_visit_to_the_completion_is_told_what_it_is(self) -> None:
        page = Visitor().client.get("/openid/complete/")
        assert page.status_code == 403
        assert "This is an OpenID relying party endpoint." in page.content.decode()

    def test_a_providers_words_are_shown_as_text_and_not_without_end(self, hostile: Hostile) -> None:
        visitor = Visitor()
        request = visitor.request(hostile.select)
        words = "<b>" + "no " * 1000
        answer = {"openid.return_to": request["openid.return_to"], "openid.mode": "error", "openid.error": words}
        page = visitor.complete(sent_back(answer | {"openid.ns": request["openid.ns"]})).content.decode()
        assert "&lt;b&gt;no no" in page
        assert "<b>no" not in page
        assert page.count("no ") < 200

    def test_the_reason_of_a_refused_fetch_is_not_on_the_page(self, caplog: Any) -> None:
        page = Visitor().begin("http://169.254.169.254/").content.decode()
        assert "public" not in page
        assert "169.254.169.254 is not a public address" in caplog.text
        assert "OPENID_FETCH_ALLOWED_HOSTS may name '169.254.169.254:80'" in caplog.text


def test_an_identity_is_added_to_the_account_of_who_began_it(provider: Provider, rf: Any) -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import User

    visitor, other = Visitor(), Visitor()
    visitor.sign_in(provider)

    def begin(who: Visitor, identifier: str) -> Any:
        request = rf.get("/")
        request.user, request.session = who.user, who.client.session
        response = views.begin_request(request, identifier, "/", purpose="add")
        who.client.cookies.update(response.cookies)
        return response

    answer = provider.decide(begin(visitor, provider.url)["Location"], "bruno")
    assert visitor.complete(answer).status_code == 302
    assert User.objects.get().useropenid_set.count() == 2
    other.sign_in(provider, "chiara")
    taken = provider.decide(begin(other, provider.url)["Location"], "bruno")
    assert other.complete(taken).status_code == 403
    # Signed out, or somebody else, by the time the answer comes.
    late = provider.decide(begin(other, provider.url)["Location"], "dmitri")
    other.client.force_login(get_user_model().objects.get(username="ada"))
    assert other.complete(late).status_code == 302
    assert not models.UserOpenID.objects.filter(claimed_id=provider.identity("dmitri")).exists()
