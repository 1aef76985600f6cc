"""Runs a case in process: a new application for each face, and all its steps in order."""

import asyncio
import functools
import gc
from collections.abc import Callable
from typing import Any

from tests.parity.caches import clear_caches
from tests.parity.cases.case import Case, Step
from tests.parity.face import OF_ANY_RELEASE, MakeFace, Served, plain
from tests.parity.generated.prelude import EVENTS
from tests.parity.observation import Observation, differences, observe
from tests.parity.request import Client

# Of the event loop, after each request.
TURNS = 10


def unasked(reason: str) -> None:
    """For who does not ask by whom a request was served."""


async def problems(
    make: Callable[[], Any], case: Case, make_face: MakeFace, served: Served = unasked
) -> list[str]:
    """What is wrong: another status than the case says, or a difference between the faces."""
    expected = await _observations(make, case, plain, unasked)
    found = await _observations(make, case, make_face, served)
    wrong: list[str] = []
    steps = [step for step in case.steps if isinstance(step, Step)]
    for step, one, other in zip(steps, expected, found, strict=True):
        wrong.extend(f"{step.request}: {line}" for line in _unexpected(step, one))
        wrong.extend(f"{step.request}: {line}" for line in differences(one, other))
    return wrong


async def _observations(
    make: Callable[[], Any], case: Case, make_face: MakeFace, served: Served
) -> list[Observation]:
    clear_caches()
    application = make()
    face = make_face(application)
    seen = []
    for step in case.steps:
        if isinstance(step, Step):
            await _settled(step)
            EVENTS.clear()
            call = functools.partial(face, served=served)
            client = Client(step.request, EVENTS.append)
            observation = Observation()
            observing = observe(
                call, step.request.scope(), client.receive, client.send, observation
            )
            # A Task of its own, and with it a context of its own.
            task = asyncio.ensure_future(observing)
            await asyncio.wait([task])
            if not task.cancelled():
                # What is no `Exception` is raised as well; it was noted.
                task.exception()
            await _settled(step)
            observation.events.extend(EVENTS)
            seen.append(observation)
        else:
            step(application)
    return seen


async def _settled(step: Step) -> None:
    """Let generators be closed that were left unfinished: asyncio makes a Task for each."""
    if step.request.leaves_after is not None:
        # Exceptions and frames hold each other, and frames hold generators.
        gc.collect()
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _unexpected(step: Step, plain: Observation) -> list[str]:
    if OF_ANY_RELEASE:
        # The cases say what the pinned release answers.
        return []
    status = 0 if plain.start is None else plain.start.status
    raised = None if plain.raised is None else plain.raised.type.rpartition(".")[2]
    wrong = [] if status == step.status else [f"status {status}, the case says {step.status}"]
    if raised != step.raises:
        wrong.append(f"raised {raised}, the case says {step.raises}")
    return wrong
