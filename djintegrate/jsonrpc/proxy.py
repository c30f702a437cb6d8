"""A client: ServiceProxy("https://example.com/json/").app.sayHello("Sam") gives the whole answer, an error included."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from .protocol.messages import VERSIONS
from .protocol.writing import encode

ID = "jsonrpc"
LONGEST_SHOWN = 200
TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)


class ServiceError(Exception):
    """What came back is no answer: the service was not reached, or it is none."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        # A redirected POST would become a GET, without the call.
        return None


class ServiceProxy:
    """A client of the service at `url`. `auth` is a pair of name and password, for HTTP Basic."""

    def __init__(
        self,
        url: str,
        method: str = "",
        *,
        version: str = "1.0",
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(
                f"{url!r} is not the address of a service. Write it whole, as in https://example.com/json/"
            )
        if version not in VERSIONS:
            raise ValueError(f"There is no JSON-RPC {version!r}. Take one of {', '.join(VERSIONS)}.")
        self.__url = url
        self.__method = method
        self.__options: dict[str, Any] = {"version": version, "auth": auth, "headers": headers, "timeout": timeout}

    def __getattr__(self, name: str) -> ServiceProxy:
        if name.startswith("__"):
            raise AttributeError(name)
        return ServiceProxy(self.__url, f"{self.__method}.{name}".lstrip("."), **self.__options)

    def __getitem__(self, name: str) -> ServiceProxy:
        """For names that are no names of Python's: proxy["rpc.discover"]."""
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<ServiceProxy {self.__url} {self.__method}>".replace(" >", ">")

    def __call__(self, *params: Any, **named: Any) -> dict[str, Any]:
        if params and named:
            raise TypeError("JSON-RPC has parameters by place or by name, not both in one call.")
        return self._call(encode(named or list(params)), json.loads)

    def _call(self, params: str, read: Callable[[bytes], Any]) -> dict[str, Any]:
        """`params` is JSON already. `read` makes of the answer's body what is returned."""
        version = self.__options["version"]
        said = {"2.0": '"jsonrpc": "2.0", ', "1.1": '"version": "1.1", '}.get(version, "")
        body = f'{{{said}"method": {json.dumps(self.__method)}, "params": {params}, "id": "{ID}"}}'
        return _answer(self.__url, *self._sent(body.encode()), read)

    def _sent(self, body: bytes) -> tuple[int, bytes]:
        """The answer's status, and its body."""
        request = urllib.request.Request(self.__url, body, {"Content-Type": "application/json"})
        auth = self.__options["auth"]
        if auth is not None:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(auth).encode()).decode())
        for name, value in (self.__options["headers"] or {}).items():
            request.add_header(name, value)
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=self.__options["timeout"]) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            # Also what is no success at HTTP's level may have an answer for its body.
            with error:
                return error.code, error.read()
        except OSError as error:
            raise ServiceError(f"{self.__url} was not reached: {getattr(error, 'reason', error)}.") from error


def _answer(url: str, status: int, text: bytes, read: Callable[[bytes], Any]) -> dict[str, Any]:
    try:
        answer = read(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        path = url.partition("?")[0]
        question = "" if path.endswith("/") else f" Is a slash missing at the end of the address? Try {path}/"
        raise ServiceError(f"{url} gave no JSON-RPC answer, but HTTP status {status}: {_shown(text)}.{question}")
    return answer


def _shown(text: bytes) -> str:
    """The beginning; or of a web page, whose beginning says nothing, the title."""
    said = text.decode(errors="replace")
    title = TITLE.search(said)
    if title is not None:
        return f"a web page, {' '.join(html.unescape(title[1]).split())[:LONGEST_SHOWN]!r}"
    return repr(said[:LONGEST_SHOWN]) if said else "an empty body"
