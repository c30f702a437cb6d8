"""Makes OpenID the admin's way in, and puts identities on its user page, for sites whose settings ask for it.

Called by the AppConfig once; changes nothing but the default admin site, whose login asks the setting at each visit.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from ..conf import config
from .failures import render_failure
from .submitted import submitted


class OpenIDAdminSiteMixin:
    """For an AdminSite of one's own."""

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return openid_login(self, request)


def openid_login(site: Any, request: HttpRequest) -> HttpResponse:
    """Send who is not signed in to the OpenID login, say no to who may not use the admin, let the others in."""
    following = submitted(request).get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
        following = reverse("admin:index", current_app=site.name)
    if site.has_permission(request):
        return HttpResponseRedirect(following)
    if not request.user.is_authenticated:
        return redirect_to_login(following)
    message = _("%(user)s may not use the admin: the account is not one of the staff.")
    return render_failure(request, message % {"user": request.user.get_username()})


def let_the_setting_choose_the_admin_login() -> None:
    """From now on the default admin site's login is OpenID's whenever OPENID_USE_AS_ADMIN_LOGIN is on."""
    site = admin.site
    usual = site.login

    def login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return openid_login(site, request) if config.use_as_admin_login else usual(request, extra_context)

    site.login = login_not_required(never_cache(update_wrapper(login, usual)))


def extend_user_admin() -> None:
    """Register the admin of users and of groups anew, as they are and with our mixins."""
    from ..admin import OpenIDGroupAdminMixin, OpenIDUserAdminMixin

    # django.contrib.admin may come after this app. A module that is imported already is not imported again.
    admin.autodiscover()
    for model, mixin in ((get_user_model(), OpenIDUserAdminMixin), (Group, OpenIDGroupAdminMixin)):
        if not admin.site.is_registered(model):
            continue
        registered = type(admin.site.get_model_admin(model))
        if not issubclass(registered, mixin):
            admin.site.unregister(model)
            admin.site.register(model, type(registered.__name__, (mixin, registered), {}))
