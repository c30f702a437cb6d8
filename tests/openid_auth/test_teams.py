"""The Launchpad teams extension, message by message."""

from __future__ import annotations

import pytest
from openid.message import OPENID2_NS, Message

from djintegrate.openid_auth.teams import TeamsNamespaceError, TeamsRequest, TeamsResponse, getTeamsNS, ns_uri


def test_a_request_says_which_teams() -> None:
    message = Message(OPENID2_NS)
    request = TeamsRequest(["one", "two", "one"])
    request.toMessage(message)
    assert message.toPostArgs() == {
        "openid.ns": OPENID2_NS,
        "openid.ns.lp": "http://ns.launchpad.net/2007/openid-teams",
        "openid.lp.query_membership": "one,two",
    }
    assert request.wereTeamsRequested()
    assert "one" in request
    assert "three" not in request
    assert request.allRequestedTeams() == ["one", "two"]
    assert TeamsRequest().getExtensionArgs() == {}


def test_a_provider_reads_it() -> None:
    message = Message.fromPostArgs(
        {"openid.ns": OPENID2_NS, "openid.ns.x": ns_uri, "openid.x.query_membership": "a,,b"}
    )
    request = TeamsRequest.fromOpenIDRequest(type("Request", (), {"message": message}))
    assert request.query_membership == ["a", "b"]
    assert TeamsResponse.extractResponse(request, "a").getExtensionArgs() == {"is_member": "a"}


def test_strict_requests_refuse_a_team_twice_and_one_text_for_a_list() -> None:
    request = TeamsRequest(["a"])
    with pytest.raises(ValueError, match="already"):
        request.requestTeam("a", strict=True)
    with pytest.raises(TypeError, match="list of team names"):
        request.requestTeams("a")


def test_an_answer_says_which_of_them() -> None:
    response = TeamsResponse(["a"])
    response.addTeam("b")
    response.addTeam("a")
    assert response.getExtensionArgs() == {"is_member": "a,b"}


def test_without_a_declaration_openid_1_knows_the_alias() -> None:
    message = Message.fromPostArgs({"openid.lp.is_member": "a"})
    assert getTeamsNS(message) == ns_uri
    assert message.getArg(ns_uri, "is_member") == "a"


def test_an_alias_that_means_something_else_is_an_error() -> None:
    message = Message.fromPostArgs({"openid.ns": OPENID2_NS, "openid.ns.lp": "http://other.example/"})
    with pytest.raises(TeamsNamespaceError):
        getTeamsNS(message)
