"""The pages about OpenID Connect: docs/how-to/openid-connect.md, and the table of the OpenID Foundation's tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from djintegrate.openid_auth import conf
from tests.openid_auth.site import Visitor
from tests.openid_auth.villain import Villain
from tests.support.doc_pages import blocks

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGE = (DOCS / "explanation/openid-connect.md").read_text()
TABLE = [row.strip("| ").split(" | ") for row in PAGE.splitlines() if re.match(r"\| `(oidcc-client-test`|-)", row)]
SUITE = """
3rd-party-init-login aggregated-claims client-secret-basic discovery-issuer-mismatch discovery-jwks-uri-keys
discovery-openid-config discovery-webfinger-acct discovery-webfinger-url distributed-claims dynamic-registration
form-post-error idtoken-sig-none idtoken-sig-rs256 invalid-athash invalid-aud invalid-chash invalid-iss
invalid-sig-es256 invalid-sig-hs256 invalid-sig-rs256 kid-absent-multiple-jwks kid-absent-single-jwks missing-athash
missing-aud missing-chash missing-iat missing-sub mtls-endpoint-aliases nonce-invalid nonce-unless-code-flow
refresh-token refresh-token-invalid-issuer refresh-token-invalid-sub request-uri-signed-none request-uri-signed-rs256
rp-backchannel-rpinitlogout rp-backchannel-rpinitlogout-alg-none rp-backchannel-rpinitlogout-no-event
rp-backchannel-rpinitlogout-with-nonce rp-backchannel-rpinitlogout-wrong-alg rp-backchannel-rpinitlogout-wrong-aud
rp-backchannel-rpinitlogout-wrong-event rp-backchannel-rpinitlogout-wrong-iss rp-frontchannel-opinitlogout
rp-frontchannel-rpinitlogout rp-init-logout rp-init-logout-no-state rp-init-logout-other-state scope-userinfo-claims
session-management signing-key-rotation signing-key-rotation-just-before-signing userinfo-bearer-body
userinfo-bearer-header userinfo-invalid-sub userinfo-signed
"""
"""The suite's modules whose names begin with oidcc-client-test-, of November 2026."""


def test_every_test_of_the_suite_is_in_the_table_once() -> None:
    named = [name for row in TABLE for name in re.findall(r"`(?:oidcc-client-test|-([\w-]+))`", row[0])]
    assert sorted(named) == sorted(["", *SUITE.split()])


def test_each_row_names_tests_that_are_there_or_says_that_it_is_not() -> None:
    defined = set(re.findall(r"def (test_\w+)", "".join(path.read_text() for path in HERE.glob("test_connect*.py"))))
    for _, _, shown in TABLE:
        named = re.findall(r"`(test_\w+)`", shown)
        assert (shown == "not there") != bool(named), shown
        assert set(named) <= defined, shown


def test_every_key_of_an_entry_is_in_the_reference() -> None:
    reference = (DOCS / "reference/openid-settings.md").read_text()
    section = reference.partition("## A provider of OpenID Connect")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` ", section, re.MULTILINE))
    accepted = {
        "name", "issuer", "client_id", "icon", "key", "client_secret", "private_key", "auth_method", "scope",
        "groups_claim", "trust_groups", "trust_email",
    }  # fmt: skip
    assert listed == accepted
    right = {"name": "x", "issuer": "https://a.example", "client_id": "x"}
    for name in accepted - set(right) - {"auth_method", "trust_groups", "trust_email"}:
        assert conf.provider({**right, name: "x"})[name] == "x"


@pytest.mark.django_db
def test_the_rule_of_the_how_to_links(villain: Villain, settings: Any) -> None:
    [block] = [block for block in blocks("docs/how-to/openid-connect.md", "python") if "def link" in block.text]
    rule = block.run({})["link"]
    settings.OPENID_LINK = lambda issuer, claims: rule("https://id.example.com", claims)
    known = User.objects.create_user("staff-12")
    visitor = Visitor()
    assert villain.sign_in(visitor, employee_number="12").status_code == 302
    assert visitor.user == known
    assert rule(villain.issuer, {"employee_number": "12"}) is None
