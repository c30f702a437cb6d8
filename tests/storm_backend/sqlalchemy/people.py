"""The people of the tests, as SQLAlchemy's objects: one class more on the table that Django and Storm share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker
from zope.sqlalchemy import register

from djintegrate.storm_backend.sqlalchemy import engine


class Base(DeclarativeBase):
    pass


class AlchemyPerson(Base):
    __tablename__ = "people_person"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)


PEOPLE = AlchemyPerson.__table__

# As a site has it: a session for each thread, in Zope's transaction.
session = scoped_session(sessionmaker(engine("main")))
register(session)


def alchemy_add(name: str) -> AlchemyPerson:
    """Pending: no statement is executed before the session is flushed."""
    person = AlchemyPerson(name=name)
    session.add(person)
    return person


def alchemy_names(of: Session | None = None) -> list[str]:
    found = (of or session()).query(AlchemyPerson).order_by(AlchemyPerson.name)
    return [person.name for person in found]
