"""Four layers of Starlette's middleware around each other, as applications stack them."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.parity.cases.case import Case, case, get, send
from tests.parity.cases.compressing import GZIP
from tests.parity.cases.hosts import of
from tests.parity.cases.sized import made

ORIGIN = ("origin", "http://a.example")
ASKS = ("access-control-request-method", "PUT")
HOST = ("host", "c.example")


def _add(app: FastAPI) -> None:
    # The last is the outermost.
    app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=100)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver", "www.c.example"])
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["PUT", "GET"],
        allow_private_network=True,
        max_age=5,
    )
    app.add_middleware(GZipMiddleware, minimum_size=1, compresslevel=-1)


def make() -> FastAPI:
    return made(_add)


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    return [
        case(
            f"with TLS, {title}",
            *(
                send("GET", target, status, headers, scheme="https")
                for target, status in (
                    ("/json/0", 200),
                    ("/json/1000", 200),
                    ("/thread/300", 200),
                    ("/stream", 200),
                    ("/json/x", 422),
                    ("/absent", 404),
                    ("/later", 200),
                )
            ),
            send("GET", "/fails", 500, headers, scheme="https", raises="ValueError"),
            wire=False,
        ),
        case(
            f"refusals, {title}",
            get("/json/1", 307, *headers),
            send("GET", "/json/1", 307, (HOST, *headers), host=False),
            send("GET", "/json/1", 400, (("host", "d.example"), *headers), host=False),
        ),
    ]


def _asked(*more: tuple[str, str]) -> Any:
    return send("OPTIONS", "/json/1", 200, (ORIGIN, ASKS, *more))


def _refused(*more: tuple[str, str]) -> Any:
    return send("OPTIONS", "/json/1", 400, (ORIGIN, *more))


REQUESTED = "access-control-request-headers"
PRIVATE = ("access-control-request-private-network", "true")

app = make()

CASES = [
    *_around("neither", ("x-none", "1")),
    *_around("gzip", GZIP),
    *_around("an origin", ORIGIN),
    *_around("gzip and an origin", GZIP, ORIGIN),
    case(
        "what a browser asks",
        _asked(),
        _asked(GZIP),
        _asked(PRIVATE),
        _asked((REQUESTED, "accept, Content-Type ,content-language")),
        _refused(ASKS, (REQUESTED, "")),
        _refused(ASKS, (REQUESTED, "x-other, accept")),
        _refused(("access-control-request-method", "POST"), (REQUESTED, "x"), PRIVATE, GZIP),
        _refused(ASKS, (REQUESTED, "\xe9\tx")),
        send("OPTIONS", "/absent", 200, (ORIGIN, ASKS, HOST), host=False),
        send("OPTIONS", "/json/1", 307, (ORIGIN,)),
        send("OPTIONS", "/json/1", 307, (ASKS,)),
    ),
    case("another host", of("d.example", 400, "/absent")),
]
