"""Writes the table of anomalies into docs/explanation/isolation.md, from runs of `hermitage` on each database."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from .hermitage import table
from .sites import LEVELS

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/isolation.md"
TITLES = {"postgres": "PostgreSQL", "mysql": "MariaDB", "sqlite": "SQLite"}
BEGIN, END = "<!-- {}: made by `make isolation` -->\n", "<!-- end -->"


def main() -> int:
    """The exit code. The page is written only if every trace was the same, on every database."""
    found = {}
    for database in TITLES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "verdicts.json")
            command = [sys.executable, "-m", "proofs.isolation.hermitage", "--db", database, "--results", str(file)]
            print(f"The anomalies on {TITLES[database]}", flush=True)
            if code := subprocess.run(command).returncode:
                return code
            found[database] = json.loads(file.read_text())
    text = PAGE.read_text()
    for database, verdicts in found.items():
        begin = BEGIN.format(TITLES[database])
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{table(list(LEVELS[database]), verdicts)}\n\n{END}{rest.partition(END)[2]}"
    PAGE.write_text(text)
    return 0


def in_the_docs(database: str) -> dict[str, dict[str, str]]:
    """The verdicts that the page has, by anomaly and level."""
    made = PAGE.read_text().partition(BEGIN.format(TITLES[database]))[2].partition(END)[0].strip()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in made.splitlines())
    return {name: dict(zip(head[2:], cells, strict=True)) for name, _, *cells in rows}


if __name__ == "__main__":
    sys.exit(main())
