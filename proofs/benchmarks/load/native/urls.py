"""The addresses of the sample site; behind most of them there is nothing here."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.elsewhere, name="index"),
    path("people/", views.elsewhere, name="people"),
    path("one-transaction/", views.elsewhere, name="one-transaction"),
    path("at/<slug:slug>/", views.sprint, name="sprint"),
    path("at/<slug:slug>/grid/", views.elsewhere, name="grid"),
    path("at/<slug:slug>/sessions/", views.elsewhere, name="sessions"),
    path("at/<slug:slug>/propose/", views.propose, name="propose"),
    path("at/<slug:slug>/<int:key>/", views.session, name="session"),
    path("at/<slug:slug>/<int:key>/edit/", views.elsewhere, name="edit"),
    path("at/<slug:slug>/<int:key>/schedule/", views.elsewhere, name="schedule"),
    path("at/<slug:slug>/<int:key>/withdraw/", views.elsewhere, name="withdraw"),
    path("at/<slug:slug>/<int:key>/<slug:what>/", views.act, name="act"),
    path("admin/", admin.site.urls),
    path("openid/", include("djintegrate.openid_auth.urls")),
    path("sign-out/", views.elsewhere, name="sign-out"),
]
