"""The Django app: registers the system checks and the signal receivers, and gives the default admin site its login.

That login asks OPENID_USE_AS_ADMIN_LOGIN at each visit. OPENID_USER_ADMIN is read here, when the site starts.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_started
from django.utils.translation import gettext_lazy as _


class OpenIDAuthConfig(AppConfig):
    name = "djintegrate.openid_auth"
    label = "openid_auth"
    verbose_name = _("OpenID")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model
        from django.contrib.auth.signals import user_logged_in, user_logged_out
        from django.core import checks
        from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save

        from .checks import check_configuration
        from .models import OpenIDSession, UserOpenID
        from .people import fresh, trail, verified, verified_address
        from .people.receivers import end_session, take_back_verification
        from .site import log_lines

        checks.register(check_configuration)
        post_delete.connect(take_back_verification, sender=UserOpenID, dispatch_uid="openid_auth.take_back")
        post_save.connect(trail.identity_saved, sender=UserOpenID, dispatch_uid="openid_auth.added")
        post_delete.connect(trail.identity_deleted, sender=UserOpenID, dispatch_uid="openid_auth.removed")
        post_delete.connect(trail.session_deleted, sender=OpenIDSession, dispatch_uid="openid_auth.ended")
        post_migrate.connect(verified.make_or_leave, sender=self, dispatch_uid="openid_auth.permission")
        user_logged_in.connect(fresh.note, dispatch_uid="openid_auth.signed_in")
        user_logged_out.connect(end_session, dispatch_uid="openid_auth.signed_out")
        if given := getattr(get_user_model(), "user_permissions", None):
            changed = verified_address.permission_changed
            m2m_changed.connect(changed, sender=given.through, dispatch_uid="openid_auth.verified")
        log_lines.protect()
        self.set_up_admin()

    def set_up_admin(self) -> None:
        if not apps.is_installed("django.contrib.admin"):
            return
        from .conf import config
        from .site import admin_login

        admin_login.let_the_setting_choose_the_admin_login()
        try:
            extended = config.user_admin
        except ImproperlyConfigured as error:
            # A command is to end with the line of the check. A server that has run no check answers nobody, rather than
            # with another admin than was asked for.
            refuse_requests(error)
            return
        if extended:
            admin_login.extend_user_admin()


def refuse_requests(error: Exception) -> None:
    def refuse(**kwargs: Any) -> None:
        raise error

    request_started.connect(refuse, weak=False, dispatch_uid="openid_auth.refuse")
