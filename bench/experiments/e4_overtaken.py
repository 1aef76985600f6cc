"""`/1` awaits for a while and then blocks for as long; `/2` only blocks as long. `/2` is called
when `/1` is half way through its wait. If both run on one event loop, `/2` holds it at the moment
at which `/1` wants to go on, and `/1` takes 2.5 units of time instead of 2.

With one worker there is no other loop, so 2.5 is what plain ASGI can do; with two workers nothing
forces them together: look at the time of `/1` there, the worst of several trials, and at how often
both ran in the same process. The table counts in units, of which `/1` needs 2 and `/2` needs 1. In
the article that this experiment comes from, a unit is 10 s: 20 s and 10 s are right, 25 s is not.

Two workers are tried twice: each trial with a server that was started for it, and several trials
one after the other with the same server. Andon has learned by then that both routes hold their
event loop, and of two workers it keeps one free of these for everybody else, so `/2` waits until
`/1` is done; a third worker ("Andon, 3 workers at most") lets it run beside.
"""

from __future__ import annotations

import time
from functools import partial

from bench.calls import BackgroundCall
from bench.case import Case, Row, Session, distinct, subset
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import ELASTIC, Launch, Server
from bench.tables import SERVER, Column, Table, decimals, integer

TITLES = {
    "alone": "1 worker",
    "fresh": "2 workers, nothing known",
    "known": "2 workers, routes known",
}
TRIALS = 3


def run(session: Session) -> list[Row]:
    """Measure with one worker, with two that know nothing, and with two that have seen both."""
    for case, workers, servers, starts, trials in (
        ("alone", 1, session.servers, 1, 1),
        ("fresh", 2, session.servers, session.repeats(TRIALS), 1),
        ("known", 2, session.with_andon_as(ELASTIC), 1, 1 + session.repeats(TRIALS)),
    ):
        if session.wants(case):
            for server in servers:
                measure = partial(_measure, session, server, workers, starts, trials)
                session.measure(server, {"case": case}, measure)
    return session.rows


def _measure(session: Session, server: Server, workers: int, starts: int, trials: int) -> Row:
    unit = session.pick(2.0, 0.6)
    results = []
    for _ in range(starts):
        with session.start(server, Launch("overtaken:app", workers=workers)) as running:
            tried = [_trial(running, unit) for _ in range(trials)]
        # Of several the first is what made the routes known.
        results += tried[1:] or tried
    return {
        "unit_s": unit,
        "trials": len(results),
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
    """A table for each number of workers and what they know."""
    columns = [
        SERVER,
        Column("`/1`, units (needs 2)", decimals("first_worst")),
        Column("`/2`, units (needs 1)", decimals("second_worst")),
        Column("trials in one process", integer("same_process")),
        Column("trials", integer("trials")),
        Column("unit s", decimals("unit_s", 1)),
    ]
    return [
        Table(TITLES.get(case, case), columns, subset(rows, case=case))
        for case in distinct(rows, "case")
    ]


CASE = Case("e4", "E4: a coroutine overtaken", __doc__, ("case",), run, tables)
