"""Fetches what strangers name: over http and https, from public addresses only, within limits on time and size.

Each name is resolved once, all its addresses are judged, and the connection is made to one of them: nothing is looked
up again. Uses no proxy, no cookies and no credentials.
"""

from __future__ import annotations

import http.client
import io
import logging
import queue
import re
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from openid.fetchers import HTTPFetcher, HTTPFetchingError, HTTPResponse

from ..conf import config
from .addresses import is_public
from .deadline import Deadline

logger = logging.getLogger("djintegrate.openid_auth")

MAX_URL = 2047
"""As long as an address may be, here and in the columns of models.py."""
USUAL_PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
AGENT = "djintegrate-openid"


class FetchRefused(HTTPFetchingError):
    """The address is not to be fetched, or its answer not to be used. The reason is for the log, not for the page."""


class Unresolved(FetchRefused):
    """Where the address leads is not known at the moment. To a page it is as any other that is refused."""


@dataclass(frozen=True)
class Target:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_and_port(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def allowed_by_setting(self) -> bool:
        """An exception names a host and a port; without one, the port is the usual one of the address's scheme."""
        names = {f"{self.host}:{self.port}", self.host_and_port, self.host_header}
        if self.port == USUAL_PORTS[self.scheme]:
            names.add(self.host)
        return not names.isdisjoint(config.fetch_allowed_hosts)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


class Fetcher(HTTPFetcher):
    """What discovery, association and direct verification go through, within one deadline for all of them."""

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._deadline = deadline or Deadline(config.fetch_timeout)

    def fetch(self, url: str, body: str | bytes | None = None, headers: dict[str, str] | None = None) -> HTTPResponse:
        """The answer, whatever its status; HTTPFetchingError if there is none to be had."""
        try:
            return self._follow(url, body, headers or {})
        except FetchRefused as refusal:
            logger.warning("Refused to fetch %.200r: %s", url, refusal.why)
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            logger.warning("Could not fetch %.200r: %r", url, error)
            raise HTTPFetchingError(error) from error

    def _follow(self, url: str, body: str | bytes | None, headers: dict[str, str]) -> HTTPResponse:
        for _ in range(config.fetch_max_redirects + 1):
            target = parse(url)
            response = _request(target, body, headers, self._deadline)
            response.final_url = url
            location = response.headers.get("location")
            if body is not None or _has_credentials(headers) or response.status not in REDIRECTS or not location:
                return response
            following = urldefrag(urljoin(url, location))[0]
            if target.scheme == "https" and not following.lower().startswith("https:"):
                raise FetchRefused(f"it redirects from https to {following[:200]!r}")
            url = following
        raise FetchRefused(f"it redirects more than {config.fetch_max_redirects} times")


def _has_credentials(headers: dict[str, str]) -> bool:
    """What is meant for one server is not carried to another."""
    return any(name.lower() == "authorization" for name in headers)


def parse(url: str) -> Target:
    """`url` taken apart; FetchRefused if it is one that nothing here would ever fetch."""
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise FetchRefused("it is not an address of the web, or too long")
    parts = urlsplit(url)
    if parts.scheme not in USUAL_PORTS or not parts.hostname or "@" in parts.netloc:
        raise FetchRefused("only http and https addresses with a host and without credentials are fetched")
    target = Target(
        parts.scheme,
        parts.hostname,
        parts.port or USUAL_PORTS[parts.scheme],
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    # Ports below 1024 belong to other services, which may take a request for a command of theirs.
    if target.port < 1024 and target.port not in USUAL_PORTS.values() and not target.allowed_by_setting:
        raise FetchRefused(f"port {target.port} is not one of the web's")
    return target


def _request(target: Target, body: str | bytes | None, headers: dict[str, str], deadline: Deadline) -> HTTPResponse:
    content = body.encode() if isinstance(body, str) else body
    connection = _PinnedConnection(target, deadline)
    try:
        connection.request(
            "GET" if content is None else "POST",
            target.path,
            body=content,
            headers={
                "Host": target.host_header,
                "User-Agent": AGENT,
                "Accept-Encoding": "identity",
                **({} if content is None else {"Content-Type": "application/x-www-form-urlencoded"}),
                **headers,
            },
        )
        answer = connection.getresponse()
        limit = config.fetch_max_bytes
        content = answer.read(limit + 1)
        if len(content) > limit:
            raise FetchRefused(f"it is longer than {limit} bytes")
        return HTTPResponse(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            body=content,
        )
    finally:
        connection.hang_up()


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to an address that was judged, in whatever time is left."""

    def __init__(self, target: Target, deadline: Deadline) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._deadline = deadline
        self._open: socket.socket | None = None

    def hang_up(self) -> None:
        self.close()
        if self._open is not None:
            self._open.close()

    def connect(self) -> None:
        error: OSError | None = None
        for family, address in _judged(self._target, self._deadline):
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                plain.settimeout(self._deadline.left())
                plain.connect(address)
                self._open = self._secured(plain)
                self.sock: Any = _TimedSocket(self._open, self._deadline)
                return
            except OSError as failure:
                plain.close()
                error = failure
        raise error or OSError("The name has no address.")

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._target.scheme == "http":
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self._target.host)


class _TimedSocket:
    """A socket as http.client uses it. Each step has only the time that is left: no drip of bytes keeps it open."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: Any) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Does nothing: http.client closes its socket while the body is still to be read. hang_up() closes it."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


def _judged(target: Target, deadline: Deadline) -> list[tuple[int, Any]]:
    """Where to connect: what the name resolves to, if that is all public or the settings allow the host."""
    found = _resolve(target.host, target.port, deadline)
    if not target.allowed_by_setting:
        for _, address in found:
            if not is_public(address[0]):
                is_address = "" if address[0] == target.host else f" is {address[0]}, which"
                raise FetchRefused(
                    f"{target.host}{is_address} is not a public address. If it is a provider of yours, "
                    f"OPENID_FETCH_ALLOWED_HOSTS may name {target.host_and_port!r}"
                )
    return found


def _resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """getaddrinfo() takes no time limit, so it runs in a thread that may be left behind."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="openid-resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise Unresolved(f"looking up {host!r} took too long") from None
    if isinstance(answer, Exception):
        # The page says the same as for an inner address, or a stranger could learn which names our network has.
        raise Unresolved(f"looking up {host!r} failed: {answer}") from answer
    return [(family, address) for family, _, _, _, address in answer]
