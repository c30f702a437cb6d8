"""The addresses of OpenID Connect, below those of the sign-in. A provider has to be told two of each client's."""

from __future__ import annotations

from django.urls import path

from .views import backchannel_logout, complete, sign_out

urlpatterns = [
    path("sign-out/", sign_out, name="openid-connect-sign-out"),
    path("<slug:key>/complete/", complete, name="openid-connect-complete"),
    path("<slug:key>/logout/", backchannel_logout, name="openid-connect-logout"),
]
