"""SQLAlchemy's own engine on the database under test, with connections of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from django.db import connections


def own_engine(alias: str = "default", **options: Any) -> sa.Engine:
    django = connections[alias]
    given = django.settings_dict
    if django.vendor == "sqlite":
        return sa.create_engine(f"sqlite:///{given['NAME']}", poolclass=sa.NullPool, **options)
    driver = {"MySQLdb": "mysqldb"}.get(django.Database.__name__, django.Database.__name__)
    place = (given["USER"], given["PASSWORD"], given["HOST"], int(given["PORT"]), given["NAME"])
    url = sa.URL.create(f"{django.vendor}+{driver}", *place)
    # Django sets the time zone of a session, which moments come back in.
    arguments = {"options": "-c timezone=UTC"} if django.vendor == "postgresql" else {"charset": "utf8mb4"}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments, **options)
