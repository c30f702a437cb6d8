"""What becomes of a verified answer of either protocol: a sign-in, one more identity, or a session that goes on."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from django.contrib import messages
from django.contrib.auth import authenticate, logout
from django.contrib.auth import login as auth_login
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from openid.consumer.consumer import CANCEL, SUCCESS

from ..auth import OpenIDBackend
from ..conf import config
from ..exceptions import DjangoOpenIDException, IdentityAlreadyClaimed
from ..fields import digest_of
from ..models import UserOpenID
from ..signals import openid_login_complete
from ..site import begun as entries
from ..site.failures import fail, refuse_too_many
from ..site.redirects import sanitise_redirect_url
from ..site.throttle import has_used_up
from ..site.unanswered import Unanswered
from . import membership, recheck, sessions

logger = logging.getLogger("djintegrate.openid_auth")

MAX_REASON = 300


class Errand(Protocol):
    """What a sign-in was begun for."""

    @property
    def asked(self) -> str:
        """Who was asked: an identifier, or an issuer."""

    @property
    def purpose(self) -> str:
        """ "login", "add" or "recheck"."""

    @property
    def user(self) -> str:
        """For "add" and "recheck": the primary key of who began it."""


def refuse_one_too_many(
    request: HttpRequest, token: str | None, following: str | None, render_failure: Any = None
) -> HttpResponse | None:
    """What a client is answered that completes too much; None if it may. A session that is only checked goes on."""
    begun = entries.of(request).find(token) or {}
    if begun.get("purpose") != "recheck":
        return refuse_too_many(request, render_failure, "complete")
    if is_held_back(request, "recheck-complete"):
        return HttpResponseRedirect(sanitise_redirect_url(begun.get("following", following)))
    return refuse_too_many(request, render_failure, "recheck-complete")


def pass_on(request: HttpRequest, token: str | None, following: str | None = None) -> HttpResponse | None:
    """The way on for who is signed in, and brings an answer to no sign-in that the browser remembers.

    Another tab has signed in meanwhile, perhaps, or the answer came before. It is not read, and nothing changes. So it
    is with one to what somebody else began to do with their account.
    """
    user = user_key(request)
    if not token or not user:
        return None
    begun = entries.of(request).find(token)
    if begun is not None and begun.get("user") in ("", user):
        return None
    logger.info("An answer to a sign-in that is not known (any more): %s is signed in, and goes on", request.user)
    return HttpResponseRedirect(sanitise_redirect_url(following))


def is_held_back(request: HttpRequest, what: str = "recheck") -> bool:
    """Whether the check of a session is put off, for too many of the same client's are checked just now."""
    if not has_used_up(request, what) or not recheck.may_go_on(request):
        return False
    recheck.postpone(request, "too many sessions of the same address are checked at the moment")
    return True


def conclude(
    request: HttpRequest, response: Any, begun: Errand | None, following: str | None, render_failure: Any = None
) -> HttpResponse:
    """Sign the person in whom a verified answer names, or say why not. The sign-in that it is to is over."""
    page = _concluded(request, response, begun, following, render_failure)
    entries.of(request).write(page)
    return page


def _concluded(
    request: HttpRequest, response: Any, begun: Errand | None, following: str | None, render_failure: Any
) -> HttpResponse:
    purpose = "login" if begun is None else begun.purpose
    if begun is not None and purpose == "recheck" and response.status != SUCCESS:
        if isinstance(response, Unanswered) and (not response.by_browser or recheck.may_go_on(request)):
            recheck.postpone(request, response.message)
            return HttpResponseRedirect(sanitise_redirect_url(following))
        # The provider cannot answer without a question to the person, so it is asked with one.
        logger.info("Signed out: %s, for whom %r does not vouch without a question", request.user, begun.asked[:200])
        logout(request)
        return redirect_to_login(sanitise_redirect_url(following))
    if response.status == CANCEL:
        return fail(request, _("Authentication cancelled"), render_failure, response)
    if response.status != SUCCESS:
        reason = str(getattr(response, "message", None) or _("the provider needs more from you"))[:MAX_REASON]
        message = _("OpenID authentication failed: %(reason)s") % {"reason": reason}
        return fail(request, message, render_failure, response)
    try:
        if begun is not None and purpose == "add":
            _add_identity(request, response, begun)
        elif begun is not None and purpose == "recheck":
            _confirm(request, response, begun)
        elif refusal := _sign_in(request, response):
            return fail(request, refusal, render_failure, response)
    except DjangoOpenIDException as error:
        return fail(request, error.message, render_failure, response, exception=error)
    return HttpResponseRedirect(sanitise_redirect_url(following))


def user_key(request: HttpRequest) -> str:
    """The primary key of who is signed in, as text; nothing if nobody is."""
    user = getattr(request, "user", None)
    return str(user.pk) if user is not None and user.is_authenticated else ""


def _sign_in(request: HttpRequest, response: Any) -> str | None:
    """Why it did not work, or None if it did."""
    user = authenticate(request, openid_response=response)
    if user is None:
        return _unknown(response)
    if not user.is_active:
        return _("Disabled account")
    auth_login(request, user)
    sessions.record(request, response)
    recheck.note(request, response.identity_url)
    logger.info("Signed in: %s, as %r", user, response.identity_url[:200])
    openid_login_complete.send(sender=UserOpenID, request=request, openid_response=response)
    return None


def _unknown(response: Any) -> str:
    """Why a verified answer signs nobody in: as far as can be told, for the backend does not say."""
    is_known = config.create_users or UserOpenID.objects.filter(digest=digest_of(response.identity_url)).exists()
    required = config.teams_required
    if is_known and required and set(required).isdisjoint(membership.teams(response).is_member):
        return _("You are in none of the teams whose members may sign in here")
    return _("Unknown user")


def _confirm(request: HttpRequest, response: Any, begun: Errand) -> None:
    """The provider vouches for the session's person again, perhaps with other teams; or the session ends."""
    refusal = DjangoOpenIDException(
        _("You have been signed out: your provider says that you may not be here any more.")
    )
    if _is_of_the_account(request, response.identity_url):
        try:
            user = authenticate(request, openid_response=response)
        except DjangoOpenIDException as error:
            user, refusal = None, error
        if user is not None and user.is_active and str(user.pk) == user_key(request) == begun.user:
            sessions.renew(request, response)
            recheck.note(request, response.identity_url)
            return
    logger.info("Signed out: %s, who may not be here any more", request.user)
    logout(request)
    raise refusal


def _is_of_the_account(request: HttpRequest, identity: str) -> bool:
    """Whether it is the identity that the session came by, or another one of the same account."""
    if not user_key(request):
        return False
    return UserOpenID.objects.filter(user_id=request.user.pk, digest=digest_of(identity)).exists()


def _add_identity(request: HttpRequest, response: Any, begun: Errand) -> None:
    key = user_key(request)
    if not key or key != begun.user:
        raise DjangoOpenIDException(_("You are no longer signed in as the person who began to add this identity."))
    try:
        with transaction.atomic():
            identity = OpenIDBackend().associate_openid(request.user, response)
    except IntegrityError as error:
        raise IdentityAlreadyClaimed() from error
    messages.success(request, _("%s now signs you in.") % identity, fail_silently=True)
