"""The provider's addresses; an OpenID is one of /+id/."""

from __future__ import annotations

from django.urls import path

from . import views

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
