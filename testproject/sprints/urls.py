"""The scheduler's addresses. A sprint's are below its slug."""

from __future__ import annotations

from django.urls import include, path

from djintegrate.jsonrpc import jsonrpc_site

from . import exporting, one_transaction, programs, service, views, who_may_what
from .session_rows import SessionRows

# The methods of the service are there because their module is imported.
assert service

urlpatterns = [
    path("", views.sprints, name="index"),
    path("people/", views.people, name="people"),
    path("programs/", programs.page, name="programs"),
    path("json/", include(jsonrpc_site.urls)),
    path("who-may-what/", who_may_what.page, name="who-may-what"),
    path("one-transaction/", one_transaction.page, name="one-transaction"),
    path("at/<slug:slug>/", views.sprint, name="sprint"),
    path("at/<slug:slug>/grid/", views.grid, name="grid"),
    path("at/<slug:slug>/sessions/", views.sessions, name="sessions"),
    path("at/<slug:slug>/sessions/rows/", SessionRows.as_view(), name="session-rows"),
    path("at/<slug:slug>/export/<str:kind>/", exporting.begin, name="export"),
    path("at/<slug:slug>/exports/<uuid:job>/", exporting.page, name="exported"),
    path("at/<slug:slug>/exports/<uuid:job>/file/", exporting.file, name="exported-file"),
    path("at/<slug:slug>/propose/", views.propose, name="propose"),
    path("at/<slug:slug>/<int:key>/", views.session, name="session"),
    path("at/<slug:slug>/<int:key>/edit/", views.edit, name="edit"),
    path("at/<slug:slug>/<int:key>/schedule/", views.schedule, name="schedule"),
    path("at/<slug:slug>/<int:key>/slides/", views.slides, name="slides"),
    path("at/<slug:slug>/<int:key>/slides/file/", views.slides_file, name="slides-file"),
    path("at/<slug:slug>/<int:key>/withdraw/", views.withdraw, name="withdraw"),
    path("at/<slug:slug>/<int:key>/<slug:what>/", views.act, name="act"),
]
