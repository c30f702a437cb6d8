"""System checks: what is wrong with the file and the settings, with the line and the remedy. No database is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from djintegrate.common.checks import unknown_names, wrong_values
from djintegrate.common.types import did_you_mean

from . import conditions, conf
from .errors import Mistake
from .reader import Document, read

BACKEND = "djintegrate.acl.backends.AclBackend"


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    found = list(unknown_names(conf.DECLARED, "acl.W001"))
    if wrong := list(wrong_values(conf.DECLARED, "acl.E001")):
        return found + wrong
    found += _relative_file()
    try:
        document = read(conf.file())
    except OSError as error:
        said = f"ACL_FILE is {str(conf.file())!r}, which cannot be read: {error.strerror}."
        return [*found, Error(said, hint="Correct ACL_FILE, or put the file there.", id="acl.E002")]
    for look in (_of_file, _of_settings, _shared_groups, _of_teams):
        found += look(document)
    return [*found, *_backend()]


def _relative_file() -> Iterator[CheckMessage]:
    if not conf.file().is_absolute():
        yield Warning(
            f"ACL_FILE is {str(conf.file())!r}, relative to the directory that the process is started in.",
            hint=f"Write an absolute path: ACL_FILE = BASE_DIR / {str(conf.file())!r}.",
            id="acl.W005",
        )


def site_mistakes(document: Document) -> Iterator[tuple[Mistake, str]]:
    """What is wrong with a file because of the site that it is for, with the id of the check."""
    labels = {config.label for config in apps.get_app_configs()}
    for resource, line in document.used.items():
        if resource in labels:
            said = f"The resource {resource!r} is called like an installed app, whose permissions are named like that."
            yield Mistake(line, said, "Give it another name; ACL_MODELS can make it stand for a model."), "acl.E003"
    lines = {grant.condition: grant.line for grant in reversed(document.grants) if grant.condition}
    for condition, line in lines.items():
        if remedy := conditions.lacks(condition):
            yield Mistake(line, f"There is no rule {condition!r}: this is granted to nobody.", remedy), "acl.E004"


def _of_file(document: Document) -> Iterator[CheckMessage]:
    for mistake in document.mistakes:
        yield Error(f"{document.name}, line {mistake.line}: {mistake.said}", hint=mistake.remedy, id="acl.E002")
    for mistake, check_id in site_mistakes(document):
        yield Error(f"{document.name}, line {mistake.line}: {mistake.said}", hint=mistake.remedy, id=check_id)
    for remark in document.remarks:
        yield Warning(f"{document.name}, line {remark.line}: {remark.said}", hint=remark.remedy, id="acl.W003")


def _of_settings(document: Document) -> Iterator[CheckMessage]:
    named = {"ACL_ANONYMOUS_ROLE": [conf.anonymous_role()], "ACL_SIGNED_IN_ROLE": [conf.signed_in_role()]}
    for setting, roles in {**named, "ACL_ROLES": list(conf.groups())}.items():
        for role in filter(None, roles):
            if role not in document.roles:
                yield _unknown(setting, "role", role, list(document.roles))
    for resource, label in conf.models().items():
        known = {grant.resource for grant in document.grants}
        if resource not in known:
            yield _unknown("ACL_MODELS", "resource", resource, sorted(known))
        models = [model._meta.label for model in apps.get_models()]
        if label.lower() not in map(str.lower, models):
            yield _unknown("ACL_MODELS", "model", label, models)


def _shared_groups(document: Document) -> Iterator[CheckMessage]:
    """Several roles may be meant for a group, but nobody has said it of one that is only called like it."""
    given = conf.groups()
    for group in document.roles:
        others = [role for role in document.roles if role != group and given.get(role) == group]
        if others and group not in given:
            these, all_ = ("role", "both") if len(others) == 1 else ("roles", "all of them")
            roles = " and ".join(map(repr, others))
            yield Warning(
                f"By ACL_ROLES, the group {group!r} has the {these} {roles}, and by its name the role {group!r}: "
                f"its members have {all_}.",
                hint=f"Name another group for {roles} in ACL_ROLES. If its members are to have {all_}, say so there: "
                f"{{{group!r}: {group!r}}}.",
                id="acl.W004",
            )


def _unknown(setting: str, kind: str, name: str, known: list[str]) -> CheckMessage:
    where = "is not installed" if kind == "model" else "is not in ACL_FILE"
    said = f"{setting} names the {kind} {name!r}, which {where}. {did_you_mean(name, known)}"
    return Error(said.rstrip(), hint=f"Correct {setting}.", id="acl.E006")


def _of_teams(document: Document) -> Iterator[CheckMessage]:
    """djintegrate.openid_auth, where it is installed, may put people into groups by teams that anybody can register."""
    if not conf.Login.teams_are_groups():
        return
    given = conf.Login.groups_without_team()
    safe = given if isinstance(given, list | tuple | set | frozenset) else ()
    for role in document.roles:
        if conf.group_of(role) not in safe:
            yield Error(
                f"Anybody can get the role {role!r}: with OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO, whoever registers a "
                f"team called {conf.group_of(role)!r} is put into the group of that name.",
                hint="Name the teams in OPENID_LAUNCHPAD_TEAMS_MAPPING instead, or put the group into "
                "OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST.",
                id="acl.E005",
            )


def _backend() -> Iterator[CheckMessage]:
    if not any(map(_is_ours, settings.AUTHENTICATION_BACKENDS)):
        yield Warning(
            "AUTHENTICATION_BACKENDS has no AclBackend: nothing asks the list.",
            hint=f"Add {BACKEND!r}, or a class derived from it.",
            id="acl.W002",
        )


def _is_ours(path: str) -> bool:
    from .backends import AclBackend

    try:
        return issubclass(import_string(path), AclBackend)
    except ImportError:
        # Django tells of it when it asks the backends.
        return False
