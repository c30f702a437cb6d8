"""One process of the bench: the three views in turn, batch by batch. It prints the CPU seconds of each batch."""

from __future__ import annotations

import io
import json
import sys
import time
from typing import Any

import django
from django.conf import settings

from proofs.benchmarks.jsonrpc.site import addresses, configure

CALLS = 40
CALL = json.dumps({"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 1}).encode()
VIEWS = ("plain", "modern", "ours")
sites: dict[str, Any] = {}


def main(kind: str, folder: str, batches: int) -> None:
    configure(kind, folder)
    django.setup()
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()
    sites.update(addresses())
    for view in VIEWS:
        settings.ROOT_URLCONF = sites[view]
        answer = json.loads(call(handler))
        if answer != {"jsonrpc": "2.0", "result": 5, "id": 1}:
            raise SystemExit(f"{view} answers {answer}.")
        batch(handler, view)
    found: dict[str, list[float]] = {view: [] for view in VIEWS}
    for number in range(batches):
        for place in range(len(VIEWS)):
            view = VIEWS[(number + place) % len(VIEWS)]
            found[view].append(batch(handler, view))
    print(json.dumps(found))


def batch(handler: Any, view: str) -> float:
    settings.ROOT_URLCONF = sites[view]
    start = time.process_time()
    for _ in range(CALLS):
        call(handler)
    return (time.process_time() - start) / CALLS


def call(handler: Any) -> bytes:
    """All of a request as a WSGI server makes it, from the environment to the closed response."""
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/call", "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(CALL)), "HTTP_HOST": "testserver", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(CALL), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
    }  # fmt: skip
    response = handler(environ, lambda status, headers: None)
    try:
        return b"".join(response)
    finally:
        response.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
