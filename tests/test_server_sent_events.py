"""Server-sent events: each is delivered at once, and the generator ends when the client goes."""

import httpx

from tests.support import AndonServer


def test_an_event_is_delivered_before_the_next_one_is_made(fastapi_server: AndonServer) -> None:
    url = f"{fastapi_server.url}/events?gate=events"
    with httpx.stream("GET", url, timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert [next(lines) for _ in range(4)] == ["id: 1", "event: first", "data: one", ""]
        fastapi_server.journal.open_gate("events")
        assert [next(lines) for _ in range(4)] == ["id: 2", "data: two", "data: lines", ""]


def test_the_generator_ends_when_the_client_goes(fastapi_server: AndonServer) -> None:
    fastapi_server.journal.open_gate("left")
    with httpx.stream("GET", f"{fastapi_server.url}/events?gate=left", timeout=10) as response:
        assert next(response.iter_lines()) == "id: 1"
    fastapi_server.journal.wait_for("events ended", gate="left")


def test_many_streams_run_at_once(fastapi_server: AndonServer) -> None:
    with httpx.Client(timeout=10) as client:
        streams = [
            client.stream("GET", f"{fastapi_server.url}/events?gate=many") for _ in range(50)
        ]
        responses = [stream.__enter__() for stream in streams]
        try:
            readers = [response.iter_lines() for response in responses]
            assert [next(reader) for reader in readers] == ["id: 1"] * 50
            fastapi_server.journal.open_gate("many")
            for reader in readers:
                assert "id: 2" in reader
        finally:
            for stream in streams:
                stream.__exit__(None, None, None)
