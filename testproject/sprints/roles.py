"""Who may do what: permissions, and the groups that have them. Launchpad teams put people into the groups.

Nothing else in the app names a group; views and templates ask for a permission.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions

PROPOSE = "sprints.propose_session"
SCHEDULE = "sprints.schedule_session"

GROUPS = {
    "proposers": [PROPOSE],
    "schedulers": [PROPOSE, SCHEDULE],
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
