"""Storm classes for Django's models: the same tables, without a second declaration.

from djintegrate.storm_backend.mapping import storm_class

class StormUser(storm_class(User)):
    ...
"""

from __future__ import annotations

from .classes import MappedModel, storm_class

__all__ = ["MappedModel", "storm_class"]
