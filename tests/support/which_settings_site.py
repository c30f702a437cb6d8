"""What a site with a block of "Which settings do I need?" must be able to do. Run as a script, in its folder.

It takes a block's heading, and a file of settings for each variant; each is tried in a process of its own, forked from
one that has Django imported. Prints the names of those variants that work.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command, get_commands
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


VISITS = {"Storm": [storm], "OpenID": [openid], "Dojo": [dojo], "All three": [storm, openid, dojo]}

if __name__ == "__main__":
    main()
