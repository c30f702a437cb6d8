"""manage.py acl show|why|check: the list as a table, the reason of an answer, and the mistakes in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, DataError
from django.utils.module_loading import import_string

from djintegrate.acl import conf
from djintegrate.acl.checks import site_mistakes
from djintegrate.acl.core import Acl
from djintegrate.acl.errors import RuleError, in_one_line
from djintegrate.acl.matrix import matrix
from djintegrate.acl.reader import read
from djintegrate.acl.reasons import why
from djintegrate.acl.site import current
from djintegrate.common.types import did_you_mean

WHERE = "To see where: manage.py acl --traceback why …"


class Command(BaseCommand):
    help = "Shows who may do what, and why, and finds the mistakes in a file of roles."
    requires_system_checks: list[str] = []  # with a wrong ACL_FILE, `check` is what one needs

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="show|why|check")
        show = actions.add_parser("show", help="Print the roles and what they may, as a table.")
        show.add_argument("resource", nargs="*", metavar="RESOURCE", help="Only these.")
        reason = actions.add_parser("why", help="Say whether somebody may do something, and why.")
        reason.add_argument("user", metavar="USER", help="A user name; - for somebody who is not signed in.")
        reason.add_argument("resource", metavar="RESOURCE")
        reason.add_argument("privilege", metavar="PRIVILEGE")
        reason.add_argument("--object", metavar="APP.MODEL:KEY", help="The object that conditions are about.")
        check = actions.add_parser("check", help="Print every mistake in a file, with its line and a remedy.")
        check.add_argument("file", nargs="?", metavar="FILE", help="By default that of ACL_FILE.")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "check":
            self._check(Path(options["file"] or conf.file()))
        elif action == "show":
            self._show(current(), options["resource"])
        else:
            self._why(options["user"], options["resource"], options["privilege"], options["object"])

    def _show(self, acl: Acl, wanted: list[str]) -> None:
        rows = [row for row in matrix(acl) if not wanted or row.resource in wanted]
        if wanted and not rows:
            known = ", ".join(sorted({resource for resource, _ in acl.privileges()}))
            raise CommandError(f"The list has no resource {' or '.join(map(repr, wanted))}. It has: {known}.")
        head = ["", "", *acl.roles]
        self._table([head, *([row.resource, row.privilege, *map(str, row.cells)] for row in rows)])
        self.stdout.write("\n(…) is inherited.")
        groups = {role: conf.group_of(role) for role in acl.roles}
        there = set(Group.objects.filter(name__in=groups.values()).values_list("name", flat=True))
        by_setting = {conf.anonymous_role(): "not signed in", conf.signed_in_role(): "signed in"}
        for role, group in groups.items():
            missing = "" if group in there else ", which does not exist"
            also = f"; and everybody who is {by_setting[role]}" if role in by_setting else ""
            self.stdout.write(f"{role}: the group {group!r}{missing}{also}")

    def _table(self, rows: list[list[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _why(self, name: str, resource: str, privilege: str, about: str | None) -> None:
        user, obj = _user(name), _object(about) if about else None
        try:
            reason = why(user, resource, privilege, obj)
        except RuleError as error:
            raise CommandError(f"{error} ({_asked(name, about)}). {WHERE}") from error
        for line in reason.lines:
            self.stdout.write(line)
        try:
            others = [] if reason.granted else list(_other_backends(user, f"{resource}.{privilege}", obj))
        except BackendError as error:
            raise CommandError(f"{error} ({_asked(name, about)}). {WHERE}") from error
        if others:
            self.stdout.write(f"But Django says yes, for another backend grants it: {', '.join(others)}.")

    def _check(self, file: Path) -> None:
        try:
            document = read(file)
        except OSError as error:
            raise CommandError(f"{str(file)!r} cannot be read: {error.strerror}.") from None
        path = _from_here(file)
        mistakes = [*document.mistakes, *(mistake for mistake, _ in site_mistakes(document))]
        for mistake in sorted(mistakes):
            self.stdout.write(f"{path}:{mistake.line}: {mistake.said} {mistake.remedy}")
        for remark in document.remarks:
            self.stdout.write(f"{path}:{remark.line}: (harmless) {remark.said} {remark.remedy}")
        if mistakes:
            raise CommandError(f"{_count(len(mistakes), 'mistake')} in {path}. Such a file grants nothing to anybody.")
        resources = {grant.resource for grant in document.grants}
        counts = (len(document.roles), "role"), (len(resources), "resource"), (len(document.grants), "grant")
        self.stdout.write(f"{path}: no mistakes; {', '.join(_count(*each) for each in counts)}.")


def _from_here(path: Path) -> Path:
    """As editors open it from the terminal."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _user(name: str) -> Any:
    if name == "-":
        return AnonymousUser()
    model = get_user_model()
    try:
        return model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        raise CommandError(f"There is no user {name!r}. Make it a user name, or - for nobody signed in.") from None


def _object(about: str) -> Any:
    try:
        return _found(*_label_and_key(about))
    except Unfound as error:
        raise CommandError(f"--object is {about!r}. {error} Make it APP.MODEL:KEY, as in payroll.TimeCard:3.") from None


class Unfound(Exception):
    """What --object names is not there. In words."""


def _label_and_key(about: str) -> tuple[str, str]:
    label, colon, key = about.partition(":")
    if not (colon and key):
        raise Unfound("It has no key after a colon.")
    if label.count(".") != 1 or not all(label.split(".")):
        raise Unfound(f"{label!r} is not the label of an app and the name of a model with a dot between them.")
    return label, key


def _found(label: str, key: str) -> Any:
    try:
        model = apps.get_model(label)
    except LookupError:
        labels = [model._meta.label for model in apps.get_models()]
        raise Unfound(f"There is no model {label!r}. {did_you_mean(label, labels)}".rstrip()) from None
    try:
        return model._default_manager.get(pk=key)
    except model.DoesNotExist:
        raise Unfound(f"There is no {model._meta.label} with the key {key!r}.") from None
    except (ValidationError, ValueError, TypeError, OverflowError, DataError):
        kind = type(model._meta.pk).__name__
        raise Unfound(f"The key of {model._meta.label} is of the type {kind}, which {key!r} does not fit.") from None
    except DatabaseError as error:
        raise Unfound(f"The database cannot be asked for it: {error}.") from None


class BackendError(Exception):
    """Another authentication backend has raised the error that this one is raised from."""


def _other_backends(user: Any, perm: str, obj: Any) -> Iterable[str]:
    from djintegrate.acl.backends import AclBackend

    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path)()
        if isinstance(backend, AclBackend) or not hasattr(backend, "has_perm"):
            continue
        try:
            grants = backend.has_perm(user, perm, obj)
        except PermissionDenied:
            return  # With which Django asks no further backend.
        except Exception as error:  # whatever a site's own backend does
            raise BackendError(f"The backend {path} has raised {in_one_line(error)}") from error
        if grants:
            yield path


def _asked(name: str, about: str | None) -> str:
    return f"{name}, {about}" if about else name


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
