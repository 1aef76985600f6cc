"""`GZipMiddleware` twice, in a stack with two `CORSMiddleware`: every answer is compressed."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.parity.cases.case import Case, case, get, send
from tests.parity.cases.compressing import GZIP
from tests.parity.cases.sized import LONG, made
from tests.parity.cases.sized_requests import every_kind

ORIGIN = ("origin", "http://a.example")
ASKS = ("access-control-request-method", "PUT")


def _add(app: FastAPI) -> None:
    # The last is the outermost.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["X-Inner"])
    app.add_middleware(GZipMiddleware, minimum_size=0, compresslevel=0)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["http://a.example"],
        allow_credentials=True,
        allow_headers=["X-Token"],
    )
    app.add_middleware(GZipMiddleware, minimum_size=10, exclude_content_types=("text/*",))


def make() -> FastAPI:
    return made(_add)


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    return [
        *every_kind(title, headers, sizes=(0, 1000), threads=(500,)),
        case(
            f"odd answers, {title}",
            get("/bare", 200, *headers),
            get("/headed/vary?value=Origin&status=206", 206, *headers),
            wire=False,
        ),
        # Over sockets it is the server that reads it.
        case(f"a file, {title}", get("/file", 200, *headers), wire=False),
        case(
            f"what is asked, {title}",
            send("OPTIONS", "/json/1", 405, headers),
            send("OPTIONS", "/json/1", 400, (ORIGIN, ASKS, *headers)),
            send("OPTIONS", "/json/1", 200, (ORIGIN, (ASKS[0], "GET"), *headers)),
        ),
    ]


app = make()

CASES = [
    *_around("neither", ("x-none", "1")),
    *_around("gzip", GZIP),
    *_around("gzip and an origin", GZIP, ("origin", "http://b.example")),
    case("it is long", get(f"/typed?type={LONG[:20]}", 200, GZIP, ORIGIN)),
]
