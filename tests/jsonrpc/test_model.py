"""Whatever is sent is answered as a plain model of the specifications says."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.jsonrpc import model
from tests.jsonrpc.caller import Caller

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("JSONRPC_EXAMPLES", 150))
"""`make fuzz-jsonrpc` goes on for longer."""


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=model.messages)
def test_messages_are_answered_as_the_model_says(message: Any, rpc: Caller) -> None:
    text = json.dumps(message)
    # JSON has one kind of number: what is sent as 1.0 comes back as that.
    expected = model.answer(json.loads(text))
    assert model.of_answer(rpc(text)) == expected
    assert rpc.response.status_code == (204 if expected is None else 200)
