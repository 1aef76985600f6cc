"""The channel between a test and the application under test, which does not go through the server.

The application appends one JSON object a line to `journal.jsonl` (see `tests/apps/journal.py`) and
waits for gates; the test reads the lines, and opens a gate by making a file. Both work from any
number of worker processes.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.waiting import DEFAULT_SECONDS, wait_until

Event = dict[str, Any]


class Journal:
    """The test's end of one scratch directory shared with the application."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def events(self, event: str, **details: Any) -> list[Event]:
        """Return what was recorded under this name so far, oldest first, and with these details."""
        path = self.directory / "journal.jsonl"
        if not path.exists():
            return []
        # What follows the last line's end is still being written.
        lines = path.read_text().split("\n")[:-1]
        entries: list[Event] = [json.loads(line) for line in lines]
        return [
            entry
            for entry in entries
            if entry["event"] == event and details.items() <= entry.items()
        ]

    def wait_for(self, event: str, seconds: float = DEFAULT_SECONDS, **details: Any) -> Event:
        """Return the newest such event as soon as there is one."""
        what = f"the application recorded {event!r} {details or ''}"
        return wait_until(lambda: self.events(event, **details), what, seconds)[-1]

    def latest(self, event: str, detail: str, **details: Any) -> int:
        """Return a number of the newest such event; zero where there is none."""
        events = self.events(event, **details)
        return int(events[-1][detail]) if events else 0

    def open_gate(self, name: str) -> None:
        """Let whatever waits for this gate go on, now and later."""
        (self.directory / f"gate-{name}").touch()
