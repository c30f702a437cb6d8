"""The pages of one's own identities and sessions: seen, added, removed, ended. Never removes the last way in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_backends
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError, router, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ..auth import OpenIDBackend
from ..conf import config
from ..exceptions import SignInAgain
from ..forms import OpenIDLoginForm
from ..models import UserOpenID
from ..site import pages
from ..site.failures import render_failure
from ..site.submitted import in_body_or_address
from ..views import begin_request
from . import sessions
from .fresh import is_fresh

logger = logging.getLogger("djintegrate.openid_auth")


@require_safe
@never_cache
@login_required
def identities(request: HttpRequest) -> HttpResponse:
    """The list, and the form that adds one."""
    return _page(request, OpenIDLoginForm())


def _after_signing_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: who has not signed in within the last minutes is sent to do so first."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        messages.info(request, SignInAgain.default, fail_silently=True)
        return redirect_to_login(reverse("openid-identities"))

    return wrapped


def identity_add(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. When it comes back, `login_complete` gives the identity to the account."""
    asked = ask_for_one_more(request)
    if isinstance(asked, HttpResponse):
        return asked
    return begin_request(request, asked, reverse("openid-identities"), purpose="add")


@require_POST
@login_required
@_after_signing_in
def ask_for_one_more(request: HttpRequest) -> HttpResponse | str:
    """The identifier to begin with, or what is to be answered instead."""
    if (asked := pages.chosen(request)) is not None:
        return asked
    form = OpenIDLoginForm(in_body_or_address(request))
    return str(form.cleaned_data["openid_identifier"]) if form.is_valid() else _page(request, form)


@require_POST
@login_required
@_after_signing_in
def identity_remove(request: HttpRequest, pk: int) -> HttpResponse:
    identity = get_object_or_404(UserOpenID, pk=pk, user=request.user)
    using = router.db_for_write(UserOpenID)
    try:
        with transaction.atomic(using=using):
            removed = _remove(identity, using)
    except OperationalError as error:
        # Two removals at once, each within a transaction that had read before: SQLite refuses one of them.
        logger.warning("An identity was not removed: %s", error)
        if transaction.get_connection(using).in_atomic_block:
            transaction.set_rollback(True, using=using)
        return render_failure(request, _("Another change of yours is under way. Please try again."), status=409)
    if removed:
        messages.success(request, _("%s no longer signs you in.") % identity, fail_silently=True)
    else:
        messages.error(request, _("This is your only way in. Add another one first."), fail_silently=True)
    return redirect("openid-identities")


@require_POST
@login_required
@_after_signing_in
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a session of the account, here or in another browser."""
    session = get_object_or_404(sessions.of(request.user), pk=pk)
    session.delete()
    messages.success(request, _("The session was ended."), fail_silently=True)
    return redirect("openid-identities")


@require_POST
@login_required
@_after_signing_in
def session_end_others(request: HttpRequest) -> HttpResponse:
    """End all sessions of the account but this one."""
    own = sessions.own(request)
    others = sessions.of(request.user).exclude(pk=own.pk if own else None)
    others.delete()
    messages.success(request, _("You are signed out everywhere else."), fail_silently=True)
    return redirect("openid-identities")


def may_lose_one(user: Any, using: str | None = None) -> bool:
    """Whether the user can sign in without one of the identities: by another one, or by a password."""
    by_password = user.has_usable_password() and any(
        not isinstance(backend, OpenIDBackend) for backend in get_backends()
    )
    return by_password or UserOpenID.objects.using(using).filter(user=user).count() > 1


def _remove(identity: UserOpenID, using: str) -> bool:
    # This write locks the user's identities: of two removals at once the second waits, and sees what the first left.
    # Nothing is read before the write, for SQLite would give no lock to a transaction that has read.
    UserOpenID.objects.using(using).filter(user_id=identity.user_id).update(user_id=identity.user_id)
    if not may_lose_one(identity.user, using):
        return False
    identity.delete()
    return True


def _page(request: HttpRequest, form: OpenIDLoginForm) -> HttpResponse:
    context = {
        "identities": UserOpenID.objects.filter(user=request.user).order_by("pk"),
        "removable": may_lose_one(request.user),
        "form": form if config.sso_server_url is None else None,
        "providers": pages.providers(),
        "sso": config.sso_server_url if len(pages.providers()) == 1 else None,
        "fresh": is_fresh(request),
        "sessions": sessions.of(request.user),
        "own_session": sessions.own(request),
    }
    return render(request, "openid/identities.html", context)
