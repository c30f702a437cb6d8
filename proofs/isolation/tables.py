"""The tables of these proofs, before Django is set up and models can be imported."""

from __future__ import annotations

TABLES = {
    "isolation_item": "id INTEGER NOT NULL PRIMARY KEY, value INTEGER NOT NULL",
    "isolation_register": "id INTEGER NOT NULL PRIMARY KEY, elements TEXT NOT NULL",
}
