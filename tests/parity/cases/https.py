"""`HTTPSRedirectMiddleware` within `GZipMiddleware`: all who come without TLS are sent on."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware

from tests.parity.cases.case import case, get, post, send
from tests.parity.cases.compressing import GZIP
from tests.parity.cases.hosts import of
from tests.parity.cases.sized import made


def _add(app: FastAPI) -> None:
    app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=0)


def make() -> FastAPI:
    return made(_add)


app = make()

CASES = [
    case(
        "redirects",
        of("a.example", 307, "/json/1"),
        of("a.example:80", 307, "/json/1"),
        of("a.example:443", 307, "/json/1?a=b&c=%20"),
        of("a.example:0443", 307, "/json/1"),
        of("a.example:8000", 307, "/json/1?"),
        of("a.example", 307, "/absent"),
        of("a.example", 307, "/json/1/"),
        post("/echo", 307, "{}"),
        send("OPTIONS", "/json/1", 307),
        get("/json/1", 307, GZIP),
    ),
    case(
        "unusual ones",
        of("A.example:80", 307, "/json/1"),
        of("[::1]:80", 307, "/json/1"),
        of("a.example:99999", 307, "/json/1"),
        of("", 307, "/json/1"),
        of("a b", 307, "/json/1"),
        of("a.example", 307, "//json/1"),
        of("a.example", 307, "/%C3%A9%5C?%C3%A9"),
        send("GET", "/json/1", 307, host=False),
        wire=False,
    ),
    case(
        "with TLS",
        *(
            send("GET", target, status, (GZIP,), scheme="https")
            for target, status in (("/json/600", 200), ("/absent", 404), ("/stream", 200))
        ),
        wire=False,
    ),
    case("another scheme", send("GET", "/json/1", 200, scheme="odd"), wire=False),
]
