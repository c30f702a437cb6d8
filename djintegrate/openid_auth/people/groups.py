"""Which Launchpad teams drive which group, by the settings alone; the database is not asked."""

from __future__ import annotations

from ..conf import config


def driving_teams(group_name: str) -> list[str]:
    """The teams whose members are in the group; empty for a group that is given by hand."""
    if config.teams_mapping_auto:
        return [] if group_name in config.teams_mapping_auto_blacklist else [group_name]
    return [team for team, group in config.teams_mapping.items() if group == group_name]
