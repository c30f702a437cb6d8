"""Names and decorators of methods, and the checks of both."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djintegrate.jsonrpc import JSONRPCError, JSONRPCSite, checks, jsonrpc_method, jsonrpc_site
from djintegrate.jsonrpc.methods import Method
from tests.acl.site import FILE


def function(request: Any) -> None: ...


@pytest.mark.parametrize("name", ["a b", "a/b", "a?", "#", "\n", "rpc.x", "system.x", 5])
def test_a_name_that_no_address_can_have_or_that_is_reserved_is_refused(name: Any) -> None:
    with pytest.raises((ImproperlyConfigured, TypeError), match=r"cannot be called|expected string"):
        jsonrpc_method(name, site=JSONRPCSite())(function)


def test_the_decorator_leaves_the_function_as_it_is() -> None:
    site = JSONRPCSite()
    assert jsonrpc_method("a.b", site=site)(function) is function
    assert jsonrpc_method(site=site)(function) is function
    assert {"a.b", "function"} < set(site.methods)


def test_two_functions_cannot_have_one_name() -> None:
    site = JSONRPCSite()
    jsonrpc_method("a", site=site)(function)
    jsonrpc_method("a", site=site)(function)  # the same again, as where a module is loaded anew

    def other(request: Any) -> None: ...

    with pytest.raises(ImproperlyConfigured, match=r"Two JSON-RPC methods are called 'a': .*function and .*other"):
        jsonrpc_method("a", site=site)(other)


def test_slips_of_the_decorator_are_told() -> None:
    with pytest.raises(ImproperlyConfigured, match="with a name, above the function"):
        jsonrpc_method(function)  # type: ignore[arg-type]
    with pytest.raises(ImproperlyConfigured, match="has the permission 'nodot'"):
        jsonrpc_method("a", permission="nodot", site=JSONRPCSite())(function)


def test_the_checks_read_the_hints() -> None:
    def wrong(request: Any, value: complex) -> None: ...

    jsonrpc_method("wrong", site=jsonrpc_site)(wrong)
    try:
        [error] = [each for each in checks.check_configuration() if each.id == "jsonrpc.E002"]
    finally:
        del jsonrpc_site.methods["wrong"]
    assert error.msg.startswith("wrong: The parameter 'value': complex is no type that a parameter can have.")
    with pytest.raises(ImproperlyConfigured, match="The first one is the request"):
        Method(lambda: None, "a").signature.bind([], None)  # type: ignore[arg-type]


BROKEN_INSIDE = """
from django.urls import include, path
urlpatterns = [path("a/", include("tests.jsonrpc.caller"))]
"""


@pytest.fixture
def urlconf(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`urlconf(source)` makes the site's URLconf, which nobody has imported yet."""

    def make(source: str) -> None:
        (tmp_path / "urls_of_the_check.py").write_text(source)
        settings.ROOT_URLCONF = "urls_of_the_check"

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    sys.modules.pop("urls_of_the_check", None)
    jsonrpc_site.methods.pop("wrong", None)


def test_the_checks_find_methods_that_only_the_urlconf_imports(urlconf: Any) -> None:
    urlconf("""
from djintegrate.jsonrpc import jsonrpc_method
@jsonrpc_method("wrong", permission="auth.chnage_user")
def wrong(request, value: complex): ...
urlpatterns = []
""")
    assert [each.id for each in checks.check_configuration()] == ["jsonrpc.E002", "jsonrpc.W004"]


@pytest.mark.parametrize(
    "pattern",
    [
        'path("a/", include(site.urls, namespace="another"))',
        'path("a/", include([path("b/", include(site.urls))]))',
        'path("a/", site.dispatch)',
        'path("a/", csrf_exempt(site.dispatch))',
        'path("a/", site.smd)',
    ],
)
def test_the_checks_know_the_methods_of_every_site_that_the_urlconf_includes(pattern: str, urlconf: Any) -> None:
    urlconf(f"""
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from djintegrate.jsonrpc import JSONRPCSite, jsonrpc_method, jsonrpc_site
site = JSONRPCSite("Another")
@jsonrpc_method("wrong", permission="auth.chnage_user", site=site)
def wrong(request, value: complex): ...
urlpatterns = [path("json/", include(jsonrpc_site.urls)), {pattern}]
""")
    assert [each.id for each in checks.check_configuration()] == ["jsonrpc.E002", "jsonrpc.W004"]


def test_two_sites_have_two_namespaces(urlconf: Any) -> None:
    from django.core.checks.urls import check_url_namespaces_unique
    from django.urls import reverse

    urlconf("""
from django.urls import include, path
from djintegrate.jsonrpc import JSONRPCSite, jsonrpc_site
site = JSONRPCSite("Another")
urlpatterns = [path("json/", include(jsonrpc_site.urls)), path("a/", include(site.urls, namespace="another"))]
""")
    assert check_url_namespaces_unique(None) == []
    assert (reverse("jsonrpc:service"), reverse("another:service")) == ("/json/", "/a/")


@pytest.mark.parametrize(
    "source", ["import no_such_module", "(", "urlpatterns = 5", BROKEN_INSIDE, "raise RuntimeError('no')"]
)
def test_a_broken_urlconf_is_left_to_djangos_own_check(source: str, urlconf: Any, settings: Any) -> None:
    urlconf(source)
    assert checks.check_configuration() == []
    settings.ROOT_URLCONF = "no_such_urls"
    assert checks.check_configuration() == []
    del settings.ROOT_URLCONF
    assert checks.check_configuration() == []


@pytest.mark.parametrize(
    ("permission", "meant"),
    [
        ("auth.chnage_user", "auth.change_user"),
        ("jsonrpc.use_consol", "jsonrpc.use_console"),
        ("time_card.wriet", "time_card.write"),
        ("auth.change_user", None),
        ("time_card.write", None),
        ("auth.may_dance", None),
    ],
)
def test_a_permission_that_is_nearly_a_known_one_is_warned_of(
    settings: Any, tmp_path: Path, permission: str, meant: str | None
) -> None:
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "djintegrate.acl.backends.AclBackend"]
    settings.ACL_FILE = tmp_path / "roles.xml"
    settings.ACL_FILE.write_text(FILE)
    jsonrpc_method("guarded", permission=permission, site=jsonrpc_site)(lambda request: None)
    try:
        found = [(each.msg, each.hint) for each in checks.check_configuration() if each.id == "jsonrpc.W004"]
    finally:
        del jsonrpc_site.methods["guarded"]
    said = f"The method 'guarded' asks for the permission {permission!r}, which nobody has."
    assert found == ([(said, f"Did you mean {meant!r}?")] if meant else [])


class Tokens:
    def __init__(self, request: Any) -> None: ...


async def user_later(request: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("tests.jsonrpc.test_methods.Tokens", "is a class"),
        ("tests.jsonrpc.test_methods.user_later", "is async"),
        (lambda: None, "cannot be called with the request alone"),
        (lambda request, token: None, "cannot be called with the request alone"),
        (lambda *, request: None, "cannot be called with the request alone"),
        (lambda request, token=None: None, None),
        ("tests.jsonrpc.test_authentication.by_token", None),
        ({}.get, None),
        (None, None),
    ],
)
def test_a_function_that_can_give_no_user_is_a_mistake(settings: Any, function: Any, why: str | None) -> None:
    settings.JSONRPC_AUTHENTICATE = function
    found = [each.msg for each in checks.check_configuration()]
    assert found == ([f"JSONRPC_AUTHENTICATE is {function!r}, which {why}."] if why else [])


def test_an_error_has_a_code_and_a_message_of_its_class_or_of_its_own() -> None:
    class Own(JSONRPCError):
        code, message = 5, "Own"

    assert (Own().code, Own().message, str(Own(data=1))) == (5, "Own", "Own (5)")
    assert (Own(6, "Other").code, Own(message="Other").message) == (6, "Other")
    for code in ("5", True, 1.5):
        with pytest.raises(TypeError, match="Make it a whole number"):
            JSONRPCError(code, "x")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Make it a whole number"):
            type("Wrong", (JSONRPCError,), {"code": code})


def test_importing_the_package_touches_no_models() -> None:
    """INSTALLED_APPS imports it before there are any."""
    import subprocess

    code = "import djintegrate.jsonrpc, sys; sys.exit('django.contrib.auth.models' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert importlib.import_module("djintegrate.jsonrpc").__all__
