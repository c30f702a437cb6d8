"""The macaroon extension, over real HTTP, and that it and the teams extension need no Django."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from openid.message import Message
from openid.server.server import CheckIDRequest

from djintegrate.openid_auth import macaroon, views
from tests.openid_auth.hostile import Hostile, sent_back
from tests.openid_auth.site import set_up

WITHOUT_DJANGO = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "asgiref"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
from djintegrate.openid_auth import macaroon, teams
assert teams.TeamsRequest(["a", "b"]).getExtensionArgs() == {"query_membership": "a,b"}
assert macaroon.MacaroonRequest("caveat").getExtensionArgs() == {"caveat_id": "caveat"}
print("fine")
"""


def test_both_extensions_import_without_django() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT_DJANGO], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")


@pytest.mark.django_db
@pytest.mark.parametrize("signed", [True, False])
def test_a_discharge_is_read_if_it_is_signed(
    settings: Any, hostile: Hostile, rf: Any, client: Client, signed: bool
) -> None:
    set_up(settings, hostile.host)
    request = rf.get("/")
    request.session = client.session
    consumer = views.make_consumer(request)
    openid_request = consumer.begin(hostile.select)
    openid_request.addExtension(macaroon.MacaroonRequest("the caveat"))
    message = openid_request.getMessage("http://testserver/", "http://testserver/back/")
    asked = macaroon.MacaroonRequest.fromOpenIDRequest(CheckIDRequest.fromMessage(message, hostile.endpoint))
    assert asked.caveat_id == "the caveat"

    fields = message.toPostArgs()
    discharge = {"openid.ns.macaroon": macaroon.ns_uri, "openid.macaroon.discharge": "MDAx"}
    answer = hostile.answer(fields)
    answer = hostile.sign(answer | discharge) if signed else hostile.sign(answer) | discharge
    values = {name: value for name, value in answer.items() if name.startswith("openid.")}
    token = sent_back(answer).partition("openid_state=")[2].partition("&")[0]
    response = consumer.complete({**values, "openid_state": token}, "http://testserver/back/")
    assert response.status == "success", response.message
    found = macaroon.MacaroonResponse.fromSuccessResponse(response)
    assert found.discharge_macaroon_raw == ("MDAx" if signed else None)


def test_an_answer_says_what_was_extracted() -> None:
    answer = macaroon.MacaroonResponse.extractResponse(macaroon.MacaroonRequest("c"), "MDAx")
    message = Message("http://specs.openid.net/auth/2.0")
    answer.toMessage(message)
    assert message.getArg(macaroon.ns_uri, "discharge") == "MDAx"
    assert macaroon.MacaroonResponse().getExtensionArgs() == {}


def test_an_alias_that_means_something_else_is_an_error() -> None:
    message = Message("http://specs.openid.net/auth/2.0")
    message.namespaces.addAlias("http://other.example/", "macaroon")
    with pytest.raises(macaroon.MacaroonNamespaceError):
        macaroon.getMacaroonNS(message)
