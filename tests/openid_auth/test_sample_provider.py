"""The sample provider over real HTTP: what it says is what python3-openid's own consumer accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openid.consumer.consumer import CANCEL, FAILURE, SETUP_NEEDED, SUCCESS, Consumer
from openid.extensions import ax, pape, sreg
from openid.store.memstore import MemoryStore

from testproject.provider.extensions import TEAMS, VERIFIED
from tests.openid_auth.provider import Provider, started

SITE = "http://site.example/"
RETURN_TO = f"{SITE}complete/"


class Site:
    """A relying party of one visitor."""

    def __init__(self, store: Any = None) -> None:
        self.session: dict[str, Any] = {}
        self.store = store or MemoryStore()

    def begin(self, url: str, *extensions: Any, immediate: bool = False) -> str:
        request = Consumer(self.session, self.store).begin(url)
        for extension in extensions:
            request.addExtension(extension)
        return request.redirectURL(SITE, RETURN_TO, immediate=immediate)

    def complete(self, fields: dict[str, str]) -> Any:
        return Consumer(self.session, self.store).complete(fields, RETURN_TO)


def test_identifier_select_names_the_person_who_agreed(provider: Provider) -> None:
    site = Site()
    response = site.complete(provider.decide(site.begin(provider.url), "bruno").fields)
    assert response.status == SUCCESS, response
    assert response.identity_url == provider.identity("bruno")
    assert response.endpoint.server_url == provider.endpoint


def test_an_openid_of_ones_own_is_for_that_person_alone(provider: Provider) -> None:
    site = Site()
    assert site.complete(provider.decide(site.begin(provider.identity("ada")), "ada").fields).status == SUCCESS
    assert site.complete(provider.decide(site.begin(provider.identity("ada")), "bruno").fields).status == CANCEL


def test_cancel_is_told_to_the_site(provider: Provider) -> None:
    site = Site()
    assert site.complete(provider.decide(site.begin(provider.url), allow=False).fields).status == CANCEL


def test_what_is_asked_is_answered_and_signed(provider: Provider) -> None:
    fetch = ax.FetchRequest()
    for uri in ("http://axschema.org/contact/email", VERIFIED):
        fetch.add(ax.AttrInfo(uri, required=True))
    policy = pape.Request(preferred_auth_policies=[pape.AUTH_MULTI_FACTOR_PHYSICAL])
    site = Site()
    request = site.begin(provider.url, sreg.SRegRequest(optional=["nickname", "email"]), fetch, policy, Teams())
    response = site.complete(provider.decide(request, "chiara", security_key=True).fields)
    assert response.status == SUCCESS, response
    assert dict(sreg.SRegResponse.fromSuccessResponse(response).items()) == {
        "nickname": "chiara",
        "email": "chiara@people.example",
    }
    fetched = ax.FetchResponse.fromSuccessResponse(response)
    assert fetched.getSingle("http://axschema.org/contact/email") == "chiara@people.example"
    assert fetched.getSingle(VERIFIED) == "token_via_email"
    assert pape.AUTH_MULTI_FACTOR_PHYSICAL in pape.Response.fromSuccessResponse(response).auth_policies
    assert response.getSignedNS(TEAMS) == {"is_member": "sprint-schedulers,site-admins"}


def test_only_who_has_a_security_key_may_have_used_it(provider: Provider) -> None:
    site = Site()
    policy = pape.Request(preferred_auth_policies=[pape.AUTH_MULTI_FACTOR_PHYSICAL])
    response = site.complete(provider.decide(site.begin(provider.url, policy), "ada", security_key=True).fields)
    assert pape.Response.fromSuccessResponse(response).auth_policies == []


def test_renames_and_teams_change_between_sign_ins(provider: Provider) -> None:
    site = Site()
    provider.rename("ada", "countess")
    provider.put_into("countess", "site-admins")
    request = site.begin(provider.url, sreg.SRegRequest(optional=["nickname"]), Teams())
    response = site.complete(provider.decide(request, "countess").fields)
    assert sreg.SRegResponse.fromSuccessResponse(response)["nickname"] == "countess"
    assert response.getSignedNS(TEAMS) == {"is_member": "site-admins"}


def test_an_answer_too_long_for_an_address_comes_by_a_form(provider: Provider) -> None:
    teams = [f"a-team-with-a-rather-long-name-{number}" for number in range(80)]
    provider.put_into("ada", *teams)
    site = Site()
    answer = provider.decide(site.begin(provider.url, Teams(teams)))
    assert answer.posted
    assert site.complete(answer.fields).getSignedNS(TEAMS) == {"is_member": ",".join(teams)}


def test_a_forgotten_association_is_replaced_by_a_direct_check(provider: Provider) -> None:
    site = Site()
    request = site.begin(provider.url)
    provider.forget_associations()
    fields = provider.decide(request).fields
    assert "openid.invalidate_handle" in fields
    assert site.complete(fields).status == SUCCESS


def test_without_associations_each_answer_is_checked_directly_and_once(provider: Provider) -> None:
    provider.behave(associates=False)
    site = Site()
    request = site.begin(provider.url)
    assert "openid.assoc_handle" not in request
    fields = provider.decide(request).fields
    assert site.complete(fields).status == SUCCESS
    another = Site()
    another.begin(provider.url)
    # The other site never saw this nonce; it is the provider who refuses.
    assert another.complete(fields).status == FAILURE


def test_immediate_requests_succeed_for_nobody_in_particular(provider: Provider) -> None:
    site = Site()
    request = site.begin(provider.url, immediate=True)
    assert site.complete(provider.decide(request).fields).status == SETUP_NEEDED


def test_a_site_that_wants_the_answer_elsewhere_is_refused(provider: Provider) -> None:
    request = Consumer({}, MemoryStore()).begin(provider.url)
    status, _, page = provider.fetch(request.redirectURL(SITE, "http://elsewhere.example/"))
    assert status == 400
    assert "which is elsewhere" in page


def test_a_decision_needs_a_csrf_token(provider: Provider) -> None:
    assert provider.fetch(f"{provider.url}decide", {"allow": "1", "person": "a7fG3kQ"})[0] == 403


WITHOUT_CONNECT = """
import runpy, sys
sys.modules.update(dict.fromkeys(["authlib", "cryptography", "joserfc", "requests"]))
sys.argv[0] = "testproject.provider"
runpy.run_module("testproject.provider", run_name="__main__", alter_sys=True)
"""


def test_without_what_openid_connect_needs_it_speaks_openid(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with started(tmp_path, "-c", WITHOUT_CONNECT) as alone:
        site = Site()
        assert site.complete(alone.decide(site.begin(alone.url), "ada").fields).status == SUCCESS
        assert alone.fetch(f"{alone.url}.well-known/openid-configuration")[0] == 404
    assert "install djintegrate[oidc]" in capfd.readouterr().err


class Teams(sreg.Extension):
    ns_uri = TEAMS
    ns_alias = "lp"

    def __init__(self, teams: list[str] | None = None) -> None:
        self._teams = teams or ["sprint-schedulers", "nobody-is-in-this", "site-admins"]

    def getExtensionArgs(self) -> dict[str, str]:
        return {"query_membership": ",".join(self._teams)}
