"""Requests in a middleware with `dispatch` that runs in Rust, left where few leave them."""

import asyncio
import functools
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
from andon.native import dispatching
from andon.native.layers import dispatchers_of
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.middleware.exceptions import ExceptionMiddleware

from tests.parity.face import Face, native
from tests.parity.observation import Message
from tests.parity.request import Request as Asked

CallNext = Callable[[Request], Awaitable[Response]]


class Server:
    """The server's side of one request, whose client stays and may have more to send."""

    def __init__(self, asked: Asked, pieces: int = 1) -> None:
        self.asked = asked
        self.pieces = pieces
        self.sent: list[Message] = []
        self.futures: weakref.WeakSet[asyncio.Future[None]] = weakref.WeakSet()

    async def receive(self) -> Message:
        """Each message takes a turn of the loop."""
        future = asyncio.get_running_loop().create_future()
        self.futures.add(future)
        if self.pieces:
            asyncio.get_running_loop().call_soon(future.set_result, None)
        await future
        self.pieces -= 1
        return {"type": "http.request", "body": b"abc", "more_body": self.pieces > 0}

    async def send(self, message: Message) -> None:
        """Keep it."""
        self.sent.append(message)

    def call(self, face: Face) -> Awaitable[None]:
        """Call the application; it must be native."""
        return face(self.asked.scope(), self.receive, self.send, _must_be_native)


def _must_be_native(by: str) -> None:
    assert by == "native"


class Kept:
    """Something that an endpoint has."""


def application(kept: "weakref.WeakSet[Kept]") -> FastAPI:
    """Its endpoints wait: for ever, or for messages."""
    app = FastAPI()

    @app.get("/waits")
    async def waits() -> None:
        own = Kept()
        kept.add(own)
        await asyncio.get_running_loop().create_future()

    @app.get("/streams")
    async def streams() -> StreamingResponse:
        own = Kept()
        kept.add(own)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            assert own
            yield b"b"

        # Listens for the client to go until the answer was sent.
        return StreamingResponse(pieces())

    @app.post("/upload")
    async def upload(request: Request) -> int:
        most = 0
        async for _ in request.stream():
            most = max(most, len(request.app.state.server.futures))
        return most

    @app.middleware("http")
    async def pass_through(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    return app


def on_event_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on an event loop of its own."""

    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


def _inner_tasks() -> "list[asyncio.Task[Any]]":
    return [task for task in asyncio.all_tasks() if "call_next" in task.get_name()]


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@on_event_loop
async def test_what_is_inside_of_an_abandoned_request_is_cancelled_and_freed() -> None:
    kept: weakref.WeakSet[Kept] = weakref.WeakSet()
    call: Any = Server(Asked("GET", b"/waits")).call(native(application(kept)))
    call.send(None)
    await _turns(5)
    assert _inner_tasks()
    assert kept
    call.close()
    await _turns(5)
    assert not _inner_tasks()
    gc.collect()
    assert not kept


@pytest.mark.parametrize("path", [b"/waits", b"/streams"])
@on_event_loop
async def test_nothing_runs_on_when_a_request_was_cancelled_in_any_turn(path: bytes) -> None:
    kept: weakref.WeakSet[Kept] = weakref.WeakSet()
    face = native(application(kept))
    for turns in range(25):
        running = asyncio.ensure_future(Server(Asked("GET", path)).call(face))
        await _turns(turns)
        running.cancel()
        await asyncio.wait([running])
        assert not _inner_tasks(), turns
        del running
        gc.collect()
        assert not kept, turns


@on_event_loop
async def test_a_long_body_does_not_leave_what_was_waited_for() -> None:
    app = application(weakref.WeakSet())
    server = app.state.server = Server(Asked("POST", b"/upload"), 100)
    await server.call(native(app))
    most = int(server.sent[-1]["body"] or server.sent[-2]["body"])
    assert most < 5


@on_event_loop
async def test_messages_that_come_after_turns_of_the_loop_are_given_up_after_the_answer() -> None:
    kept: weakref.WeakSet[Kept] = weakref.WeakSet()
    server = Server(Asked("GET", b"/streams"))
    face = native(application(kept))

    async def receive() -> Message:
        if server.pieces:
            return await Server.receive(server)
        while True:
            await asyncio.sleep(0)

    await asyncio.wait_for(face(server.asked.scope(), receive, server.send, _must_be_native), 5)
    assert server.sent[0]["type"] == "http.response.start"
    assert not _inner_tasks()


@pytest.mark.parametrize("known", [True, False])
def test_with_an_anyio_of_other_workings_the_middleware_is_run_as_it_is(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(dispatching.backend, "CancelScope", object)
    path: list[Any] = [application(weakref.WeakSet()).build_middleware_stack()]
    while not isinstance(path[-1], ExceptionMiddleware):
        path.append(path[-1].app)
    assert (dispatchers_of(path) is not None) == known
