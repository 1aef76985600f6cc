"""The charts that several cases draw from their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.servers import SERVERS
from bench.svg import Bar, Line, Panel
from bench.tables import is_ours, title_of

Row = dict[str, Any]


def panel(title: str, rows: Sequence[Row], value: str | Callable[[Row], float | None]) -> Panel:
    """A bar per row; ``value`` is a key or a function of the row."""
    read = value if callable(value) else lambda row: row.get(value)
    return Panel(
        title,
        [
            Bar(
                title_of(row["server"]),
                None if "failure" in row else read(row),
                is_ours(row),
            )
            for row in rows
        ],
    )


def timelines(rows: Sequence[Row], key: str) -> list[Line]:
    """A line per row of ``key`` in its ``timeline``; a server keeps its colour in every chart."""
    slots = {name: slot for slot, name in enumerate(SERVERS)}
    return [
        Line(
            title_of(row["server"]),
            [(point["at_s"], point[key]) for point in row["timeline"] if point[key]],
            slots.get(row["server"], len(slots) - 1),
        )
        for row in rows
        if row.get("timeline")
    ]
