"""100 calls arrive at one worker at the same time. The route waits, in the three ways of E2.

`await asyncio.sleep(1)` should take 1 s for all of them. `def` with `time.sleep(1)` takes 3 s where
the framework's 40 threads are all there is (40 + 40 + 20), and with two workers 2 s where the calls
are shared out evenly. `async def` with `time.sleep` takes 100 times its wait, one after the other;
it is given a tenth of a second here, so 10 s. Look at the time until the last call was answered.

More threads are right for calls that wait, and wrong for calls that compute: those only take turns
at the GIL, and all end late. In the last table 100 calls of a `def` route burn 20 ms of processor
time each, on two workers, and the application counts how many were under way in its process when
one began: look at how many had company, which none needs, and at the mean latency.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.case import Case, Row, Session, distinct, subset
from bench.charts import panel
from bench.client import Rate, Report, faults
from bench.servers import Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, integer

CALLS = 100


@dataclass(frozen=True)
class Route:
    """A route under so many simultaneous calls, each waiting or burning ``seconds``."""

    title: str
    path: str
    seconds: float
    workers: int = 1


BURN = "burn"
ROUTES = {
    "await": Route("`await asyncio.sleep`", "/await", 1.0),
    "thread": Route("`def` + `time.sleep`", "/thread", 1.0),
    "thread-2": Route("`def` + `time.sleep`, two workers", "/thread", 1.0, 2),
    "lock": Route("`async def` + `time.sleep`", "/lock", 0.1),
    BURN: Route("`def` that computes, two workers", "/burn", 0.02, 2),
}


def run(session: Session) -> list[Row]:
    """Measure each route."""
    for name, route in ROUTES.items():
        if session.wants(name):
            for server in session.servers:
                session.measure(server, {"route": name}, _measure, session, server, route)
    return session.rows


def _measure(session: Session, server: Server, route: Route) -> Row:
    # What computes has to last longer than CPython lets one thread have the GIL: 5 ms.
    seconds = route.seconds * session.pick(1, 1 if route.path == "/burn" else 0.25)
    burst = Rate(
        rate=50_000,
        seconds=1,
        requests=CALLS,
        connections=CALLS,
        new_connections=True,
        timeout=CALLS * seconds + 20,
        count_json="together" if route.path == "/burn" else None,
    )
    with session.start(server, Launch("waiting:app", workers=route.workers)) as running:
        report = session.client.rate(running.url(f"{route.path}?seconds={seconds}"), burst)
    mean, longest = report["latency"]["mean_ms"], report["latency"]["max_ms"]
    return {
        "wait_s": seconds,
        "answers": report["answers"],
        "errors": faults(report),
        "mean_s": None if mean is None else mean / 1e3,
        "last_s": None if longest is None else longest / 1e3,
        "in_company": in_company(report),
    }


def in_company(report: Report) -> int:
    """How many calls began while another was under way in their process."""
    together = report["answers_by_json"].items()
    return sum(count for number, count in together if number.isdigit() and int(number) > 1)


def tables(rows: list[Row]) -> list[Table]:
    """A table for each route."""
    return [
        Table(
            ROUTES[route].title if route in ROUTES else route,
            _columns(route),
            subset(rows, route=route),
        )
        for route in distinct(rows, "route")
    ]


def _columns(route: str) -> list[Column]:
    computing = [
        Column("mean s", decimals("mean_s")),
        Column("began while another was under way", integer("in_company")),
    ]
    return [
        SERVER,
        Column("one call s", decimals("wait_s", 3)),
        Column("last of 100 answered after s", decimals("last_s")),
        *(computing if route == BURN else []),
        Column("answers", integer("answers")),
        Column("errors", counts("errors")),
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Time until the last answer."""
    panels = [
        panel(
            (ROUTES[route].title if route in ROUTES else route).replace("`", ""),
            subset(rows, route=route),
            "last_s",
        )
        for route in distinct(rows, "route")
    ]
    return [
        bars(
            "e5",
            "E5: seconds until the last of 100 simultaneous calls is answered (less is better)",
            panels,
        )
    ]


CASE = Case("e5", "E5: forty threads", __doc__, ("route",), run, tables, charts)
