"""What the doctor says of a site that Django can start only in part, or whose settings have a slip in a name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.test_doctor import ROOT, SETTINGS, doctor, said_by


@pytest.fixture
def settings(tmp_path: Path) -> str:
    (tmp_path / "site.sqlite3").touch()
    return SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}


ACL = """
INSTALLED_APPS += ["djintegrate.acl", "django.contrib.auth", "django.contrib.contenttypes"]
AUTHENTICATION_BACKENDS = ["djintegrate.acl.backends.AclBackend"]
ACL_FILE = %r
"""
ROLES = """<config>
  <roleSet><role><name>clerk</name></role></roleSet>
  <permissions>
    <permission>
      <resources><resource>card</resource></resources>
      <roles><role>boss</role></roles>
      <privileges><privilege>read</privilege></privileges>
    </permission>
  </permissions>
</config>
"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ROLES, "!! acl.E002 roles.xml, line 6: There is no role 'boss'."),
        (ROLES.replace("</config>", ""), "!! acl.E002 roles.xml, line 11: "),
        (None, "roles.xml', which cannot be read: No such file or directory. Correct ACL_FILE, or put the file there."),
    ],
)
def test_mistakes_in_the_roles_are_said_with_their_lines_and_the_rest_is_looked_at(
    tmp_path: Path, settings: str, content: str | None, said: str
) -> None:
    if content:
        (tmp_path / "roles.xml").write_text(content)
    text = said_by(tmp_path, settings + ACL % f"{tmp_path}/roles.xml")
    assert said in text and "!! checks" not in text
    assert "!! migrations" in text and "ok store main" in text


def write_app(folder: Path, name: str, ready: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()
    (folder / name / "apps.py").write_text(f"""
from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

class Config(AppConfig):
    name = {name!r}

    def ready(self):
        {ready}
""")


def test_an_app_that_is_not_ready_is_said_in_its_own_words_and_the_others_are_made_ready(
    tmp_path: Path, settings: str
) -> None:
    write_app(tmp_path, "shop", "raise ImproperlyConfigured('SHOP is wrong:\\n  no till.\\nBuy one.')")
    write_app(tmp_path, "bank", "checks.register(lambda **kwargs: [checks.Warning('Closed.', id='bank.W001')])")
    write_app(tmp_path, "post", "import no_such_thing")
    text = said_by(tmp_path, settings + "INSTALLED_APPS += ['shop', 'bank', 'post']\n")
    assert "!! apps shop is not ready: ImproperlyConfigured: SHOP is wrong: no till. Buy one. Correct the" in text
    assert "!! apps post is not ready: ModuleNotFoundError: No module named 'no_such_thing'" in text
    assert "!! bank.W001 Closed." in text
    assert "ok store main" in text


@pytest.mark.parametrize(
    ("urls", "meant"), [("bookshop.url", "bookshop.urls"), ("bokshop.urls", ""), ("site_url", "site_urls")]
)
def test_a_slip_in_root_urlconf_is_asked_about(tmp_path: Path, settings: str, urls: str, meant: str) -> None:
    (tmp_path / "bookshop").mkdir()
    for name in ("bookshop/__init__", "bookshop/urls", "site_urls"):
        (tmp_path / f"{name}.py").write_text("urlpatterns = []\n")
    text = said_by(tmp_path, f"{settings}ROOT_URLCONF = {urls!r}\n")
    assert f"!! settings ROOT_URLCONF is {urls!r}, which cannot be imported: No module named" in text
    assert "Correct ROOT_URLCONF." + (f" Did you mean {meant}?" if meant else "") in text
    assert text.count("No module named") == 1


def test_what_the_urls_import_in_vain_is_no_slip_in_their_name(tmp_path: Path, settings: str) -> None:
    (tmp_path / "site_urls.py").write_text("import no_such_thing\n")
    text = said_by(tmp_path, f"{settings}ROOT_URLCONF = 'site_urls'\n")
    assert "!! checks ModuleNotFoundError: No module named 'no_such_thing'" in text
    assert "ROOT_URLCONF" not in text


def test_urls_of_the_old_app_are_said_with_what_to_write(tmp_path: Path, settings: str) -> None:
    (tmp_path / "site_urls.py").write_text("import django_openid_auth.urls\n")
    text = said_by(tmp_path, f"{settings}ROOT_URLCONF = 'site_urls'\n")
    assert "No module named 'django_openid_auth' Write \"djintegrate.openid_auth\" instead" in text


@pytest.mark.parametrize("name", ["ROOT_URLCON", "ROOT_URLCONFS"])
def test_a_slip_in_the_name_of_a_setting_is_asked_about(tmp_path: Path, settings: str, name: str) -> None:
    text = said_by(tmp_path, f"{settings}{name} = 'site_urls'\n")
    assert f"{name} is none of Django's settings, and ROOT_URLCONF is not set. Did you mean ROOT_URLCONF?" in text


def test_settings_of_a_sites_own_are_no_slips(tmp_path: Path, settings: str) -> None:
    own = "ROOT_URL = MY_EMAIL_BACKEND = TEMPLATE_FOLDER = LEGACY_DATABASES = ''\n"
    assert doctor(tmp_path, settings=settings + own).returncode == 0


def test_who_reads_only_the_first_lines_sees_no_traceback(tmp_path: Path, settings: str) -> None:
    doctor(tmp_path, settings=settings)
    command = f"{sys.executable} -m djintegrate doctor --settings site_settings | head -1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
