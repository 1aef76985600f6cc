"""Types of the extension module."""

import asyncio
import contextvars
from collections.abc import Callable
from enum import Enum
from typing import Any

__version__: str

class ClientDisconnected(OSError): ...

class Turn(Enum):
    Continue = 0
    End = 1

class Worker:
    def __new__(cls, wire: int, memory: int, patience: float) -> Worker: ...
    def fileno(self) -> int: ...
    def failed(self, stage: int, text: str) -> None: ...
    def serve(
        self,
        application: Callable[..., Any],
        event_loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
        root_path: str,
        state: dict[str, Any],
        log: Callable[[str, BaseException | None], None],
    ) -> None: ...
    def read(self) -> Turn: ...
    def flush(self) -> None: ...

def main(arguments: list[str], python: str) -> int: ...
