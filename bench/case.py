"""What a case is: a name, a text, a way to measure rows and a way to show them.

A case yields one row per server and variant. ``Session.measure`` is the only place where a failing
server is turned into a row that says so, which lets the others go on.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec

from bench.client import LoadClient
from bench.environment import ROOT, Environment
from bench.errors import MeasurementFailed
from bench.progress import say
from bench.running import Running, started
from bench.servers import Launch, Server
from bench.svg import Chart
from bench.tables import Table

Row = dict[str, Any]
P = ParamSpec("P")


@dataclass(frozen=True)
class Case:
    """``text`` is the docstring of the case's module: what happens, why, what number to look at.
    ``labels`` are the keys that tell rows of one server apart: a table holds rows with equal ones.
    """

    name: str
    title: str
    text: str | None
    labels: tuple[str, ...]
    run: Callable[[Session], list[Row]]
    tables: Callable[[list[Row]], list[Table]]
    charts: Callable[[list[Row]], list[Chart]] = lambda rows: []


@dataclass
class Session:
    """One run of one case: what to measure, how long, and with what."""

    environment: Environment
    servers: list[Server]
    client: LoadClient
    quick: bool
    rounds: int | None = None
    variants: frozenset[str] = frozenset()
    andon_arguments: str = ""
    rows: list[Row] = field(default_factory=list)

    def pick(self, full: float, quick: float) -> float:
        """A duration or size: ``full``, or ``quick`` in a smoke run."""
        return quick if self.quick else full

    def repeats(self, full: int, quick: int = 1) -> int:
        """How often to measure: as often as was asked for, or ``full`` or ``quick`` times."""
        return self.rounds or round(self.pick(full, quick))

    def wants(self, variant: str) -> bool:
        """Whether this variant was asked for; all are, unless some were named."""
        return not self.variants or variant in self.variants

    def with_andon_as(self, *others: Server) -> list[Server]:
        """The servers that were asked for; if Andon is among them, ``others`` come after it."""
        result = []
        for server in self.servers:
            result += [server, *others] if server.ours else [server]
        return result

    @contextmanager
    def start(self, server: Server, launch: Launch) -> Iterator[Running]:
        """A started server, stopped at the end."""
        extra = self.andon_arguments if server.ours else ""
        program = self.environment.program(server.program)
        with started(server, launch, program, extra) as running:
            yield running

    def measure(
        self,
        server: Server,
        label: Row,
        action: Callable[P, Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Row:
        """The row that ``action`` measures, or one that says why there is none; kept in ``rows``
        either way.
        """
        row = self.attempt(server, label, action, *args, **kwargs)
        self.rows.append(row)
        return row

    def attempt(
        self,
        server: Server,
        label: Row,
        action: Callable[P, Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Row:
        """Like ``measure``, for a row that is only a part of one."""
        row: Row = {"server": server.name, **label}
        start = time.monotonic()
        try:
            row.update(action(*args, **kwargs))
        except (MeasurementFailed, OSError, ValueError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            row["failure"] = reason.replace(str(ROOT), ".")
        row["measured_seconds"] = round(time.monotonic() - start, 1)
        say(
            " ".join(str(value) for value in [server.name, *label.values()])
            + ": "
            + summary(row, label)
        )
        return row

    def repeat(
        self,
        server: Server,
        label: Row,
        action: Callable[[], Row],
        full: int,
        most: int | None = None,
    ) -> list[Row]:
        """A row for each round, ``most`` at most; see ``merged``."""
        rounds = min(self.repeats(full), most or self.repeats(full))
        return [
            self.attempt(server, {**label, "round": number + 1}, action) for number in range(rounds)
        ]


def merged(rounds: list[Row], merge: Callable[[list[Row]], Row]) -> Row:
    """One row of the rounds of a server, with all of them in ``rounds``. ``merge`` is given those
    that did not fail.
    """
    good = [row for row in rounds if "failure" not in row]
    row = merge(good) if good else dict(rounds[0])
    row.pop("round")
    kept = [{key: value for key, value in row.items() if key != "timeline"} for row in rounds]
    return {**row, "rounds": kept, "failed_rounds": len(rounds) - len(good)}


def summary(row: Row, label: Row) -> str:
    """One line of what was measured, for the terminal."""
    if "failure" in row:
        return f"FAILED: {row['failure']}"
    parts = []
    for name, value in row.items():
        if name in ("server", "measured_seconds", *label) or value is None:
            continue
        if isinstance(value, float):
            parts.append(f"{name} {value:.4g}")
        elif isinstance(value, int | str):
            parts.append(f"{name} {value}")
        elif isinstance(value, dict):
            counted = [(kind, count) for kind, count in value.items() if isinstance(count, int)]
            parts += [f"{name} {kind} {count}" for kind, count in counted if count]
    return ", ".join(parts)


def by_server(rows: Iterable[Row]) -> dict[str, Row]:
    """The last row of each server."""
    return {row["server"]: row for row in rows}


def distinct(rows: Iterable[Row], key: str) -> list[Any]:
    """The values of ``key`` in the order of their first row."""
    return list(dict.fromkeys(row[key] for row in rows))


def subset(rows: Iterable[Row], **values: Any) -> list[Row]:
    """The rows that have all these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in values.items())]
