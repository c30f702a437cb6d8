"""Roles, resources and privileges from a file, on top of Django's groups.

from djintegrate.acl import Acl, Role, Resource, access_required, AccessRequiredMixin
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core import Acl, Resource, Role
from .errors import AccessError, AclFileError
from .site import current

if TYPE_CHECKING:
    from .views import AccessRequiredMixin, access_required

__all__ = [
    "AccessError",
    "AccessRequiredMixin",
    "Acl",
    "AclFileError",
    "Resource",
    "Role",
    "access_required",
    "current",
]


def __getattr__(name: str) -> Any:
    # Django's part of it imports models, which settings and INSTALLED_APPS come before.
    if name in ("access_required", "AccessRequiredMixin"):
        from . import views

        return getattr(views, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
