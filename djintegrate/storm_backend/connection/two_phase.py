"""The connection of a store that is TWO_PHASE."""

from __future__ import annotations

from functools import cached_property

from .. import conf
from ..two_phase.manager import TwoPhaseDataManager
from .wrapper import StormWrapper


class TwoPhaseWrapper(StormWrapper):
    """Mixed in before the wrapper of a database that can prepare."""

    two_phase = True
    data_manager_class = TwoPhaseDataManager

    @cached_property
    def site(self) -> str:
        """What this site is called in the names of its two-phase transactions."""
        return conf.site()
