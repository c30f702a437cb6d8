"""The addresses of a sign-in, and of one's identities: include them where you like, without a namespace."""

from __future__ import annotations

from django.urls import include, path

from . import connect
from .people.identities import identities, identity_add, identity_remove, session_end, session_end_others
from .views import login_begin, login_complete, logo

urlpatterns = [
    path("login/", login_begin, name="openid-login"),
    path("complete/", login_complete, name="openid-complete"),
    path("logo.gif", logo, name="openid-logo"),
    path("identities/", identities, name="openid-identities"),
    path("identities/add/", identity_add, name="openid-identity-add"),
    path("identities/<int:pk>/remove/", identity_remove, name="openid-identity-remove"),
    path("sessions/<int:pk>/end/", session_end, name="openid-session-end"),
    path("sessions/end-others/", session_end_others, name="openid-session-end-others"),
]
if connect.is_installed():
    urlpatterns.append(path("connect/", include("djintegrate.openid_auth.oidc.urls")))
