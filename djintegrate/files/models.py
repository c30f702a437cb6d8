"""One row for each transaction of files that has committed, until its files are through as well."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Decision(models.Model):
    """That this row exists is the decision: it is written in the transaction whose files wait for it."""

    id = models.CharField(_("transaction"), primary_key=True, max_length=32)
    journal = models.CharField(_("folder of journals"), max_length=32)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = ()

    def __str__(self) -> str:
        return self.id
