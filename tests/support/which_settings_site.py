"""What a site with a block of "Which settings do I need?" must be able to do. Run as a script, in its folder.

It takes a block's heading, and a file of settings for each variant; each is tried in a process of its own, forked from
one that has Django imported. Prints the names of those variants that work.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.http import HttpResponse
from django.test import Client

TABLE = "CREATE TABLE IF NOT EXISTS word (text VARCHAR(20))"


def main() -> None:
    heading, *variants = sys.argv[1:]
    for variant in variants:
        child = os.fork()
        if not child:
            os._exit(try_out(heading, variant))
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            print(variant)


def try_out(heading: str, variant: str) -> int:
    try:
        os.environ["DJANGO_SETTINGS_MODULE"] = f"site_of_the_page.{variant}"
        django.setup()
        call_command("check", fail_level="WARNING")
        for visit in VISITS[heading]:
            visit()
    except (Exception, SystemExit):
        if variant == "whole":
            traceback.print_exc()
        return 1
    return 0


def write_and_fail(request: Any) -> None:
    from django.db import connection

    from djintegrate.storm_backend import get_store

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO word VALUES ('of Django')")
    get_store("main").execute("INSERT INTO word VALUES ('of Storm')")
    raise RuntimeError("The view fails.")


def storm() -> None:
    from django.db import connection

    assert "storm_indoubt" in get_commands()
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        cursor.execute("DELETE FROM word")
    answer = Client(raise_request_exception=False).get("/fail/", HTTP_HOST="localhost")
    assert answer.status_code == 500
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM word")
        assert cursor.fetchall() == []


def openid() -> None:
    from djintegrate.openid_auth.conf import config

    client = Client()
    asked = client.get("/members/", HTTP_HOST="localhost")
    assert asked.url == "/openid/login/?next=/members/"  # type: ignore[attr-defined]
    page = client.get(asked.url, HTTP_HOST="localhost")  # type: ignore[attr-defined]
    assert b"https://login.launchpad.net/" in page.content
    assert config.create_users
    assert settings.LOGIN_REDIRECT_URL == "/"  # Django's own default is a page that the site has not


def dojo() -> None:
    from django.contrib.staticfiles import finders

    page = Client().get("/dojo/", HTTP_HOST="localhost").content.decode()
    assert "/static/dojo/dojo/dojo.js" in page
    assert finders.find("dojo/dojo/dojo.js")
    assert "dojo_install" in get_commands()


@cache
def migrate() -> None:
    call_command("migrate", verbosity=0)


def files() -> None:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.db import transaction

    assert "files_recover" in get_commands()
    migrate()
    with suppress(RuntimeError), transaction.atomic():
        undone = default_storage.save("word.txt", ContentFile(b"undone"))
        assert default_storage.exists(undone)
        raise RuntimeError("The transaction fails.")
    assert not default_storage.exists(undone)
    with transaction.atomic():
        kept = default_storage.save("word.txt", ContentFile(b"kept"))
    assert Path(default_storage.path(kept)).parent == Path.cwd() / "media"


def enqueue_and_fail(request: Any) -> HttpResponse:
    from tests.support.which_settings_tasks import count

    result = count.enqueue(3)
    if "fail" in request.GET:
        raise RuntimeError("The view fails.")
    return HttpResponse(result.id)


def jobs() -> None:
    from djintegrate.jobs import catalogue

    assert "jobs" in get_commands()
    client = signed_in(raise_request_exception=False)
    assert client.get("/enqueue/?fail", HTTP_HOST="localhost").status_code == 500
    before = len(catalogue.recent(1000))
    job = client.get("/enqueue/", HTTP_HOST="localhost").content.decode()
    assert len(catalogue.recent(1000)) == before + 1
    call_command("db_worker", batch=True, verbosity=0)
    status = client.get(f"/jobs/{job}/status/", HTTP_HOST="localhost").json()
    assert (status["state"], status["done"]) == ("successful", 3)


def jsonrpc() -> None:
    client = signed_in(is_staff=True, is_superuser=True)
    call = {"jsonrpc": "2.0", "method": "system.describe", "id": 1}
    answer = client.post("/json/", call, content_type="application/json", HTTP_HOST="localhost")
    assert "result" in answer.json()
    assert client.get("/json/browse/", HTTP_HOST="localhost").status_code == 200


def roles() -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import AnonymousUser, Group

    assert "acl" in get_commands()
    migrate()
    user, _ = get_user_model().objects.get_or_create(username="sam")
    assert not user.has_perm("page.write")
    user.groups.add(Group.objects.get_or_create(name="staff")[0])
    assert get_user_model().objects.get(pk=user.pk).has_perm("page.write")
    assert not AnonymousUser().has_perm("page.read")
    user.groups.clear()


def signed_in(raise_request_exception: bool = True, **rights: bool) -> Client:
    from django.contrib.auth import get_user_model

    migrate()
    user, _ = get_user_model().objects.update_or_create(username="ada", defaults=rights)
    client = Client(raise_request_exception=raise_request_exception)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


VISITS = {
    "Storm": [storm], "OpenID": [openid], "Dojo": [dojo], "Files": [files], "Jobs": [jobs], "JSON-RPC": [jsonrpc],
    "Roles": [roles],
}  # fmt: skip
VISITS["All of them"] = [visit for visits in VISITS.values() for visit in visits]

if __name__ == "__main__":
    main()
