"""Workers which die: replaced, and what they take with them is answered clearly."""

import os
import signal
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed as WebSocketClosed
from websockets.sync.client import connect

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.raw_http import ConnectionClosed, request_bytes

REPLACEMENT_SECONDS = 20.0


def _wait_for_replacement(server: AndonServer, dead: int, count: int) -> None:
    def replaced() -> bool:
        workers = server.worker_processes()
        return dead not in workers and len(workers) == count

    wait_until(replaced, f"worker {dead} is replaced", REPLACEMENT_SECONDS)


def test_a_killed_worker_is_replaced_while_the_other_serves(start_server: StartServer) -> None:
    server = start_server("fastapi_routes:app", "--workers", "2")
    dead, alive = server.worker_processes()
    os.kill(dead, signal.SIGKILL)
    wait_until(lambda: dead not in server.worker_processes(), "the worker is gone")
    assert {server.get("/pid").json() for _ in range(20)} - {alive} <= set(
        server.worker_processes()
    )
    _wait_for_replacement(server, dead, 2)
    assert server.get("/pid").status == 200


def test_without_a_worker_the_answer_is_503_until_it_is_replaced(start_server: StartServer) -> None:
    server = start_server("fastapi_routes:app")
    (dead,) = server.worker_processes()
    os.kill(dead, signal.SIGKILL)

    def served_by_another() -> bool:
        response = server.get("/pid")
        if response.status != 200:
            # 502 for one which the dying worker had already started.
            assert response.status in (502, 503)
            assert response.status == 502 or (response.header("retry-after") or "").isdigit()
            return False
        return bool(response.json() != dead)

    wait_until(served_by_another, "the replacement serves", REPLACEMENT_SECONDS)


def test_a_request_which_was_started_gets_502(start_server: StartServer) -> None:
    server = start_server("fastapi_routes:app", "--workers", "2")
    with server.connect() as connection:
        connection.send(request_bytes("GET", "/pid/hold?gate=started"))
        worker = server.journal.wait_for("holding", gate="started")["pid"]
        os.kill(worker, signal.SIGKILL)
        assert connection.read_response().status == 502
        # The connection is the front's, and lives on.
        assert connection.request("GET", "/pid").status == 200
    _wait_for_replacement(server, worker, 2)


def test_a_worker_which_ends_itself_gives_502_and_is_replaced(start_server: StartServer) -> None:
    server = start_server("raw:app", "--workers", "2")
    before = set(server.worker_processes())
    assert server.get("/exit").status == 502
    wait_until(
        lambda: len(set(server.worker_processes()) - before) == 1,
        "the worker is replaced",
        REPLACEMENT_SECONDS,
    )
    assert server.get("/after").status == 200


def test_a_stream_which_loses_its_worker_is_cut(start_server: StartServer) -> None:
    server = start_server("raw:app")
    (worker,) = server.worker_processes()
    with server.connect() as connection:
        connection.send(request_bytes("GET", "/gated-stream?gate=never"))
        connection.read_head()
        assert connection.read_chunk() == b"first"
        os.kill(worker, signal.SIGKILL)
        with pytest.raises((ConnectionClosed, ConnectionResetError)):
            connection.read_chunk()


def test_a_websocket_which_loses_its_worker_is_closed(start_server: StartServer) -> None:
    server = start_server("raw:app")
    (worker,) = server.worker_processes()
    with connect(server.websocket_url + "/ws/echo") as socket:
        socket.send("before")
        assert socket.recv() == "before"
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(WebSocketClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is None or closed.value.rcvd.code in (1006, 1011, 1012)


def test_requests_go_to_the_worker_which_is_not_held(start_server: StartServer) -> None:
    server = start_server("fastapi_routes:app", "--workers", "2")
    with server.connect() as held:
        held.send(request_bytes("GET", "/pid/block?gate=held"))
        blocked = server.journal.wait_for("loop held", gate="held")["pid"]
        answered = {server.get("/pid").json() for _ in range(50)}
        assert answered == set(server.worker_processes()) - {blocked}
        server.journal.open_gate("held")
        assert held.read_response().json() == blocked


def test_requests_not_claimed_by_a_killed_worker_are_answered_by_another(
    start_server: StartServer, tmp_path: Path
) -> None:
    # Without the rule the second call would be kept off the last worker.
    rules = tmp_path / "rules.toml"
    rules.write_text('[tool.andon.routes]\n"GET /pid/block" = { run = "loop" }\n')
    server = start_server("fastapi_routes:app", "--workers", "2", "--config", str(rules))
    holders = [server.connect(seconds=30) for _ in range(2)]
    waiting = [server.connect(seconds=30) for _ in range(5)]
    pids = []
    for number, holder in enumerate(holders):
        holder.send(request_bytes("GET", f"/pid/block?gate=both{number}"))
        pids.append(server.journal.wait_for("loop held", gate=f"both{number}")["pid"])
    assert len(set(pids)) == 2
    for connection in waiting:
        connection.send(request_bytes("GET", "/pid"))
    os.kill(pids[0], signal.SIGKILL)
    answers = [connection.read_response() for connection in waiting]
    assert [answer.status for answer in answers] == [200] * 5
    assert {answer.json() for answer in answers}.isdisjoint(pids)
    assert holders[0].read_response().status == 502
    server.journal.open_gate("both1")
    assert holders[1].read_response().json() == pids[1]


def test_a_worker_which_is_killed_again_and_again_is_replaced_each_time(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app")
    for _ in range(3):
        (worker,) = wait_until(server.worker_processes, "a worker is up", REPLACEMENT_SECONDS)
        os.kill(worker, signal.SIGKILL)
        _wait_for_replacement(server, worker, 1)
    wait_until(lambda: server.get("/").status == 200, "the last one serves", REPLACEMENT_SECONDS)
