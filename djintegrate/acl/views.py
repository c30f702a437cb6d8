"""Guards of views: `@access_required`, and `AccessRequiredMixin` for classes. They ask `has_perm`, and decide nothing.

People who are not signed in are sent to the login; those who are get a 403. A stranger is not to learn which objects
exist, so none is looked for unless the list has a condition that could be true of a stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from asgiref.sync import sync_to_async
from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse

from .site import strangers_may_sometimes

View = TypeVar("View", bound=Callable[..., Any])


def access_required(
    resource: str,
    privilege: str,
    get_object: Callable[..., Any] | None = None,
    login_url: str | None = None,
    raise_exception: bool = False,
) -> Callable[[View], View]:
    """Only people who have the privilege on the resource get to the view.

    `get_object(request, *args, **kwargs)` returns the object that conditions are about. It is called only if the answer
    depends on it; for people who are not signed in, only if ACL_ANONYMOUS_ROLE has the privilege with a condition.
    """
    _be_names(resource, privilege)

    def is_allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        return _is_allowed(
            request, resource, privilege, lambda: get_object and get_object(request, *args, **kwargs)
        )  # fmt: skip

    def refuse(request: HttpRequest) -> HttpResponse:
        if raise_exception or request.user.is_authenticated:
            raise PermissionDenied(f"You may not {privilege} {resource}.")
        return redirect_to_login(request.get_full_path(), login_url)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            allowed = is_allowed(request, *args, **kwargs)
            return view(request, *args, **kwargs) if allowed else refuse(request)

        @wraps(view)
        async def aguarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            # refuse() asks who the user is, which was found out by then.
            allowed = await sync_to_async(is_allowed)(request, *args, **kwargs)
            return await view(request, *args, **kwargs) if allowed else refuse(request)

        return cast(View, aguarded if iscoroutinefunction(view) else guarded)

    return decorate


class AccessRequiredMixin(AccessMixin):
    """For class-based views, before the view's class: `resource` and `privilege` say what is needed."""

    resource: str | None = None
    privilege: str | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.resource is None or self.privilege is None:
            raise ImproperlyConfigured(f"{type(self).__name__} has to set both resource and privilege.")
        if getattr(self, "view_is_async", False):
            return self._adispatch(request, *args, **kwargs)
        if not self.has_access():
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)

    def has_access(self) -> bool:
        request: HttpRequest = self.request
        _be_names(self.resource, self.privilege)
        return _is_allowed(request, str(self.resource), str(self.privilege), self.get_access_object)

    def get_access_object(self) -> Any:
        """What conditions are about: the object of a detail, update or delete view. Called only if they matter.

        Of people who are not signed in, only if ACL_ANONYMOUS_ROLE has the privilege with a condition.
        """
        names = {getattr(self, "pk_url_kwarg", None), getattr(self, "slug_url_kwarg", None)}
        if hasattr(self, "get_object") and names.intersection(self.kwargs):
            return self.get_object()
        return None

    async def _adispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not await sync_to_async(self.has_access)():
            return self.handle_no_permission()
        return await super().dispatch(request, *args, **kwargs)


def _is_allowed(request: HttpRequest, resource: str, privilege: str, get_object: Callable[[], Any]) -> bool:
    perm = f"{resource}.{privilege}"
    if request.user.has_perm(perm):
        return True
    if not request.user.is_authenticated and not strangers_may_sometimes(perm):
        return False
    obj = get_object()
    return obj is not None and bool(request.user.has_perm(perm, obj))


def _be_names(*names: Any) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise ImproperlyConfigured(f"A resource and a privilege are names, not {name!r}.")
