"""Whose identity is whose, and what the protocol has to remember: associations and used nonces."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission as Permission
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import DigestField, digest_of


class UserOpenID(models.Model):
    """`claimed_id` is the identity; `display_id` is how it is shown. `people.verified` makes its permission."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("user"))
    claimed_id = models.TextField(_("claimed identifier"), max_length=2047)
    display_id = models.TextField(_("displayed identifier"), max_length=2047)
    digest = DigestField(of=("claimed_id",), unique=True)

    class Meta:
        verbose_name = _("OpenID identity")
        verbose_name_plural = _("OpenID identities")

    def __str__(self) -> str:
        return self.display_id or self.claimed_id

    def validate_unique(self, exclude: Any = None) -> None:
        super().validate_unique(exclude)
        others = UserOpenID.objects.filter(digest=digest_of(self.claimed_id)).exclude(pk=self.pk)
        if "claimed_id" not in (exclude or ()) and others.exists():
            raise ValidationError({"claimed_id": _("This identity already belongs to a user.")})


class VerifiedAddress(models.Model):
    """The address with which an account was given `account_verified`; see `people.verified_address`."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    address = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()


class AdoptedIdentity(models.Model):
    """An identity, by its digest, that openid_adopt has brought once: who removes it afterwards is rid of it."""

    digest = models.CharField(max_length=64, primary_key=True)

    class Meta:
        default_permissions = ()


class OpenIDSession(models.Model):
    """A session that an identity has opened, and that is open. `digest` is that of a token which the session holds."""

    identity = models.ForeignKey(UserOpenID, on_delete=models.CASCADE, verbose_name=_("OpenID identity"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    at_provider = models.CharField(max_length=64, default="", blank=True, db_index=True, editable=False)
    """The digest of the issuer and of its own name for its session with the person, where it has said one."""
    browser = models.CharField(_("browser"), max_length=200, blank=True)
    began = models.DateTimeField(_("began"), default=timezone.now)
    seen = models.DateTimeField(_("last seen"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("OpenID session")
        verbose_name_plural = _("OpenID sessions")

    def __str__(self) -> str:
        return f"{self.identity}: {self.browser}"


class Nonce(models.Model):
    """A nonce that a provider's answer has used up; the constraint on `digest` is what makes it usable once."""

    server_url = models.CharField(_("provider"), max_length=2047)
    timestamp = models.BigIntegerField(_("timestamp"), db_index=True)
    salt = models.CharField(_("salt"), max_length=255)
    digest = DigestField(of=("server_url", "timestamp", "salt"), unique=True)

    class Meta:
        verbose_name = _("nonce")
        verbose_name_plural = _("nonces")

    def __str__(self) -> str:
        return f"Nonce: {self.server_url}, {self.salt}"


class Association(models.Model):
    """A secret shared with a provider, which checks its signatures. `secret` is base64."""

    server_url = models.TextField(_("provider"), max_length=2047)
    handle = models.CharField(_("handle"), max_length=255)
    secret = models.TextField(_("secret"), max_length=255)
    issued = models.BigIntegerField(_("issued"))
    lifetime = models.IntegerField(_("lifetime"))
    assoc_type = models.TextField(_("type"), max_length=64)
    server_digest = DigestField(of=("server_url",))

    class Meta:
        verbose_name = _("association")
        verbose_name_plural = _("associations")
        constraints = (
            models.UniqueConstraint(fields=["server_digest", "handle"], name="openid_auth_association_handle"),
        )

    def __str__(self) -> str:
        return f"Association: {self.server_url}, {self.handle}"
