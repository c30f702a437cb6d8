"""The settings of the site that is killed. The environment says where its database and its cache are."""

from __future__ import annotations

import json
import os

FOLDER = os.environ["JOBS_PROOF_FOLDER"]
URI = os.environ["JOBS_PROOF_URI"]
NATIVE = os.environ.get("JOBS_PROOF_NATIVE")

STORM_STORES = {"main": URI}
DATABASES = {"default": json.loads(NATIVE) if NATIVE else {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
INSTALLED_APPS = [
    "djintegrate.storm_backend",
    "djintegrate.jobs",
    "django_tasks_db",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "proofs.jobs",
]
TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackend", "QUEUES": []}}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{FOLDER}/cache"},
}
JOBS_LEASE_SECONDS = 4
JOBS_ATTEMPTS = 1000
USE_TZ = True
SECRET_KEY = "of no site"
SILENCED_SYSTEM_CHECKS = ["storm_backend.W009", "jobs.W003", "jobs.W004"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
