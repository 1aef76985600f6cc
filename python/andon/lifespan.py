"""The lifespan protocol of ASGI: start-up before the first request, shutdown after the last."""

import asyncio
import logging
from typing import Any, Literal

from andon.loading import Application

logger = logging.getLogger("andon")


class StartupFailed(Exception):
    """The application reported ``lifespan.startup.failed``."""


class Lifespan:
    """Runs one application's lifespan in a task of its own."""

    def __init__(self, application: Application, mode: Literal["auto", "on", "off"]) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._mode = mode
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Return once the application has started.

        Raises `StartupFailed` if it reports so, and the application's exception if its lifespan
        is ``on``. With ``auto``, an application that raises is taken for one that has no
        lifespan, as the specification has it.
        """
        if self._mode == "off":
            return
        self._task = asyncio.create_task(self._run(), name="lifespan")
        self._messages.put_nowait({"type": "lifespan.startup"})
        await self._started

    async def shutdown(self) -> None:
        """Return once the application has shut down; what goes wrong is logged."""
        if self._task is None or self._task.done():
            return
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        await self._stopped

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._application(scope, self._messages.get, self._send)
        except Exception as error:
            self._ended_with(error)
        finally:
            self._settle()

    def _ended_with(self, error: Exception) -> None:
        if self._started.done():
            if not self._stopped.done():
                logger.error("Exception in 'lifespan' protocol", exc_info=error)
        elif self._mode == "on":
            self._started.set_exception(error)
        else:
            logger.debug("ASGI 'lifespan' protocol appears unsupported: %r", error)

    def _settle(self) -> None:
        """Nobody waits for an application whose lifespan has returned."""
        for future in (self._started, self._stopped):
            if not future.done():
                future.set_result(None)

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            _set(self._started)
        elif kind == "lifespan.startup.failed":
            if not self._started.done():
                self._started.set_exception(StartupFailed(message.get("message", "")))
        elif kind == "lifespan.shutdown.complete":
            _set(self._stopped)
        elif kind == "lifespan.shutdown.failed":
            logger.error("lifespan shutdown failed: %s", message.get("message", ""))
            _set(self._stopped)
        else:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' in the lifespan.")


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
