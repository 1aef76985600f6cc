"""Layers of Starlette's middleware inside of functions of `@app.middleware`."""

from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.parity.cases.case import Case, case, get, post, send
from tests.parity.cases.compressing import GZIP
from tests.parity.cases.sized import made
from tests.parity.cases.sized_requests import every_kind
from tests.parity.generated.prelude import note

ORIGIN = ("origin", "http://a.example")
ASKS = ("access-control-request-method", "PUT")


def _add(app: FastAPI) -> None:
    # The last is the outermost.
    app.add_middleware(GZipMiddleware, minimum_size=100)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver", "www.c.example"])
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)

    @app.middleware("http")
    async def inner(request: Request, call_next: Any) -> Any:
        note("inner", len(await request.body()))
        response = await call_next(request)
        note("headers", response.headers.raw)
        response.headers["x-inner"] = "1"
        return response

    @app.middleware("http")
    async def outer(request: Request, call_next: Any) -> Any:
        if "x-host" in request.headers:
            headers = [field for field in request.scope["headers"] if field[0] != b"host"]
            request.scope["headers"] = [*headers, (b"host", b"elsewhere")]
        return await call_next(request)


def make() -> FastAPI:
    return made(_add)


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    return [
        *every_kind(title, headers, sizes=(1, 1000), threads=(300,)),
        case(
            f"refusals, {title}",
            get("/json/1", 400, ("x-host", "1"), *headers),
            send("GET", "/json/1", 307, (("host", "c.example"), *headers), host=False),
            send("GET", "/json/1", 400, (("host", "d.example"), *headers), host=False),
        ),
    ]


app = make()

CASES = [
    *_around("neither", ("x-none", "1")),
    *_around("gzip", GZIP),
    *_around("gzip and an origin", GZIP, ORIGIN),
    case(
        "what a browser asks",
        send("OPTIONS", "/json/1", 400, (ORIGIN, ASKS)),
        send("OPTIONS", "/json/1", 200, (ORIGIN, (ASKS[0], "GET"), GZIP)),
        send("OPTIONS", "/json/1", 405, (ORIGIN,)),
    ),
    case("a body", post("/echo", 200, '{"a": "b"}'), post("/echo", 422, "[]")),
]
