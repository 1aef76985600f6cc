"""More workers are started while requests wait for one."""

import pytest

from tests.conftest import StartServer
from tests.support import wait_until
from tests.support.raw_http import request_bytes

ELASTIC = ("--workers", "1", "--max-workers", "2", "--spare-workers", "0")


def test_a_worker_is_added_while_the_only_one_is_held(start_server: StartServer) -> None:
    server = start_server("placing:app", *ELASTIC)
    assert "with 1 to 2 workers" in server.stderr
    assert server.get("/fast").status == 200
    with server.connect() as holding, server.connect(seconds=30) as connection:
        holding.send(request_bytes("GET", "/hold/elastic"))
        server.journal.wait_for("started", gate="elastic")
        assert connection.request("GET", "/fast").status == 200
        assert len(server.worker_processes()) == 2
        server.journal.open_gate("elastic")
        assert holding.read_response().status == 200


def test_a_spare_worker_runs_from_the_start(start_server: StartServer) -> None:
    server = start_server("placing:app", "--workers", "1", "--max-workers", "3")
    assert "with 2 to 3 workers" in server.stderr
    assert len(server.worker_processes()) == 2
    with server.connect() as holding, server.connect() as connection:
        holding.send(request_bytes("GET", "/hold/spare"))
        server.journal.wait_for("started", gate="spare")
        assert connection.request("GET", "/fast").status == 200
        assert len(server.worker_processes()) == 2
        server.journal.open_gate("spare")
        assert holding.read_response().status == 200


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_worker_that_is_not_needed_any_more_goes(start_server: StartServer) -> None:
    server = start_server("placing:app", *ELASTIC)
    assert server.get("/fast").status == 200
    with server.connect() as holding, server.connect(seconds=30) as connection:
        holding.send(request_bytes("GET", "/hold/surplus"))
        server.journal.wait_for("started", gate="surplus")
        assert connection.request("GET", "/fast").status == 200
        server.journal.open_gate("surplus")
        assert holding.read_response().status == 200
    assert len(server.worker_processes()) == 2
    wait_until(lambda: len(server.worker_processes()) == 1, "a worker has gone", 200)
    assert "their number goes from 2 to 1" in server.stderr
    assert server.get("/fast").status == 200


def test_a_number_that_is_given_alone_is_exact(start_server: StartServer) -> None:
    server = start_server("placing:app", "--workers", "1")
    assert server.get("/fast").status == 200
    with server.connect() as holding, server.connect() as connection:
        holding.send(request_bytes("GET", "/hold/exact"))
        server.journal.wait_for("started", gate="exact")
        connection.send(request_bytes("GET", "/fast"))
        wait_until(lambda: "held the event loop" in server.stderr, "the stall is reported")
        assert len(server.worker_processes()) == 1
        server.journal.open_gate("exact")
        assert connection.read_response().status == 200
        assert holding.read_response().status == 200
