"""How many objects are left over of requests, once all of them have been answered."""

import asyncio
import functools
import gc
from collections import Counter
from typing import Any

from tests.parity.cases import subject
from tests.parity.cases.case import Step
from tests.parity.cases.running import TURNS, unasked
from tests.parity.face import Face, MakeFace
from tests.parity.generated.prelude import EVENTS
from tests.parity.request import Client

# Caches fill up with the first ones.
WARM_ROUNDS = 3
ROUNDS = 6
# Threads come and go with what they hold: what is kept of requests is kept each time.
ATTEMPTS = 4


async def kept_by_case(name: str, make_face: MakeFace) -> dict[str, dict[str, int]]:
    """For each case of a subject, how many objects of which types some more rounds of its requests
    leave; cases that leave none are not in it.

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
    return {title: dict(counts) for title, counts in kept.items() if counts}


async def _least_kept(face: Face, steps: list[Step]) -> Counter[str]:
    for _ in range(ATTEMPTS):
        kept = await _kept(face, steps)
        if not kept:
            break
    return kept


async def _kept(face: Face, steps: list[Step]) -> Counter[str]:
    for _ in range(WARM_ROUNDS):
        await _round(face, steps)
    before = await _objects()
    for _ in range(ROUNDS):
        await _round(face, steps)
    after = await _objects()
    # Less than one a round is chance: a list that grew, a thread that came or went.
    if after.total() < before.total() + ROUNDS:
        return Counter()
    return after - before


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


async def _objects() -> Counter[str]:
    # Twice, for finalizers that make garbage themselves.
    gc.collect()
    # Generators that were left unfinished are closed by Tasks.
    for _ in range(TURNS):
        await asyncio.sleep(0)
    gc.collect()
    return Counter(type(value).__qualname__ for value in gc.get_objects())
