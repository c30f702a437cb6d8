"""One row for each transaction of files that has committed, until its files are through as well."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class NumberField(models.BigIntegerField):
    """A number that is the primary key. For a text, SQLite has an index beside the table, and PostgreSQL two."""

    def db_type(self, connection: Any) -> str | None:
        # SQLite keeps an INTEGER with the row, in as many bytes as it needs, and any other key in an index.
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class Decision(models.Model):
    """That this row exists is the decision: it is written in the transaction whose files wait for it."""

    number = NumberField(_("transaction"), primary_key=True)
    journal = models.CharField(_("folder of journals"), max_length=32)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)
