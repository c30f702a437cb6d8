"""A stranger's first minutes with an installed djintegrate: a new project, all three apps, one request of each.

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
from first.pages import page
urlpatterns += [path("page/", page)]
"""
PAGES = """
from django import forms
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.template import engines
from djintegrate.dojo import models as dojo
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
"""
VISIT = """
import logging
import djintegrate, MySQLdb, brotli, psycopg
from pathlib import Path
from django.contrib.auth.models import Group
from django.contrib.staticfiles import finders
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

for name in ("djintegrate/dojo/boot.js", "djintegrate/dojo/start.js", "openid/openid.css", "openid/launchpad.svg"):
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
        settings, urls = _blocks("All three"), _blocks("OpenID")[1:]
        with (project / "settings.py").open("a") as file:
            file.write("\n".join(["", *settings]))
        with (project / "urls.py").open("a") as file:
            file.write("\n".join([URLS, *urls]))
        (project / "pages.py").write_text(PAGES)
        Path(folder, "dojo").mkdir()  # dojo_install wants the network
        _manage(folder, "manage.py", "check", "--fail-level", "WARNING")
        _manage(folder, "manage.py", "migrate", "--verbosity", "0")
        _manage(folder, "manage.py", "shell", "--verbosity", "0", "--command", VISIT)
        _manage(folder, "manage.py", "openid_cleanup")
        _manage(folder, "manage.py", "storm_indoubt")
        _manage(folder, "manage.py", "dojo_install", "--help", quiet=True)
        _manage(
            folder, "manage.py", "collectstatic", "--noinput", "--verbosity", "0", extra='STATIC_ROOT = "collected"'
        )
        assert Path(folder, "collected/djintegrate/dojo/boot.js").is_file()
    print(f"Python {sys.version.split()[0]}: a new project with all three apps works.")


def _blocks(heading: str) -> Sequence[str]:
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, heading
    return re.findall(r"^```python\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)


def _manage(folder: str, *command: str, quiet: bool = False, extra: str = "") -> None:
    """Runs Python there, without any other way to the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    if extra:
        with Path(folder, "first/settings.py").open("a") as file:
            file.write(f"\n{extra}\n")
    output = subprocess.DEVNULL if quiet else None
    subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=True, stdout=output)


if __name__ == "__main__":
    main()
