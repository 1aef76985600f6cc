"""The parcels in a SQLite file, so that every worker process sees the same ones.

`PARCELS_DATABASE` says where the file is; without it, it is in the folder for temporary files.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEFAULT_PATH = Path(tempfile.gettempdir()) / "parcels-desk.sqlite3"
BUSY_SECONDS = 10.0

TABLES = """
CREATE TABLE IF NOT EXISTS parcels (
    number INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    grams INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL REFERENCES parcels,
    state TEXT NOT NULL
);
"""


@contextmanager
def connection() -> Iterator[sqlite3.Connection]:
    """A connection whose changes are committed unless the block raises."""
    path = os.environ.get("PARCELS_DATABASE", str(DEFAULT_PATH))
    # The code before and after `yield` of a dependency may run on two threads of the pool.
    opened = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    opened.row_factory = sqlite3.Row
    try:
        with opened:
            yield opened
    finally:
        opened.close()


def create_tables() -> None:
    """Make the tables unless they exist."""
    with connection() as opened:
        opened.executescript(TABLES)


def changes_after(last: int) -> list[sqlite3.Row]:
    """Changes newer than the one with this id, oldest first."""
    with connection() as opened:
        return opened.execute(
            "SELECT id, number, state FROM changes WHERE id > ? ORDER BY id", (last,)
        ).fetchall()


def last_change() -> int:
    """The id of the newest change; zero before the first."""
    with connection() as opened:
        newest: int = opened.execute("SELECT coalesce(max(id), 0) FROM changes").fetchone()[0]
        return newest
