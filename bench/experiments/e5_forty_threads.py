"""100 calls arrive at one worker at the same time. The route waits, in the three ways of E2.

`await asyncio.sleep(1)` should take 1 s for all of them. `def` with `time.sleep(1)` takes 3 s where
the framework's 40 threads are all there is (40 + 40 + 20). `async def` with `time.sleep` takes 100
times its wait, one after the other; it is given a tenth of a second here, so 10 s. Look at the time
until the last call was answered.
"""

from __future__ import annotations

from bench.case import Case, Row, Session, distinct, subset
from bench.charts import panel
from bench.client import Rate, faults
from bench.servers import Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, integer

CALLS = 100
ROUTES = {
    "await": ("`await asyncio.sleep`", 1.0),
    "thread": ("`def` + `time.sleep`", 1.0),
    "lock": ("`async def` + `time.sleep`", 0.1),
}


def run(session: Session) -> list[Row]:
    """Measure each route."""
    for route, (_, seconds) in ROUTES.items():
        if session.wants(route):
            wait = seconds * session.pick(1, 0.25)
            for server in session.servers:
                session.measure(
                    server,
                    {"route": route},
                    _measure,
                    session,
                    server,
                    route,
                    wait,
                )
    return session.rows


def _measure(session: Session, server: Server, route: str, wait: float) -> Row:
    burst = Rate(
        rate=50_000,
        seconds=1,
        requests=CALLS,
        connections=CALLS,
        new_connections=True,
        timeout=CALLS * wait + 20,
    )
    with session.start(server, Launch("waiting:app")) as running:
        report = session.client.rate(running.url(f"/{route}?seconds={wait}"), burst)
    longest = report["latency"]["max_ms"]
    return {
        "wait_s": wait,
        "answers": report["answers"],
        "errors": faults(report),
        "last_s": None if longest is None else longest / 1e3,
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each route."""
    columns = [
        SERVER,
        Column("wait of one call s", decimals("wait_s", 3)),
        Column("last of 100 answered after s", decimals("last_s")),
        Column("answers", integer("answers")),
        Column("errors", counts("errors")),
    ]
    return [
        Table(ROUTES[route][0] if route in ROUTES else route, columns, subset(rows, route=route))
        for route in distinct(rows, "route")
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Time until the last answer."""
    panels = [
        panel(
            (ROUTES[route][0] if route in ROUTES else route).replace("`", ""),
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
