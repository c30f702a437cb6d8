"""The checks of the settings, of the file and of what is around it; and that a wrong file stops the start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from djintegrate.acl import checks, conf, current
from tests.acl.site import BACKENDS, FILE
from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs/reference/acl.md"
pytestmark = pytest.mark.usefixtures("acl_site")


def found(**settings: Any) -> list[CheckMessage]:
    with override_settings(**settings):
        return checks.check_configuration()


def ids(**settings: Any) -> list[str]:
    return [str(message.id).removeprefix("acl.") for message in found(**settings)]


def test_a_usual_site_has_nothing_to_complain_about() -> None:
    assert found() == []
    assert ids(ACL_ROLES={"chief": "bosses"}, ACL_ANONYMOUS_ROLE="visitor", ACL_MODELS={"human": "people.Person"}) == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("ACL_FILE", None, "E001"),
        ("ACL_FILE", 5, "E001"),
        ("ACL_FILE", "/no/such/roles.xml", "E002"),
        ("ACL_FILE", "/", "E002"),
        ("ACL_ROLES", ["chief"], "E001"),
        ("ACL_ROLES", {"chief": None}, "E001"),
        ("ACL_ROLES", {"chef": "bosses"}, "E006"),
        ("ACL_ANONYMOUS_ROLE", True, "E001"),
        ("ACL_ANONYMOUS_ROLE", "visiter", "E006"),
        ("ACL_SIGNED_IN_ROLE", "visiter", "E006"),
        ("ACL_MODELS", {"human": "people.Persom"}, "E006"),
        ("ACL_MODELS", {"humam": "people.Person"}, "E006"),
        ("ACL_MODELS", {"human": 5}, "E001"),
        ("ACL_ROLES", {"chief": "clerk"}, "W004"),
        ("ACL_ROLES", {"chief": "clerk", "clerk": "clerk"}, None),
        ("ACL_ROLES", {"chief": "clerk", "clerk": "chief"}, None),
        ("ACL_ROLES", {"chief": "staff", "clerk": "staff"}, None),
        ("ACL_FLIE", "roles.xml", "W001"),
        ("AUTHENTICATION_BACKENDS", BACKENDS[:1], "W002"),
        ("AUTHENTICATION_BACKENDS", ["no.such.Backend", BACKENDS[1]], None),
    ],
)
def test_a_wrong_setting_is_told_of(setting: str, value: Any, expected: str | None) -> None:
    assert ids(**{setting: value}) == ([expected] if expected else [])


def test_a_group_that_gets_a_second_role_by_a_slip_is_told_of_with_both() -> None:
    [message] = found(ACL_ROLES={"chief": "clerk"})
    assert message.msg == (
        "By ACL_ROLES, the group 'clerk' has the role 'chief', and by its name the role 'clerk': its members have both."
    )
    [message] = found(ACL_ROLES={"chief": "visitor", "clerk": "visitor"})
    assert "the roles 'clerk' and 'chief', and by its name the role 'visitor'" in message.msg
    assert str(message.hint).endswith("If its members are to have all of them, say so there: {'visitor': 'visitor'}.")
    assert ids(ACL_ROLES={"chief": "visitor", "clerk": "visitor", "visitor": "visitor"}) == []


def test_a_relative_file_is_warned_of_whether_it_is_found_or_not(
    acl_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(acl_site.parent)
    [message] = found(ACL_FILE="roles.xml")
    assert (message.id, message.msg) == (
        "acl.W005",
        "ACL_FILE is 'roles.xml', relative to the directory that the process is started in.",
    )
    assert message.hint == "Write an absolute path: ACL_FILE = BASE_DIR / 'roles.xml'."
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ids(ACL_FILE="roles.xml") == ["W005", "E002"]


def test_what_is_told_asks_what_was_meant() -> None:
    [message] = found(ACL_ROLES={"chef": "bosses"})
    assert message.msg == "ACL_ROLES names the role 'chef', which is not in ACL_FILE. Did you mean chief?"
    [message] = found(ACL_MODELS={"human": "people.Persom"})
    assert message.msg.endswith("which is not installed. Did you mean people.Person?")


@pytest.mark.parametrize(
    ("old", "new", "expected", "said"),
    [
        ("<role>chief</role>", "<role>chef</role>", "E002", "slip.xml, line 23: There is no role 'chef'."),
        ("time_card", "people", "E003", "slip.xml, line 14: The resource 'people' is called like an installed app"),
        ('"own"', '"owm"', "E004", "slip.xml, line 18: There is no rule 'owm': this is granted to nobody."),
        ("<roleSet>", "Roles: <roleSet>", "W003", "slip.xml, line 2: Text in <config> means nothing."),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(
    old: str, new: str, expected: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "slip.xml").write_text(FILE.replace(old, new))
    message = found(ACL_FILE=tmp_path / "slip.xml")[0]
    assert str(message.id) == f"acl.{expected}"
    assert message.msg.startswith(said)
    assert message.hint


def test_conditions_without_the_library_are_told_of_and_are_never_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rules", None)
    message = found()[0]
    assert (message.id, message.hint) == ("acl.E004", "Install djintegrate[acl], which brings the library rules.")


def test_a_role_that_anybody_gets_by_registering_a_team_is_refused() -> None:
    auto: dict[str, Any] = {"OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO": True, "ACL_ROLES": {"chief": "bosses"}}
    messages = found(**auto)
    assert [message.id for message in messages] == ["acl.E005"] * 3
    assert "whoever registers a team called 'bosses'" in messages[2].msg
    listed = ("visitor", "clerk", "bosses")
    assert found(**auto, OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST=listed) == []
    assert ids(**auto, OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST=["visitor", "clerk", "chief"]) == ["E005"]
    assert found(OPENID_LAUNCHPAD_TEAMS_MAPPING={"team": "chief"}) == []


def test_a_wrong_file_grants_nothing_and_says_all_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "slip.xml").write_text(FILE.replace("<role>chief</role>", "<role>chef</role>"))
    with override_settings(ACL_FILE=tmp_path / "slip.xml"):
        for _ in range(2):
            with pytest.raises(ImproperlyConfigured, match=r"slip\.xml, line 23: There is no role 'chef'"):
                current()
    with override_settings(ACL_FILE=tmp_path / "none.xml"), pytest.raises(ImproperlyConfigured, match="cannot be read"):
        current()


SETTINGS = """
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djintegrate.acl"]
AUTHENTICATION_BACKENDS = ["djintegrate.acl.backends.AclBackend"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
ACL_FILE = {file!r}
SECRET_KEY = "x"
"""
MANAGE = "import sys\nfrom django.core.management import execute_from_command_line as run\nrun(sys.argv)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A site with the list alone, and its manage.py."""
    (tmp_path / "a_site.py").write_text(SETTINGS.format(file=str(tmp_path / "list.xml")))
    (tmp_path / "manage.py").write_text(MANAGE)
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "a_site", "PYTHONPATH": f"{project}:{ROOT}"}
    return python(*arguments, cwd=project, env=environment)


def test_a_wrong_file_stops_the_start_and_leaves_the_command_that_finds_the_mistake(project: Path) -> None:
    wrong = FILE.replace("<role>chief</role>", "<role>chef</role>").replace(' if="own"', "")
    (project / "list.xml").write_text(wrong)
    served = run(project, "-c", "from django.core.wsgi import get_wsgi_application as get; get()")
    assert served.returncode == 1
    assert "ACL_FILE is wrong" in served.stderr
    assert "list.xml, line 23: There is no role 'chef'" in served.stderr
    migrated = run(project, "manage.py", "migrate")
    assert migrated.returncode == 1
    assert "(acl.E002) list.xml, line 23" in migrated.stderr
    assert "Traceback" not in migrated.stderr
    checked = run(project, "manage.py", "acl", "check")
    assert checked.returncode == 1
    assert "list.xml:23: There is no role 'chef'." in checked.stdout
    (project / "list.xml").write_text(wrong.replace("chef", "chief"))
    assert run(project, "-c", "from django.core.wsgi import get_wsgi_application as get; get()").returncode == 0
    assert run(project, "-m", "django", "check").returncode == 0


def test_importing_the_package_touches_no_models(project: Path) -> None:
    (project / "list.xml").write_text(FILE)
    code = "import djintegrate.acl, sys; from djintegrate.acl import Acl, Role, Resource, current, AccessError; "
    code += "assert 'django.contrib.auth.models' not in sys.modules; djintegrate.acl.Acl()"
    done = run(project, "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_reference_has_each_setting_with_its_default_and_each_check() -> None:
    text = REFERENCE.read_text()
    for setting in conf.DECLARED:
        heading = f"### `{setting.name}`"
        assert heading in text
        default = re.search(r"Default: `([^`]*)`", text.partition(heading)[2].partition("\n### ")[0])
        assert (default[1] if default else "not set") == repr(setting.default)
    source = (ROOT / "djintegrate/acl/checks.py").read_text()
    assert set(re.findall(r"acl\.[EW]\d+", source)) == set(re.findall(r"`(acl\.[EW]\d+)`", text))
