"""The lifespan protocol: start-up before the first request, state, failure, and the end."""

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until


def test_the_state_is_copied_per_request_and_its_values_are_shared(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app")
    first, second = server.get("/state").json(), server.get("/state").json()
    assert first == {"plain": "value", "shared": ["request"]}
    # The list is the same object; what a request adds to the mapping stays its own.
    assert second == {"plain": "value", "shared": ["request", "request"]}


def test_each_worker_has_a_lifespan_of_its_own(start_server: StartServer) -> None:
    server = start_server("raw:app", "--workers", "2")
    startups = server.journal.events("startup")
    assert {event["pid"] for event in startups} == set(server.worker_processes())
    assert len(startups) == 2
    assert server.stop() == 0
    shutdowns = server.journal.events("shutdown")
    assert {event["pid"] for event in shutdowns} == {event["pid"] for event in startups}


def test_nothing_is_served_before_the_startup_is_complete(new_server: StartServer) -> None:
    server = new_server("lifespans:slow").launch()
    server.journal.wait_for("starting", 20)
    assert "listening on" not in server.stderr
    server.journal.open_gate("start")
    wait_until(lambda: "listening on" in server.stderr, "it listens", 20)


def test_a_failed_startup_ends_the_server_with_3_and_the_message(new_server: StartServer) -> None:
    server = new_server("lifespans:failing").launch()
    assert server.wait(30) == 3
    assert "the database is down" in server.stderr
    assert _has_error_line(server)
    assert "listening on" not in server.stderr


def test_a_startup_which_raises_ends_the_server_with_3_and_the_traceback(
    new_server: StartServer,
) -> None:
    server = new_server("lifespan_raises:app").launch()
    assert server.wait(30) == 3
    assert "no route to the database" in server.stderr
    assert "lifespan_raises.py" in server.stderr
    assert _has_error_line(server)


def test_an_application_without_lifespan_is_served(start_server: StartServer) -> None:
    server = start_server("lifespans:unsupported")
    assert server.get("/").status == 200
    assert server.journal.events("asked for", type="lifespan")


def test_lifespan_on_demands_that_the_application_knows_it(new_server: StartServer) -> None:
    server = new_server("lifespans:unsupported", "--lifespan", "on").launch()
    assert server.wait(30) == 3
    assert "unknown scope lifespan" in server.stderr


def test_lifespan_off_does_not_ask(start_server: StartServer) -> None:
    server = start_server("lifespans:unsupported", "--lifespan", "off")
    assert server.get("/").status == 200
    assert server.stop() == 0
    assert server.journal.events("asked for") == []


def test_a_failed_shutdown_is_shown_and_does_not_hang(start_server: StartServer) -> None:
    server = start_server("lifespans:failing_at_the_end")
    assert server.get("/").status == 200
    server.stop()
    assert server.journal.events("failing at the end")
    assert "could not flush" in server.stderr


def _has_error_line(server: AndonServer) -> bool:
    return any(line.startswith("error: ") for line in server.stderr.splitlines())
