"""`manage.py openid_adopt` on what python-social-auth and django-allauth keep, in tables that their migrations made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def outcome() -> Any:
    done = python("-W", "ignore", "-m", "tests.openid_auth.other_apps_site", cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_openid_identities_are_copied_and_no_others(outcome: Any) -> None:
    url = "https://login.launchpad.net/+id/"
    assert outcome["found"] == [["ada", f"{url}ada"], ["ada", "https://me.example/"], ["bruno", f"{url}bruno"]]


def test_each_run_says_what_it_did(outcome: Any) -> None:
    dry, first, second = outcome["said"]
    assert "social_auth_usersocialauth: 2 to copy, 0 here already, 0 expired, 1 in conflict" in dry
    assert "Nothing was written" in dry
    assert "social_auth_usersocialauth: 2 copied" in first
    assert "socialaccount_socialaccount: 1 copied, 0 here already, 0 expired, 1 in conflict" in first
    assert "social_auth_usersocialauth: 0 copied, 2 here already" in second
    assert "socialaccount_socialaccount: 0 copied, 1 here already" in second


def test_what_cannot_be_an_identity_or_is_anothers_is_said(outcome: Any) -> None:
    assert "bruno of user 2 is not the address of an identity" in outcome["said"][1]
    assert "1 was left out; there is nothing to decide." in outcome["said"][1]
    assert "https://me.example/ belongs to user 2 there, and to user 1 here" in outcome["said"][1]
    assert outcome["said"][2].endswith("refused: 1 identity was left out for you to decide; the old tables keep it.\n")
