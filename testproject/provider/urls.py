"""The provider's addresses; an OpenID is one of /+id/."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import path

from . import views

CONNECT = all(find_spec(name) for name in ("authlib", "joserfc", "cryptography"))
"""Whether OpenID Connect can be spoken: it needs what [oidc] brings. OpenID 2.0 does not."""

urlpatterns = [
    path("", views.index, name="provider-index"),
    path("xrds", views.xrds, name="provider-xrds"),
    path("+id/<slug:key>", views.identity, name="provider-identity"),
    path("+id/<slug:key>/xrds", views.xrds, name="provider-person-xrds"),
    path("+openid", views.endpoint, name="provider-endpoint"),
    path("decide", views.decide, name="provider-decide"),
    path("sign-in", views.sign_in, name="provider-sign-in"),
    path("change", views.change, name="provider-change"),
]

if CONNECT:
    from . import connect_views

    urlpatterns += [
        path(".well-known/openid-configuration", connect_views.configuration, name="provider-connect-configuration"),
        path("connect/keys", connect_views.keys, name="provider-connect-keys"),
        path("connect/authorize", connect_views.authorize, name="provider-connect-authorize"),
        path("connect/token", connect_views.token, name="provider-connect-token"),
        path("connect/userinfo", connect_views.userinfo, name="provider-connect-userinfo"),
        path("connect/end", connect_views.end, name="provider-connect-end"),
    ]
