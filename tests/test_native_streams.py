"""Native routes whose answers come in pieces, over the wire: nothing is held up or forgotten."""

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until_unchanged
from tests.support.raw_http import request_bytes

# What a client that does not read may make the other side hold, in pieces of 64 KiB.
MOST_HELD_BACK = 512
KINDS = ["lines", "lines-on-thread", "events", "events-on-thread", "raw", "raw-on-thread"]
RETURNED = ["returned", "returned-by-def", "returned-on-thread", "returned-on-thread-by-def"]
FIRST = {"lines": b'"native"\n', "events": b'data: "native"\n\n'}


@pytest.fixture(scope="module")
def server(start_module_server: StartServer) -> AndonServer:
    return start_module_server("native_streams:app")


def steps(server: AndonServer, name: str) -> list[str]:
    return [event["step"] for event in server.journal.events("step", name=name)]


@pytest.mark.parametrize("kind", [*KINDS, *RETURNED])
def test_a_piece_is_sent_at_once_and_the_end_comes_last(server: AndonServer, kind: str) -> None:
    with server.connect() as connection:
        connection.send(request_bytes("GET", f"/{kind}?name=first-{kind}&count=2"))
        assert connection.read_head().status == 200
        assert connection.read_chunk() == FIRST.get(kind.partition("-")[0], b"native")
        assert steps(server, f"first-{kind}") == []
        server.journal.open_gate(f"first-{kind}")
        rest = b""
        while piece := connection.read_chunk():
            rest += piece
    assert rest.count(b"x") == 2 * 65_536
    server.journal.wait_for("step", name=f"first-{kind}", step="closed")
    assert steps(server, f"first-{kind}") == ["ended", "background", "closed"]


@pytest.mark.parametrize("kind", [*KINDS, *RETURNED])
def test_a_client_that_does_not_read_holds_back_the_generator(
    server: AndonServer, kind: str
) -> None:
    name = f"slow-{kind}"

    def sent() -> int:
        return server.journal.latest("sent", "pieces", name=name)

    server.journal.open_gate(name)
    with server.connect(receive_buffer=65_536) as connection:
        connection.send(request_bytes("GET", f"/{kind}?name={name}&count=2000"))
        held_back_at = wait_until_unchanged(sent, "the generator waits for the client")
        assert held_back_at < MOST_HELD_BACK
        connection.read_head()
        while sent() == held_back_at:
            connection.read_chunk()


@pytest.mark.parametrize("kind", [*KINDS, *RETURNED])
def test_what_belongs_to_a_stream_ends_when_its_client_goes(server: AndonServer, kind: str) -> None:
    name = f"gone-{kind}"
    connection = server.connect()
    connection.send(request_bytes("GET", f"/{kind}?name={name}&count=3"))
    connection.read_head()
    connection.close()
    # A thread cannot be interrupted.
    if "on-thread" in kind:
        server.journal.open_gate(name)
    server.journal.wait_for("step", name=name, step="closed")
    if "on-thread" not in kind:
        # Events are gathered until what belongs to the request is closed.
        first = ["background", "ended"] if kind == "events" else ["ended", "background"]
        assert steps(server, name) == [*first, "closed"]
        assert server.journal.events("sent", name=name) == []


def test_a_large_file_is_sent_whole(server: AndonServer) -> None:
    response = server.get("/file")
    assert (response.status, len(response.body)) == (200, 64 << 20)
    assert response.header("content-length") == str(64 << 20)
