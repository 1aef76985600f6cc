"""How many objects are left over of requests, once all of them have been answered."""

import asyncio
import functools
import gc
from typing import Any

from tests.parity.cases import subject
from tests.parity.cases.case import Step
from tests.parity.cases.running import unasked
from tests.parity.face import Face, MakeFace
from tests.parity.generated.prelude import EVENTS
from tests.parity.request import Client

# Caches fill up with the first ones.
WARM_ROUNDS = 3
ROUNDS = 6
# Threads come and go with what they hold: what is kept of requests is kept each time.
ATTEMPTS = 4


async def kept_by_case(name: str, make_face: MakeFace) -> dict[str, int]:
    """For each case of a subject, by how many objects a further round of its requests is too many.

    Cases that change their application are left out.
    """
    module = subject(name)
    kept = {}
    # What is there already is looked at no more, which makes looking quick.
    gc.collect()
    gc.freeze()
    try:
        for case in module.CASES:
            steps = [step for step in case.steps if isinstance(step, Step)]
            if len(steps) == len(case.steps):
                kept[case.title] = await _least_kept(make_face(module.app), steps)
    finally:
        gc.unfreeze()
    return {title: count for title, count in kept.items() if count}


async def _least_kept(face: Face, steps: list[Step]) -> int:
    for _ in range(ATTEMPTS):
        kept = await _kept(face, steps)
        if kept <= 0:
            return 0
    return kept


async def _kept(face: Face, steps: list[Step]) -> int:
    for _ in range(WARM_ROUNDS):
        await _round(face, steps)
    before = _objects()
    for _ in range(ROUNDS):
        await _round(face, steps)
    # Less than one a round is chance: a list that grew, a thread that came or went.
    return (_objects() - before) // ROUNDS


async def _round(face: Face, steps: list[Step]) -> None:
    for step in steps:
        client = Client(step.request, EVENTS.append)
        call = functools.partial(face, served=unasked)
        task = asyncio.ensure_future(_call(call, step, client))
        await asyncio.wait([task])
        # Not kept by who looks at it, or its frames would be.
        task.exception()
        EVENTS.clear()


async def _call(call: Any, step: Step, client: Client) -> None:
    await call(step.request.scope(), client.receive, client.send)


def _objects() -> int:
    # Twice, for finalizers that make garbage themselves.
    gc.collect()
    gc.collect()
    return len(gc.get_objects())
