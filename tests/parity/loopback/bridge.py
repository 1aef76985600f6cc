"""The worker behind the front, on a thread of the tests' process.

It is the worker of `andon.worker`, but for one application after the other: what a worker has once
and for all is changed here on its event loop between two requests, while none is under way.
"""

import asyncio
import contextlib
import itertools
import socket
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..observation import Receive, Scope, Send
from .front import Front
from .relay import NAME, Name, Origin, Watcher, start

PATIENCE_SECONDS = 20.0
# The process is not to be killed where the front ends first, nor its stacks to be taken.
NEVER_SECONDS = 24 * 3600.0
THREADS = 1000
# What the worker logs when it cannot go on; all else is about a request.
WIRE_FAILED = "the wire failed"
LENGTHS = (b"content-length", b"transfer-encoding")


class Target(Protocol):
    """An application that the worker can serve."""

    application: Any
    is_current: bool

    def install(self, worker: Any, root_path: str) -> str:
        """Have the worker serve it natively. Returns what is said of requests that it does not."""


@dataclass
class Passage:
    """One request on its way through front and worker."""

    target: Target
    scope: Scope
    number: int
    served_by: str
    error: BaseException | None = None
    name: Name | None = None
    added: frozenset[bytes] = frozenset()
    # Set by another thread than the one that waits for it, so no loop's future.
    finished: "Future[None]" = field(default_factory=Future)

    def fields(self, *, has_body: bool) -> list[tuple[bytes, bytes]]:
        """The header fields for the front: those of the client, and what it must know."""
        own: list[tuple[bytes, bytes]] = list(self.scope["headers"])
        added = [(NAME, str(self.number).encode())]
        # A client in process need not say that there is a body, nor where it ends.
        if has_body and {name for name, _ in own}.isdisjoint(LENGTHS):
            added.append((b"transfer-encoding", b"chunked"))
        self.added = frozenset(name for name, _ in added)
        return own + added

    def origin(self) -> Origin:
        """From where it seems to come."""
        client, server = self.scope.get("client"), self.scope.get("server")
        return Origin(
            None if client is None else (client[0], client[1]),
            None if server is None else (server[0], server[1]),
            self.scope["scheme"] == "https",
            self.added,
        )


# The request in whose context something runs that the application was asked for.
_PASSAGE: ContextVar[Passage] = ContextVar("passage")


def tell(by: str) -> None:
    """Note who serves a request deep inside the application."""
    passage = _PASSAGE.get(None)
    if passage is not None:
        passage.served_by = by


class Bridge:
    """A front, and the worker in this process."""

    def __init__(self) -> None:
        self.front = Front()
        self._numbers = itertools.count(1)
        self._passages: dict[int, Passage] = {}
        self._lock = threading.Lock()
        self._errors: deque[BaseException] = deque()
        self._target: Target | None = None
        self._reason = ""
        self._state: dict[str, Any] = {}
        self._worker: Any = None
        self._loop = asyncio.new_event_loop()
        self._changed: asyncio.Condition | None = None
        wire, workers_end = socket.socketpair()
        self._sockets = (wire, socket.socket(fileno=self.front.wire))
        start(self._sockets[1], wire, Watcher(self._offered, self._finished))
        self._thread = threading.Thread(
            target=self._run, args=(workers_end.detach(),), name="worker"
        )
        self._thread.start()
        try:
            self.port = self.front.port()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the worker, then the front."""
        self.front.stop()
        self._thread.join(PATIENCE_SECONDS)
        for each in self._sockets:
            each.close()
        self.front.wait()

    # The worker

    def _run(self, wire: int) -> None:
        from andon import _andon, loops

        worker = _andon.Worker(wire, self.front.memory, NEVER_SECONDS, THREADS, True)
        self._worker = worker
        try:
            loops.run(self._serve(worker), self._loop)
        finally:
            worker.threads().close()

    async def _serve(self, worker: Any) -> int:
        from andon import threads
        from andon.worker import until_told_to_end

        self._changed = asyncio.Condition()
        threads.install(worker.threads(), self._loop)
        worker.watch(NEVER_SECONDS)
        await until_told_to_end(worker, self._application, "", self._state, self)
        return 0

    # What the extension module calls

    def log(self, text: str, error: BaseException | None) -> None:
        """Keep an exception that reached the server, for the client."""
        if text == WIRE_FAILED:
            traceback.print_exception(error, file=sys.__stderr__)
        if error is not None:
            self._errors.append(error)

    def take_stack(self, identifier: int) -> list[Any]:
        """Nothing is reported."""
        return []

    def offload(self) -> None:
        """Endpoints stay where they are."""

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        passage = self._claim(scope)
        passage.served_by = self._reason
        _PASSAGE.set(passage)
        if passage.scope["root_path"]:
            # A worker has one root path, which stands in front of each path.
            names = ("root_path", "path", "raw_path")
            scope.update({name: passage.scope[name] for name in names})
        await passage.target.application(scope, receive, send)

    def _claim(self, scope: Scope) -> Passage:
        """Return the request that has come: the first of those which look like this one."""
        names = ("method", "raw_path", "query_string")
        with self._lock:
            return next(
                passage
                for passage in self._passages.values()
                if passage.name is not None
                and not passage.served_by
                and all(passage.scope[name] == scope[name] for name in names)
            )

    # What the relay tells

    def _offered(self, number: int, name: Name) -> Origin:
        with self._lock:
            passage = self._passages[number]
            passage.name = name
        return passage.origin()

    def _finished(self, name: Name, failed: bool) -> None:
        with self._lock:
            passage = next(each for each in self._passages.values() if each.name == name)
            # The worker logs an exception before it says that the request has ended.
            if self._errors and (failed or len(self._passages) == 1):
                passage.error = self._errors.popleft()
        passage.finished.set_result(None)

    # What the face calls

    def is_worker(self) -> bool:
        """Whether this is the worker's event loop."""
        return asyncio.get_running_loop() is self._loop

    def is_serving(self, target: Target) -> bool:
        """Whether the worker serves this application."""
        return target is self._target

    async def enter(self, target: Target, scope: Scope) -> Passage:
        """Wait until the worker serves this application, and begin a request."""
        entering = asyncio.run_coroutine_threadsafe(self._enter(target, scope), self._loop)
        return await asyncio.wrap_future(entering)

    async def _enter(self, target: Target, scope: Scope) -> Passage:
        assert self._changed is not None
        async with self._changed:
            free = self._changed.wait_for(lambda: target is self._target or not self._passages)
            await asyncio.wait_for(free, PATIENCE_SECONDS)
            if not self._passages:
                if target is not self._target or not target.is_current:
                    self._target, self._reason = (
                        target,
                        target.install(self._worker, scope["root_path"]),
                    )
                self._state.clear()
                self._state.update(scope.get("state", {}))
            passage = Passage(target, scope, next(self._numbers), "")
            passage.finished.set_running_or_notify_cancel()
            with self._lock:
                self._passages[passage.number] = passage
            return passage

    async def leave(self, passage: Passage) -> None:
        """Wait until a request has ended for the worker, if it came there."""
        # On the worker's loop, so that it is done also where this call is cancelled.
        leaving = asyncio.run_coroutine_threadsafe(self._leave(passage), self._loop)
        await asyncio.shield(asyncio.wrap_future(leaving))

    async def _leave(self, passage: Passage) -> None:
        assert self._changed is not None
        if passage.name is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(passage.finished), PATIENCE_SECONDS)
        with self._lock:
            del self._passages[passage.number]
        async with self._changed:
            self._changed.notify_all()


class Shared:
    """The one bridge of this process, made when it is first asked for."""

    def __init__(self, make: Callable[[], Bridge]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._bridge: Bridge | None = None

    def get(self) -> Bridge:
        """Return it."""
        with self._lock:
            if self._bridge is None:
                self._bridge = self._make()
            return self._bridge

    def close(self) -> None:
        """End it, if it was asked for."""
        with self._lock:
            if self._bridge is not None:
                self._bridge.close()
                self._bridge = None


SHARED = Shared(Bridge)
