"""What the worker measures of a request, as the front is told."""

from collections.abc import Iterator

import pytest

from tests.support.fake_front import EXPLAIN, RESPONSE, USAGE, FakeFront, Usage


@pytest.fixture(scope="module")
def worker() -> Iterator[FakeFront]:
    with FakeFront("holding:app") as front:
        front.answer("/light")
        yield front


def test_a_light_request_uses_next_to_nothing(worker: FakeFront) -> None:
    used = worker.used(worker.request("/light"))
    assert 0 < used.loop_longest <= used.loop_total < 0.1
    assert used.thread_total == 0


def test_a_sleep_on_the_loop_holds_it_without_using_the_processor(worker: FakeFront) -> None:
    used = worker.used(worker.request("/sleep?seconds=0.1"))
    assert used.loop_longest >= 0.1
    assert used.loop_processor < 0.05
    assert used.excuses == 0


def test_computing_on_the_loop_holds_it_and_uses_the_processor(worker: FakeFront) -> None:
    used = worker.used(worker.request("/spin?seconds=0.1"))
    assert used.loop_longest >= 0.1
    assert used.loop_processor >= 0.09


def test_calls_on_threads_are_counted_for_their_request(worker: FakeFront) -> None:
    slept = worker.used(worker.request("/sleep-def?seconds=0.1"))
    assert slept.thread_total >= 0.1
    assert slept.thread_processor < 0.05
    assert slept.loop_longest < 0.1
    spun = worker.used(worker.request("/spin-def?seconds=0.1"))
    assert spun.thread_processor >= 0.09


def test_garbage_collection_is_an_excuse(worker: FakeFront) -> None:
    used = worker.used(worker.request("/collect"))
    assert used.excuses & 1


def test_imports_are_an_excuse_once(worker: FakeFront) -> None:
    assert worker.used(worker.request("/import")).excuses & 8
    assert worker.used(worker.request("/sleep?seconds=0.05")).excuses == 0


def test_what_was_used_is_told_ahead_of_the_answer_if_it_was_asked_for(worker: FakeFront) -> None:
    slot = worker.request("/sleep?seconds=0.05", EXPLAIN)
    told = worker.of(slot, USAGE)
    answer = worker.of(slot, RESPONSE)
    assert worker.frames.index(told) < worker.frames.index(answer)
    assert Usage.parse(told.payload).loop_longest >= 0.05
    plain = worker.request("/light")
    worker.of(plain, RESPONSE)
    assert not [frame for frame in worker.frames if (frame.slot, frame.kind) == (plain, USAGE)]


def test_tasks_that_a_request_starts_count_for_it() -> None:
    with FakeFront("holding:behind") as front:
        front.answer("/light")
        used = front.used(front.request("/sleep?seconds=0.1"))
        assert used.loop_longest >= 0.1
        used = front.used(front.request("/sleep-def?seconds=0.1"))
        assert used.thread_total >= 0.1
        slot = front.request("/sleep?seconds=0.4")
        assert front.stall(slot).kind == "blocked"
