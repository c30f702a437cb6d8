"""The site with the list, and people in its groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def acl_site(tmp_path: Path) -> Iterator[Path]:
    """The file of the site that is on."""
    # Not at the top: the settings are configured after this module is read.
    from tests.acl.site import site

    with site(tmp_path / "roles.xml"):
        yield tmp_path / "roles.xml"


@pytest.fixture
def person(db: None) -> Callable[..., Any]:
    """Makes one, in groups of these names. What it returns is read anew, as a request does."""
    from django.contrib.auth.models import Group, User

    def make(name: str, *groups: str, **values: Any) -> Any:
        user = User.objects.create(username=name, **values)
        user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
        return User.objects.get(pk=user.pk)

    return make
