"""Clients that nobody here wrote: Dojo's own in Chromium, two from PyPI, and one from npm on Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import jsonrpcclient
import jsonrpclib
import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tests.dojo.conftest import dojo_root as dojo_root
from tests.jsonrpc import methods
from tests.jsonrpc.caller import Caller
from tests.jsonrpc.methods import site
from tests.support.browser import complaints
from tests.support.processes import one_at_a_time

pytestmark = pytest.mark.django_db(transaction=True)

CACHE = Path(__file__).parents[2] / ".cache" / "jsonrpc-clients"
NPM = "json-rpc-2.0@1.8"
PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>A page</title>
<script src="/static/dojo/dojo/dojo.js" data-dojo-config="async: true"></script>"""


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


urlpatterns = [path("json/", include(site.urls)), path("page/", page)]


@pytest.fixture
def url(live_server: Any, rpc: Caller, settings: Any) -> str:
    settings.ROOT_URLCONF = __name__
    return f"{live_server.url}/json/"


def post(url: str, message: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(message).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def test_jsonrpcclient(url: str) -> None:
    call = jsonrpcclient.request("subtract", params=(5, 3))
    assert jsonrpcclient.parse(post(url, call)) == jsonrpcclient.Ok(2, call["id"])
    call = jsonrpcclient.request_uuid("subtract", params={"minuend": 5, "subtrahend": 3})
    assert jsonrpcclient.parse(post(url, call)) == jsonrpcclient.Ok(2, call["id"])
    call = jsonrpcclient.request("fail", params=("own",))
    assert jsonrpcclient.parse(post(url, call)) == jsonrpcclient.Error(
        7, "All seats are taken", {"left": 0}, call["id"]
    )
    assert post(url, jsonrpcclient.notification("update", params=[1])) is None
    batch = [jsonrpcclient.request("sum", params=[number]) for number in range(3)]
    assert [each.result for each in jsonrpcclient.parse(post(url, batch))] == [0, 1, 2]


@pytest.mark.parametrize("version", [1.0, 2.0])
def test_jsonrpclib(version: float, url: str) -> None:
    server = jsonrpclib.ServerProxy(url, version=version)
    assert server.subtract(5, 3) == 2
    assert server.people.names() == []
    assert server.echo({"a": [1.5, None, "ä"]}) == {"a": [1.5, None, "ä"]}
    with pytest.raises(jsonrpclib.ProtocolError) as caught:
        server.fail("own")
    assert caught.value.args[0][:2] == (7, "All seats are taken")
    with pytest.raises(jsonrpclib.TransportError, match="204"):
        # The call is carried out. This client takes HTTP's own word for "nothing to say" for an error.
        server._notify.update(1)
    assert methods.heard == [[1]]
    if version == 2.0:
        batch = jsonrpclib.MultiCall(server)
        for number in range(3):
            batch.sum(number)
        assert list(batch()) == [0, 1, 2]


NODE = """
const { JSONRPCClient } = require("json-rpc-2.0");
const client = new JSONRPCClient(async (message) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(process.argv[1], { method: "POST", headers, body: JSON.stringify(message) });
  if (response.status === 200) client.receive(await response.json());
  else if (message.id !== undefined) throw new Error(response.statusText);
});
(async () => {
  const told = [];
  told.push(await client.request("subtract", [5, 3]));
  told.push(await client.request("subtract", { minuend: 5, subtrahend: 3 }));
  await client.request("fail", ["own"]).catch((error) => told.push([error.code, error.message, error.data]));
  await client.request("no.such").catch((error) => told.push(error.code));
  client.notify("update", [1]);
  const batch = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "sum", params: [id, 1] }));
  told.push((await client.requestAdvanced(batch)).map((each) => each.result));
  console.log(JSON.stringify(told));
})();
"""


@pytest.fixture(scope="session")
def npm_client(db_kind: str) -> Path:
    if db_kind != "sqlite":
        pytest.skip("What needs Node runs beside SQLite alone.")
    missing = [program for program in ("node", "npm") if not shutil.which(program)]
    why = f"No {' and no '.join(missing)} in PATH. On Debian, as root: apt-get install nodejs npm"
    with one_at_a_time(CACHE):
        if not missing and not (CACHE / "node_modules" / "json-rpc-2.0").exists():
            command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", NPM]
            done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True)
            missing, why = (
                (["json-rpc-2.0"], f"npm did not install {NPM}: {done.stderr}") if done.returncode else ([], "")
            )
    if missing and os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(why)
    if missing:
        pytest.skip(why)
    return CACHE


def test_json_rpc_20_of_npm(url: str, npm_client: Path) -> None:
    done = subprocess.run(["node", "-e", NODE, "--", url], cwd=npm_client, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [2, 2, [7, "All seats are taken", {"left": 0}], -32601, [2, 3]]


DOJO = """
const done = arguments[arguments.length - 1];
require(["dojox/rpc/Service", "dojox/rpc/JsonRPC"], (Service) => {
  const told = [], service = new Service("/json/smd");
  const say = (value) => { told.push(value); };
  const wrong = (error) => { told.push([error._rpcErrorObject.code, error._rpcErrorObject.message]); };
  service.subtract(5, 3).then(say)
    .then(() => service.subtract({minuend: 5, subtrahend: 3})).then(say)
    .then(() => service.echo({value: {a: [1, null, "\\u00e4"]}})).then(say)
    .then(() => service.people.names()).then(say)
    .then(() => service.people.add("Ada")).then(say)
    .then(() => service.fail("own")).then(say, wrong)
    .then(() => service.subtract("a", 3)).then(say, wrong)
    .then(() => done(told), (error) => done(["broken", String(error)]));
});
"""


def test_dojos_service_reads_the_smd_and_calls(url: str, browser: Any, dojo_root: Path) -> None:
    browser.get(url.removesuffix("json/") + "page/")
    told = browser.execute_async_script(DOJO)
    assert told[:6] == [2, 2, {"a": [1, None, "ä"]}, [], 1, [7, "All seats are taken"]]
    assert told[6][0] == -32602
    assert complaints(browser) == []
