"""JSON-RPC as the specifications say it, in plain Python and without the app: what each message is to be answered.

And Hypothesis' ways to make messages: right ones, wrong ones, and batches of both. Of an error only its code counts.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

ABSENT = object()
KNOWN = ("1.0", "1.1", "2.0")


def answer(message: Any) -> Any:
    """What is to come back; None for no answer at all."""
    if not isinstance(message, list):
        return answer_one(message)
    if not message:
        return error("2.0", None, -32600)
    answers = [found for found in map(answer_one, message) if found is not None]
    return answers or None


def answer_one(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return error("2.0", None, -32600)
    version = entry["jsonrpc"] if "jsonrpc" in entry else entry.get("version", "1.0")
    identity = entry.get("id", ABSENT)
    is_plain = identity is None or (isinstance(identity, (str, int, float)) and not isinstance(identity, bool))
    if not isinstance(version, str) or version not in KNOWN:
        return error("2.0", identity if is_plain else None, -32600)
    if version == "2.0" and identity is not ABSENT and not is_plain:
        return error("2.0", None, -32600)
    params = entry.get("params", [])
    if params is None and version != "2.0":
        params = []
    if not isinstance(entry.get("method"), str) or not isinstance(params, (list, dict)):
        return error(version, identity, -32600)
    found = run(entry["method"], params, version)
    if (version == "2.0" and identity is ABSENT) or (version == "1.0" and identity in (ABSENT, None)):
        return None
    if isinstance(found, Code):
        return error(version, identity, found)
    return result(version, identity, found)


class Code(int):
    """Of an error."""


def run(method: str, params: Any, version: str) -> Any:
    if method == "subtract":
        names = ["minuend", "subtrahend"]
        if isinstance(params, dict):
            if version == "1.1":
                for place, name in enumerate(names):
                    if str(place) in params and name not in params:
                        params = {name: params[str(place)], **{key: params[key] for key in params if key != str(place)}}
            if set(params) != set(names):
                return Code(-32602)
            params = [params[name] for name in names]
        if len(params) != 2 or not all(type(each) is int for each in params):
            return Code(-32602)
        return params[0] - params[1]
    if method == "sum":
        if isinstance(params, dict):
            return Code(-32602) if params else 0
        return sum(params) if all(type(each) is int for each in params) else Code(-32602)
    if method == "get_data":
        return Code(-32602) if params else ["hello", 5]
    if method == "fail":
        return Code(7) if params in (["own"], {"how": "own"}) else ABSENT
    return Code(-32601)


def result(version: str, identity: Any, found: Any) -> Any:
    return _with_id(version, identity, {"result": found, **({"error": None} if version == "1.0" else {})})


def error(version: str, identity: Any, code: int) -> Any:
    return _with_id(version, identity, {"error": int(code), **({"result": None} if version == "1.0" else {})})


def _with_id(version: str, identity: Any, found: dict[str, Any]) -> dict[str, Any]:
    found |= {"2.0": {"jsonrpc": "2.0"}, "1.1": {"version": "1.1"}}.get(version, {})
    if identity is not ABSENT or version != "1.1":
        found["id"] = None if identity is ABSENT else identity
    return found


def of_answer(found: Any) -> Any:
    """An answer as the model has it: for an error its code. Errors have a message, and 1.1's have a name."""
    if isinstance(found, list):
        return list(map(of_answer, found))
    if isinstance(found, dict) and found.get("error") is not None:
        told = found["error"]
        assert isinstance(told["message"], str) and told["message"]
        assert (told.get("name") == "JSONRPCError") is (found.get("version") == "1.1")
        return {**found, "error": told["code"]}
    return found


# Messages

numbers = st.integers(-(10**20), 10**20)
scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
right_params = (
    st.lists(numbers, max_size=3)
    | st.fixed_dictionaries({"minuend": numbers, "subtrahend": numbers})
    | st.dictionaries(st.sampled_from(["minuend", "subtrahend", "0", "1", "x"]), numbers, max_size=3)
)
methods = st.sampled_from(["subtract", "sum", "get_data", "no.such", "rpc.no", ""])
failing = st.just({"method": "fail", "params": ["own"]})


@st.composite
def entries(draw: Any) -> Any:
    """A call, more or less."""
    if draw(st.integers(0, 11)) == 0:
        return draw(values.filter(lambda value: not (isinstance(value, dict) and value.get("method") == "fail")))
    entry: dict[str, Any] = dict(draw(failing)) if draw(st.integers(0, 9)) == 0 else {"method": draw(methods)}
    if "params" not in entry and draw(st.booleans()):
        entry["params"] = draw(right_params)
    key = draw(st.sampled_from(["jsonrpc", "jsonrpc", "jsonrpc", "version", ""]))
    if key:
        entry[key] = draw(st.sampled_from(["2.0", "2.0", "2.0", "1.1", "1.0", "3", 2, None, ["2.0"]]))
    if draw(st.integers(0, 4)):
        entry["id"] = draw(scalars)
    for wrong in draw(st.lists(st.sampled_from(["method", "params", "id", "more"]), max_size=1)):
        # Whatever comes for its name or parameters, `fail` is called as above: it may raise what is no error's code.
        if not (entry["method"] == "fail" and wrong in ("method", "params")):
            entry[wrong] = draw(values)
    return entry


messages = entries() | st.lists(entries(), max_size=6)
