"""Reports of stalls: kind, request, and the line of the user's own code."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import wait_until
from tests.support.fake_front import FINISHED, STALL, FakeFront, Stall

# On a busy machine a thread may come to take the GIL when the loop has nothing to do any more.
ATTEMPTS = 5


@pytest.fixture(scope="module")
def worker() -> Iterator[FakeFront]:
    with FakeFront("holding:app") as front:
        front.answer("/light")
        yield front


def own_function(stall: Stall) -> str:
    assert stall.frames is not None
    own = next(frame for frame in stall.frames if frame[0])
    assert own[2].endswith("holding.py")
    return own[3]


def test_a_sleep_on_the_loop_is_reported_while_it_lasts(worker: FakeFront) -> None:
    slot = worker.request("/sleep?seconds=0.5")
    stall = worker.stall(slot)
    assert (stall.kind, stall.place) == ("blocked", "event loop")
    assert 0.1 <= stall.elapsed < 0.5
    assert own_function(stall) == "sleep_on_the_loop"
    assert not [f for f in worker.frames if (f.slot, f.kind) == (slot, FINISHED)]


def test_computing_on_the_loop_is_reported(worker: FakeFront) -> None:
    stall = worker.stall(worker.request("/spin?seconds=0.5"))
    assert stall.kind == "computing"
    assert own_function(stall) in ("spin", "spin_on_the_loop")


def test_a_lock_that_a_thread_holds_is_reported(worker: FakeFront) -> None:
    stall = worker.stall(worker.request("/wait-for-lock"))
    assert stall.kind == "blocked"
    assert own_function(stall) == "wait_for_lock"


def test_garbage_collection_is_told_apart(worker: FakeFront) -> None:
    slot = worker.request("/collect")
    frame = worker.of(slot, STALL)
    assert Stall.parse(frame.payload).kind == "garbage collection"


def test_a_call_that_holds_the_gil_is_reported_without_a_stack(worker: FakeFront) -> None:
    slot = worker.request("/hold-gil")
    stall = Stall.parse(worker.of(slot, STALL).payload)
    assert (stall.kind, stall.place) == ("computing", "event loop")


def held_up_by_a_thread(worker: FakeFront) -> Stall | None:
    """Have a thread hold the GIL while the loop is needed; None if the loop was done before."""
    slot = worker.request("/hold-gil-def")
    wait_until(lambda: worker.sight()["name"] == (1 << 32 | slot), "the call runs")
    # While the loop has nothing to do, nobody is held up.
    worker.request("/light")
    worker.of(slot, FINISHED)
    reports = [frame for frame in worker.frames if (frame.slot, frame.kind) == (slot, STALL)]
    return Stall.parse(reports[0].payload) if reports else None


def test_a_thread_that_holds_the_gil_is_blamed_for_the_loop(worker: FakeFront) -> None:
    tries = (held_up_by_a_thread(worker) for _ in range(ATTEMPTS))
    stall = next((stall for stall in tries if stall is not None), None)
    assert stall is not None
    assert (stall.kind, stall.place) == ("GIL held", "thread")


@contextmanager
def crowded_out(worker: FakeFront) -> Iterator[None]:
    """Leave the worker's event loop next to nothing of a processor; its other threads as is."""
    processor = min(os.sched_getaffinity(0))
    os.sched_setaffinity(worker.process.pid, {processor})
    os.setpriority(os.PRIO_PROCESS, worker.process.pid, 19)
    rival = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
    )
    try:
        os.sched_setaffinity(rival.pid, {processor})
        assert rival.stdout is not None
        rival.stdout.readline()
        yield
    finally:
        rival.kill()
        rival.communicate()


@pytest.mark.skipif(
    not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) != os.SCHED_OTHER,
    reason="niceness counts only under the usual scheduling policy of Linux",
)
def test_a_step_that_gets_no_processor_is_told_apart_from_code_that_is_slow() -> None:
    with FakeFront("holding:app") as worker:
        worker.answer("/light")
        with crowded_out(worker):
            slot = worker.request("/spin?seconds=3")
            stall = Stall.parse(worker.of(slot, STALL).payload)
    assert stall.kind == "starved"
    assert stall.elapsed >= 1


def test_short_steps_are_not_reported(worker: FakeFront) -> None:
    before = time.monotonic_ns()
    slots = [worker.request("/sleep?seconds=0.03") for _ in range(10)]
    for slot in slots:
        worker.of(slot, FINISHED)
    late = [Stall.parse(frame.payload) for frame in worker.frames if frame.kind == STALL]
    assert [stall for stall in late if stall.since >= before] == []
