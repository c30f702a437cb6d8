"""References between Storm objects and Django objects, in both directions.

Nothing here ends a transaction. Where a key is not known yet, Storm's pending changes are flushed to get it.
"""

from __future__ import annotations

from .django_reference import DjangoReference, prefetch
from .django_reference_set import DjangoReferenceSet
from .fields import StormForeignKey
from .targets import StormObjectDoesNotExist

__all__ = ["DjangoReference", "DjangoReferenceSet", "StormForeignKey", "StormObjectDoesNotExist", "prefetch"]
