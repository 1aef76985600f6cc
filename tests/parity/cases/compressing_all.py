"""`GZipMiddleware` twice, in a stack with two `CORSMiddleware`: every answer is compressed."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.parity.cases.case import Case, case, get, send
from tests.parity.cases.compressing import GZIP
from tests.parity.cases.sized import LONG, made

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
        case(
            f"answers, {title}",
            get("/json/0", 200, *headers),
            get("/json/1000", 200, *headers),
            get("/thread/500", 200, *headers),
            get("/bare", 200, *headers),
            get("/later", 200, *headers),
            get("/empty/204", 204, *headers),
            get("/headed/content-encoding?value=br", 200, *headers),
            get("/headed/vary?value=Origin&status=206", 206, *headers),
            wire=False,
        ),
        case(f"large, {title}", get("/huge", 200, *headers)),
        case(
            f"streams, {title}",
            get("/lines", 200, *headers),
            get("/stream", 200, *headers),
        ),
        # Over sockets it is the server that reads it.
        case(f"a file, {title}", get("/file", 200, *headers), wire=False),
        case(
            f"errors, {title}",
            get("/json/x", 422, *headers),
            get("/odd", 460, *headers),
            get("/absent", 404, *headers),
            get("/fails", 500, *headers, raises="ValueError"),
        ),
        case(
            f"what is asked, {title}",
            send("OPTIONS", "/json/1", 405, headers),
            send("OPTIONS", "/json/1", 400, (ORIGIN, ASKS, *headers)),
            send("OPTIONS", "/json/1", 200, (ORIGIN, (ASKS[0], "GET"), *headers)),
        ),
        case(
            f"a response that many share, {title}",
            *(get("/shared", 200, *headers) for _ in range(2)),
            wire=False,
        ),
    ]


app = make()

CASES = [
    *_around("neither", ("x-none", "1")),
    *_around("gzip", GZIP),
    *_around("gzip and an origin", GZIP, ("origin", "http://b.example")),
    case("it is long", get(f"/typed?type={LONG[:20]}", 200, GZIP, ORIGIN)),
]
