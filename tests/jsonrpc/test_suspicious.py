"""What Django takes for an attempt of the client's is the client's mistake, as a page's answer would be 400."""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from tests.jsonrpc.caller import Caller, method

pytestmark = pytest.mark.django_db

INVALID_PARAMS, INVALID_REQUEST = -32602, -32600


@pytest.mark.parametrize("name", ["../../etc/x.txt", "/etc/x.txt", "a/../../x.txt"])
def test_a_name_outside_of_the_storage_is_a_wrong_parameter(rpc: Caller, tmp_path: Any, caplog: Any, name: str) -> None:
    def upload(request: Any, name: str, content: bytes) -> str:
        return FileSystemStorage(tmp_path / "kept").save(name, ContentFile(content))

    with method(upload), caplog.at_level(logging.ERROR):
        error = rpc.error("upload", name, b64encode(b"x").decode())
    assert error["code"] == INVALID_PARAMS
    assert error["message"] == "Invalid params: a file cannot have such a name"
    # The words of the error name folders of the server's.
    assert str(tmp_path) not in rpc.response.content.decode()
    assert [each.name for each in caplog.records] == ["django.security.SuspiciousFileOperation"]
    assert "upload" in caplog.text
    assert not (tmp_path / "x.txt").exists()


def test_whatever_else_is_suspicious_is_a_wrong_request(rpc: Caller, caplog: Any) -> None:
    class Odd(SuspiciousOperation): ...

    def refuse(request: Any) -> None:
        raise Odd("the inside")

    with method(refuse), caplog.at_level(logging.ERROR):
        error = rpc.error("refuse")
    assert error == {"code": INVALID_REQUEST, "message": "Invalid Request: it was refused as suspicious"}
    assert [each.name for each in caplog.records] == ["django.security.Odd"]


def test_with_debug_the_reason_is_there(rpc: Caller, settings: Any) -> None:
    def refuse(request: Any) -> None:
        raise SuspiciousOperation("the inside")

    settings.DEBUG = True
    with method(refuse):
        assert rpc.error("refuse")["data"]["exception"].endswith("SuspiciousOperation: the inside")
