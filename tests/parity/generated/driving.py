"""Runs requests through both faces of a generated application, and compares what is observed."""

import asyncio
import functools
import itertools
import linecache
import sys
import types
import warnings
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from tests.parity.caches import clear_caches
from tests.parity.face import Face, MakeFace, plain
from tests.parity.generated.prelude import EVENTS, SCOPE
from tests.parity.observation import Observation, differences, observe
from tests.parity.request import Client, Request

BATCH_SECONDS = 120.0
_numbers = itertools.count()


class Refused(Exception):
    """FastAPI does not take the application."""


@dataclass
class Difference:
    """The first request of a batch which the faces answer differently."""

    request: Request
    lines: list[str]
    served_by: str
    # How many requests of the batch came before it.
    number: int


@dataclass
class Counts:
    """What was asked for, and how it was answered."""

    requests: int = 0
    served: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def add(self, status: int, served_by: str) -> None:
        """Count one request."""
        self.requests += 1
        self.served[served_by] += 1
        self.statuses[status] += 1


@dataclass
class Driver:
    """An event loop, on which both faces are called."""

    make_face: MakeFace
    counts: Counts = field(default_factory=Counts)
    for_servers: bool = False
    most_tries: int = 2000
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def accepts(self, request: Request) -> bool:
        """Every request will do."""
        return True

    def close(self) -> None:
        """Close the loop."""
        self.loop.close()

    def first_difference(self, source: str, requests: Sequence[Request]) -> Difference | None:
        """Serve all of them in order, until one is not answered the same."""
        # Two of it, since native routes under middleware are put into the application itself.
        with loaded(source, 2) as (one, other):
            faces = (plain(one.app), self.make_face(other.app))
            batch = Batch(self, faces, requests, bool(one.SCOPED))
            return self.loop.run_until_complete(batch.run_in_time())


class Batch:
    """Requests to one application."""

    def __init__(
        self,
        driver: Driver,
        faces: tuple[Face, Face],
        requests: Sequence[Request],
        scoped: bool,
    ) -> None:
        self.driver = driver
        self.plain, self.other = faces
        self.requests = requests
        self.scoped = scoped
        self.number = 0
        self.served_by = ""

    async def run_in_time(self) -> Difference | None:
        """The first difference; that there is no answer at all is one."""
        try:
            return await asyncio.wait_for(self._run(), BATCH_SECONDS)
        except asyncio.TimeoutError:
            lines = [f"no answer after {BATCH_SECONDS:g} s for the whole batch"]
            return Difference(self.requests[self.number], lines, self.served_by, self.number)

    async def _run(self) -> Difference | None:
        for number, request in enumerate(self.requests):
            self.number = number
            expected = await self._observed(self.plain, request)
            found = await self._observed(self.other, request)
            status = 0 if expected.start is None else expected.start.status
            self.driver.counts.add(status, self.served_by)
            lines = differences(expected, found)
            if lines:
                return Difference(request, lines, self.served_by, number)
        return None

    async def _observed(self, face: Face, request: Request) -> Observation:
        EVENTS.clear()
        call = functools.partial(face, served=self._served)
        # A Task of its own, and with it a context of its own, as a server gives to each request.
        client = Client(request, EVENTS.append)
        seen = Observation()
        observing = observe(call, request.scope(), client.receive, client.send, seen)
        task = asyncio.ensure_future(_within_scope(observing) if self.scoped else observing)
        # It may be cancelled, which is then part of what is seen.
        await asyncio.wait([task])
        seen.events.extend([*EVENTS, "cancelled" if task.cancelled() else "ended"])
        # Its traceback holds what holds the observation, partly where the collector does not see.
        seen.error = None
        return seen

    def _served(self, reason: str) -> None:
        self.served_by = reason


async def _within_scope(observing: Coroutine[Any, Any, Observation]) -> None:
    with anyio.CancelScope() as scope:
        SCOPE.set(scope)
        await observing


@contextmanager
def loaded(source: str, copies: int = 1) -> Iterator[list[Any]]:
    """Modules made from the source, all of the same name, while they last."""
    name = f"generated_application_{next(_numbers)}"
    file = f"<{name}>"
    # Some errors tell lines of code.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        yield [_module(name, file, source) for _ in range(copies)]
    finally:
        del sys.modules[name]
        del linecache.cache[file]
        clear_caches()


def _module(name: str, file: str, source: str) -> Any:
    module = types.ModuleType(name)
    # Annotations are looked up there.
    sys.modules[name] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(source, file, "exec"), vars(module))
        except Exception as error:
            raise Refused(str(error)) from error
    return module
