"""What people may do, by the names in roles.xml; the rules that it refers to; and the groups that its roles are.

Nothing else in the app names a group; views and templates ask for a privilege. In the admin Django's own permissions
count, which the groups have beside their roles.
"""

from __future__ import annotations

from typing import Any

import rules
from django.contrib.auth.management import create_permissions
from django.core.exceptions import PermissionDenied

PROPOSE = "session.propose"
SCHEDULE = "session.schedule"
EDIT = "session.edit"
WITHDRAW = "session.withdraw"

WORDS = {
    PROPOSE: "Propose a session",
    SCHEDULE: "Put a session on the schedule, or take it off",
    EDIT: "Change a session and its slides",
    WITHDRAW: "Withdraw a session",
    "person.email.read": "See the e-mail address of a person",
}
"""What the pages say of a privilege, beside its name."""

REFUSALS = {
    PROPOSE: ("Only proposers and schedulers may propose a session.", "sprint-proposers"),
    SCHEDULE: ("Only schedulers may put a session on the schedule, or take it off.", "sprint-schedulers"),
    EDIT: ("Only the proposer and the schedulers may change a session and its slides.", "sprint-schedulers"),
    WITHDRAW: ("Only the proposer and the schedulers may withdraw a session.", "sprint-schedulers"),
}
"""What people are told who may not, and the team that they would have to join."""

GROUPS: dict[str, list[str]] = {
    "proposers": [],
    "schedulers": [],
    "organisers": [
        *(f"auth.{what}" for what in ("view_group", "view_user", "change_user")),
        *(f"openid_auth.{what}_useropenid" for what in ("view", "add", "delete")),
        *(f"sprints.{what}row" for what in ("view_sprint", "add_sprint", "change_sprint")),
        *(f"sprints.{what}row" for what in ("view_room", "add_room", "change_room")),
        *(f"sprints.{what}row" for what in ("view_session", "add_session", "change_session", "delete_session")),
        "sprints.view_activity",
        "jobs.view_job",
    ],
}


class NotOnTheTeam(PermissionDenied):
    """The page of the refusal names the team."""

    def __init__(self, privilege: str) -> None:
        reason, self.team = REFUSALS[privilege]
        super().__init__(reason)


def need(person: Any, privilege: str, session: Any = None) -> None:
    """Refuses whoever may not do this."""
    if not person.has_perm(privilege, session):
        raise NotOnTheTeam(privilege)


def add_rules() -> None:
    """Called when the site starts."""
    rules.add_rule("own", proposes)
    rules.add_rule("oneself", is_oneself)


def proposes(person: Any, session: Any) -> bool:
    """Whether the session is this person's. It may be Storm's object, or the admin's."""
    return person.pk is not None and session.proposer_id == person.pk


def is_oneself(person: Any, other: Any) -> bool:
    return person.pk is not None and other.pk == person.pk


def make_groups(sender: Any, using: str, **kwargs: Any) -> None:
    """Called after `migrate`. A group that is there already keeps what the admin gave it."""
    from django.apps import apps
    from django.contrib.auth.models import Group, Permission

    # Django makes them after `migrate` too, but maybe later than this.
    for label in ("auth", "jobs", "openid_auth", "sprints"):
        create_permissions(apps.get_app_config(label), using=using, verbosity=0)
    for name, permissions in GROUPS.items():
        group, made = Group.objects.using(using).get_or_create(name=name)
        if made:
            found = [
                Permission.objects.using(using).get(content_type__app_label=label, codename=codename)
                for label, codename in (permission.split(".") for permission in permissions)
            ]
            group.permissions.set(found)
