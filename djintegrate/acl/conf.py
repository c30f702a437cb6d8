"""The settings of the access control list, declared in one place, with their types and defaults."""

from __future__ import annotations

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import anything, dictionary, folder, optional, text

file = Setting("ACL_FILE", folder('the path of a file, for instance ACL_FILE = BASE_DIR / "roles.xml"'))
"""The roles, and what they may."""
groups = Setting(
    "ACL_ROLES",
    dictionary("a dictionary from a role's name to a group's", text("a role's name"), text("a group's name")),
    {},
)
"""The group for each role that is not called like its group."""
anonymous_role = Setting("ACL_ANONYMOUS_ROLE", optional(text("the name of a role, or None")), None)
"""The role of people who are not signed in."""
signed_in_role = Setting("ACL_SIGNED_IN_ROLE", optional(text("the name of a role, or None")), None)
"""A role that everybody has who is signed in."""
models = Setting(
    "ACL_MODELS",
    dictionary(
        'a dictionary from a resource to a model, as in {"time_card": "payroll.TimeCard"}',
        text("a resource"),
        text('a model, as in "payroll.TimeCard"'),
    ),
    {},
)
"""The model whose permissions are a resource's privileges: the admin and generic code ask for these."""


class Login:
    """Settings of djintegrate.openid_auth, where it is installed, as they are: it checks them itself."""

    teams_are_groups = Setting("OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO", anything, False)
    groups_without_team = Setting("OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST", anything, ())


DECLARED = Declared("acl", "ACL_", globals())


def group_of(role: str) -> str:
    """The group whose members have this role."""
    return groups().get(role, role)
