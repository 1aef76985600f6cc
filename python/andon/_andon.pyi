"""Types of the extension module."""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum
from typing import Any, Protocol

from andon.native.calls import Calls as NativeCalls
from andon.native.guards import Guard
from andon.routes import Route

__version__: str

def forked() -> None: ...
def replay(path: str) -> tuple[int, int]: ...
def query_pairs(query: bytes) -> list[tuple[str, str]]: ...

class ClientDisconnected(OSError): ...

class Turn(Enum):
    Continue = 0
    End = 1

class Calls(Protocol):
    @property
    def log(self) -> Callable[[str, BaseException | None], None]: ...
    @property
    def take_stack(self) -> Callable[[int], list[tuple[bool, int, str, str]]]: ...
    @property
    def offload(self) -> Callable[[], None]: ...

class Threads:
    def attach(
        self,
        event_loop: asyncio.AbstractEventLoop,
        create_future: Callable[[], asyncio.Future[Any]],
        spawn: Callable[[int], None],
        locals: threading.local,
        prepare: Callable[[None], Any] | None,
    ) -> None: ...
    def submit(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], scope: Any, urgent: bool
    ) -> asyncio.Future[Any]: ...
    def work(self, number: int, identifier: int) -> None: ...
    def deliver(self) -> None: ...
    def close(self) -> None: ...

class NativeCore:
    app: Any
    def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> Awaitable[None]: ...

class NativeDispatch:
    app: Any
    def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> Awaitable[None]: ...

class NativeApp:
    def __new__(
        cls, description: str, objects: list[Any], guards: list[Guard], calls: NativeCalls
    ) -> NativeApp: ...
    def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
        served: Callable[[str], None] | None = None,
    ) -> Awaitable[None]: ...

class Worker:
    def __new__(
        cls, wire: int, memory: int, patience: float, threads: int, cancels: bool
    ) -> Worker: ...
    def fileno(self) -> int: ...
    def failed(self, stage: int, text: str) -> None: ...
    def threads(self) -> Threads: ...
    def routes(self, descriptions: list[Route]) -> None: ...
    def task_factory(self) -> Callable[..., asyncio.Task[Any]]: ...
    def collections(self) -> Callable[[str, dict[str, int]], None]: ...
    def is_offloaded(self) -> bool: ...
    def set_native(
        self,
        description: str,
        objects: list[Any],
        guards: list[Guard],
        calls: NativeCalls,
    ) -> None: ...
    def serve(
        self,
        application: Callable[..., Any],
        event_loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
        root_path: str,
        state: dict[str, Any],
        calls: Calls,
    ) -> None: ...
    def watch(self, report_after: float) -> None: ...
    def read(self) -> Turn: ...
    def flush(self) -> None: ...

def main(arguments: list[str], python: str) -> int: ...
