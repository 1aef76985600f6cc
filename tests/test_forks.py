"""Endpoints that fork: their children have no part in what the worker answers."""

import signal

import pytest

from tests.conftest import StartServer

EXIT_CODES = {"return": 0, "exit": 3, "raise": 1}


@pytest.mark.parametrize("native", ["auto", "off"])
@pytest.mark.parametrize("where", ["thread", "loop"])
def test_a_forked_child_which_leaves_its_endpoint_ends_and_the_parent_answers(
    start_server: StartServer, where: str, native: str
) -> None:
    server = start_server("forking:app", "--native", native)
    (worker,) = server.worker_processes()
    for how, code in EXIT_CODES.items():
        answer = server.get(f"/{where}/{how}")
        assert (answer.status, answer.json()) == (200, [worker, code])
    # No child takes requests from the worker.
    assert [server.get("/pid").json() for _ in range(10)] == [worker] * 10


def test_a_forked_process_can_be_terminated(start_server: StartServer) -> None:
    server = start_server("forking:app")
    assert server.get("/terminate").json() == -signal.SIGTERM
