"""A provider that does what it is told by the tests, in a process of its own: python -m tests.openid_auth.hostile

It signs any answer, serves any document, floods, drips and redirects, and counts who asked for what. Its first line of
output is its address. The fixture `hostile` drives it; a second one, `internal`, stands for what must not be reached.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from openid.server.server import Server
from openid.store.memstore import MemoryStore
from openid.store.nonce import mkNonce

ROOT = Path(__file__).resolve().parents[2]
XRDS = """<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service priority="0">
{types}<URI>{endpoint}</URI></Service></XRD></xrds:XRDS>"""
SELECT = "http://specs.openid.net/auth/2.0/server"
SIGNON = "http://specs.openid.net/auth/2.0/signon"
AX = "http://openid.net/srv/ax/1.0"
TEAMS = "http://ns.launchpad.net/2007/openid-teams"
SREG = "http://openid.net/extensions/sreg/1.1"
PAPE = "http://specs.openid.net/extensions/pape/1.0"


def xrds(endpoint: str, *types: str) -> str:
    return XRDS.format(endpoint=endpoint, types="".join(f"<Type>{uri}</Type>" for uri in types))


class Hostile:
    """The tests' side of the process."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def endpoint(self) -> str:
        return f"{self.url}endpoint"

    @property
    def select(self) -> str:
        """What begins identifier select here."""
        return f"{self.url}select"

    def identity(self, name: str = "mallory") -> str:
        return f"{self.url}id/{name}"

    def serve(self, path: str, body: str | bytes = b"", status: int = 200, delay: float = 0, **headers: str) -> str:
        """From now on, `path` is this document, after `delay` seconds. Its address."""
        content = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        document = {"status": status, "headers": named, "body": content.decode("latin1"), "delay": delay}
        self._tell("serve", {"path": f"/{path}", **document})
        return f"{self.url}{path}"

    def serve_headers(self, path: str, headers: list[list[str]]) -> str:
        """From now on, `path` is an empty document with these headers, which may have one name several times."""
        document = {"status": 200, "headers": headers, "body": "", "delay": 0}
        self._tell("serve", {"path": f"/{path}", **document})
        return f"{self.url}{path}"

    def sign(self, fields: dict[str, str], signed: list[str] | None = None) -> dict[str, str]:
        """`fields` with a valid signature over those in `signed`, or over them all."""
        answer: dict[str, str] = self._tell("sign", {"fields": fields, "signed": signed})
        return answer

    def answer(self, request: dict[str, str], claimed_id: str = "", **fields: str) -> dict[str, str]:
        """A positive answer to a site's request, not yet signed. A double underscore stands for a dot."""
        identity = claimed_id or self.identity()
        return {
            "openid.ns": "http://specs.openid.net/auth/2.0",
            "openid.mode": "id_res",
            "openid.op_endpoint": self.endpoint,
            "openid.claimed_id": identity,
            "openid.identity": identity,
            "openid.return_to": request["openid.return_to"],
            "openid.response_nonce": mkNonce(),
            "openid.assoc_handle": request.get("openid.assoc_handle", "unknown"),
            **{f"openid.{name.replace('__', '.')}": value for name, value in fields.items()},
        }

    def hits(self) -> list[str]:
        """The paths that were asked for, by GET or POST, since the last time somebody looked."""
        paths: list[str] = self._tell("hits", {})
        return paths

    def _tell(self, what: str, data: dict[str, Any]) -> Any:
        body = json.dumps(data).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}control/{what}", body, timeout=20) as response:
            return json.load(response)


def sent_back(fields: dict[str, str]) -> str:
    """The address that carries an answer to the site."""
    parts = urlsplit(fields["openid.return_to"])
    query = urlencode({name: value for name, value in fields.items() if name.startswith("openid.")})
    return parts._replace(query="&".join(filter(None, (parts.query, query)))).geturl()


@pytest.fixture(scope="session")
def hostile_process() -> Iterator[Hostile]:
    with running() as url:
        yield Hostile(url)


@pytest.fixture(scope="session")
def internal_process() -> Iterator[Hostile]:
    with running() as url:
        yield Hostile(url)


@pytest.fixture
def hostile(hostile_process: Hostile) -> Hostile:
    hostile_process.hits()
    return hostile_process


@pytest.fixture
def internal(internal_process: Hostile) -> Hostile:
    """Another server on this machine, which no site here has any business with."""
    internal_process.hits()
    return internal_process


class running:
    """The process, for as long as the block lasts; its value is the address."""

    def __enter__(self) -> str:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.openid_auth.hostile"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        url = self.process.stdout.readline().strip()
        assert url, "The hostile provider did not start."
        return url

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)


# The process itself


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    documents: dict[str, dict[str, Any]] = {}
    paths: list[str] = []
    store = MemoryStore()

    def do_GET(self) -> None:
        self.paths.append(self.path)
        path = urlsplit(self.path).path
        if path in self.documents:
            document = self.documents[path]
            time.sleep(document["delay"])
            self._send(document["body"].encode("latin1"), document["status"], document["headers"])
        elif path == "/select":
            self._xrds(SELECT, SREG, TEAMS)
        elif path == "/select-ax":
            self._xrds(SELECT, AX)
        elif path.startswith("/id/"):
            self._xrds(SIGNON)
        elif path == "/flood":
            self._flood(10 * 1024 * 1024)
        elif path == "/drip":
            self._drip()
        elif path.startswith("/round/"):
            self._send(b"", 302, {"Location": f"/round/{int(path.rpartition('/')[2]) + 1}"})
        else:
            self._send(b"nothing here", 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/control/"):
            result = getattr(self, f"_{self.path.rpartition('/')[2]}")(json.loads(body))
            self._send(json.dumps(result).encode(), 200, {"Content-Type": "application/json"})
            return
        if self.path in self.documents or self.path.startswith(("/flood", "/drip", "/round/")):
            self.do_GET()
            return
        self.paths.append(self.path)
        provider = Server(self.store, op_endpoint=f"http://{self.headers['Host']}/endpoint")
        request = provider.decodeRequest(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        answer = provider.encodeResponse(provider.handleRequest(request))
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self._send(content, answer.code, {"Content-Type": "text/plain"})

    def _serve(self, document: dict[str, Any]) -> bool:
        self.documents[document["path"]] = document
        return True

    def _hits(self, _: dict[str, Any]) -> list[str]:
        seen = list(self.paths)
        self.paths.clear()
        return seen

    def _sign(self, data: dict[str, Any]) -> dict[str, str]:
        fields = data["fields"]
        names = data["signed"]
        if names is None:
            names = sorted(name[7:] for name in fields if name.startswith("openid.") and name != "openid.mode")
        provider = Server(self.store, op_endpoint="http://irrelevant.example/")
        signatory = provider.signatory
        association = signatory.getAssociation(fields["openid.assoc_handle"], dumb=False)
        if association is None:
            association = signatory.createAssociation(dumb=True)
            fields["openid.assoc_handle"] = association.handle
        fields["openid.signed"] = ",".join([*names, "signed"])
        pairs = [(name, fields.get(f"openid.{name}", "")) for name in [*names, "signed"]]
        fields["openid.sig"] = base64.b64encode(association.sign(pairs)).decode()
        return dict(fields)

    def _xrds(self, *types: str) -> None:
        document = xrds(f"http://{self.headers['Host']}/endpoint", *types)
        self._send(document.encode(), 200, {"Content-Type": "application/xrds+xml"})

    def _flood(self, size: int) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _ in range(size // 65536):
                self.wfile.write(b"x" * 65536)

    def _drip(self) -> None:
        """A head that never ends, a letter at a time."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
            for _ in range(600):
                self.wfile.write(b"a")
                self.wfile.flush()
                time.sleep(0.1)

    def _send(self, body: bytes, status: int = 200, headers: Any = None) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers.items() if isinstance(headers, dict) else headers or ():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    server = _Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
