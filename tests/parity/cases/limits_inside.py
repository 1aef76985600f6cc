"""Limits of the size of bodies of single routes, in a middleware with `dispatch`."""

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.parity.cases import route_limits
from tests.parity.cases.case import case, get, post, send
from tests.parity.cases.limits import told
from tests.parity.generated.prelude import note, where


def make_streaming() -> FastAPI:
    app = FastAPI()

    @app.get("/lines", max_body_size=0)
    def lines() -> Iterator[Any]:
        for number in range(3):
            note("line", number, where())
            # Encoded in Python, which takes so long that meanwhile the body has come.
            yield {number: Decimal("1.10"), 2**70: 3}

    return app


def make() -> FastAPI:
    app = route_limits.make()
    app.mount("/streaming", make_streaming())

    @app.middleware("http")
    async def around(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers["x-around"] = "1"
        return response

    return app


app = make()

# To an answer that is streamed, the middleware has an end of its own.
LENGTHS = [each for each in route_limits.CASES if not each.title.startswith("exceptions")]

CASES = [
    *LENGTHS,
    case(
        "too much for lines, and told so",
        post("/wide/lines", 500, "x" * 21, *told(21), raises="RuntimeError"),
        wire=False,
    ),
    case("a stream", get("/streaming/lines")),
    case(
        "too much for a stream",
        send("GET", "/streaming/lines", 200, body="{", raises="RuntimeError"),
        wire=False,
    ),
]
