"""System checks of references: what points nowhere, with the path and the remedy. The checks never connect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.models import SET_DEFAULT, SET_NULL

from .. import conf
from .columns import every


def check_foreign_key(field: Any) -> Iterator[CheckMessage]:
    """What a model's check() says of a StormForeignKey."""
    try:
        field.target.column  # noqa: B018
    except ImproperlyConfigured as error:
        yield Error(
            f"{field.label} points at nothing: {error}",
            hint="Correct the path, or the to_field, of the StormForeignKey.",
            obj=field,
            id="storm_backend.E101",
        )
    alias = router.db_for_write(field.model)
    if connections.settings[alias]["ENGINE"] != conf.ENGINE:
        yield Error(
            f"{field.label} points at a Storm object, but its model is in {alias!r}, a database that shares no store.",
            hint=f"Make the ENGINE of DATABASES[{alias!r}] {conf.ENGINE!r}, or remove the field.",
            obj=field,
            id="storm_backend.E102",
        )
    if field.on_delete is SET_NULL and not field.null:
        yield Error(
            f"{field.label} has on_delete=SET_NULL, but cannot be null.",
            hint="Set null=True, or change the on_delete.",
            obj=field,
            id="storm_backend.E103",
        )
    if field.on_delete is SET_DEFAULT and not field.has_default():
        yield Error(
            f"{field.label} has on_delete=SET_DEFAULT, but no default.",
            hint="Give it a default, or change the on_delete.",
            obj=field,
            id="storm_backend.E104",
        )


def check_references(**kwargs: Any) -> Iterator[CheckMessage]:
    """Every DjangoReference and DjangoReferenceSet of the Storm classes that were imported."""
    for reference in list(every):
        if reference.cls is None:
            continue
        try:
            reference.attname, reference.column  # noqa: B018
        except (ImproperlyConfigured, AttributeError, RuntimeError) as error:
            yield Error(
                f"{reference.label} points at nothing: {error}",
                hint="Correct the column, the model, or the field.",
                obj=reference.cls,
                id="storm_backend.E105",
            )
