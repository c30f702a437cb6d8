"""A stranger's first minutes with an installed djintegrate: a new project, all of the apps, a request of each.

`make release-check` runs it outside of the checkout, with nothing but the installation and this page of the docs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = CHECKOUT / "docs/reference/which-settings.md"
URLS = """
from django.http import HttpResponse
from django.urls import include
from first.pages import page, upload
urlpatterns += [path("page/", page), path("upload/", upload)]
"""
PAGES = """
from django import forms
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.template import engines
from djintegrate.acl import access_required
from djintegrate.dojo import models as dojo
from djintegrate.jobs import progress, task
from djintegrate.jsonrpc import jsonrpc_method
from djintegrate.storm_backend import get_store, mapping


class Form(forms.Form):
    day = dojo.dojo_field(forms.DateField(), "dijit.form.DateTextBox")


def page(request):
    Group.objects.create(name="by Django")
    store = get_store("main")
    store.add(mapping.storm_class(Group)(name="by Storm"))
    if "fail" in request.GET:
        store.flush()
        raise RuntimeError("on purpose")
    form = Form()
    request.dojo.dojo_form(form)
    template = "{% load dojo %}<head>{% dojo request.dojo %}</head>{{ form }}"
    return HttpResponse(engines["django"].from_string(template).render({"form": form}, request))


@task
def count(to: int) -> int:
    progress(to, to)
    return to


@access_required("page", "write")
def upload(request):
    name = default_storage.save("word.txt", ContentFile(b"a word"))
    job = count.enqueue(3)
    if "fail" in request.GET:
        raise RuntimeError("on purpose")
    return HttpResponse(f"{name} {job.id}")


@jsonrpc_method("first.add", safe=True)
def add(request, a: int, b: int):
    return a + b
"""
VISIT = """
import logging
import djintegrate, MySQLdb, authlib, brotli, joserfc, psycopg, rules
from pathlib import Path
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.utils import translation

package = Path(djintegrate.__file__).parent
assert "site-packages" in package.parts, package
assert (package / "py.typed").is_file()

logging.disable()  # one of these requests is to fail
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
assert client.get("/page/?fail").status_code == 500
assert Group.objects.count() == 0, "a failed request left something"
page = client.get("/page/")
assert page.status_code == 200 and b"dijit/form/DateTextBox" in page.content and b"boot.js" in page.content
assert sorted(Group.objects.values_list("name", flat=True)) == ["by Django", "by Storm"]

# Files, jobs and roles: who may not is refused, what fails leaves nothing, and what does not is there.
ada = User.objects.create_user("ada")
client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
assert client.get("/upload/").status_code == 403
ada.groups.add(Group.objects.create(name="staff"))
assert client.get("/upload/?fail").status_code == 500
assert not Path("media/word.txt").exists(), "a failed request left a file"
assert b"You have no jobs" in client.get("/jobs/").content, "a failed request left a job"
name, job = client.get("/upload/").content.decode().split()
assert Path("media", name).read_bytes() == b"a word"
assert client.get(f"/jobs/{job}/status/").json()["state"] == "ready"
call_command("db_worker", batch=True, verbosity=0)
status = client.get(f"/jobs/{job}/status/").json()
assert (status["state"], status["done"]) == ("successful", 3), status

call = {"jsonrpc": "2.0", "method": "first.add", "params": [2, 3], "id": 1}
assert client.post("/json/", call, content_type="application/json").json()["result"] == 5
assert client.get("/json/first.add?a=2&b=3").json()["result"] == 5
assert client.get("/json/smd").json()["services"]["first.add"]
User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
assert b"first.add" in client.get("/json/browse/").content

for name in ("djintegrate/dojo/boot.js", "djintegrate/dojo/start.js", "openid/openid.css", "openid/launchpad.svg",
             "djintegrate/jobs/progress.js", "djintegrate/jsonrpc/console.js"):
    assert finders.find(name), name
texts = set()
for language in ("en", "de", "es", "fr"):
    login = client.get("/openid/login/", headers={"accept-language": language})
    assert login.status_code == 200 and b"Launchpad" in login.content
    with translation.override(language):
        texts.add(translation.gettext("Sign in"))
assert len(texts) == 4, texts
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _manage(folder, "-m", "django", "startproject", "first", ".")
        project = Path(folder, "first")
        settings = _blocks("All of them")
        urls = [block for heading in ("OpenID", "Jobs", "JSON-RPC") for block in _blocks(heading)[1:]]
        with (project / "settings.py").open("a") as file:
            file.write("\n".join(["", *settings]))
        with (project / "urls.py").open("a") as file:
            file.write("\n".join([URLS, *urls]))
        (project / "pages.py").write_text(PAGES)
        Path(folder, "roles.xml").write_text(*_blocks("Roles", "xml"))
        Path(folder, "dojo").mkdir()  # dojo_install wants the network
        _manage(folder, "manage.py", "check", "--fail-level", "WARNING")
        _manage(folder, "manage.py", "migrate", "--verbosity", "0")
        _manage(folder, "manage.py", "shell", "--verbosity", "0", "--command", VISIT)
        _manage(folder, "manage.py", "openid_cleanup")
        _manage(folder, "manage.py", "storm_indoubt")
        _manage(folder, "manage.py", "files_recover")
        _manage(folder, "manage.py", "jobs", "list")
        _manage(folder, "manage.py", "acl", "why", "ada", "page", "write")
        _manage(folder, "manage.py", "openid_ways_in")
        _manage(folder, "-m", "djintegrate", "doctor", quiet=True, status=1)  # Dojo and the worker are missing
        _manage(folder, "manage.py", "dojo_install", "--help", quiet=True)
        _manage(
            folder, "manage.py", "collectstatic", "--noinput", "--verbosity", "0", extra='STATIC_ROOT = "collected"'
        )
        assert Path(folder, "collected/djintegrate/dojo/boot.js").is_file()
    print(f"Python {sys.version.split()[0]}: a new project with all of the apps works.")


def _blocks(heading: str, language: str = "python") -> Sequence[str]:
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, heading
    return re.findall(rf"^```{language}\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)


def _manage(folder: str, *command: str, quiet: bool = False, extra: str = "", status: int = 0) -> None:
    """Runs Python there, without any other way to the checkout. It has to end with this status."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    if extra:
        with Path(folder, "first/settings.py").open("a") as file:
            file.write(f"\n{extra}\n")
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, stdout=output)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)[:80]} ended with {done.returncode}, not with {status}.")


if __name__ == "__main__":
    main()
