"""Threads for blocking calls: what anyio promises, and how many run at once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.support.fake_front import FINISHED, THREAD, FakeFront


@pytest.fixture(scope="module")
def worker() -> Iterator[FakeFront]:
    with FakeFront("holding:app") as front:
        front.answer("/light")
        yield front


def test_a_hundred_calls_that_wait_wait_together(worker: FakeFront) -> None:
    began = time.monotonic()
    slots = [worker.request("/sleep-def?seconds=1") for _ in range(100)]
    for slot in slots:
        worker.of(slot, FINISHED)
    assert time.monotonic() - began < 2.0


def test_calls_of_one_endpoint_never_compute_two_at_a_time(worker: FakeFront) -> None:
    slots = [worker.request("/spin-def?seconds=0.05") for _ in range(8)]
    for slot in slots:
        worker.of(slot, FINISHED)
    assert worker.answer("/spin-def?seconds=0") == b"1"


def test_calls_that_have_computed_wait_together(worker: FakeFront) -> None:
    began = time.monotonic()
    slots = [worker.request("/spin-then-sleep-def?seconds=1") for _ in range(4)]
    for slot in slots:
        worker.of(slot, FINISHED)
    assert time.monotonic() - began < 2.0


def test_a_light_call_does_not_wait_for_another_endpoint_that_computes(worker: FakeFront) -> None:
    heavy = worker.request("/spin-def?seconds=1")
    light = worker.request("/light-def")
    worker.of(light, FINISHED)
    assert not [f for f in worker.frames if (f.slot, f.kind) == (heavy, FINISHED)]
    worker.of(heavy, FINISHED)


def test_the_front_can_see_a_call_that_computes(worker: FakeFront) -> None:
    slot = worker.request("/spin-def?seconds=0.5")
    name = 1 << 32 | slot
    wait_until(lambda: worker.sight()["name"] == name, "the call is published")
    wait_until(lambda: worker.sight()["processor"] > 50_000_000, "its CPU time is published")
    worker.of(slot, FINISHED)
    wait_until(lambda: worker.sight()["calls"] == 0, "nothing runs")


def test_an_idle_worker_needs_one_thread_for_calls_one_after_the_other(worker: FakeFront) -> None:
    names = {worker.answer("/light-def") for _ in range(10)}
    assert len(names) == 1


def test_code_on_a_thread_can_call_back_into_the_loop(worker: FakeFront) -> None:
    assert worker.answer("/from-thread") == b'"MainThread"'


def test_the_context_is_seen_on_the_thread_and_not_changed_by_it(worker: FakeFront) -> None:
    assert json.loads(worker.answer("/context")) == ["seen", "seen"]


def test_stop_iteration_becomes_a_runtime_error(worker: FakeFront) -> None:
    assert worker.answer("/stop-iteration") == b'"coroutine raised StopIteration"'


def test_cancellation_waits_for_the_thread_unless_it_may_be_abandoned(worker: FakeFront) -> None:
    assert float(worker.answer("/abandon")) < 0.3
    assert float(worker.answer("/shielded")) >= 0.3


def test_a_limiter_that_the_application_has_changed_bounds_its_calls(worker: FakeFront) -> None:
    assert worker.answer("/limited?tokens=3&calls=12") == b"3"


def test_dependencies_with_yield_run_on_the_threads(worker: FakeFront) -> None:
    assert len(json.loads(worker.answer("/dependency"))) == 64


def test_a_bound_of_threads_is_kept_and_cannot_hold_up_what_ends_a_call() -> None:
    with FakeFront("holding:app", options={"threads": 2}) as front:
        slots = [front.request("/sleep-def?seconds=0.2") for _ in range(4)]
        began = time.monotonic()
        front.of(slots[-1], FINISHED)
        assert time.monotonic() - began >= 0.35
        slots = [front.request("/dependency") for _ in range(20)]
        for slot in slots:
            front.of(slot, FINISHED)


def test_an_endpoint_that_cannot_wait_runs_on_a_thread_if_the_front_asks(
    worker: FakeFront,
) -> None:
    assert worker.answer("/sleep?seconds=0") == b'"MainThread"'
    for path in ("/sleep?seconds=0", "/unused-task"):
        assert worker.answer(path, THREAD).startswith(b'"andon-')
    for path in ("/page", "/mounted/page/x", "/mounted/deep/p"):
        assert worker.answer(path, THREAD).startswith(b"andon-")
        assert worker.answer(path) == b"MainThread"
    # What can wait stays where it is.
    assert worker.answer("/context", THREAD) == b'["seen","seen"]'


def test_an_offloaded_endpoint_is_served_natively_on_its_thread(tmp_path: Path) -> None:
    environment = {"TEST_SCRATCH": str(tmp_path)}
    with FakeFront("native_execution:app", environment=environment) as front:
        how = json.loads(front.answer("/how/async", THREAD))
        assert how["native"] and how["thread"].startswith("andon-")
        for path in ("/raise/http", "/raise/handled", "/scopes"):
            assert front.answer(path, THREAD) == front.answer(path)


def test_under_middleware_an_offloaded_endpoint_alone_is_on_a_thread() -> None:
    with FakeFront("native_beneath:app") as front:
        assert json.loads(front.answer("/how")) == [["MainThread"], "MainThread"]

        def is_native() -> bool:
            caller, thread = json.loads(front.answer("/how", THREAD))
            assert thread.startswith("andon-")
            return bool(caller == ["MainThread"])

        # The first replaces a function of FastAPI, so that the application is inspected anew.
        wait_until(is_native, "it is native again")


def test_offloaded_calls_wait_together(worker: FakeFront) -> None:
    began = time.monotonic()
    slots = [worker.request("/sleep?seconds=0.5", THREAD) for _ in range(20)]
    for slot in slots:
        assert worker.used(slot).loop_longest < 0.2
    assert time.monotonic() - began < 2.0
