"""Who may call: the session, Basic, a function of the site's, name and password as parameters; and who may not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.jsonrpc.caller import ADDRESS, Caller

pytestmark = pytest.mark.django_db

NOT_AUTHENTICATED, FORBIDDEN, TOO_MANY = -32001, -32003, -32029
FORMS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
"""The content types that a page of another site can have a browser post."""


@pytest.fixture
def ada() -> User:
    user: User = User.objects.create_user("ada", password="pässword:1")
    return user


def basic(name: str = "ada", password: str = "pässword:1") -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


CALL = {"jsonrpc": "2.0", "method": "me", "id": 1}


def test_without_credentials_a_method_for_those_signed_in_is_refused(rpc: Caller) -> None:
    assert rpc(CALL)["error"] == {"code": NOT_AUTHENTICATED, "message": "This method is for those who are signed in"}
    assert rpc.get("me")["error"]["code"] == NOT_AUTHENTICATED
    assert rpc.result("whoami") == ""


def test_the_session_counts_with_its_csrf_token(rpc: Caller, ada: User) -> None:
    rpc.client = Client(enforce_csrf_checks=True)
    rpc.client.force_login(ada)
    assert "CSRF token missing" in rpc(CALL)["error"]["message"] or "CSRF cookie" in rpc(CALL)["error"]["message"]
    assert rpc(CALL)["error"]["code"] == FORBIDDEN
    assert rpc.error("whoami")["code"] == FORBIDDEN
    token = "a" * 32
    rpc.client.cookies["csrftoken"] = token
    assert rpc(CALL, HTTP_X_CSRFTOKEN=token)["result"] == "I am ada"
    assert rpc(CALL, HTTP_X_CSRFTOKEN="b" * 32)["error"]["code"] == FORBIDDEN
    assert rpc(CALL, HTTP_X_CSRFTOKEN=token, HTTP_ORIGIN="https://evil.example")["error"]["code"] == FORBIDDEN
    assert rpc.get("me?greeting=Hello") == {"version": "1.1", "result": "Hello ada"}


@pytest.mark.parametrize("content_type", FORMS)
def test_what_another_sites_page_can_post_never_counts_as_the_person(content_type: str, rpc: Caller, ada: User) -> None:
    rpc.client = Client()  # which does not enforce the token: this has to hold without it
    rpc.client.force_login(ada)
    text = json.dumps(CALL)
    assert rpc(text, content_type)["error"]["code"] == FORBIDDEN
    assert rpc(json.dumps({**CALL, "method": "whoami"}), content_type)["error"]["code"] == FORBIDDEN
    assert rpc(text, content_type, HTTP_ORIGIN="https://evil.example")["error"]["code"] == -32600
    assert rpc.response.status_code == 415
    assert rpc(text, content_type, HTTP_ORIGIN="null")["error"]["code"] == -32600
    rpc.client.logout()
    assert rpc(text, content_type, **basic())["error"]["code"] == FORBIDDEN
    # A program that says no content type, as curl does, calls what is for everybody.
    assert rpc(json.dumps({**CALL, "method": "whoami"}), content_type)["result"] == ""


def test_basic_counts_with_a_json_content_type(rpc: Caller, ada: User) -> None:
    for content_type in ("application/json", "application/json; charset=utf-8", "application/json-rpc"):
        assert rpc(CALL, content_type, **basic())["result"] == "I am ada"
    assert rpc({**CALL, "method": "whoami"}, **basic())["result"] == "ada"
    assert rpc(CALL, HTTP_AUTHORIZATION=basic()["HTTP_AUTHORIZATION"].replace("Basic", "bAsIc"))["result"] == "I am ada"
    assert rpc.get("me", **basic())["error"]["code"] == FORBIDDEN


@pytest.mark.parametrize("header", ["Basic", "Basic x", "Basic YQ==", "Basic /w==", "Basic " + "A" * 5000, "Basic ä"])
def test_credentials_that_are_none_are_refused(header: str, rpc: Caller, ada: User) -> None:
    assert rpc(CALL, HTTP_AUTHORIZATION=header)["error"]["code"] == NOT_AUTHENTICATED


def test_wrong_credentials_are_never_taken_for_none(rpc: Caller, ada: User) -> None:
    rpc.client.force_login(ada)
    for name, password in [("ada", "wrong"), ("eve", "x"), ("ada", ""), ("", ""), ("a\0", "x")]:
        assert rpc(CALL, **basic(name, password))["error"]["code"] == NOT_AUTHENTICATED
        assert rpc({**CALL, "method": "whoami"}, **basic(name, password))["error"]["code"] == NOT_AUTHENTICATED


def test_inactive_people_are_not_let_in(rpc: Caller, ada: User) -> None:
    User.objects.update(is_active=False)
    assert rpc(CALL, **basic())["error"]["code"] == NOT_AUTHENTICATED


def by_token(request: Any) -> Any:
    return User.objects.filter(username=request.headers.get("X-Token", "")).first()


def test_a_function_of_the_sites_own_lets_in(rpc: Caller, ada: User, settings: Any) -> None:
    settings.JSONRPC_AUTHENTICATE = "tests.jsonrpc.test_authentication.by_token"
    assert rpc(CALL, HTTP_X_TOKEN="ada")["result"] == "I am ada"
    assert rpc(CALL, HTTP_X_TOKEN="eve")["error"]["code"] == NOT_AUTHENTICATED
    assert rpc(CALL, **basic())["result"] == "I am ada"
    rpc.client = Client(enforce_csrf_checks=True)
    assert rpc.get("me", HTTP_X_TOKEN="ada")["result"] == "I am ada"


async def user_later(request: Any) -> None: ...


@pytest.mark.parametrize(
    ("given", "kind"),
    [(["ada"], "list"), ((None, None), "tuple"), ("ada", "str"), (False, "bool"), (1, "int"), (User, "ModelBase")],
)
def test_what_is_no_user_is_an_error_that_names_the_setting(
    given: Any, kind: str, rpc: Caller, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def user_of(request: Any) -> Any:
        return given

    settings.JSONRPC_AUTHENTICATE = user_of
    for answer in (rpc(CALL), rpc.call("whoami"), rpc.get("me"), rpc.call("secret")):
        assert (answer["error"]["code"], answer["error"]["message"]) == (-32603, "Internal error")
    assert f"JSONRPC_AUTHENTICATE names a function that has given an object of the type {kind!r}" in caplog.text
    assert "user_of return a user, or None" in caplog.text
    assert "'ada'" not in caplog.text


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_async_function_lets_nobody_in(rpc: Caller, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.JSONRPC_AUTHENTICATE = user_later
    assert rpc(CALL)["error"]["code"] == -32603
    assert "an object of the type 'coroutine', which is no user" in caplog.text


def test_a_permission_is_asked_of_django(rpc: Caller, ada: User) -> None:
    assert rpc.error("secret")["code"] == NOT_AUTHENTICATED
    call = {"jsonrpc": "2.0", "method": "secret", "id": 1}
    assert rpc(call, **basic())["error"] == {
        "code": FORBIDDEN, "message": "You may not do this", "data": {"permission": "people.view_person"},
    }  # fmt: skip
    ada.user_permissions.add(Permission.objects.get(codename="view_person"))
    assert rpc(call, **basic())["result"] == 42


class TestPasswordParameters:
    @pytest.fixture(autouse=True)
    def switched_on(self, settings: Any, ada: User) -> None:
        settings.JSONRPC_PASSWORD_PARAMETERS = True

    def test_they_are_refused_without_the_setting(self, rpc: Caller, settings: Any) -> None:
        settings.JSONRPC_PASSWORD_PARAMETERS = False
        assert rpc.error("me", "ada", "pässword:1")["code"] == NOT_AUTHENTICATED

    def test_they_come_before_the_others_or_by_name(self, rpc: Caller) -> None:
        assert rpc.result("me", "ada", "pässword:1") == "I am ada"
        assert rpc.result("me", "ada", "pässword:1", "Hello") == "Hello ada"
        assert rpc.result("me", username="ada", password="pässword:1", greeting="Hello") == "Hello ada"
        assert rpc.error("me", "ada", "wrong")["code"] == NOT_AUTHENTICATED
        assert rpc.error("me", "ada", 5)["code"] == NOT_AUTHENTICATED
        assert rpc.error("me", "ada")["code"] == NOT_AUTHENTICATED

    def test_never_by_get(self, rpc: Caller) -> None:
        assert rpc.get("me?0=ada&1=p%C3%A4ssword:1")["error"]["code"] == NOT_AUTHENTICATED
        assert rpc.get("me?username=ada&password=p%C3%A4ssword:1")["error"]["code"] == NOT_AUTHENTICATED

    def test_only_where_no_other_credentials_came(self, rpc: Caller) -> None:
        call = {**CALL, "params": ["ada", "pässword:1"]}
        assert rpc(call, **basic("eve", "x"))["error"]["code"] == NOT_AUTHENTICATED
        assert rpc(call, HTTP_AUTHORIZATION="Bearer x")["error"]["code"] == NOT_AUTHENTICATED
        rpc.client.force_login(User.objects.create_user("grace"))
        assert rpc(call)["error"]["code"] == -32602  # two parameters too many, of somebody who is known

    def test_each_call_of_a_batch_has_its_own(self, rpc: Caller) -> None:
        User.objects.create_user("grace", password="g")
        answers = rpc([
            {**CALL, "params": ["ada", "pässword:1"]}, {**CALL, "method": "whoami"},
            {**CALL, "params": ["grace", "g"]}, CALL,
        ])  # fmt: skip
        assert [each.get("result") for each in answers] == ["I am ada", "", "I am grace", None]

    def test_they_are_never_logged(self, rpc: Caller, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
        from tests.jsonrpc.methods import site

        settings.DEBUG = True
        site.methods["crash"] = type(site.methods["me"])(lambda request: 1 / 0, "crash", authenticated=True)
        try:
            answer = rpc({**CALL, "method": "crash", "params": ["ada", "pässword:1"]})
            rpc({"jsonrpc": "2.0", "method": "crash", "params": ["ada", "pässword:2"]})
            rpc({"jsonrpc": "2.0", "method": "crash", "params": ["ada", "pässword:1"]})
        finally:
            del site.methods["crash"]
        assert answer["error"]["code"] == -32603
        assert len(caplog.records) == 3
        assert "ässword" not in caplog.text + json.dumps(answer, ensure_ascii=False)

    def test_they_are_hidden_from_error_reports(self, rpc: Caller, settings: Any) -> None:
        """Of the frames of a call that fails, none has the password, whatever the report shows of them."""
        import logging

        seen: list[Any] = []

        class Reads(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                at = record.exc_info[2] if record.exc_info else None
                while at is not None:
                    if "/djintegrate/jsonrpc/" in at.tb_frame.f_code.co_filename:
                        seen.append({name: repr(value) for name, value in at.tb_frame.f_locals.items()})
                    at = at.tb_next

        from tests.jsonrpc.methods import site

        handler = Reads()
        logging.getLogger("djintegrate.jsonrpc").addHandler(handler)
        site.methods["crash"] = type(site.methods["me"])(lambda request: 1 / 0, "crash", authenticated=True)
        try:
            rpc({**CALL, "method": "crash", "params": ["ada", "pässword:1"]})
        finally:
            del site.methods["crash"]
            logging.getLogger("djintegrate.jsonrpc").removeHandler(handler)
        assert seen
        assert "ässword" not in repr(seen)


class TestGuessing:
    def test_after_so_many_wrong_ones_not_even_the_right_one_is_heard(
        self, rpc: Caller, ada: User, settings: Any
    ) -> None:
        settings.JSONRPC_THROTTLE = (3, 60)
        codes = [rpc(CALL, **basic("ada", f"wrong {number}"))["error"]["code"] for number in range(5)]
        assert codes == [NOT_AUTHENTICATED] * 3 + [TOO_MANY] * 2
        assert rpc(CALL, **basic())["error"]["code"] == TOO_MANY
        assert rpc(CALL, REMOTE_ADDR="8.8.8.8", **basic())["result"] == "I am ada"
        rpc.client.force_login(ada)
        assert rpc(CALL)["result"] == "I am ada"

    def test_a_batch_has_no_more_guesses(self, rpc: Caller, ada: User, settings: Any) -> None:
        settings.JSONRPC_PASSWORD_PARAMETERS = True
        settings.JSONRPC_THROTTLE = (3, 60)
        answers = rpc([{**CALL, "params": ["ada", f"wrong {number}"]} for number in range(20)])
        assert [each["error"]["code"] for each in answers] == [NOT_AUTHENTICATED] * 3 + [TOO_MANY] * 17

    def test_right_ones_do_not_count(self, rpc: Caller, ada: User, settings: Any) -> None:
        settings.JSONRPC_THROTTLE = (2, 60)
        assert [rpc(CALL, **basic())["result"] for _ in range(5)] == ["I am ada"] * 5

    def test_without_the_setting_nobody_counts(self, rpc: Caller, ada: User, settings: Any) -> None:
        settings.JSONRPC_THROTTLE = None
        for number in range(15):
            assert rpc(CALL, **basic("ada", f"wrong {number}"))["error"]["code"] == NOT_AUTHENTICATED

    @pytest.mark.parametrize(
        ("first", "second", "is_one"),
        [({"REMOTE_ADDR": "2001:4860::1"}, {"REMOTE_ADDR": "2001:4860::2"}, True),
         ({"REMOTE_ADDR": "2001:4860::1"}, {"REMOTE_ADDR": "2001:4860:1::1"}, False),
         ({"REMOTE_ADDR": "::ffff:8.8.8.8"}, {"REMOTE_ADDR": "8.8.8.8"}, True),
         ({"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, {"REMOTE_ADDR": "8.8.8.8"}, True),
         ({"HTTP_X_FORWARDED_FOR": "1.1.1.1"}, {"HTTP_X_FORWARDED_FOR": "9.9.9.9, 1.1.1.1:4711"}, True),
         ({"HTTP_X_FORWARDED_FOR": "1.1.1.1"}, {"HTTP_X_FORWARDED_FOR": "2.2.2.2"}, False),
         ({"REMOTE_ADDR": ""}, {"REMOTE_ADDR": ""}, True)],
    )  # fmt: skip
    def test_who_is_one_client(self, first: Any, second: Any, is_one: bool, rpc: Caller, settings: Any) -> None:
        settings.JSONRPC_THROTTLE = (1, 60)
        rpc(CALL, **basic("ada", "wrong"), **first)
        assert (rpc(CALL, **basic("ada", "wrong 2"), **second)["error"]["code"] == TOO_MANY) is is_one


def test_the_answer_to_a_call_for_everybody_does_not_vary_by_cookie(rpc: Caller) -> None:
    rpc.client.get(ADDRESS + "echo")
    rpc.result("echo", 1)
    assert "Vary" not in rpc.response.headers


def test_asynchronous_functions_know_who_calls(rpc: Caller, ada: User) -> None:
    from tests.jsonrpc.methods import site

    async def who(request: Any) -> str:
        return str((await request.auser()).get_username())

    try:
        for authenticated in (True, False):
            site.methods["who"] = type(site.methods["me"])(who, "who", authenticated=authenticated)
            assert rpc({**CALL, "method": "who"}, **basic())["result"] == "ada"
        assert rpc({**CALL, "method": "who"})["result"] == ""
    finally:
        del site.methods["who"]


def test_after_the_calls_the_request_has_who_was_found_and_nothing_of_ours(
    rpc: Caller, ada: User, settings: Any
) -> None:
    seen: list[Any] = []

    def looks_at_it(get_response: Any) -> Any:
        def respond(request: Any) -> Any:
            before = (getattr(request, "user", None), getattr(request, "auser", None))
            response = get_response(request)
            after = (getattr(request, "user", None), getattr(request, "auser", None))
            seen.append([after[0] is before[0], after[1] == before[1], str(after[0])])
            return response

        return respond

    import sys

    sys.modules[__name__].looks_at_it = looks_at_it  # type: ignore[attr-defined]
    own = f"{__name__}.looks_at_it"
    for chain in ([*settings.MIDDLEWARE, own], [own]):
        settings.MIDDLEWARE = chain
        rpc.client = Client()
        rpc.result("echo", 1)
        rpc(CALL, **basic())
    assert seen == [
        [True, True, "AnonymousUser"], [False, True, "ada"], [True, True, "None"], [False, True, "ada"],
    ]  # fmt: skip
