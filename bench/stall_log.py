"""Reads Andon's stall reports from its log. This is the only module that knows what they look like.

With ``--log-format json`` a report is one line, an object whose ``event`` is ``stall``::

    {"event": "stall", "route": "GET /reports", "kind": "blocked", "elapsed_ms": 312.5,
     "file": "/srv/main.py", "line": 42, ...}

``file`` and ``line`` are those of the user's own code, absent where no stack could be had. All
other keys are ignored, and so are all other lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StallReport:
    """What a report says. ``file`` and ``line`` are None where it had no stack."""

    route: str
    kind: str
    seconds: float
    file: str | None
    line: int | None

    @property
    def path(self) -> str:
        """The route's template without its method."""
        return self.route.rpartition(" ")[2]


def parse(line: str) -> StallReport | None:
    """The report in a line of the log, or None if there is none."""
    if not line.startswith("{"):
        return None
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if record.get("event") != "stall":
        return None
    return StallReport(
        route=str(record.get("route") or ""),
        kind=str(record.get("kind") or ""),
        seconds=float(record.get("elapsed_ms") or 0) / 1e3,
        file=record.get("file"),
        line=record.get("line"),
    )


def reports(lines: Iterable[str]) -> list[StallReport]:
    """All reports in a log."""
    return [report for line in lines if (report := parse(line)) is not None]
