"""Work after the answer: neither the client nor the next request of its connection waits."""

import signal

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until


def test_the_answer_does_not_wait_for_a_background_task(fastapi_server: AndonServer) -> None:
    with fastapi_server.connect() as connection:
        assert connection.request("POST", "/background?gate=after").json() == "scheduled"
        assert fastapi_server.journal.events("background on the loop", gate="after") == []
        # The same connection serves the next request meanwhile.
        assert connection.request("GET", "/pid").status == 200
    fastapi_server.journal.open_gate("after")
    fastapi_server.journal.wait_for("background on the loop", gate="after")
    fastapi_server.journal.wait_for("background on a thread", gate="after")


def test_a_background_task_survives_its_client(fastapi_server: AndonServer) -> None:
    with fastapi_server.connect() as connection:
        assert connection.request("POST", "/background?gate=gone").status == 200
    fastapi_server.journal.open_gate("gone")
    fastapi_server.journal.wait_for("background on a thread", gate="gone")


def test_a_background_task_which_raises_is_logged(fastapi_server: AndonServer) -> None:
    with fastapi_server.connect() as connection:
        assert connection.request("POST", "/background/raise").status == 200
        wait_until(lambda: "in the background" in fastapi_server.stderr, "the traceback is logged")
        assert fastapi_server.get("/pid").status == 200


def test_a_bare_application_may_go_on_after_its_answer(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        assert connection.request("GET", "/after-answer?gate=bare").body == b"answered"
        assert connection.request("GET", "/next").status == 200
        assert raw_server.journal.events("finished", name="bare") == []
        raw_server.journal.open_gate("bare")
        raw_server.journal.wait_for("finished", name="bare")


def test_a_clean_stop_lets_background_tasks_end(start_server: StartServer) -> None:
    server = start_server("fastapi_routes:app")
    with server.connect() as connection:
        assert connection.request("POST", "/background?gate=stop").status == 200
    server.signal(signal.SIGTERM)
    server.journal.open_gate("stop")
    assert server.wait() == 0
    assert server.journal.events("background on a thread", gate="stop")
