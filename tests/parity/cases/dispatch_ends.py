"""Middleware with `dispatch`: several calls of what is inside, and how what is inside ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
import fastapi.concurrency
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.background import BackgroundTask

from tests.parity.cases.case import case, get, post
from tests.parity.generated.prelude import SCOPE, VARIABLE, leave, note, where

ASKED = "x-do"
OUTSIDE = "x-outside"
# Called by what takes long.
IN_THE_MIDST: ContextVar[Callable[[], object]] = ContextVar("in_the_midst", default=lambda: None)
CallNext = Callable[[Request], Awaitable[Response]]


class Broken(BaseException):
    """Is no `Exception`."""


class Outside:
    """Is around all, and does there what a header asks for."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = dict(scope.get("headers", ())).get(OUTSIDE.encode(), b"").decode()
        if asked == "scope":
            with anyio.CancelScope() as around:
                SCOPE.set(around)
                await self.app(scope, receive, send)
            note("left", around.cancelled_caught)
            if around.cancelled_caught:
                await PlainTextResponse("cancelled", 499)(scope, receive, send)
            return
        failing = {"http": HTTPException(413), "value": ValueError("lost")}.get(asked)

        async def fail() -> Any:
            assert failing is not None
            raise failing

        await self.app(scope, receive if failing is None else fail, send)


async def _consumed(response: Any) -> Any:
    return [piece async for piece in response.body_iterator]


def _chain(error: BaseException | None) -> str:
    """An exception with those that it comes from, and whether that is told."""
    if error is None:
        return "-"
    told = "untold " if error.__suppress_context__ else ""
    inner = [_chain(each) for each in getattr(error, "exceptions", ())]
    # It names the address of a scope.
    text = "" if isinstance(error, asyncio.CancelledError) else str(error)
    own = f"{type(error).__name__}({text}) {inner or ''}"
    return f"{own} from [{_chain(error.__cause__)}] in {told}[{_chain(error.__context__)}]"


async def _empty_second(request: Request, call_next: CallNext) -> Response:
    first = await call_next(request)
    note("first", await _consumed(first))
    request.scope["path"] = "/nothing/"
    try:
        await call_next(request)
    except RuntimeError as error:
        note("second", error)
    return PlainTextResponse("none", 202)


async def _retry(request: Request, call_next: CallNext) -> Response:
    try:
        return await call_next(request)
    except ValueError as error:
        note("retries", str(error))
    request.scope["path"] = "/item"
    try:
        return await call_next(request)
    except Exception as error:
        note("again", type(error).__name__)
        raise


async def _gather(request: Request, call_next: CallNext) -> Response:
    calls = (call_next(request), call_next(request))
    answers: Any = await asyncio.gather(*calls, return_exceptions=True)
    note("answers", [getattr(answer, "status_code", type(answer).__name__) for answer in answers])
    return PlainTextResponse("both", 202)


async def _kept(request: Request, call_next: CallNext) -> Response:
    kept: Any = await call_next(request)

    async def look() -> None:
        try:
            note("kept", await _consumed(kept))
        except Exception as error:
            note("kept", type(error).__name__)

    return PlainTextResponse("other", 202, background=BackgroundTask(look))


async def _kept_after(request: Request, call_next: CallNext) -> Response:
    kept: Any = await call_next(request)
    request.app.state.kept = kept
    return PlainTextResponse("kept", 202)


async def _look_after(request: Request, call_next: CallNext) -> Response:
    try:
        note("kept", await _consumed(request.app.state.kept))
    except Exception as error:
        note("kept", type(error).__name__)
    return PlainTextResponse("looked", 202)


async def _impatient(request: Request, call_next: CallNext) -> Response:
    """Ends what is inside once that is in the midst of what takes long."""
    loop, midst = asyncio.get_running_loop(), asyncio.Event()
    IN_THE_MIDST.set(lambda: loop.call_soon_threadsafe(midst.set))
    inside = asyncio.ensure_future(call_next(request))
    await midst.wait()
    inside.cancel()
    try:
        return await inside
    except asyncio.CancelledError:
        note("too late")
        raise ValueError("too late") from None


async def _chained(request: Request, call_next: CallNext) -> Response:
    try:
        return await call_next(request)
    except BaseException as error:
        note("raised", _chain(error))
        raise


ACTIONS: dict[str, Callable[[Request, CallNext], Awaitable[Response]]] = {
    "empty second": _empty_second,
    "retry": _retry,
    "gather": _gather,
    "kept": _kept,
    "kept after": _kept_after,
    "look after": _look_after,
    "impatient": _impatient,
}


async def awaited() -> AsyncIterator[str]:
    """Closed with something to wait for."""
    note("open", where())
    try:
        yield "awaited"
    finally:
        note("closing", where())
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        note("closed", where())


def on_thread() -> Iterator[str]:
    VARIABLE.set("on a thread")
    note("open", where())
    try:
        yield "on a thread"
    except BaseException as error:
        note("seen", type(error).__name__)
        raise
    finally:
        time.sleep(0.01)
        note("closed", where())


async def slow() -> AsyncIterator[str]:
    """Takes long to close."""
    yield "slow"
    note("closing")
    IN_THE_MIDST.get()()
    await asyncio.sleep(0.05)
    note("closed")


def slow_on_thread() -> Iterator[str]:
    yield "slow on a thread"
    note("closing")
    IN_THE_MIDST.get()()
    time.sleep(0.05)
    note("closed")


def failing() -> Iterator[str]:
    """Fails as it is closed."""
    try:
        yield "failing"
    finally:
        raise KeyError("closed")


async def failing_async() -> AsyncIterator[str]:
    try:
        yield "failing"
    finally:
        raise KeyError("closed")


async def group() -> AsyncIterator[Any]:
    """Has a scope of its own around the endpoint."""
    async with anyio.create_task_group() as tasks:
        yield tasks
        note("in the group")
        await asyncio.sleep(0.01)
    note("out of the group")


def _fail_to_handle(request: Request, error: HTTPException) -> Response:
    raise ValueError(error.detail)


async def unhandled() -> None:
    raise HTTPException(418, "tea")


Awaited = Annotated[str, Depends(awaited)]
OnThread = Annotated[str, Depends(on_thread)]
Slow = Annotated[str, Depends(slow, scope="function")]
SlowOnThread = Annotated[str, Depends(slow_on_thread, scope="function")]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Sends no answer."""
    note("nothing")


def make() -> FastAPI:
    app = FastAPI()
    app.exception_handler(418)(_fail_to_handle)

    @app.get("/item")
    async def item() -> str:
        note("endpoint")
        return "item"

    app.get("/unhandled")(unhandled)

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("fails")

    @app.get("/breaks")
    async def breaks(first: Awaited, second: OnThread) -> None:
        raise Broken("breaks")

    @app.get("/breaks_thread")
    def breaks_thread(second: OnThread) -> None:
        raise Broken("breaks")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d" % number

        return StreamingResponse(pieces())

    @app.post("/body")
    async def body(value: dict[str, int]) -> dict[str, int]:
        return value

    @app.get("/long")
    async def long(first: Awaited, second: OnThread) -> str:
        IN_THE_MIDST.get()()
        try:
            await asyncio.sleep(0.2)
        except BaseException as error:
            note("cancelled", type(error).__name__)
            await asyncio.sleep(0)
            raise
        return first + second

    @app.get("/long_thread")
    def long_thread(first: Awaited, second: OnThread) -> str:
        IN_THE_MIDST.get()()
        time.sleep(0.05)
        note("ended", where())
        return first + second

    @app.get("/long_closing")
    async def long_closing(first: Awaited, second: Slow) -> str:
        return first + second

    @app.get("/long_closing_thread")
    async def long_closing_thread(first: Awaited, second: SlowOnThread) -> str:
        return first + second

    @app.get("/group")
    async def in_group(tasks: Annotated[Any, Depends(group)], first: Awaited) -> str:
        IN_THE_MIDST.get()()
        await asyncio.sleep(0.2)
        return first

    @app.get("/leaves")
    async def leaves(first: Awaited, second: OnThread) -> str:
        await leave()
        return first + second

    @app.get("/leaves_thread")
    def leaves_thread(request: Request, first: OnThread) -> str:
        anyio.from_thread.run(leave)
        note("left", where())
        return first

    @app.get("/failing")
    async def closes(value: Annotated[str, Depends(failing)]) -> str:
        return value

    @app.get("/failing_both")
    async def closes_both(value: Annotated[str, Depends(failing)]) -> str:
        raise ValueError("before")

    @app.get("/failing_async")
    async def closes_async(value: Annotated[str, Depends(failing_async)]) -> str:
        raise ValueError("before")

    @app.get("/failing_def")
    def closes_def(value: Annotated[str, Depends(failing, scope="function")]) -> str:
        raise ValueError("before")

    @app.get("/failing_chain")
    async def closes_chain(
        first: Annotated[str, Depends(failing)], second: Annotated[str, Depends(failing_async)]
    ) -> str:
        try:
            raise ValueError("first")
        except ValueError:
            raise TypeError("second")  # noqa: B904

    app.mount("/nothing", nothing)

    @app.middleware("http")
    async def act(request: Request, call_next: CallNext) -> Response:
        return await ACTIONS.get(request.headers.get(ASKED, ""), _chained)(request, call_next)

    app.add_middleware(Outside)
    return app


app = make()


def do(what: str) -> tuple[str, str]:
    """The header that asks for it."""
    return (ASKED, what)


def outside(what: str) -> tuple[str, str]:
    """Likewise of what is around all."""
    return (OUTSIDE, what)


def late(path: str) -> Any:
    return get(path, 500, do("impatient"), raises="ValueError")


CLOSING = ("/failing_both", "/failing_async", "/failing_def", "/failing_chain")

CASES = [
    case("an empty second answer", get("/item", 202, do("empty second"))),
    case("an empty second after a stream", get("/stream", 202, do("empty second"))),
    case("none at all", get("/nothing/", 500, raises="RuntimeError")),
    case("fails, and then not", get("/fails", 500, do("retry"), raises="ValueError")),
    case("a body that is kept", get("/item", 202, do("kept")), get("/stream", 202, do("kept"))),
    case(
        "one that is kept for longer",
        get("/stream", 202, do("kept after")),
        get("/item", 202, do("look after")),
    ),
    case("ended while it closes", late("/long_closing")),
    case("ended while it closes on a thread", late("/long_closing_thread")),
    case("ended in a group", late("/group")),
    case(
        "a body that fails",
        post("/body", 400, '{"a": 1}', ("content-type", "application/json"), outside("http")),
        post("/body", 400, '{"a": 1}', ("content-type", "application/json"), outside("value")),
        wire=False,
    ),
    case(
        "a stream that fails to receive",
        get("/stream", 200, outside("http"), raises="ExceptionGroup"),
        wire=False,
    ),
    case("a scope around it", get("/item", 200, outside("scope"))),
    case("fails after the answer", get("/failing", 200, raises="KeyError"), wire=False),
    *(case(f"fails as it closes {path}", get(path, 500, raises="KeyError")) for path in CLOSING),
    case("a handler that fails on a thread", get("/unhandled", 500, raises="ValueError")),
    case("two at once", get("/item", 202, do("gather"), raises="ClosedResourceError")),
]

# Before 0.163 what is no `Exception` ends the exit of a dependency, or passes it by. What is left
# of it is closed when the garbage is collected, which has no fixed time.
if hasattr(fastapi.concurrency, "_asynccontextmanager_with_shielded_exit"):
    CASES += [
        case(
            "breaks",
            get("/breaks", 0, raises="BaseExceptionGroup"),
            get("/breaks_thread", 0, raises="BaseExceptionGroup"),
            get("/item"),
            # uvicorn closes the connection.
            wire=False,
        ),
        case("ended while it waits", late("/long")),
        case("ended while it calls on a thread", late("/long_thread")),
        case("cancelled from within", get("/leaves", 499, outside("scope"))),
        case("cancelled from a thread", get("/leaves_thread", 499, outside("scope"))),
    ]
