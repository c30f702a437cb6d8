"""What a browser sent, as text that can be stored, logged and shown.

A browser names the charset of what it sends, and some charsets decode to halves of characters, which nothing encodes.
"""

from __future__ import annotations

from django.http import HttpRequest, QueryDict


def submitted(request: HttpRequest) -> QueryDict:
    """What the request says in its address and in its body together."""
    return _whole(*_read(request))


def in_body_or_address(request: HttpRequest) -> QueryDict:
    """What the request says in its body if it is a POST, else in its address."""
    address, body = _read(request)
    return _whole(body if request.method == "POST" else address)


def _read(request: HttpRequest) -> tuple[QueryDict, QueryDict]:
    try:
        return request.GET, request.POST
    except (UnicodeError, LookupError):
        # The charset that the browser named cannot read what it sent. All that OpenID sends is UTF-8.
        request.encoding = "utf-8"
        return request.GET, request.POST


def _whole(*parts: QueryDict) -> QueryDict:
    data = QueryDict(mutable=True)
    for part in parts:
        for name, values in part.lists():
            for value in values:
                data.appendlist(_encodable(name), _encodable(value))
    return data


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
