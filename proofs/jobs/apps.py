"""The app of the site that is killed."""

from __future__ import annotations

from django.apps import AppConfig


class JobsProofConfig(AppConfig):
    name = "proofs.jobs"
    label = "jobs_proof"
