"""A provider that agrees at once, in a thread: SREG details and the teams that are asked about. For measuring only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openid.extension import Extension
from openid.extensions import sreg
from openid.server.server import CheckIDRequest, Server
from openid.store.memstore import MemoryStore

TEAMS = "http://ns.launchpad.net/2007/openid-teams"
XRDS = """<?xml version="1.0" encoding="UTF-8"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD>
<Service><Type>http://specs.openid.net/auth/2.0/{kind}</Type><URI>{url}endpoint</URI></Service></XRD></xrds:XRDS>"""
PERSON = {"nickname": "ada", "fullname": "Ada Okoye", "email": "ada@people.example"}


class TeamsResponse(Extension):
    ns_uri = TEAMS
    ns_alias = "lp"

    def __init__(self, names: str) -> None:
        self._names = names

    def getExtensionArgs(self) -> dict[str, str]:
        return {"is_member": self._names}


class Handler(BaseHTTPRequestHandler):
    store = MemoryStore()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/endpoint":
            self._answer(dict(parse_qsl(parts.query)))
            return
        kind = "signon" if parts.path.startswith("/id/") else "server"
        self._send(200, XRDS.format(kind=kind, url=self._url()).encode(), {"Content-Type": "application/xrds+xml"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(dict(parse_qsl(body.decode())))

    def _answer(self, query: dict[str, str]) -> None:
        server = Server(self.store, op_endpoint=f"{self._url()}endpoint")
        request = server.decodeRequest(query)
        if isinstance(request, CheckIDRequest):
            response = request.answer(True, identity=f"{self._url()}id/ada")
            response.addExtension(
                sreg.SRegResponse.extractResponse(sreg.SRegRequest.fromOpenIDRequest(request), PERSON)
            )
            response.addExtension(TeamsResponse("team-0,team-1"))
        else:
            response = server.handleRequest(request)
        web: Any = server.encodeResponse(response)
        self._send(web.code, web.body.encode() if isinstance(web.body, str) else web.body, web.headers)

    def _url(self) -> str:
        return f"http://{self.headers['Host']}/"

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def running() -> Iterator[str]:
    """The provider's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
