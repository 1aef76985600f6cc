"""A limit of the size of bodies around middleware that is done natively."""

from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.parity.cases import limits
from tests.parity.cases.case import Case, Step, case, get, post, send
from tests.parity.cases.limits import LIMIT, LONGER, PLAIN, told

ORIGIN = ("origin", "http://a.example")
ASKS = ("access-control-request-method", "PUT")
GZIP = ("accept-encoding", "gzip")


def make() -> FastAPI:
    app = limits.make()
    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(CORSMiddleware, allow_origins=["http://a.example"])
    return app


def _with(step: Any, headers: tuple[tuple[str, str], ...]) -> Any:
    """A step, by a request that has these fields as well."""
    assert isinstance(step, Step)
    is_stream = step.request.path.endswith(b"/streams")
    if is_stream and (step.raises or step.status != 200):
        # The middleware holds the head back.
        step = replace(step, status=500, raises="RuntimeError")
    fields = tuple((name.encode(), value.encode()) for name, value in headers)
    return replace(step, request=replace(step.request, headers=(*step.request.headers, *fields)))


def _all(title: str, *headers: tuple[str, str]) -> list[Case]:
    def asked(each: Case) -> Case:
        steps = tuple(_with(step, headers) for step in each.steps)
        return Case(f"{each.title}, {title}", steps, each.wire)

    return [asked(each) for each in limits.CASES]


app = make()

CASES = [
    *_all("neither"),
    *_all("gzip and an origin", GZIP, ORIGIN),
    case(
        "what a browser asks",
        send("OPTIONS", "/body", 200, (ORIGIN, (ASKS[0], "GET"))),
        send("OPTIONS", "/body", 400, (ORIGIN, ASKS)),
        send("OPTIONS", "/body", 400, (ORIGIN, ASKS, PLAIN), LONGER),
        send("OPTIONS", "/body", 405, (ORIGIN, PLAIN), "x" * LIMIT),
    ),
    case(
        "what a browser asks, and too much is told",
        send("OPTIONS", "/body", 413, (ORIGIN, ASKS, *told(9)), LONGER),
        send("OPTIONS", "/missing", 413, (ORIGIN, (ASKS[0], "GET"), *told(9)), LONGER),
        wire=False,
    ),
    case("nobody takes it", get("/missing", 404, ORIGIN, GZIP), post("/missing", 404, "1", ORIGIN)),
]
