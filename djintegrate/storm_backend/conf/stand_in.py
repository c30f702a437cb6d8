"""What stands in for a connection whose settings are wrong, until somebody uses it.

Django asks for connections when it loads models, long before a system check can say in a line what is wrong.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn

from django.db import utils
from django.db.backends.dummy import base as dummy

from djintegrate.common.errors import Misconfigured


class StandIn(dummy.DatabaseWrapper):
    """Django's own backend for a site that has configured none; it complains with the reason instead."""

    Database = utils  # for the names of its exceptions

    def __init__(self, settings_dict: dict[str, Any], alias: str, reason: object) -> None:
        super().__init__(settings_dict, alias)
        self.reason = str(reason)
        self.ops.quote_name = self.client.runshell = self.creation.create_test_db = self.complain

    def complain(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Misconfigured(self.reason)

    def copy(self, alias: str | None = None) -> StandIn:
        return type(self)(deepcopy(self.settings_dict), alias or self.alias, self.reason)

    ensure_connection = _cursor = _commit = _savepoint_commit = _set_autocommit = complain
    connect = create_cursor = get_connection_params = get_database_version = schema_editor = complain
