"""`{% export_of job %}` and `{% exports_in jobs %}`: what the pages of jobs say of those that export a programme."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import template
from django.urls import reverse

from djintegrate.jobs.catalogue import Known
from djintegrate.jobs.tasks import TaskResultDoesNotExist

from ..tasks import export_programme

register = template.Library()


class Export(NamedTuple):
    job: Known
    file: str
    url: str
    """The page that shows how far it is, and then has the file."""


class Sorted(NamedTuple):
    exports: list[Export]
    others: list[Known]


@register.simple_tag(takes_context=True)
def export_of(context: Any, job: Known) -> Export | None:
    """Nothing of another job, nor of somebody else's export: its page is only for the one who asked for it."""
    if job.task_path != export_programme.module_path or not job.is_of(context["request"].user):
        return None
    try:
        wanted = export_programme.get_result(job.id).kwargs
    except TaskResultDoesNotExist:
        return None
    return Export(job, f"{wanted['slug']}.{wanted['kind']}", reverse("exported", args=[wanted["slug"], job.id]))


@register.simple_tag(takes_context=True)
def exports_in(context: Any, jobs: Iterable[Known]) -> Sorted:
    """The exports, which people wait for, apart from what runs by itself."""
    found = Sorted([], [])
    for job in jobs:
        export = export_of(context, job)
        found.exports.append(export) if export else found.others.append(job)
    return found
