"""A site with OpenID: the sign-in under /openid/, the same for ASGI under /aopenid/; its home says who is there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from djintegrate.openid_auth.async_views import (
    aidentities,
    aidentity_add,
    aidentity_remove,
    alogin_begin,
    alogin_complete,
    asession_end,
    asession_end_others,
)
from djintegrate.openid_auth.oidc.leaving import asign_out


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


urlpatterns = [
    path("", home),
    path("openid/", include("djintegrate.openid_auth.urls")),
    path("aopenid/login/", alogin_begin, {"login_complete_view": "aopenid-complete"}, name="aopenid-login"),
    path("aopenid/complete/", alogin_complete, name="aopenid-complete"),
    path("aopenid/identities/", aidentities),
    path("aopenid/identities/add/", aidentity_add),
    path("aopenid/identities/<int:pk>/remove/", aidentity_remove),
    path("aopenid/sessions/<int:pk>/end/", asession_end),
    path("aopenid/sessions/end-others/", asession_end_others),
    path("aopenid/connect/sign-out/", asign_out),
]
