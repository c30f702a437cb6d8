"""What is known of each change of a way in, and of each session's end: a line in the log, and a signal.

Of a change of a way in there is a mail to the account's own address as well.

Listens to the rows themselves, so that a change in the admin or in a script of the site's own is known too.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import router, transaction
from django.utils.translation import gettext as _

from ..conf import config
from ..models import OpenIDSession, UserOpenID
from ..signals import (
    openid_identity_added,
    openid_identity_adopted,
    openid_identity_removed,
    openid_session_ended,
)

logger = logging.getLogger("djintegrate.openid_auth")


def identity_saved(sender: Any, instance: UserOpenID, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """A receiver of post_save."""
    if not created or raw:
        return
    user = instance.user
    logger.info("The identity %r was added to user %s", instance.claimed_id[:200], user.pk)
    openid_identity_added.send(sender=UserOpenID, identity=instance, user=user)
    if _had_a_way_in(user):
        _tell(
            user,
            _("A new way to sign in to your account"),
            _("From now on %(identity)s signs you in to your account %(name)s."),
            instance,
        )


def identity_deleted(sender: Any, instance: UserOpenID, origin: Any = None, **kwargs: Any) -> None:
    """A receiver of post_delete."""
    user = instance.user
    logger.info("The identity %r was removed from user %s", instance.claimed_id[:200], user.pk)
    openid_identity_removed.send(sender=UserOpenID, identity=instance, user=user)
    # Who is deleted with all that belongs to them is told nothing.
    if UserOpenID in (type(origin), getattr(origin, "model", None)):
        _tell(
            user,
            _("A way to sign in to your account was removed"),
            _("%(identity)s does not sign you in to your account %(name)s any more."),
            instance,
        )


def identities_adopted(identities: list[UserOpenID]) -> None:
    """Told by openid_adopt, which inserts many rows at once."""
    for identity in identities:
        logger.info("The identity %r was adopted for user %s", identity.claimed_id[:200], identity.user_id)
        openid_identity_adopted.send(sender=UserOpenID, identity=identity)


def session_deleted(sender: Any, instance: OpenIDSession, **kwargs: Any) -> None:
    """A receiver of post_delete: somebody signed out, or it was ended elsewhere, or went with its identity."""
    identity = instance.identity
    logger.info("A session of user %s, which %r had opened, was ended", identity.user_id, identity.claimed_id[:200])
    openid_session_ended.send(sender=OpenIDSession, session=instance, user_id=identity.user_id)


def _had_a_way_in(user: Any) -> bool:
    """Whether the account may have been entered before: a newcomer knows the way that they came in by."""
    return user.has_usable_password() or getattr(user, "last_login", True) is not None


def _tell(user: Any, subject: str, text: str, identity: UserOpenID) -> None:
    address = getattr(user, user.get_email_field_name(), "")
    if not address or not _notifies():
        return
    lines = [
        text % {"identity": identity.claimed_id, "name": user.get_username()},
        _("If that was not you, sign in and look at the ways in of your account, and tell the people of the site."),
    ]

    def send() -> None:
        try:
            send_mail(subject, "\n\n".join(lines) + "\n", None, [address])
        except Exception as error:
            # Mail servers fail in many ways, and none of them is a reason to undo the change.
            logger.warning("The mail about user %s was not sent: %r", user.pk, error)

    transaction.on_commit(send, using=router.db_for_write(UserOpenID), robust=True)


def _notifies() -> bool:
    """As the setting says; without it, where the site says how its mail is sent."""
    if config.notify is not None:
        return config.notify
    return any(settings.is_overridden(name) for name in ("EMAIL_BACKEND", "EMAIL_HOST", "MAILERS"))
