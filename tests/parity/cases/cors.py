"""`CORSMiddleware` as the only middleware: certain origins, with credentials."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    WebSocket,
)
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.middleware.cors import CORSMiddleware

from tests.parity.cases.case import Case, case, get, post, send
from tests.parity.generated.prelude import Odd, note

router = APIRouter()


@router.get("/item/{item_id}")
async def item(item_id: int) -> dict[str, int]:
    note("endpoint")
    return {"item": item_id}


@router.post("/thread")
def on_thread(value: dict[str, int], response: Response) -> dict[str, int]:
    response.headers["vary"] = "Accept"
    response.headers["x-token"] = "1"
    return value


def session() -> Iterator[str]:
    note("begun")
    yield "session"
    note("ended")


@router.get("/session")
def with_session(request: Request, used: str = Depends(session)) -> dict[str, Any]:
    return {"path": request.url.path, "used": used}


@router.get("/own-fields")
async def own_fields() -> Response:
    response = PlainTextResponse("own")
    response.headers.append("Vary", "Accept")
    response.headers.append("Vary", "Cookie")
    for value in ("http://own.example", "http://other.example"):
        response.headers.append("Access-Control-Allow-Origin", value)
    response.headers["Access-Control-Allow-Credentials"] = "maybe"
    return response


@router.get("/lines")
async def lines() -> AsyncIterator[dict[str, int]]:
    for number in range(2):
        yield {"number": number}


@router.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter(["a", "b"]), headers={"vary": "Accept"})


@router.get("/later")
async def later(tasks: BackgroundTasks) -> None:
    tasks.add_task(note, "background")


@router.get("/refused")
async def refused() -> None:
    raise HTTPException(403, "refused", {"vary": "Accept"})


@router.get("/odd")
async def odd() -> None:
    raise Odd("odd")


@router.get("/fails")
async def fails() -> None:
    raise ValueError("fails")


@router.get("/fails-on-thread")
def fails_on_thread() -> None:
    raise ValueError("fails")


@router.get("/fails-later")
async def fails_later(tasks: BackgroundTasks) -> None:
    tasks.add_task(fails)


@router.options("/asked")
async def asked() -> str:
    return "asked"


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.close()


async def odd_handler(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"odd": str(error)}, 460)


def made(**options: Any) -> FastAPI:
    """Return an application with such middleware around all kinds of answers."""
    app = FastAPI()
    app.include_router(router)
    app.exception_handler(Odd)(odd_handler)
    app.add_middleware(CORSMiddleware, **options)
    return app


def make() -> FastAPI:
    return made(
        allow_origins=["http://a.example", "null"],
        allow_origin_regex=r"https://.*\.b\.example",
        allow_methods=["GET", "PUT"],
        allow_headers=["X-Token"],
        allow_credentials=True,
        expose_headers=["X-Token", "X-Other"],
        max_age=10,
    )


ORIGIN = ("origin", "http://a.example")
ASKS = ("access-control-request-method", "PUT")


def _around(title: str, *headers: tuple[str, str]) -> list[Case]:
    """Every kind of answer, to requests with these header fields."""
    return [
        case(
            f"answers, {title}",
            get("/item/1", 200, *headers),
            get("/own-fields", 200, *headers),
            send("POST", "/thread", 200, (("content-type", "application/json"), *headers), "{}"),
            get("/session", 200, *headers),
            get("/later", 200, *headers),
            send("HEAD", "/item/1", 405, headers),
        ),
        case(f"streams, {title}", get("/lines", 200, *headers), get("/stream", 200, *headers)),
        case(
            f"errors, {title}",
            get("/item/x", 422, *headers),
            get("/refused", 403, *headers),
            get("/odd", 460, *headers),
            get("/absent", 404, *headers),
            get("/item/1/", 307, *headers),
        ),
        case(
            f"what fails, {title}",
            get("/fails", 500, *headers, raises="ValueError"),
            get("/fails-on-thread", 500, *headers, raises="ValueError"),
            get("/fails-later", 200, *headers, raises="ValueError"),
        ),
        case(
            f"what is asked, {title}",
            send("OPTIONS", "/asked", 200, headers),
            send("OPTIONS", "/item/1", 405, headers),
        ),
    ]


def cases_of(allowed: int) -> list[Case]:
    """All cases; ``allowed`` is the status of a browser's question for `ORIGIN`."""
    return [
        *_around("no origin", ("cookie", "a=1")),
        *_around("an origin", ORIGIN),
        *_around("an origin and a cookie", ORIGIN, ("cookie", "a=1")),
        *_around("another origin", ("origin", "http://c.example")),
        *_around("an origin of a pattern", ("origin", "https://x.b.example")),
        *_around("an odd origin", ("origin", "http://\xe9.example")),
        *_around("two origins", ("origin", "http://c.example"), ORIGIN),
        case("a question", send("OPTIONS", "/item/1", allowed, (ORIGIN, ASKS))),
        case("a question of no route", send("OPTIONS", "/absent", allowed, (ORIGIN, ASKS))),
        case(
            "what it allows is changed",
            get("/item/1", 200, ORIGIN),
            _allow_another,
            get("/item/1", 200, ORIGIN),
            get("/item/1", 200, ("origin", "http://c.example")),
        ),
        case(
            "its methods are hidden",
            _hide_a_method,
            get("/item/1", 200, ORIGIN),
        ),
        case("a body", post("/thread", 200, "{}"), post("/thread", 422, "[]")),
    ]


def _layer(app: Any) -> Any:
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    layer = app.middleware_stack
    while not isinstance(layer, CORSMiddleware):
        layer = layer.app
    return layer


def _allow_another(app: Any) -> None:
    layer = _layer(app)
    layer.allow_origins = [*layer.allow_origins, "http://c.example"]
    layer.simple_headers["Access-Control-Expose-Headers"] = "X-New"


def _hide_a_method(app: Any) -> None:
    layer = _layer(app)

    async def marked(message: Any, send: Any, request_headers: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"x-hidden", b"1"))
        await send(message)

    layer.send = marked


app = make()

CASES = cases_of(200)
