"""A store's schema: what `storm.schema` does with the package that SCHEMA names, a transaction for each step."""

from __future__ import annotations

from .package import load
from .steps import SchemaError, Status, StoreSchema

__all__ = ["SchemaError", "Status", "StoreSchema", "load"]
