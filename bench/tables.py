"""Markdown tables of rows, and how numbers are written: with separators, fixed digits and never
without a unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.servers import TITLES

Row = dict[str, Any]
MISSING = "-"


@dataclass(frozen=True)
class Column:
    """A column: its heading with the unit, and what it shows of a row."""

    heading: str
    show: Callable[[Row], str]


@dataclass(frozen=True)
class Table:
    """Rows under a heading. Rows with a ``failure`` show only their first ``labels`` columns, then
    the reason.
    """

    heading: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    labels: int = 1

    def markdown(self) -> str:
        """The table, and below it why rows are missing."""
        lines = [
            _line(column.heading for column in self.columns),
            _line("---" if index < self.labels else "---:" for index, _ in enumerate(self.columns)),
        ]
        notes = []
        for row in self.rows:
            if "failure" in row:
                shown = [column.show(row) for column in self.columns[: self.labels]]
                blank = [MISSING] * (len(self.columns) - self.labels - 1)
                lines.append(_line([*shown, "failed", *blank]))
                notes.append(f"{', '.join(shown)}: failed: {_one_line(row['failure'])}")
            else:
                lines.append(_line(column.show(row) for column in self.columns))
        heading = f"**{self.heading}**\n\n" if self.heading else ""
        return heading + "\n".join(lines) + "".join(f"\n\n{note}" for note in notes)


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:300]


def server_title(row: Row) -> str:
    """The server's name as readers know it; Andon stands out."""
    title = title_of(row["server"])
    return f"**{title}**" if is_ours(row) else title


def is_ours(row: Row) -> bool:
    """Whether a row is one of Andon, with whatever options."""
    name = str(row["server"])
    return name == "andon" or name.startswith("andon-")


def title_of(name: str) -> str:
    """The title of a server, or of a variant of one, by its name."""
    return TITLES.get(name, name)


SERVER = Column("server", server_title)


def text(key: str) -> Callable[[Row], str]:
    """Shows a value as it is."""
    return lambda row: MISSING if row.get(key) in (None, "") else str(row[key])


def integer(key: str) -> Callable[[Row], str]:
    """Shows a number without decimals, with separators."""
    return lambda row: whole(row.get(key))


def whole(value: float | None) -> str:
    """28357.6 -> ``28,358``."""
    return MISSING if value is None else f"{value:,.0f}"


def milliseconds(key: str) -> Callable[[Row], str]:
    """Shows a duration in ms."""
    return lambda row: three_digits(row.get(key))


def three_digits(value: float | None) -> str:
    """At least three digits that mean something: 0.231, 4.52, 45.2, 9,856."""
    if value is None:
        return MISSING
    decimals = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{decimals}f}"


def decimals(key: str, digits: int = 2) -> Callable[[Row], str]:
    """Shows a number with ``digits`` decimals."""
    return lambda row: MISSING if row.get(key) is None else f"{row[key]:,.{digits}f}"


def mebibytes(key: str) -> Callable[[Row], str]:
    """Shows bytes in MiB."""
    return lambda row: MISSING if row.get(key) is None else f"{row[key] / (1 << 20):,.1f}"


def counts(key: str) -> Callable[[Row], str]:
    """Shows counts by kind without those that are zero: ``timeout: 3, reset: 1``."""

    def show(row: Row) -> str:
        kinds = row.get(key) or {}
        shown = [f"{kind.replace('_', ' ')}: {count:,}" for kind, count in kinds.items() if count]
        return ", ".join(shown) or "0"

    return show


def ratio(key: str, other: Row | None) -> Callable[[Row], str]:
    """Shows a number as a multiple of the same number of another row."""

    def show(row: Row) -> str:
        base = (other or {}).get(key)
        return MISSING if not base or row.get(key) is None else f"{row[key] / base:.2f}"

    return show
