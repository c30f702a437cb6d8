"""manage.py acl show, why and check."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import rules
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import override_settings

from djintegrate.acl import current
from djintegrate.acl.errors import RuleError
from djintegrate.acl.management.commands.acl import WHERE
from djintegrate.acl.matrix import matrix
from djintegrate.acl.reasons import why
from tests.acl.site import FILE, is_own
from tests.apps.people.models import Person

pytestmark = [pytest.mark.usefixtures("acl_site"), pytest.mark.django_db]
Make = Callable[..., Any]


def acl(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("acl", *arguments, stdout=out)
    return out.getvalue().splitlines()


def fails(*arguments: str) -> tuple[list[str], str]:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("acl", *arguments, stdout=out)
    return out.getvalue().splitlines(), str(error.value)


def test_show_is_a_table_of_roles_and_what_they_may(person: Make) -> None:
    person("ada", "clerk", "bosses")
    with override_settings(ACL_ROLES={"chief": "bosses"}, ACL_SIGNED_IN_ROLE="visitor"):
        lines = acl("show")
    table = [line.split() for line in lines[: lines.index("")]]
    assert table[0] == ["visitor", "clerk", "chief"]
    assert ["poster", "read", "yes", "(yes)", "(yes)"] in table
    assert ["time_card", "approve", "yes"] in table
    assert ["time_card", "write", "if", "own", "yes"] in table
    assert lines[-3:] == [
        "visitor: the group 'visitor', which does not exist; and everybody who is signed in",
        "clerk: the group 'clerk'",
        "chief: the group 'bosses'",
    ]


def test_show_may_be_of_some_resources() -> None:
    assert [line.split()[0] for line in acl("show", "poster", "human")[1:4]] == ["human", "human", "poster"]
    _, said = fails("show", "postre")
    assert said == "The list has no resource 'postre'. It has: human, human.email, poster, time_card."


def test_the_table_marks_what_is_inherited_and_what_is_withdrawn(tmp_path: Path) -> None:
    text = FILE.replace("</permissions>", "<permission><resources><resource>time_card</resource></resources><roles>"
        '<role>chief</role></roles><privileges><privilege allowed="false">read</privilege></privileges></permission>'
        "</permissions>")  # fmt: skip
    (tmp_path / "more.xml").write_text(text)
    with override_settings(ACL_FILE=tmp_path / "more.xml"):
        rows = {(row.resource, row.privilege): [str(cell) for cell in row.cells] for row in matrix(current())}
        [inherited] = [cell for row in matrix(current()) if row.resource == "poster" for cell in row.cells[2:]]
    assert rows["time_card", "read"] == ["", "yes", "withdrawn"]
    assert rows["human", "change"] == ["", "if own", "(if own)"]
    assert inherited.inherited_from == "visitor"


def test_why_tells_each_step(person: Make) -> None:
    person("bea", "bosses")
    with override_settings(ACL_ROLES={"chief": "bosses"}):
        assert acl("why", "bea", "time_card", "read") == [
            "Yes: bea may read time_card.",
            "bea has the role 'chief' by the group 'bosses'.",
            "The role 'chief' inherits from 'clerk'.",
            "The role 'clerk' has 'read' on 'time_card' (roles.xml, line 17).",
        ]


def test_why_looks_at_the_object(person: Make) -> None:
    person("ada", "clerk")
    own, other = (Person.objects.create(name=name).pk for name in ("ada", "bea"))
    steps = [
        "ada has the role 'clerk' by the group 'clerk'.",
        "The role 'clerk' has 'write' on 'time_card', if 'own' is true of the object (roles.xml, line 18).",
    ]
    no = "No: ada may not write time_card."
    unsaid = "Which object it is about was not said, so no condition counts as true."
    assert acl("why", "ada", "time_card", "write") == [no, *steps, unsaid]
    yes = acl("why", "ada", "time_card", "write", "--object", f"people.Person:{own}")
    assert yes == ["Yes: ada may write time_card.", *steps]
    about_another = acl("why", "ada", "time_card", "write", "--object", f"people.Person:{other}")
    assert about_another[:3] == [no, *steps]
    assert about_another[3] == f"The condition 'own' is not true of Person object ({other})."


def test_why_not_says_who_has_it_and_what_may_be_a_slip(person: Make) -> None:
    person("ada", "clerk")
    assert acl("why", "ada", "time_card", "approve") == [
        "No: ada may not approve time_card.",
        "ada has the role 'clerk' by the group 'clerk'.",
        "Roles that have it: 'chief' (group 'chief').",
    ]
    assert (
        acl("why", "ada", "time_crad", "approve")[-1] == "The list has no resource 'time_crad'. Did you mean time_card?"
    )
    assert acl("why", "ada", "time_card", "aprove")[-1] == "No role has 'aprove' on 'time_card'. Did you mean approve?"


def test_why_knows_the_states_of_accounts_and_people_who_are_not_signed_in(person: Make) -> None:
    person("cem", "chief", is_active=False)
    person("root", is_superuser=True)
    person("dan")
    assert acl("why", "cem", "time_card", "read")[1] == "The account of cem is not active."
    assert acl("why", "root", "any", "thing")[1] == "root is a superuser, about whom Django asks no backend."
    assert acl("why", "dan", "poster", "read")[1] == "dan has no role."
    assert acl("why", "-", "poster", "read")[1] == "Somebody who is not signed in has no role."
    with override_settings(ACL_ANONYMOUS_ROLE="visitor", ACL_SIGNED_IN_ROLE="visitor"):
        said = "Somebody who is not signed in has the role 'visitor' by ACL_ANONYMOUS_ROLE."
        assert acl("why", "-", "poster", "read")[1] == said
        assert acl("why", "dan", "poster", "read")[1] == "dan has the role 'visitor' by ACL_SIGNED_IN_ROLE."


def test_why_says_when_another_backend_grants_it(person: Make) -> None:
    person("ada").user_permissions.add(Permission.objects.get(codename="view_group"))
    last = "But Django says yes, for another backend grants it: django.contrib.auth.backends.ModelBackend."
    assert acl("why", "ada", "auth", "view_group")[-1] == last


@pytest.fixture
def raising(acl_site: Path) -> Iterator[None]:
    """The rule looks at what only some objects have."""
    rules.set_rule("own", lambda user, card: bool(card.day))
    yield
    rules.set_rule("own", is_own)


@pytest.mark.usefixtures("raising")
def test_why_says_in_a_line_which_rule_raises_on_which_object(person: Make) -> None:
    user = person("ada", "clerk")
    card = Person.objects.create(name="ada")
    about = f"people.Person:{card.pk}"
    said = "The rule 'own' has raised AttributeError: 'Person' object has no attribute 'day'"
    lines, ended = fails("why", "ada", "time_card", "write", "--object", about)
    assert (lines, ended) == ([], f"{said} (ada, {about}). {WHERE}")
    assert acl("why", "ada", "time_card", "write")[0] == "No: ada may not write time_card."
    with pytest.raises(RuleError) as caught:
        why(user, "time_card", "write", card)
    assert (str(caught.value), caught.value.condition) == (said, "own")
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.usefixtures("raising")
def test_why_asks_no_rule_where_the_site_does_not(person: Make) -> None:
    card = Person.objects.create(name="ada")
    assert person("bea", "clerk", "chief").has_perm("time_card.write", card)
    about = f"people.Person:{card.pk}"
    assert acl("why", "bea", "time_card", "write", "--object", about)[0] == "Yes: bea may write time_card."


@pytest.mark.usefixtures("raising")
def test_the_traceback_of_a_rule_is_there_for_who_asks_for_it(person: Make) -> None:
    """Django shows the one of a CommandError, with what it was raised from, with --traceback."""
    person("ada", "clerk")
    about = f"people.Person:{Person.objects.create(name='ada').pk}"
    with pytest.raises(CommandError) as caught:
        acl("why", "ada", "time_card", "write", "--object", about)
    said = "".join(traceback.format_exception(caught.value))
    assert "lambda user, card: bool(card.day)" in said


class Broken(BaseBackend):
    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        raise RuntimeError("no\nlines")


class Refusing(BaseBackend):
    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        raise PermissionDenied


def test_why_says_in_a_line_which_other_backend_raises(person: Make, settings: Any) -> None:
    person("ada").user_permissions.add(Permission.objects.get(codename="view_group"))
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Broken", *settings.AUTHENTICATION_BACKENDS]
    lines, ended = fails("why", "ada", "auth", "view_group")
    assert lines[0] == "No: ada may not view_group auth."
    assert ended == f"The backend {__name__}.Broken has raised RuntimeError: no lines (ada). {WHERE}"


def test_why_asks_no_backend_after_one_that_refuses(person: Make, settings: Any) -> None:
    user = person("ada")
    user.user_permissions.add(Permission.objects.get(codename="view_group"))
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Refusing", *settings.AUTHENTICATION_BACKENDS]
    assert not user.has_perm("auth.view_group")
    assert not any(line.startswith("But Django says yes") for line in acl("why", "ada", "auth", "view_group"))


@pytest.mark.parametrize(
    ("about", "wrong"),
    [
        ("nonsense", "It has no key after a colon."),
        ("people.Person:", "It has no key after a colon."),
        ("cards:1", "'cards' is not the label of an app and the name of a model with a dot between them."),
        (".Person:1", "'.Person' is not the label of an app and the name of a model with a dot between them."),
        ("people.Persom:1", "There is no model 'people.Persom'. Did you mean people.Person?"),
        ("poeple.Person:1", "There is no model 'poeple.Person'. Did you mean people.Person?"),
        ("people.Person:99", "There is no people.Person with the key '99'."),
        ("people.Person:x", "The key of people.Person is of the type BigAutoField, which 'x' does not fit."),
    ],
)
def test_why_says_what_is_wrong_with_its_object(about: str, wrong: str, person: Make) -> None:
    person("ada")
    said = fails("why", "ada", "a", "b", "--object", about)[1]
    assert said == f"--object is {about!r}. {wrong} Make it APP.MODEL:KEY, as in payroll.TimeCard:3."


def test_why_says_that_there_is_no_such_user() -> None:
    assert fails("why", "nobody", "a", "b")[1].startswith("There is no user 'nobody'.")


def test_why_and_has_perm_agree_on_everything(person: Make) -> None:
    for name, groups in {"ada": ["clerk"], "bea": ["chief"], "cem": [], "dan": ["visitor"]}.items():
        user = person(name, *groups)
        for resource, privilege in current().privileges():
            [first, *_] = acl("why", name, resource, privilege)
            assert first.startswith("Yes" if user.has_perm(f"{resource}.{privilege}") else "No")


def test_check_tells_every_mistake_with_its_line(tmp_path: Path) -> None:
    slip = tmp_path / "slip.xml"
    text = FILE.replace("<role>chief</role>", "<role>chef</role>").replace("poster", "people").replace('"own"', '"owm"')
    slip.write_text(text)
    lines, said = fails("check", str(slip))
    lines_of_slips = [f"{slip}:{line}" for line in (9, 18, 23, 33)]
    assert [line.partition(": ")[0] for line in lines] == lines_of_slips
    assert said == f"4 mistakes in {slip}. Such a file grants nothing to anybody."


def test_check_is_content_with_a_good_file(acl_site: Path) -> None:
    assert acl("check") == [f"{acl_site}: no mistakes; 3 roles, 4 resources, 8 grants."]
    posted = Path(__file__).with_name("posted.xml")
    harmless, good = acl("check", str(posted))
    assert "posted.xml:17: (harmless) Text in <config>" in harmless
    assert good.endswith("posted.xml: no mistakes; 3 roles, 3 resources, 7 grants.")
    assert fails("check", "/no/such.xml")[1] == "'/no/such.xml' cannot be read: No such file or directory."


@pytest.fixture
def no_rule(acl_site: Path) -> Iterator[None]:
    """As in a new process, which has imported nothing that adds it."""
    rules.remove_rule("own")
    yield
    rules.set_rule("own", is_own)


@pytest.fixture
def urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A URLconf that nobody has imported yet."""
    monkeypatch.syspath_prepend(tmp_path)
    with override_settings(ROOT_URLCONF="urls_of_the_rule"):
        yield tmp_path / "urls_of_the_rule.py"
    sys.modules.pop("urls_of_the_rule", None)


ADDING = """
import rules
from tests.acl.site import is_own
rules.add_rule("own", is_own)
urlpatterns = []
"""
MISSING = (
    "There is no rule 'own': this is granted to nobody. "
    "Call rules.add_rule('own', …) where it is imported at the start, say in an app's ready()."
)


@pytest.mark.usefixtures("no_rule")
def test_why_finds_a_rule_that_only_the_urls_import(urls: Path, person: Make) -> None:
    person("ada", "clerk")
    urls.write_text(ADDING)
    about = f"people.Person:{Person.objects.create(name='ada').pk}"
    assert acl("why", "ada", "time_card", "write", "--object", about)[0] == "Yes: ada may write time_card."


@pytest.mark.usefixtures("no_rule")
def test_a_command_or_a_worker_answers_as_the_site_whose_urls_add_the_rule(urls: Path, person: Make) -> None:
    urls.write_text(ADDING)
    assert person("ada", "clerk").has_perm("time_card.write", Person(name="ada"))


@pytest.mark.usefixtures("no_rule")
def test_why_says_that_a_condition_has_no_rule_and_not_that_it_is_not_true(person: Make) -> None:
    person("ada", "clerk")
    about = f"people.Person:{Person.objects.create(name='ada').pk}"
    for arguments in ([], ["--object", about]):
        lines = acl("why", "ada", "time_card", "write", *arguments)
        assert lines[0] == "No: ada may not write time_card."
        assert lines[3:] == [MISSING]


@pytest.mark.usefixtures("no_rule")
def test_urls_that_cannot_be_imported_are_named_where_a_rule_is_missing(urls: Path, person: Make) -> None:
    person("ada", "clerk")
    urls.write_text("import no_such_module")
    last = acl("why", "ada", "time_card", "write")[-1]
    assert last == f"{MISSING} The URLs cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"


def test_why_without_the_library_of_rules_says_what_to_install(person: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada", "clerk")
    about = f"people.Person:{Person.objects.create(name='ada').pk}"
    monkeypatch.setitem(sys.modules, "rules", None)
    last = acl("why", "ada", "time_card", "write", "--object", about)[-1]
    assert last.endswith("granted to nobody. Install djintegrate[acl], which brings the library rules.")
