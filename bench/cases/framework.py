"""What FastAPI itself costs, in routes as applications have them: dependencies, sessions, security,
middleware, many routes, and answers that are errors. One worker, ``wrk`` with one thread, measured
as the throughput cases are.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from bench.case import Case, Row, Session, distinct, subset
from bench.cases.throughput import (
    ITEM,
    JSON_TYPE,
    POSTED,
    Variant,
    is_json,
    measure,
    tables_with,
    titles_of,
)
from bench.charts import panel
from bench.servers import ASGI_ONLY
from bench.svg import Chart, bars
from bench.tables import Table
from bench.wrk import Request

HELLO = is_json({"hello": "world"})
TOKEN = {"authorization": "Bearer token-of-ada"}
ORIGIN = {"origin": "https://example.org"}


def _is_error(kind: str) -> Callable[[bytes], bool]:
    return lambda body: bool(json.loads(body)["detail"][0]["type"] == kind)


VARIANTS = (
    Variant(
        "depends",
        "three `async def` dependencies, one below the other",
        "framework:app",
        Request("/depends?verbose=true"),
        is_json({"used": True}),
    ),
    Variant(
        "session",
        "`Request` and an `async` dependency with `yield`",
        "framework:app",
        Request("/session"),
        is_json({"path": "/session", "stored": 0}),
    ),
    Variant(
        "usual",
        "the usual route: `def`, session with `yield`, OAuth2, body, response model",
        "framework:app",
        Request("/orders", "POST", POSTED, {**JSON_TYPE, **TOKEN}),
        is_json({"id": 1, "owner": "ada", **ITEM}),
        status=201,
    ),
    Variant(
        "crowded",
        "the last of 50 routes in nested routers",
        "framework:crowded",
        Request("/api/v1/section4/thing9/7"),
        is_json({"number": 7}),
    ),
    Variant("middleware", "one `@app.middleware`", "framework:wrapped", Request("/async"), HELLO),
    Variant(
        "cors",
        "with `CORSMiddleware`",
        "framework:shared",
        Request("/async", headers=ORIGIN),
        HELLO,
    ),
    Variant("no-cors", "the same without", "framework:app", Request("/async"), HELLO),
    Variant(
        "overridden",
        "an override was set while it runs",
        "framework:overridden",
        Request("/async"),
        HELLO,
        beside=(ASGI_ONLY,),
    ),
    Variant(
        "invalid",
        "a parameter that is not valid (422)",
        "framework:app",
        Request("/numbers/seven"),
        _is_error("int_parsing"),
        status=422,
    ),
    Variant(
        "absent",
        "no such route (404)",
        "framework:app",
        Request("/nowhere"),
        is_json({"detail": "Not Found"}),
        status=404,
    ),
    Variant(
        "refused",
        "an `HTTPException` (403)",
        "framework:app",
        Request("/refused"),
        is_json({"detail": "not for you"}),
        status=403,
    ),
)
TITLES = titles_of(VARIANTS)


def run(session: Session) -> list[Row]:
    """Measure every wanted variant."""
    measure(session, VARIANTS)
    return session.rows


def tables(rows: list[Row]) -> list[Table]:
    """A summary of all variants, then one table for each."""
    return tables_with(TITLES, rows)


def charts(rows: list[Row]) -> list[Chart]:
    """Requests per second of every variant."""
    panels = [
        panel(f"{name}, per second", subset(rows, variant=name), "requests_per_second")
        for name in distinct(rows, "variant")
    ]
    title = "FastAPI's own part, one worker, 32 connections (more is better)"
    return [bars("framework", title, panels)] if panels else []


CASE = Case("framework", "Routes of a framework", __doc__, ("variant",), run, tables, charts)
