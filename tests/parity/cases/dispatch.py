"""Middleware with `dispatch`: what its code can observe of `BaseHTTPMiddleware`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import anyio
import starlette
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware

from tests.parity.cases.case import JSON, case, get, post, send
from tests.parity.generated.prelude import VARIABLE, note, where

ASKED = "x-do"
CallNext = Callable[[Request], Awaitable[Response]]


class Changing(BaseHTTPMiddleware):
    """Does what a header of the request asks for."""

    def __init__(self, app: Any, name: str) -> None:
        super().__init__(app)
        self.name = name

    async def dispatch(self, request: Request, call_next: CallNext) -> Response:
        asked = request.headers.get(ASKED, "")
        note("before", asked, where(), request.url.path)
        VARIABLE.set(self.name)
        change = getattr(self, f"_{asked}", self._nothing)
        try:
            response: Response = await change(request, call_next)
        except BaseException as error:
            cause, context = error.__cause__, error.__context__
            note("raised", type(error).__name__, str(error), repr(cause), repr(context))
            raise
        status = getattr(response, "status_code", None)
        note("after", status, VARIABLE.get(), sorted(request.scope.get("path_params", {})))
        return response

    async def _nothing(self, request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        response.headers[f"x-{self.name}"] = response.headers.get("content-length", "none")
        return response

    async def _look(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        note(type(response).__name__, sorted(vars(response)), type(response.body_iterator).__name__)
        note(response.raw_headers, response.media_type, response.background, response.info)
        note(request.scope.get("route") is not None, request.scope.get("endpoint") is not None)
        return response  # type: ignore[no-any-return]

    async def _iterate(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        pieces = [piece async for piece in response.body_iterator]
        note("pieces", pieces)
        return Response(b"".join(pieces).upper(), response.status_code, dict(response.headers))

    async def _first(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        note("first", await anext(response.body_iterator, None))
        return response  # type: ignore[no-any-return]

    async def _closed(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        await response.body_iterator.aclose()
        del response.headers["content-length"]
        return response  # type: ignore[no-any-return]

    async def _replace(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        inner = response.body_iterator

        async def doubled() -> AsyncIterator[Any]:
            async for piece in inner:
                yield piece
                yield piece

        response.body_iterator = doubled()
        del response.headers["content-length"]
        response.status_code = 203
        return response  # type: ignore[no-any-return]

    async def _other(self, request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return PlainTextResponse("other", 202, background=BackgroundTask(note, "own background"))

    async def _alone(self, request: Request, call_next: CallNext) -> Response:
        return PlainTextResponse("alone", 202)

    async def _stream(self, request: Request, call_next: CallNext) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return StreamingResponse(pieces(), 202)

    async def _none(self, request: Request, call_next: CallNext) -> Any:
        await call_next(request)

    async def _background(self, request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        response.background = BackgroundTask(note, "background of the middleware")
        return response

    async def _body(self, request: Request, call_next: CallNext) -> Response:
        note("body", await request.body())
        return await call_next(request)

    async def _json(self, request: Request, call_next: CallNext) -> Response:
        note("json", await request.json())
        return await call_next(request)

    async def _consume(self, request: Request, call_next: CallNext) -> Response:
        note("stream", [piece async for piece in request.stream()])
        return await call_next(request)

    async def _after(self, request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        try:
            note("body after", await request.body())
        except Exception as error:
            note("no body after", type(error).__name__)
        return response

    async def _twice(self, request: Request, call_next: CallNext) -> Response:
        first: Any = await call_next(request)
        note("first", first.status_code)
        return await call_next(request)

    async def _again(self, request: Request, call_next: CallNext) -> Response:
        first: Any = await call_next(request)
        note("first", [piece async for piece in first.body_iterator])
        return await call_next(request)

    async def _retry(self, request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except ValueError as error:
            note("retries", str(error))
            return await call_next(request)

    async def _catch(self, request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except Exception as error:
            cause, context = repr(error.__cause__), repr(error.__context__)
            note("caught", type(error).__name__, cause, context, error.__suppress_context__)
            return PlainTextResponse("caught", 500)

    async def _raise(self, request: Request, call_next: CallNext) -> Response:
        raise HTTPException(418)

    async def _chained(self, request: Request, call_next: CallNext) -> Response:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904

    async def _caused(self, request: Request, call_next: CallNext) -> Response:
        raise ValueError("second") from KeyError("first")

    async def _late(self, request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        raise ValueError("late")

    async def _task(self, request: Request, call_next: CallNext) -> Response:
        return await asyncio.create_task(_awaited(call_next(request)))

    async def _early(self, request: Request, call_next: CallNext) -> Response:
        running = asyncio.create_task(_awaited(call_next(request)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        response = PlainTextResponse("early", 202)
        response.background = BackgroundTask(_ended, running)
        return response

    async def _timeout(self, request: Request, call_next: CallNext) -> Response:
        try:
            return await asyncio.wait_for(call_next(request), _patience(request))
        except (TimeoutError, asyncio.TimeoutError):
            return PlainTextResponse("too late", 504)

    async def _deadline(self, request: Request, call_next: CallNext) -> Response:
        with anyio.move_on_after(_patience(request)):
            return await call_next(request)
        return PlainTextResponse("too late", 504)

    async def _path(self, request: Request, call_next: CallNext) -> Response:
        request.scope["path"] = "/item/8"
        return await call_next(request)

    async def _headers(self, request: Request, call_next: CallNext) -> Response:
        request.scope["headers"].append((b"x-token", b"put"))
        return await call_next(request)

    async def _state(self, request: Request, call_next: CallNext) -> Response:
        request.state.user = "u"
        response = await call_next(request)
        note("state", sorted(request.state._state))
        return response

    async def _keyword(self, request: Request, call_next: CallNext) -> Response:
        by_keyword: Any = call_next
        response: Response = await by_keyword(request=request)
        return response


def _patience(request: Request) -> float:
    """Seconds: too few for what waits for longer, more than enough for all else."""
    return 0.03 if request.url.path == "/longer" else 30.0


async def _awaited(calling: Awaitable[Response]) -> Response:
    return await calling


async def _ended(running: "asyncio.Task[Any]") -> None:
    with contextlib.suppress(Exception):
        await running
    note("the other has ended", running.done())


async def opened() -> AsyncIterator[str]:
    note("open", where())
    VARIABLE.set("dependency")
    try:
        yield VARIABLE.get()
    except BaseException as error:
        note("seen", type(error).__name__)
        raise
    finally:
        note("close", VARIABLE.get())


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/item/{item_id}")
    async def item(request: Request, item_id: int) -> dict[str, Any]:
        note("endpoint", where())
        VARIABLE.set("endpoint")
        tokens = request.headers.getlist("x-token")
        return {"item": item_id, "tokens": tokens, "state": request.state._state}

    @app.get("/waits")
    async def waits(value: Annotated[str, Depends(opened)]) -> str:
        await asyncio.sleep(0)
        note("waited", where())
        return value

    @app.get("/sleeps")
    async def sleeps(value: Annotated[str, Depends(opened)]) -> str:
        await asyncio.sleep(0.03)
        return value

    @app.get("/longer")
    async def longer(value: Annotated[str, Depends(opened)]) -> str:
        # It is waited for also where its middleware has answered already.
        await asyncio.sleep(0.15)
        return value

    @app.post("/body")
    async def body(value: dict[str, int]) -> dict[str, int]:
        return value

    @app.post("/raw")
    async def raw(request: Request) -> str:
        return (await request.body()).decode()

    @app.post("/thread")
    def on_thread(value: dict[str, int]) -> dict[str, Any]:
        return {"value": value, "variable": VARIABLE.get()}

    @app.get("/tasks")
    async def tasks(tasks: BackgroundTasks, value: Annotated[str, Depends(opened)]) -> str:
        tasks.add_task(note, "background")
        return value

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d" % number

        return StreamingResponse(pieces(), background=BackgroundTask(note, "after the stream"))

    @app.get("/pieces")
    async def plain_pieces() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d" % number

        return StreamingResponse(pieces())

    @app.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            raise ValueError("breaks")

        return StreamingResponse(pieces())

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(__file__, media_type="text/x-python")

    @app.get("/empty", status_code=204)
    async def empty() -> None:
        return None

    @app.get("/fails")
    async def fails() -> None:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("fails")  # noqa: B904

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(418)

    @app.get("/listens")
    async def listens(request: Request) -> list[Any]:
        return [await request.is_disconnected()]

    app.add_middleware(Changing, name="inner")

    @app.middleware("http")
    async def outer(request: Request, call_next: CallNext) -> Response:
        note("outer", where())
        response = await call_next(request)
        note("outer after", VARIABLE.get())
        response.headers["x-outer"] = "1"
        return response

    return app


app = make()


def do(what: str) -> tuple[str, str]:
    """The header that asks for it."""
    return (ASKED, what)


def all_of(what: str, *paths: str) -> list[Any]:
    return [get(path, 200, do(what)) for path in paths]


def add_route(app: FastAPI) -> None:
    @app.get("/added")
    async def added() -> str:
        return "added"


def replace_dispatch(app: FastAPI) -> None:
    layer: Any = app.middleware_stack
    while not isinstance(layer, BaseHTTPMiddleware):
        layer = layer.app

    async def dispatch(request: Request, call_next: CallNext) -> Response:
        return PlainTextResponse("replaced", 202)

    layer.dispatch_func = dispatch


ENDPOINTS = ("/item/1", "/waits", "/tasks", "/stream", "/openapi.json")

# Before 1.7 what is inside does not wait for the middleware to have sent the answer, and each call
# sends through the same stream, which the first to end closes. FastAPI itself then has now this
# order, now that.
_WAITS = tuple(map(int, starlette.__version__.split(".")[:2])) >= (1, 7)
IN_ORDER = [
    case("streams again", get("/stream", 200, do("again"))),
    case("background after another", get("/tasks", 200, do("background"))),
]

CASES = [
    case("as they are", *all_of("", *ENDPOINTS), get("/file"), get("/empty", 204)),
    case("errors", get("/item/x", 422), get("/absent", 404), get("/http", 418)),
    case("other methods", send("HEAD", "/item/1", 405), send("POST", "/item/1", 405)),
    case("bodies", post("/body", 200, '{"a": 1}'), post("/thread", 200, '{"a": 1}')),
    case("looks", *all_of("look", *ENDPOINTS), get("/http", 418, do("look"))),
    case("iterates", *all_of("iterate", "/item/1", "/waits", "/tasks", "/stream")),
    case("one piece", *all_of("first", "/stream")),
    case("one piece of one", get("/item/1", 200, do("first")), wire=False),
    # Over sockets the front tells the length of an empty body, where uvicorn sends no chunks.
    case("closes the body", *all_of("closed", "/item/1", "/tasks", "/pieces"), wire=False),
    case(
        "replaces the body", get("/item/1", 203, do("replace")), get("/stream", 203, do("replace"))
    ),
    case("another answer", get("/tasks", 202, do("other")), get("/pieces", 202, do("other"))),
    case("an answer alone", get("/tasks", 202, do("alone")), get("/item/1", 202, do("stream"))),
    case("no answer", get("/tasks", 500, do("none"), raises="TypeError")),
    *(IN_ORDER if _WAITS else []),
    case("background", *all_of("background", "/item/1", "/pieces")),
    case("reads the body", post("/body", 200, '{"a": 1}', JSON, do("body"))),
    case("reads JSON", post("/raw", 200, '{"a": 1}', JSON, do("json"))),
    case("takes the body away", post("/raw", 200, '{"a": 1}', JSON, do("consume"))),
    case("reads the body after", post("/body", 200, '{"a": 1}', JSON, do("after"))),
    case("not read at all", post("/item/1", 405, '{"a": 1}'), post("/raw", 200, "abc")),
    case(
        "in pieces",
        send("POST", "/raw", 200, (JSON,), chunks=(b"ab", b"cd")),
        send("POST", "/raw", 200, (JSON, do("body")), chunks=(b"ab", b"cd")),
    ),
    case("calls twice", get("/item/1", 500, do("twice"), raises="AssertionError")),
    case("calls again", get("/item/1", 200, do("again"))),
    case("tries again", get("/fails", 500, do("retry"), raises="ValueError")),
    case("catches", get("/fails", 500, do("catch")), get("/item/1", 200, do("catch"))),
    case("raises", get("/item/1", 500, do("raise"), raises="HTTPException")),
    case("raises in a chain", get("/item/1", 500, do("chained"), raises="ValueError")),
    case("raises with a cause", get("/item/1", 500, do("caused"), raises="ValueError")),
    case("raises late", get("/tasks", 500, do("late"), raises="ValueError")),
    case("raises late, a stream", get("/stream", 500, do("late"), raises="ValueError")),
    case("fails inside", get("/fails", 500, raises="ValueError")),
    case("breaks in the middle", get("/breaks", 200, raises="ValueError"), wire=False),
    case("in a task", *all_of("task", "/item/1", "/waits", "/tasks")),
    case("answers early", get("/sleeps", 202, do("early")), get("/item/1", 202, do("early"))),
    case("a time-out", get("/longer", 504, do("timeout")), get("/item/1", 200, do("timeout"))),
    case("a deadline", get("/longer", 504, do("deadline")), get("/item/1", 200, do("deadline"))),
    case("another path", get("/nothing", 200, do("path"))),
    case("more headers", get("/item/1", 200, do("headers"))),
    case("state", get("/item/1", 200, do("state"))),
    case("by keyword", get("/item/1", 200, do("keyword"))),
    case("listens", get("/listens", 200)),
    case(
        "changes", get("/item/1"), add_route, get("/added"), replace_dispatch, get("/item/1", 202)
    ),
]
