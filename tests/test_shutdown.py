"""Stopping: what is in flight ends, what is idle is closed, and it does not last for ever."""

import signal
import time

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, Opcode, wait_until
from tests.support.processes import is_running
from tests.support.raw_http import request_bytes

GRACE_SECONDS = 1
LATEST_SECONDS = 10.0


def _refuses_connections(server: AndonServer) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # It waited to be accepted while the server closed its socket.
        return False
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_with_zero(start_server: StartServer, number: signal.Signals) -> None:
    server = start_server("raw:app", "--workers", "2")
    workers = server.worker_processes()
    with server.connect() as kept_alive:
        assert kept_alive.request("GET", "/").status == 200
        since = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - since < LATEST_SECONDS
        kept_alive.assert_closed_by_server()
    assert not any(is_running(worker) for worker in workers)
    assert len(server.journal.events("shutdown")) == 2


def test_a_request_in_flight_is_answered_before_the_end(start_server: StartServer) -> None:
    server = start_server("raw:app")
    with server.connect() as connection:
        connection.send(request_bytes("GET", "/hold?gate=drain"))
        server.journal.wait_for("holding", name="drain")
        server.signal(signal.SIGTERM)
        wait_until(lambda: _refuses_connections(server), "new connections are refused")
        assert server.running
        server.journal.open_gate("drain")
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"released")
        assert response.closes
        connection.assert_closed_by_server()
    assert server.wait() == 0
    assert server.journal.events("shutdown")


def test_two_signals_at_once_are_one_order_and_a_later_one_ends_the_drain(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app")
    with server.connect() as connection:
        connection.send(request_bytes("GET", "/hold?gate=never"))
        server.journal.wait_for("holding", name="never")
        # It finds both when it goes on.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            server.signal(number)
        wait_until(lambda: _refuses_connections(server), "new connections are refused")
        assert server.running

        def is_ended() -> bool:
            if server.running:
                server.signal(signal.SIGTERM)
            return not server.running

        wait_until(is_ended, "it ends at once")
    assert server.wait() == 128 + signal.SIGTERM


def test_a_stream_in_flight_goes_on_to_its_end(start_server: StartServer) -> None:
    server = start_server("raw:app")
    with server.connect() as connection:
        connection.send(request_bytes("GET", "/gated-stream?gate=stream"))
        connection.read_head()
        assert connection.read_chunk() == b"first"
        server.signal(signal.SIGTERM)
        wait_until(lambda: _refuses_connections(server), "new connections are refused")
        server.journal.open_gate("stream")
        assert connection.read_chunk() == b"second"
        assert connection.read_chunk() == b""
    assert server.wait() == 0


@pytest.mark.parametrize("target", ["/pid/hold?gate=never", "/pid/block?gate=never"])
def test_the_drain_is_finite(new_server: StartServer, target: str) -> None:
    server = new_server(
        "fastapi_routes:app", "--timeout-graceful-shutdown", str(GRACE_SECONDS)
    ).start()
    workers = server.worker_processes()
    with server.connect() as connection:
        connection.send(request_bytes("GET", target))
        event = "loop held" if "block" in target else "holding"
        server.journal.wait_for(event, gate="never")
        since = time.monotonic()
        server.stop()
        assert GRACE_SECONDS * 0.8 < time.monotonic() - since < LATEST_SECONDS
    assert not any(is_running(worker) for worker in workers)


def test_websockets_are_closed_with_1012(start_server: StartServer) -> None:
    server = start_server("raw:app")
    with server.websocket("/ws/echo?name=restart") as socket:
        socket.accepted()
        server.signal(signal.SIGTERM)
        close = socket.read_frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, 1012)
        socket.send_frame(Opcode.CLOSE, close.payload)
        assert server.wait() == 0
    assert server.journal.events("closed", name="restart")[0]["message"]["code"] == 1012


def test_a_second_server_takes_the_port_over_at_once(start_server: StartServer) -> None:
    first = start_server("raw:app")
    with first.connect() as connection:
        assert connection.request("GET", "/").status == 200
        assert first.stop() == 0
    second = start_server("raw:app", port=first.port)
    assert second.port == first.port
    assert second.get("/").status == 200


def test_workers_do_not_outlive_a_server_which_is_killed(new_server: StartServer) -> None:
    server = new_server("raw:app", "--workers", "2").start()
    workers = server.worker_processes()
    assert len(workers) == 2
    server.signal(signal.SIGKILL)
    server.wait()
    wait_until(lambda: not any(is_running(worker) for worker in workers), "the workers end")
