"""Native routes over the wire: what runs where, and that it is what the framework would do."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.raw_http import chunked, request_bytes

JSON = ("content-type", "application/json")
TOKEN = ("authorization", "Bearer secret")


@pytest.fixture(scope="module")
def server(start_module_server: StartServer) -> AndonServer:
    return start_module_server("native_execution:app")


def test_a_coroutine_runs_on_the_loop_without_the_framework(server: AndonServer) -> None:
    assert server.get("/how/async").json() == {"native": True, "thread": "MainThread"}


def test_a_function_runs_on_a_thread_of_the_pool(server: AndonServer) -> None:
    answer = server.get("/how/def").json()
    assert answer["native"]
    assert answer["thread"].startswith("andon-")


def test_functions_and_generators_run_on_one_thread(server: AndonServer) -> None:
    answer = server.get("/chain", TOKEN)
    assert answer.json() == {"threads": 1, "noted": "nothing", "token": "secret"}
    assert answer.header("x-path") == "/chain"
    closed = server.journal.wait_for("closed")
    assert closed["thread"] == server.journal.events("opened")[-1]["thread"]


def test_a_scheme_that_refuses_on_a_thread_answers_as_the_framework(server: AndonServer) -> None:
    answer = server.get("/chain")
    assert answer.status == 401
    assert answer.header("www-authenticate") == "Bearer"


def test_what_a_coroutine_sets_is_seen_on_threads_and_not_the_reverse(server: AndonServer) -> None:
    assert server.get("/mixed").json() == {"noted": "by a coroutine", "on_thread": True}


def test_a_thread_can_call_back_into_the_loop(server: AndonServer) -> None:
    answer = server.get("/from-thread").json()
    assert answer["loop"] == "MainThread"
    assert answer["own"].startswith("andon-")


@pytest.mark.parametrize("path", ["/sum", "/sum/def"])
@pytest.mark.parametrize("count", [3, 100_000])
def test_a_body_arrives_whole(server: AndonServer, path: str, count: int) -> None:
    numbers = list(range(count))
    body = json.dumps({"numbers": numbers}).encode()
    with server.connect() as connection:
        answer = connection.request("POST", path, [JSON], body)
        assert (answer.status, answer.json()) == (200, sum(numbers))


@pytest.mark.parametrize("path", ["/sum", "/sum/def"])
def test_a_body_in_pieces_is_waited_for(server: AndonServer, path: str) -> None:
    head = request_bytes("POST", path, [JSON, ("transfer-encoding", "chunked")])
    with server.connect() as connection:
        connection.send(head)
        connection.send(chunked(b'{"numbers":', b"[1,2]").removesuffix(b"0\r\n\r\n"))
        connection.send(chunked(b"}"))
        assert connection.read_response().json() == 3


def test_a_body_that_the_client_holds_back_is_asked_for(server: AndonServer) -> None:
    headers = [JSON, ("expect", "100-continue"), ("content-length", "17")]
    with server.connect() as connection:
        connection.send(request_bytes("POST", "/sum/def", headers))
        assert connection.read_exactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b'{"numbers":[4,5]}')
        assert connection.read_response().json() == 9


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("/large", "after the large answer"),
        ("/large/def", "after the large answer of a thread"),
    ],
)
def test_an_answer_that_is_not_read_holds_back_what_follows(
    server: AndonServer, path: str, event: str
) -> None:
    length = 16 * 1024 * 1024
    with server.connect(receive_buffer=64 * 1024) as connection:
        connection.send(f"GET {path}?length={length} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        head = connection.read_head()
        assert server.journal.events(event) == []
        assert len(connection.read_exactly(int(head.header("content-length") or 0))) >= length
        server.journal.wait_for(event)


def test_a_thread_leaves_to_the_loop_what_has_to_wait(server: AndonServer) -> None:
    assert server.get("/background").json() == "scheduled"
    assert server.journal.events("later") == []
    server.journal.open_gate("background")
    assert server.journal.wait_for("later")["thread"] == "MainThread"


def test_requests_that_wait_do_not_hold_each_other(server: AndonServer) -> None:
    gates = [f"many{number}" for number in range(8)]
    with ThreadPoolExecutor(len(gates)) as pool:
        answers = [pool.submit(server.get, f"/wait?gate={gate}") for gate in gates]
        wait_until(lambda: len(server.journal.events("waits")) >= len(gates), "all have begun")
        for gate in reversed(gates):
            server.journal.open_gate(gate)
            server.journal.open_gate(f"{gate}-endpoint")
        got = [answer.result().json() for answer in answers]
    assert got == [{"gate": gate, "task": True} for gate in gates]


def test_a_generator_sees_that_its_request_is_cancelled(start_server: StartServer) -> None:
    server = start_server("native_execution:app", "--cancel-on-disconnect")
    connection = server.connect()
    connection.send(b"GET /wait?gate=gone HTTP/1.1\r\nhost: a\r\n\r\n")
    server.journal.open_gate("gone")
    server.journal.wait_for("waits", gate="gone")
    connection.abort()
    assert server.journal.wait_for("ended by", gate="gone")["error"] == "CancelledError"
    assert server.journal.wait_for("ended", gate="gone")


@pytest.mark.parametrize("path", ["/raise", "/raise-def"])
def test_exceptions_become_the_answers_of_their_handlers(server: AndonServer, path: str) -> None:
    answer = server.get(f"{path}/http")
    assert (answer.status, answer.json()) == (409, {"detail": "a conflict"})
    answer = server.get(f"{path}/handled")
    assert (answer.status, answer.body) == (418, f"{path}/handled True".encode())


@pytest.mark.parametrize("path", ["/raise", "/raise-def"])
def test_an_exception_without_a_handler_is_answered_and_logged_once(
    start_server: StartServer, path: str
) -> None:
    server = start_server("native_execution:app")
    answer = server.get(f"{path}/other")
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    wait_until(lambda: "unhandled of native" in server.stderr, "the traceback is logged")
    assert server.stderr.count("Exception in ASGI application") == 1
    assert server.get("/how/async").status == 200


def test_a_function_cannot_stop_the_iteration_of_its_caller(server: AndonServer) -> None:
    assert server.get("/raise-def/stop").status == 500
    wait_until(lambda: "coroutine raised StopIteration" in server.stderr, "it is logged")


def test_a_stream_that_was_made_on_a_thread_is_sent(server: AndonServer) -> None:
    assert server.get("/stream").body == b"abc"


def test_an_override_counts_at_once_and_until_it_is_taken_back(start_server: StartServer) -> None:
    server = start_server("native_execution:app")
    native = {"value": "plain", "native": True, "thread": "MainThread"}
    assert server.get("/overridden").json() == native
    with server.connect() as connection:
        connection.request("POST", "/override?on=true")
        answer = server.get("/overridden").json()
        assert (answer["value"], answer["native"]) == ("overridden", False)
        connection.request("POST", "/override?on=false")
    assert server.get("/overridden").json() == native


def test_a_limiter_that_the_application_has_set_is_kept(start_server: StartServer) -> None:
    server = start_server("native_execution:app")
    assert server.get("/borrowed").json() == 0
    with server.connect() as connection:
        connection.request("POST", "/limit?tokens=3")
    assert server.get("/borrowed").json() == 1


def test_a_scheme_gets_the_scopes_of_its_route(server: AndonServer) -> None:
    assert server.get("/scopes").json() == ["one", "two"]
