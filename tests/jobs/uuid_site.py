"""A site whose people have UUIDs for keys: whose jobs are whose, in the database's queue and in the outbox before RQ.

tests/jobs/test_uuid_owners.py calls main() in a process of its own; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

import django
from django.conf import settings

socket, folder = sys.argv[1:]
settings.configure(
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/site.sqlite3", "ATOMIC_REQUESTS": True}
    },
    INSTALLED_APPS=[
        "tests.jobs.uuid_users",
        *(f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions")),
        *("djintegrate.jobs", "django_tasks_db", "django_rq"),
    ],
    AUTH_USER_MODEL="uuid_users.Person",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "djintegrate.jobs.middleware.JobsMiddleware",
    ],
    TASKS={
        "default": {"BACKEND": "djintegrate.jobs.DatabaseBackend", "QUEUES": []},
        "outbox": {
            "BACKEND": "djintegrate.jobs.OutboxBackend",
            "OPTIONS": {"backend": {"BACKEND": "django_tasks_rq.RQBackend"}},
        },
    },
    RQ_QUEUES={"default": {"URL": f"unix://{socket}"}},
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": f"{folder}/cache",
        }
    },
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    ROOT_URLCONF="tests.jobs.uuid_site",
    LOGIN_URL="/sign-in/",
    STATIC_URL="/static/",
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from djintegrate.jobs import task  # noqa: E402
from djintegrate.jobs.models import Job  # noqa: E402
from tests.jobs.uuid_users.models import Person  # noqa: E402


@task
def greet(name: str) -> str:
    return f"Hello, {name}"


def enqueue(request: HttpRequest, backend: str) -> HttpResponse:
    return HttpResponse(greet.using(backend=backend).enqueue("Ada").id)


urlpatterns = [
    path("sign-in/", lambda request: HttpResponse()),
    path("enqueue/<backend>/", enqueue),
    path("jobs/", include("djintegrate.jobs.urls")),
]


def main() -> None:
    call_command("check", fail_level="WARNING", stdout=sys.stderr)
    call_command("migrate", run_syncdb=True, verbosity=0)
    ada, other = (signed_in(name) for name in ("ada", "other"))
    jobs = {backend: ada.get(f"/enqueue/{backend}/").content.decode() for backend in ("default", "outbox")}
    call_command("db_worker", batch=True, reload=False, startup_delay=False, verbosity=0)
    person = Person.objects.get(name="ada")
    json.dump(
        {
            "is a uuid": isinstance(person.pk, uuid.UUID),
            "kept": {
                "default": DBTaskResult.objects.get().args_kwargs["owner"] == str(person.pk),
                "outbox": Job.objects.get().owner == person,
            },
            "owner": {backend: seen_by(ada, job) for backend, job in jobs.items()},
            "other": {backend: seen_by(other, job) for backend, job in jobs.items()},
        },
        sys.stdout,
    )


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(Person.objects.create(name=name))
    return client


def seen_by(client: Client, job: str) -> list[Any]:
    """Of the job's page, its state, the list and the stop."""
    pages = [client.get(f"/jobs/{job}/").status_code, client.get(f"/jobs/{job}/status/").status_code]
    listed = job in client.get("/jobs/").content.decode()
    return [*pages, listed, client.post(f"/jobs/{job}/stop/").status_code]
