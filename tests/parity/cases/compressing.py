"""`GZipMiddleware` as the only middleware: what is compressed, and what is not."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from tests.parity.cases.case import Case, Step, case, get, post, send
from tests.parity.cases.sized import made
from tests.parity.cases.sized_requests import every_kind


def make() -> FastAPI:
    return made(lambda app: app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6))


GZIP = ("accept-encoding", "gzip, deflate")
TYPES = (
    *("", "text/plain", "TEXT/Html ; charset=x", "image/png", "audio/x", "application/gzip"),
    *("application/grpc+proto", "application/grpc", "application/zip;x=y", "font/woff3", "video"),
)


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    """Every kind of answer, to requests with these header fields."""
    return [
        *every_kind(title, headers, sizes=(1, 497, 498, 499, 3000), threads=(1, 600)),
        case(
            f"empty ones, {title}",
            *(get(f"/empty/{status}", status, *headers) for status in (200, 304)),
            send("HEAD", "/json/1", 405, headers),
            get("/json/1/", 307, *headers),
        ),
        case(
            f"what is not compressed, {title}",
            *(get(f"/typed?type={kind}", 200, *headers) for kind in map(_quoted, TYPES)),
            get("/headed/Content-Type?value=image/png", 200, *headers),
            get("/headed/x?value=y&status=206", 206, *headers),
        ),
        case(
            f"other streams, {title}",
            get("/stream?kind=image/png", 200, *headers),
            get("/file", 200, *headers),
        ),
        case(
            f"it fails after the answer, {title}",
            get("/fails-later", 200, *headers, raises="ValueError"),
        ),
        case(
            f"a stream that breaks later, {title}",
            get("/breaks/1", 200, *headers, raises="ValueError"),
            wire=False,
        ),
        case(f"an answer that begins twice, {title}", get("/starts", 200, *headers), wire=False),
        case(
            f"odd responses, {title}",
            get("/bare", 200, *headers),
            get("/views", 200, *headers),
            wire=False,
        ),
    ]


def _quoted(text: str) -> str:
    return text.replace("+", "%2B").replace(" ", "%20").replace(";", "%3B")


def cases() -> list[Case]:
    """All cases."""
    return [
        *_around("no gzip", ("accept-encoding", "br")),
        *_around("gzip", GZIP),
        case("a first field counts", *_first_counts()),
        case("a body", post("/echo", 200, "{}"), post("/echo", 422, "[]")),
        case(
            "settings are changed",
            get("/json/100", 200, GZIP),
            _setting("minimum_size", 10),
            get("/json/100", 200, GZIP),
            _setting("compresslevel", 1),
            get("/json/1000", 200, GZIP),
            _setting("thread_minimum_size", 900),
            get("/json/1000", 200, GZIP),
            _setting("exclude_content_types", ("Application/JSON",)),
            get("/json/1000", 200, GZIP),
            _setting("exclude_content_types", ["application/*"]),
            get("/json/1000", 200, GZIP),
            _setting("minimum_size", 10.5),
            get("/json/100", 200, GZIP),
        ),
        case(
            "a setting that cannot be",
            _setting("compresslevel", 99),
            get("/json/1000", 500, GZIP, raises="ValueError"),
        ),
        case("a method is hidden", _setting("__call__", None), get("/json/1000", 200, GZIP)),
    ]


def _first_counts() -> Iterator[Step]:
    yield get("/json/600", 200, ("accept-encoding", "br"), GZIP)
    yield get("/json/600", 200, GZIP, ("accept-encoding", "br"))
    yield get("/json/600", 200, ("accept-encoding", "GZIP"))
    yield get("/json/600", 200, ("accept-encoding", "x-gzip;q=0"))


def _setting(name: str, value: Any) -> Callable[[Any], None]:
    def change(app: Any) -> None:
        if app.middleware_stack is None:
            app.middleware_stack = app.build_middleware_stack()
        layer = app.middleware_stack
        while not isinstance(layer, GZipMiddleware):
            layer = layer.app
        setattr(layer, name, value)

    return change


app = make()

CASES = cases()
