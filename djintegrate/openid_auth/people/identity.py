"""The text that is an identity: a claimed identifier of OpenID 2.0, or issuer and subject of OpenID Connect.

The pair is written with a space between. An issuer is an address, and so has none, and no claimed identifier has one:
each text is one identity, of one protocol. The database compares it by its digest.
"""

from __future__ import annotations


def pair(issuer: str, subject: str) -> str:
    return f"{issuer} {subject}"


def issuer_of(identity: str) -> str:
    """The issuer of a pair; nothing for a claimed identifier."""
    issuer, space, _subject = identity.partition(" ")
    return issuer if space else ""
