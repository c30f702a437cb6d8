"""A column that holds the digest of others, so that a long text can be unique, and compared byte by byte.

Databases limit what an index may hold, and MariaDB's usual collations take "A" for "a"; identifiers are neither.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import models


def digest_of(*values: object) -> str:
    """A text of 64 characters for `values`: equal for equal ones, and for no others."""
    parts = [str(value).encode(errors="surrogatepass") for value in values]
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).hexdigest()


class DigestField(models.CharField):
    """The digest of the fields named in `of`, filled in whenever a row is saved, by bulk_create() too."""

    def __init__(self, *, of: tuple[str, ...] = (), **options: Any) -> None:
        self.of = of
        super().__init__(**{"max_length": 64, "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = digest_of(*(getattr(model_instance, name) for name in self.of))
        setattr(model_instance, self.attname, value)
        return value
