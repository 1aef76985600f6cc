"""Native routes in a worker: installed after start-up, and anew when the application changes."""

import asyncio
import logging
from typing import Any, Protocol

from andon.native import Mode, digests, gate, guards
from andon.native.calls import Calls
from andon.native.description import Description
from andon.native.inspection import Inspection, inspect, leave_to_asgi

# Between two inspections of a running application, in seconds; longer while they find nothing.
_PAUSE = 1.0
_LONGEST_PAUSE = 60.0

logger = logging.getLogger("andon")


class Target(Protocol):
    """What serves natively: `andon._andon.Worker`."""

    def set_native(
        self, description: str, objects: list[Any], guards: list[guards.Guard], calls: Calls
    ) -> None:
        """Compile a plan; requests that come from now on go by it."""


async def inspect_tested(application: Any, mode: Mode) -> Inspection:
    """Inspect, for people: what is found is what a worker would make of it."""
    found = inspect(application, mode)
    difference = await _difference() if mode == "unknown-ok" and found.reason is None else None
    if difference is None:
        return found
    return leave_to_asgi(application, f"in the self-test, {difference}")


async def install(target: Target, application: Any, mode: Mode) -> None:
    """Serve natively what can be; what goes wrong leaves the application to ASGI."""
    try:
        difference = await _difference() if mode == "unknown-ok" else None
        if difference is None:
            Installation(target, application, mode).install()
        else:
            logger.warning("no route is served natively: in the self-test, %s", difference)
    except Exception:
        logger.warning("no route is served natively", exc_info=True)


async def _difference() -> str | None:
    """Return what a release that is not known does otherwise, as far as a test can tell."""
    if digests.unknown() is None:
        return None
    # Not above: with releases that are known it is not needed.
    from andon.native import self_test

    return await self_test.first_difference()


class Installation:
    """Keeps the plan in line with the application. Runs on the event loop's thread only."""

    def __init__(self, target: Target, application: Any, mode: Mode) -> None:
        self._target = target
        self._application = application
        self._mode: Mode = mode
        self._guards: list[guards.Guard] = []
        self._calls: Calls | None = None
        self._is_waiting = False
        self._earliest = 0.0
        self._pause = _PAUSE

    def install(self) -> None:
        """Inspect the application and hand over what was found."""
        found = inspect(self._application, self._mode)
        if found.reason is not None:
            _tell(found)
            return
        self._set(found)
        count, total = found.count(), len(found.description.routes)
        logger.debug("%d of %d routes are native%s", count, total, found.middleware())

    def changed(self) -> None:
        """Inspect anew, but not at once and not often. Called when a guard fails."""
        if self._is_waiting:
            return
        self._is_waiting = True
        loop = asyncio.get_running_loop()
        loop.call_at(max(self._earliest, loop.time()), self._inspect_anew, loop)

    def _inspect_anew(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_waiting = False
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        try:
            self._update()
        except Exception:
            logger.warning("the application's routes could not be read again", exc_info=True)
        self._earliest = loop.time() + self._pause
        if not guards.hold(self._guards):
            # Overrides are set. Nobody tells of what else changes while no request is native.
            self.changed()

    def _update(self) -> None:
        found = inspect(self._application, self._mode)
        if found.reason is not None:
            self._give_up(found.reason)
        elif not guards.are_same(found.watched(), self._guards):
            # Otherwise overrides are set, or something was undone: the plan is right as it is.
            self._pause = _PAUSE
            self._set(found)
            count, total = found.count(), len(found.description.routes)
            told = "the application has changed: %d of %d routes are native%s"
            logger.info(told, count, total, found.middleware())

    def _set(self, found: Inspection) -> None:
        text = found.description.to_json()
        self._calls = found.calls(self.changed)
        self._target.set_native(text, found.objects, found.guards, self._calls)
        self._guards = found.watched()

    def _give_up(self, reason: str) -> None:
        """Leave all to ASGI for good: not all that can be a reason is watched by a guard."""
        logger.info("the application has changed, no route is native any more: %s", reason)
        self._guards = []
        if self._calls is not None:
            self._target.set_native(Description().to_json(), [], [], self._calls)


def _tell(found: Inspection) -> None:
    if found.is_unknown:
        logger.warning("no route is served natively: %s\n\nhint: %s", found.reason, gate.HINT)
    else:
        logger.debug("no route is served natively: %s", found.reason)
