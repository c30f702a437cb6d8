"""Answers that were changed on their way: each signed field, each unsigned one, and what somebody added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openid.store.nonce import mkNonce

from djintegrate.openid_auth.protocol.state import PARAMETER
from tests.openid_auth.hostile import AX, PAPE, SIGNON, SREG, TEAMS, Hostile, sent_back, xrds
from tests.openid_auth.site import Visitor, refused, set_up, with_changes

pytestmark = pytest.mark.django_db

EVERYBODY = ["openid.claimed_id", "openid.identity", "openid.op_endpoint", "openid.return_to", "openid.response_nonce"]


@pytest.fixture(autouse=True)
def site(settings: Any, hostile: Hostile) -> None:
    set_up(settings, hostile.host)


class TestTampering:
    def good(self, hostile: Hostile) -> tuple[Visitor, dict[str, str]]:
        visitor = Visitor()
        answer = hostile.answer(
            visitor.request(hostile.select),
            ns__sreg=SREG, sreg__email="mallory@evil.example", sreg__nickname="mallory",
            ns__lp=TEAMS, lp__is_member="site-admins",
        )  # fmt: skip
        return visitor, hostile.sign(answer)

    def fields(self) -> Iterator[str]:
        yield from EVERYBODY
        yield from ("openid.ns", "openid.mode", "openid.assoc_handle", "openid.sig", "openid.signed")
        yield from (
            "openid.ns.sreg",
            "openid.sreg.email",
            "openid.sreg.nickname",
            "openid.ns.lp",
            "openid.lp.is_member",
        )
        yield from (PARAMETER,)

    def test_a_changed_field_refuses_the_answer(self, hostile: Hostile) -> None:
        for name in self.fields():
            for change in (lambda value: value + "x", lambda value: "", lambda value: value[::-1], lambda value: None):
                visitor, answer = self.good(hostile)
                changed = change(answer.get(name, "token"))
                response = visitor.complete(with_changes(sent_back(answer), **{name: changed}))
                assert refused(response), (name, changed)

    def test_what_is_added_without_a_signature_is_not_read(self, hostile: Hostile) -> None:
        visitor = Visitor()
        answer = hostile.sign(hostile.answer(visitor.request(hostile.select)))
        added = {
            "openid.ns.sreg": SREG, "openid.sreg.email": "root@site.example", "openid.sreg.nickname": "root",
            "openid.ns.ax": AX, "openid.ax.mode": "fetch_response",
            "openid.ax.type.email": "http://axschema.org/contact/email", "openid.ax.value.email": "root@site.example",
        }  # fmt: skip
        assert visitor.complete(sent_back(answer | added)).status_code == 302
        assert (visitor.who, visitor.user.email) == ("openiduser", "")

    def test_multifactor_claimed_without_a_signature_is_none(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
        policy = "http://schemas.openid.net/pape/policies/2007/06/multi-factor-physical"
        added = {"openid.ns.pape": PAPE, "openid.pape.auth_policies": policy}
        visitor = Visitor()
        request = visitor.request(hostile.select)
        assert refused(visitor.complete(sent_back(hostile.sign(hostile.answer(request)) | added)))
        visitor = Visitor()
        request = visitor.request(hostile.select)
        assert visitor.complete(sent_back(hostile.sign(hostile.answer(request) | added))).status_code == 302

    def test_fields_that_must_be_signed_must(self, hostile: Hostile) -> None:
        for name in [*EVERYBODY, "openid.assoc_handle"]:
            visitor = Visitor()
            answer = hostile.answer(visitor.request(hostile.select))
            names = [other[7:] for other in answer if other not in ("openid.mode", name)]
            assert refused(visitor.complete(sent_back(hostile.sign(answer, names)))), name

    def test_an_answer_of_openid_1_to_a_request_of_openid_2_is_refused(self, hostile: Hostile) -> None:
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select))
        for name in ("openid.ns", "openid.op_endpoint", "openid.claimed_id", "openid.response_nonce"):
            del answer[name]
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_not_even_where_the_provider_offers_both(self, hostile: Hostile) -> None:
        both = xrds(hostile.endpoint, SIGNON, "http://openid.net/signon/1.1")
        url = hostile.serve("both", both, Content_Type="application/xrds+xml")
        visitor = Visitor()
        request = visitor.request(url)
        answer = {
            "openid.mode": "id_res", "openid.identity": url, "openid.assoc_handle": request["openid.assoc_handle"],
            "openid.return_to": f"{request['openid.return_to']}&janrain_nonce={mkNonce()}",
        }  # fmt: skip
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_an_answer_meant_for_another_site_is_refused(self, hostile: Hostile) -> None:
        for elsewhere in ("http://other.example/openid/complete/", "http://testserver/elsewhere/"):
            visitor = Visitor()
            request = visitor.request(hostile.select)
            good = request["openid.return_to"]
            request["openid.return_to"] = good.replace("http://testserver/openid/complete/", elsewhere)
            fields = hostile.sign(hostile.answer(request))
            assert refused(visitor.complete(sent_back(fields | {"openid.return_to": good})))
            bad = sent_back(fields).replace("other.example", "testserver").replace("/elsewhere/", "/openid/complete/")
            assert refused(visitor.complete(bad))

    def test_parameters_that_are_not_in_the_signed_address_are_refused(self, hostile: Hostile) -> None:
        visitor = Visitor()
        answer = hostile.sign(hostile.answer(visitor.request(hostile.select)))
        assert refused(visitor.complete(with_changes(sent_back(answer), next="https://evil.example/")))
