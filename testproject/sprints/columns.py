"""A column for moments, kept as Django keeps them, so that both ORMs read and compare the same values.

Storm's own DateTime writes the time zone into the text where a database has no type for that, and Django does not.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from storm.properties import DateTime
from storm.variables import DateTimeVariable


class MomentVariable(DateTimeVariable):
    def parse_get(self, value: datetime | None, to_db: bool) -> Any:
        # Django has told the connection that its times are in UTC.
        return value.replace(tzinfo=None) if to_db and value is not None else value


class Moment(DateTime):
    """Takes aware datetimes in any zone, and gives them in UTC."""

    variable_class = MomentVariable

    def __init__(self, **options: Any) -> None:
        super().__init__(tzinfo=timezone.utc, **options)
