"""Why a sign-in is refused. Each exception has a `message` and an `advice` for the person who signs in."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _


class DjangoOpenIDException(Exception):
    """Why a sign-in is refused: `str()` of it is for the person who signs in."""

    default: Any = _("The sign-in failed.")
    advice: Any = ""
    """What the person can do about it."""

    def __init__(self, message: Any = None) -> None:
        self.message = self.default if message is None else message
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class RequiredAttributeNotReturned(DjangoOpenIDException):
    """The provider did not send a field of OPENID_SREG_REQUIRED_FIELDS."""

    default = _("An attribute required for logging in was not returned.")
    advice = _("Allow your provider to tell this site what it asks for, then try again.")
    named = _("An attribute required for logging in was not returned (%(name)s).")


class IdentityAlreadyClaimed(DjangoOpenIDException):
    """Somebody is signed in, and the OpenID belongs to another account."""

    default = _("Another user already exists for your selected OpenID")
    advice = _("Sign in with that OpenID to get to the account that it belongs to, or choose another one.")


class DuplicateUsernameViolation(DjangoOpenIDException):
    """The nickname is taken, and OPENID_STRICT_USERNAMES is set."""

    default = _("Your desired username is already being used.")
    advice = _(
        "If that account is yours, sign in to it in the usual way and add this OpenID there. If not, change your "
        "nickname at your provider."
    )
    named = _("The username (%(username)s) with which you tried to log in is already in use for a different account.")


class DetailsAlreadyTaken(DjangoOpenIDException):
    """A constraint of the user model refuses the person's details."""

    default = _("What your provider says about you, such as your e-mail address, belongs to another account here.")
    advice = _("If that account is yours, sign in to it in the usual way and add this OpenID there.")


class MissingUsernameViolation(DjangoOpenIDException):
    """The provider sent no nickname, and OPENID_STRICT_USERNAMES is set."""

    default = _("No nickname given for your account.")
    advice = _("Give yourself a nickname at your provider, and allow it to tell this site.")


class MissingPhysicalMultiFactor(DjangoOpenIDException):
    """OPENID_PHYSICAL_MULTIFACTOR_REQUIRED is set, and the provider does not vouch for one."""

    default = _("Login requires physical multi-factor authentication.")
    advice = _("Sign in at your provider with a security key or another device, then try again here.")


class ProviderAway(DjangoOpenIDException):
    """The provider did not answer, or not in a way that can be used."""

    advice = _("That is not your fault. Please try again in a few minutes.")


class ProviderUnusable(DjangoOpenIDException):
    """What the provider of OpenID Connect says of itself breaks a rule. The log says which one."""

    named = _("What %(name)s says of itself cannot be used. Please tell the people of this site.")


class UsedBefore(DjangoOpenIDException):
    """The provider's answer came for the second time: by a double click, a reload, or somebody who has seen it."""

    default = _("This answer has been used before, or it is too old.")
    advice = _("If it was sent twice, the other one has signed you in: go to the front page.")


class NotAnAnswer(DjangoOpenIDException):
    """Somebody visited the address for answers without one."""

    default = _("This is an OpenID relying party endpoint.")
    advice = _("Providers send people here once they have signed in. If you want to sign in, begin on the login page.")


class SignInAgain(DjangoOpenIDException):
    """The last sign-in is longer ago than OPENID_CONFIRM_SECONDS."""

    default = _("Please sign in again before you change how you sign in.")
