"""Requests in middleware with `dispatch` that do not run to their end.

The client leaves, the Task is cancelled, or a deadline passes, wherever the request is.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware

from tests.parity.cases.case import Step, case, get, send
from tests.parity.generated.prelude import note

ASKED = "x-do"
CANCELLED_AT = "x-cancel"
TIMED = ("deadline", "timeout")
# Where the request is to be cancelled, and that it is there.
PLACE: ContextVar[str] = ContextVar("place", default="")
REACHED: ContextVar[asyncio.Event] = ContextVar("reached")
# `dispatch` has raised.
LATE = threading.Event()
CallNext = Callable[[Request], Awaitable[Response]]


class Cancelling:
    """Runs what is inside in a Task, and cancels it where a header of the request says."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        place = dict(scope.get("headers", ())).get(CANCELLED_AT.encode())
        if place is None:
            await self.app(scope, receive, send)
            return
        PLACE.set(place.decode())
        REACHED.set(asyncio.Event())
        running = asyncio.ensure_future(self.app(scope, receive, send))
        await REACHED.get().wait()
        running.cancel()
        await asyncio.wait([running])
        note("cancelled", running.cancelled(), len(asyncio.all_tasks()))
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def reach(place: str) -> None:
    """Wait for ever if this is where the request is to be cancelled."""
    if PLACE.get() != place:
        return
    REACHED.get().set()
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        note("at", place)
        raise


class Dispatching(BaseHTTPMiddleware):
    """Does what a header of the request asks for; only the outer one has a deadline."""

    def __init__(self, app: Any, is_outer: bool) -> None:
        super().__init__(app)
        self.is_outer = is_outer

    async def dispatch(self, request: Request, call_next: CallNext) -> Response:
        asked = request.headers.get(ASKED, "stop")
        if asked in TIMED and not self.is_outer:
            asked = "stop"
        try:
            response: Response = await getattr(self, f"_{asked}")(request, call_next)
        except BaseException as error:
            note("raised", type(error).__name__)
            LATE.set()
            raise
        note("responds", response.status_code)
        return response

    async def _stop(self, request: Request, call_next: CallNext) -> Response:
        await reach("before")
        response = await call_next(request)
        await reach("after")
        response.background = BackgroundTask(reach, "middleware's background")
        return response

    async def _replace(self, request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        pieces = response.body_iterator

        async def doubled() -> AsyncIterator[Any]:
            async for piece in pieces:
                yield piece
                yield piece

        response.body_iterator = doubled()
        return response  # type: ignore[no-any-return]

    async def _watch(self, request: Request, call_next: CallNext) -> Response:
        await request.body()
        note("received", (await request.receive())["type"])
        return await call_next(request)

    async def _deadline(self, request: Request, call_next: CallNext) -> Response:
        with anyio.fail_after(0.02):
            return await call_next(request)

    async def _timeout(self, request: Request, call_next: CallNext) -> Response:
        return await asyncio.wait_for(call_next(request), 0.02)


async def opened() -> AsyncIterator[str]:
    try:
        yield "dependency"
    except BaseException as error:
        note("seen", type(error).__name__)
        raise
    finally:
        note("close")


Opened = Annotated[str, Depends(opened)]


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/item")
    async def item(value: Opened) -> str:
        return value

    @app.get("/hears")
    async def hears(request: Request, value: Opened) -> list[Any]:
        messages = [(await request.receive())["type"] for _ in range(3)]
        return [*messages, await request.is_disconnected()]

    @app.get("/pieces")
    async def many_pieces() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(9):
                yield b"%d" % number

        return StreamingResponse(pieces(), background=BackgroundTask(note, "after the stream"))

    @app.get("/streams")
    async def streams(value: Opened) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            await reach("piece")
            yield b"b"

        await reach("endpoint")
        return StreamingResponse(pieces(), background=BackgroundTask(reach, "background"))

    @app.get("/plain")
    async def plain(tasks: BackgroundTasks, value: Opened) -> str:
        await reach("endpoint")
        tasks.add_task(reach, "background")
        return value

    @app.get("/on-thread")
    def on_thread(value: Opened) -> str:
        # Longer than any deadline.
        LATE.clear()
        LATE.wait(10)
        time.sleep(0.05)
        note("the thread ends")
        return value

    @app.get("/sleeps")
    async def sleeps(value: Opened) -> str:
        await asyncio.sleep(3600)
        note("the endpoint ends")
        return value

    @app.get("/stubborn")
    async def stubborn(value: Opened) -> str:
        for _ in range(3):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                note("goes on")
        return value

    @app.get("/cancels-itself")
    async def cancels_itself(value: Opened) -> None:
        raise asyncio.CancelledError

    app.add_middleware(Dispatching, is_outer=False)
    app.add_middleware(Dispatching, is_outer=True)
    app.add_middleware(Cancelling)
    return app


app = make()
BOTH = ("/streams", "/plain")


def left(path: str, after: int, does: str = "stop") -> Step:
    """The client leaves when so many pieces were sent."""
    return send("GET", path, 200, ((ASKED, does),), leaves_after=after)


def stopped(place: str, *, begun: bool = False) -> list[Step]:
    """Cancelled at this place, maybe when an answer has begun."""
    # With the end of the answer the client is gone: whether a stream hears that first is a race.
    paths = {"piece": ("/streams",), "middleware's background": ("/plain",)}.get(place, BOTH)
    return [get(path, 200 if begun else 0, (CANCELLED_AT, place)) for path in paths]


# In process a client can be seen to leave, and a Task to be cancelled, at a certain moment.
CASES = [
    case("the client leaves while dispatch waits", left("/item", 0, "watch"), wire=False),
    case("the client leaves while the endpoint runs", left("/hears", 0), wire=False),
    case(
        "the client leaves during a stream",
        *(left("/pieces", after) for after in (0, 1, 3)),
        wire=False,
    ),
    case(
        "likewise, in other pieces",
        *(left("/pieces", after, "replace") for after in (0, 1, 3)),
        wire=False,
    ),
    *(
        case(f"cancelled: {place}", *stopped(place), wire=False)
        for place in ("before", "endpoint", "after")
    ),
    *(
        case(f"cancelled: {place}", *stopped(place, begun=True), wire=False)
        for place in ("piece", "background", "middleware's background")
    ),
    case("cancels itself", get("/cancels-itself", 500, raises="RuntimeError")),
    *(
        case(f"too late, {does}: {path}", get(path, 500, (ASKED, does), raises="TimeoutError"))
        for does in TIMED
        for path in ("/sleeps", "/on-thread", "/stubborn")
    ),
]
