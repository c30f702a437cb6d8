"""The addresses of jobs, for include("djintegrate.jobs.urls")."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("<uuid:job_id>/", views.detail, name="detail"),
    path("<uuid:job_id>/status/", views.status, name="status"),
    path("<uuid:job_id>/stop/", views.stop, name="stop"),
]
