"""`/1` awaits for a while and then blocks for as long; `/2` only blocks as long. `/2` is called
when `/1` is half way through its wait. If both run on one event loop, `/2` holds it at the moment
at which `/1` wants to go on, and `/1` takes 2.5 units of time instead of 2.

With one worker there is no other loop, so 2.5 is what plain ASGI can do; with two workers nothing
forces them together: look at the time of `/1` there, the worst of several trials, and at how often
both ran in the same process. The table counts in units, of which `/1` needs 2 and `/2` needs 1. In
the article that this experiment comes from, a unit is 10 s: 20 s and 10 s are right, 25 s is not.
"""

from __future__ import annotations

import time

from bench.calls import BackgroundCall
from bench.case import Case, Row, Session, distinct, subset
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import Launch, Server
from bench.tables import SERVER, Column, Table, decimals, integer


def run(session: Session) -> list[Row]:
    """Measure with one and with two workers."""
    for workers in (1, 2):
        if session.wants(str(workers)):
            trials = session.repeats(3) if workers > 1 else 1
            for server in session.servers:
                session.measure(
                    server,
                    {"workers": workers},
                    _measure,
                    session,
                    server,
                    workers,
                    trials,
                )
    return session.rows


def _measure(session: Session, server: Server, workers: int, trials: int) -> Row:
    unit = session.pick(2.0, 0.6)
    with session.start(server, Launch("overtaken:app", workers=workers)) as running:
        results = [_trial(running, unit) for _ in range(trials)]
    return {
        "unit_s": unit,
        "trials": trials,
        "same_process": sum(same for _, _, same in results),
        "first_worst": max(first for first, _, _ in results) / unit,
        "second_worst": max(second for _, second, _ in results) / unit,
    }


def _trial(running: Running, unit: float) -> tuple[float, float, bool]:
    first = BackgroundCall(running.port, f"/1?seconds={unit}", timeout=unit * 6 + 10)
    time.sleep(unit / 2)
    second = BackgroundCall(running.port, f"/2?seconds={unit}", timeout=unit * 6 + 10)
    replies = (first.wait(), second.wait())
    if replies[0] is None or replies[1] is None:
        raise MeasurementFailed(
            f"a call failed: {first.error or second.error or 'no answer in time'}"
        )
    return replies[0].seconds, replies[1].seconds, replies[0].json() == replies[1].json()


def tables(rows: list[Row]) -> list[Table]:
    """A table for each number of workers."""
    columns = [
        SERVER,
        Column("`/1`, units (needs 2)", decimals("first_worst")),
        Column("`/2`, units (needs 1)", decimals("second_worst")),
        Column("trials in one process", integer("same_process")),
        Column("trials", integer("trials")),
        Column("unit s", decimals("unit_s", 1)),
    ]
    return [
        Table(
            f"{workers} worker{'s' if workers > 1 else ''}", columns, subset(rows, workers=workers)
        )
        for workers in distinct(rows, "workers")
    ]


CASE = Case("e4", "E4: a coroutine overtaken", __doc__, ("workers",), run, tables)
