"""Contexts, tasks and threads: each request has its own, and asyncio's tools work in handlers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support import AndonServer, wait_until

AT_ONCE = 8


def test_concurrent_requests_do_not_see_each_others_context(fastapi_server: AndonServer) -> None:
    def ask(number: int) -> Any:
        return fastapi_server.get(f"/context/async?mark=m{number}&gate=context").json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(ask, number) for number in range(AT_ONCE)]
        wait_until(
            lambda: len(fastapi_server.journal.events("marked")) >= AT_ONCE, "all have begun"
        )
        fastapi_server.journal.open_gate("context")
        got = [answer.result() for answer in answers]
    assert got == [{"before": "unmarked", "after": f"m{number}"} for number in range(AT_ONCE)]


def test_requests_on_one_connection_do_not_inherit_a_context(fastapi_server: AndonServer) -> None:
    fastapi_server.journal.open_gate("open")
    with fastapi_server.connect() as connection:
        for number in range(3):
            target = f"/context/async?mark=again{number}&gate=open"
            assert connection.request("GET", target).json()["before"] == "unmarked"


def test_threads_do_not_keep_the_context_of_the_request_before(fastapi_server: AndonServer) -> None:
    with fastapi_server.connect() as connection:
        for number in range(20):
            answer = connection.request("GET", f"/context/sync?mark=thread{number}").json()
            assert answer == {"before": "unmarked", "after": f"thread{number}"}


def test_what_a_dependency_sets_is_seen_by_its_route(fastapi_server: AndonServer) -> None:
    assert fastapi_server.get("/context/dependency").json() == {"mark": "by a dependency"}


def test_each_request_runs_in_a_task_of_its_own(fastapi_server: AndonServer) -> None:
    def ask(_: int) -> Any:
        return fastapi_server.get("/task?gate=task").json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(ask, number) for number in range(AT_ONCE)]
        wait_until(lambda: len(fastapi_server.journal.events("task")) >= AT_ONCE, "all have begun")
        fastapi_server.journal.open_gate("task")
        tasks = {answer.result()["id"] for answer in answers}
    assert len(tasks) == AT_ONCE


def test_cancel_scopes_and_timeouts_work_in_a_handler(fastapi_server: AndonServer) -> None:
    answer = fastapi_server.get("/task/cancel-others").json()
    assert answer == {"cancelled": True, "timed_out": True}


def test_a_task_group_runs_its_children_in_a_handler(fastapi_server: AndonServer) -> None:
    assert fastapi_server.get("/task/in-middleware-style-group").json() == [1, 2, 3]


def test_a_def_route_can_call_its_event_loop(fastapi_server: AndonServer) -> None:
    assert fastapi_server.get("/thread/from-thread").json() == {"other_thread": True}


def test_def_routes_run_at_once_on_threads_of_their_own(fastapi_server: AndonServer) -> None:
    def ask(_: int) -> Any:
        return fastapi_server.get("/thread/hold?gate=threads").json()["thread"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(ask, number) for number in range(AT_ONCE)]
        held = "thread held"
        wait_until(lambda: len(fastapi_server.journal.events(held)) >= AT_ONCE, "all have begun")
        assert fastapi_server.get("/pid").status == 200
        fastapi_server.journal.open_gate("threads")
        threads = {answer.result() for answer in answers}
    assert len(threads) == AT_ONCE
