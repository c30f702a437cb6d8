"""Storm's tables: CREATES for a new database, the patches beside this file for one that exists.

They refer to Django's auth_user, which therefore has to be there first; migration 0001 sees to both.
"""

from __future__ import annotations

TABLES = [
    """CREATE TABLE sprints_sprint (
        id {key},
        slug VARCHAR(50) NOT NULL UNIQUE,
        name VARCHAR(80) NOT NULL,
        place VARCHAR(120) NOT NULL,
        time_zone VARCHAR(40) NOT NULL,
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        summary TEXT NOT NULL
    )""",
    """CREATE TABLE sprints_room (
        id {key},
        sprint_id {number} NOT NULL,
        name VARCHAR(60) NOT NULL,
        seats INTEGER NOT NULL CHECK (seats > 0),
        UNIQUE (sprint_id, name),
        FOREIGN KEY (sprint_id) REFERENCES sprints_sprint (id)
    )""",
    """CREATE TABLE sprints_session (
        id {key},
        sprint_id {number} NOT NULL,
        title VARCHAR(120) NOT NULL,
        track VARCHAR(20) NOT NULL,
        description TEXT NOT NULL,
        minutes INTEGER NOT NULL CHECK (minutes > 0),
        seats INTEGER NOT NULL CHECK (seats > 0),
        proposer_id INTEGER NOT NULL,
        room_id {number},
        starts {moment},
        ends {moment},
        slides VARCHAR(200),
        FOREIGN KEY (sprint_id) REFERENCES sprints_sprint (id),
        FOREIGN KEY (room_id) REFERENCES sprints_room (id),
        FOREIGN KEY (proposer_id) REFERENCES auth_user (id)
    )""",
    """CREATE TABLE sprints_attendance (
        session_id {number} NOT NULL,
        person_id INTEGER NOT NULL,
        since {moment} NOT NULL,
        PRIMARY KEY (session_id, person_id),
        FOREIGN KEY (session_id) REFERENCES sprints_session (id) ON DELETE CASCADE,
        FOREIGN KEY (person_id) REFERENCES auth_user (id)
    )""",
    "CREATE INDEX sprints_session_when ON sprints_session (sprint_id, starts)",
]
TYPES = {
    "sqlite": {"key": "INTEGER PRIMARY KEY AUTOINCREMENT", "number": "INTEGER", "moment": "DATETIME"},
    "postgres": {"key": "BIGSERIAL PRIMARY KEY", "number": "BIGINT", "moment": "TIMESTAMP WITH TIME ZONE"},
    "mysql": {"key": "BIGINT AUTO_INCREMENT PRIMARY KEY", "number": "BIGINT", "moment": "DATETIME(6)"},
}
NAMES = ["sprints_attendance", "sprints_session", "sprints_room", "sprints_sprint"]

CREATES = {database: [table.format(**types) for table in TABLES] for database, types in TYPES.items()}
DROPS = [f"DROP TABLE {name}" for name in NAMES]
DELETES = [f"DELETE FROM {name}" for name in NAMES]
