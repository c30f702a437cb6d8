"""A third ORM in the one transaction: a SQLAlchemy 2 engine on the connection that Django and Storm share.

`engine(name)` is all of it. SQLAlchemy comes with djintegrate[sqlalchemy], and nothing else of the engine imports it.
"""

from __future__ import annotations

from djintegrate.common.errors import Misconfigured

try:
    import sqlalchemy
except ImportError as error:
    raise Misconfigured('SQLAlchemy is not installed. Run: python -m pip install "djintegrate[sqlalchemy]"') from error
if int(sqlalchemy.__version__.partition(".")[0]) < 2:
    raise Misconfigured(f'SQLAlchemy is {sqlalchemy.__version__}. Run: python -m pip install "djintegrate[sqlalchemy]"')

from .engines import engine

__all__ = ["engine"]
