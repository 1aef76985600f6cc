"""The `http.response.pathsend` extension: the server sends a file which the application names."""

import contextlib
from pathlib import Path

import pytest

from tests.support import AndonServer, wait_until
from tests.support.raw_http import ConnectionClosed, request_bytes


@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_001])
def test_a_file_is_sent_whole(raw_server: AndonServer, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file with spaces"
    path.write_bytes((bytes(range(251)) * (size // 251 + 1))[:size])
    target = f"/pathsend?path={str(path).replace(' ', '%20')}"
    with raw_server.connect() as connection:
        response = connection.request("GET", target)
        assert response.status == 200
        assert response.body == path.read_bytes()
        assert connection.request("GET", "/next").json()["path"] == "/next"
    raw_server.journal.wait_for("pathsend returned")


def test_head_of_a_file_has_its_length_and_no_body(raw_server: AndonServer, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with raw_server.connect() as connection:
        response = connection.request("HEAD", f"/pathsend?path={path}")
        assert (response.header("content-length"), response.body) == ("7", b"")
        assert connection.request("GET", "/next").status == 200


def test_a_file_which_is_missing_is_no_complete_answer(
    raw_server: AndonServer, tmp_path: Path
) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", f"/pathsend?path={tmp_path / 'missing'}"))
        with contextlib.suppress(ConnectionClosed, ConnectionResetError):
            assert connection.read_response().status == 500
    wait_until(lambda: "missing" in raw_server.stderr, "the missing file is logged")
    assert raw_server.get("/after").status == 200


def test_starlettes_file_response_is_served(fastapi_server: AndonServer, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10_000)
    response = fastapi_server.get(f"/file?path={path}")
    assert response.body == path.read_bytes()
    assert response.header("etag")


def test_a_range_of_a_file_is_served(fastapi_server: AndonServer, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10_000)
    response = fastapi_server.get(f"/file?path={path}", ("Range", "bytes=1000-1999"))
    assert response.status == 206
    assert response.body == path.read_bytes()[1000:2000]


def test_a_relative_path_is_taken_from_the_workers_folder(fastapi_server: AndonServer) -> None:
    path = fastapi_server.scratch / "relative"
    path.write_bytes(b"content")
    assert fastapi_server.get("/file?path=relative").body == b"content"
