"""The Django app: registers the system checks and the signal receivers. Patches nothing.

Two settings ask it to change the default admin site: OPENID_USE_AS_ADMIN_LOGIN and OPENID_USER_ADMIN.
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
        from django.core import checks
        from django.db.models.signals import post_delete

        from .checks import check_configuration
        from .models import UserOpenID
        from .people.receivers import take_back_verification

        checks.register(check_configuration)
        post_delete.connect(take_back_verification, sender=UserOpenID, dispatch_uid="openid_auth.take_back")
        self.set_up_admin()

    def set_up_admin(self) -> None:
        from .conf import config

        if not apps.is_installed("django.contrib.admin"):
            return
        try:
            as_login, users = config.use_as_admin_login, config.user_admin
        except ImproperlyConfigured as error:
            # A command is to end with the line of the check. A server that has run no check answers nobody, rather than
            # with another admin than was asked for.
            refuse_requests(error)
            return
        if as_login or users:
            from .site import admin_login

            if as_login:
                admin_login.make_openid_the_admin_login()
            if users:
                admin_login.extend_user_admin()


def refuse_requests(error: Exception) -> None:
    def refuse(**kwargs: Any) -> None:
        raise error

    request_started.connect(refuse, weak=False, dispatch_uid="openid_auth.refuse")
