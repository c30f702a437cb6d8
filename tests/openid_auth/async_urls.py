"""A site whose views of the sign-in are all those for ASGI, under the usual names."""

from __future__ import annotations

from django.urls import path

from djintegrate.openid_auth import async_views
from djintegrate.openid_auth.oidc.leaving import abackchannel_logout, asign_out
from djintegrate.openid_auth.oidc.views import acomplete
from tests.openid_auth.urls import home

urlpatterns = [
    path("", home),
    path("openid/login/", async_views.alogin_begin, name="openid-login"),
    path("openid/complete/", async_views.alogin_complete, name="openid-complete"),
    path("openid/identities/", async_views.aidentities, name="openid-identities"),
    path("openid/identities/add/", async_views.aidentity_add, name="openid-identity-add"),
    path("openid/identities/<int:pk>/remove/", async_views.aidentity_remove, name="openid-identity-remove"),
    path("openid/sessions/<int:pk>/end/", async_views.asession_end, name="openid-session-end"),
    path("openid/sessions/end-others/", async_views.asession_end_others, name="openid-session-end-others"),
    path("openid/connect/sign-out/", asign_out, name="openid-connect-sign-out"),
    path("openid/connect/<slug:key>/complete/", acomplete, name="openid-connect-complete"),
    path("openid/connect/<slug:key>/logout/", abackchannel_logout, name="openid-connect-logout"),
]
