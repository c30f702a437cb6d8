"""References between Storm objects and Django objects, in both directions."""

from __future__ import annotations

from .django_reference import DjangoReference, prefetch
from .django_reference_set import DjangoReferenceSet
from .fields import StormForeignKey
from .targets import StormObjectDoesNotExist

__all__ = ["DjangoReference", "DjangoReferenceSet", "StormForeignKey", "StormObjectDoesNotExist", "prefetch"]
