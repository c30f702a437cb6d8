"""One side's sign-ins, counted. Runs in that side's environment, so it uses Django and the standard library only.

python worker.py PACKAGE PROVIDER MAPPED_TEAMS both|alone prints a JSON object from a case's name to its statements.
"""

from __future__ import annotations

import html
import json
import re
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit


def settings_for(package: str, provider: str, teams: int, backends: str) -> dict[str, Any]:
    return {
        "SECRET_KEY": "benchmark",
        "ALLOWED_HOSTS": ["*"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        # The original wants the admin.
        "INSTALLED_APPS": [
            "django.contrib.admin",
            "django.contrib.messages",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            package,
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        "SILENCED_SYSTEM_CHECKS": ["admin.E402", "admin.E404", "admin.E409"],
        "AUTHENTICATION_BACKENDS": [
            f"{package}.auth.OpenIDBackend",
            *(["django.contrib.auth.backends.ModelBackend"] if backends == "both" else []),
        ],
        "ROOT_URLCONF": f"{package}.urls",
        "LOGIN_REDIRECT_URL": "/",
        "USE_TZ": True,
        "OPENID_CREATE_USERS": True,
        "OPENID_UPDATE_DETAILS_FROM_SREG": True,
        "OPENID_SSO_SERVER_URL": provider,
        "OPENID_LAUNCHPAD_TEAMS_MAPPING": {f"team-{number}": f"group-{number}" for number in range(teams)},
        # The original cannot do without; ours is as it comes.
        **(
            {"SESSION_SERIALIZER": "django.contrib.sessions.serializers.PickleSerializer"}
            if package == "django_openid_auth"
            else {"OPENID_FETCH_ALLOWED_HOSTS": [urlsplit(provider).netloc]}
        ),
    }


def main() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    package, provider, teams, backends = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    settings.configure(**settings_for(package, provider, teams, backends))
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import Group

    Group.objects.bulk_create([Group(name=f"group-{number}") for number in range(teams)])
    from django.test import Client

    browser = Client(HTTP_HOST="testserver")
    counted = {
        "first sign-in": sign_in(browser),
        "returning, the same browser": sign_in(browser),
        "returning, another browser": sign_in(Client(HTTP_HOST="testserver")),
    }
    print(json.dumps(counted))


def sign_in(client: Any) -> list[str]:
    """The statements of a whole sign-in."""
    from django.contrib.auth import get_user
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as begun:
        response = client.get("/login/")
    answer = agreed(response)
    with CaptureQueriesContext(connection) as completed:
        if isinstance(answer, str):
            response = client.get(urlsplit(answer)._replace(scheme="", netloc="").geturl())
        else:
            response = client.post(urlsplit(answer[0])._replace(scheme="", netloc="").geturl(), answer[1])
    assert response.status_code == 302, response.content
    assert get_user(client).get_username() == "ada"
    return [query["sql"][:100] for query in [*begun.captured_queries, *completed.captured_queries]]


def agreed(response: Any) -> str | tuple[str, dict[str, str]]:
    """What the provider sends the browser back with: an address, or one and a form's fields."""
    if response.status_code == 302:
        url, data = response["Location"], None
    else:
        url, fields = form_in(response.content.decode())
        data = urlencode(fields).encode()

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    try:
        with opener.open(url, data, timeout=20) as page:
            return form_in(page.read().decode())
    except urllib.error.HTTPError as redirect:
        return str(redirect.headers["Location"])


def form_in(page: str) -> tuple[str, dict[str, str]]:
    action = re.search(r'action="([^"]+)"', page)
    assert action, page
    fields = {}
    for tag in re.findall(r"<input[^>]+>", page):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") == "hidden":
            fields[attributes["name"]] = attributes["value"]
    return html.unescape(action[1]), fields


if __name__ == "__main__":
    main()
