"""The tutorial roles-from-a-file.md is followed in a new project; the examples of how-to/roles.md are run."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rules
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from tests.apps.people.models import Person
from tests.support.doc_pages import ROOT, blocks
from tests.support.forks import python

DONE_ALREADY = ("sudo apt install", "python3 -m venv", ". .venv/bin/activate", "pip install")
TUTORIAL, HOW_TO = "docs/tutorial/roles-from-a-file.md", "docs/how-to/roles.md"
VISITS = """
import logging, re
from django.test import Client
logging.disable()
PASSWORD = {password!r}

def sign_in(client, name):
    "On the page that the browser is sent to, with what its form sends."
    login = client.get("/cards/1/approve/").headers["Location"]
    form = client.get(login).content.decode().partition("<form")[2]
    assert not re.match('[^>]*action="[^"]', form), "the form is sent to another page"
    sent = dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', form))
    return client.post(login, {{**sent, "username": name, "password": PASSWORD}}).headers.get("Location")

for name in ("ada", "bruno", None):
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    went_to = name and sign_in(client, name)
    pages = ("1/write", "2/write", "1/approve", "2/approve", "3/write")
    print(name, went_to, [client.get(f"/cards/{{page}}/").status_code for page in pages])
"""


class Project:
    """What the reader has in front of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> list[str]:
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = python(*arguments, cwd=self.folder, env={**environment, "PYTHONPATH": str(ROOT)})
        return f"{done.stdout}{done.stderr}".splitlines()

    def console(self, text: str) -> None:
        """Each command prints what the page says after it."""
        for part in text.split("$ ")[1:]:
            command, *expected = part.splitlines()
            words = shlex.split(command)
            if command.startswith(DONE_ALREADY):
                assert not expected
                continue
            arguments = ["-m", "django", *words[1:]] if words[0] == "django-admin" else words[1:]
            assert self.run(*arguments) == expected, command

    def append(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text((path.read_text() if path.exists() else "") + text)


def test_the_tutorial_ends_with_what_it_promises(tmp_path: Path) -> None:
    """docs/tutorial/roles-from-a-file.md, block by block."""
    project = Project(tmp_path)
    files = iter(["office/settings.py", "office/cards.py", "office/urls.py"])
    for block in blocks(TUTORIAL):
        if block.language == "console":
            project.console(block.text)
        elif block.language == "xml":
            project.append("roles.xml", block.text)
        elif name := next(files, ""):
            project.append(name, block.text)
        else:
            assert project.run("manage.py", "shell", "--verbosity", "0", "--command", block.text) == []
    [password] = {found for block in blocks(TUTORIAL) for found in re.findall('password="(.*?)"', block.text)}
    visits = VISITS.format(password=password)
    assert project.run("manage.py", "shell", "--verbosity", "0", "--command", visits) == [
        "ada /cards/1/approve/ [200, 403, 403, 403, 404]",
        "bruno /cards/1/approve/ [403, 200, 200, 200, 404]",
        "None None [302, 302, 302, 302, 302]",
    ]


@pytest.fixture
def own() -> Iterator[Any]:
    """The first example of the how-to has been run."""
    [block] = [block for block in blocks(HOW_TO, "python") if "rules.add_rule" in block.text]
    yield block.run({})["is_own"]
    rules.remove_rule("own")


def test_the_condition_of_the_how_to_does_not_take_nobody_for_an_owner(own: Any) -> None:
    assert own(SimpleNamespace(pk=3), SimpleNamespace(owner_id=3))
    assert not own(SimpleNamespace(pk=3), SimpleNamespace(owner_id=4))
    assert not own(SimpleNamespace(pk=None), SimpleNamespace(owner_id=None))


@pytest.mark.django_db
def test_the_views_of_the_how_to_are_guarded(acl_site: Path, person: Any) -> None:
    [block] = [block for block in blocks(HOW_TO, "python") if "class Edit" in block.text]
    made = block.run({"TimeCard": Person})
    request = RequestFactory().get("/")
    ada = Person.objects.create(name="ada")
    request.user = person("ada", "clerk")
    assert made["edit"](request, pk=ada.pk) is None  # `...` is all that it does
    request.user = person("bea", "clerk")
    for view in (made["edit"], made["Edit"].as_view()):
        with pytest.raises(PermissionDenied):
            view(request, pk=ada.pk)
    request.user = person("cem", "chief")
    edit = type("Edit", (made["Edit"],), {"fields": ["name"]}).as_view()
    assert isinstance(edit(request, pk=ada.pk), HttpResponse)
