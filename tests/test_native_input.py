"""Native routes over the wire: forms, limits of bodies, dependencies that wait for their turn."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer
from tests.support.raw_http import chunked, request_bytes

FORM = ("content-type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", "multipart/form-data; boundary=b")
BYTES = ("content-type", "application/octet-stream")
# More than Starlette keeps in memory.
LARGE = 3 * 1024 * 1024


@pytest.fixture(scope="module")
def server(start_module_server: StartServer) -> AndonServer:
    return start_module_server("native_input:app")


def upload(size: int) -> bytes:
    head = b'--b\r\ncontent-disposition: form-data; name="%s"; filename="f"\r\n\r\n'
    return b"".join([head % b"file", b"x" * size, b"\r\n", head % b"data", b"12\r\n--b--\r\n"])


def test_a_form_is_parsed_for_a_native_route(server: AndonServer) -> None:
    with server.connect() as connection:
        answer = connection.request("POST", "/login", [FORM], b"name=a+b&tags=1&tags=%C3%A9").json()
    assert answer == {"name": "a b", "tags": ["1", "é"], "native": True, "thread": "MainThread"}


def test_a_form_that_comes_in_pieces_is_waited_for(server: AndonServer) -> None:
    with server.connect() as connection:
        chunks = [FORM, ("transfer-encoding", "chunked")]
        connection.send(request_bytes("POST", "/login", chunks))
        connection.send(chunked(b"name=a&ta", b"gs=1").removesuffix(b"0\r\n\r\n"))
        connection.send(chunked(b"2&tags=3"))
        assert connection.read_response().json()["tags"] == ["12", "3"]


@pytest.mark.parametrize(("size", "memory"), [(0, True), (40_000, True), (LARGE, False)])
def test_files_of_any_size_come_to_a_function(server: AndonServer, size: int, memory: bool) -> None:
    with server.connect() as connection:
        answer = connection.request("POST", "/file", [MULTIPART], upload(size)).json()
    assert answer["thread"].startswith("andon-")
    del answer["thread"]
    assert answer == {"size": size, "memory": memory, "data": 2, "native": True}


def test_a_broken_form_is_refused(server: AndonServer) -> None:
    with server.connect() as connection:
        body = b"--b\r\ncontent-disposition: form-data\r\n\r\n1\r\n--b--\r\n"
        answer = connection.request("POST", "/file", [MULTIPART], body)
    assert answer.status == 400
    assert "must be provided" in answer.json()["detail"]


def test_a_body_within_its_limit_is_not_counted(server: AndonServer) -> None:
    with server.connect() as connection:
        answer = connection.request("POST", "/limited", [BYTES], b"1234567890").json()
        assert (answer["size"], answer["native"]) == (10, True)
        answer = connection.request("POST", "/limited/def", [BYTES], b"1234567890").json()
    assert answer["thread"].startswith("andon-")
    assert (answer["size"], answer["limit"], answer["native"]) == (10, 10, True)


@pytest.mark.parametrize("path", ["/limited", "/limited/def"])
def test_a_body_that_says_it_is_too_large_is_refused(server: AndonServer, path: str) -> None:
    with server.connect() as connection:
        answer = connection.request("POST", path, [BYTES], b"12345678901")
    assert (answer.status, answer.body) == (413, b"Content Too Large")


@pytest.mark.parametrize("path", ["/limited", "/limited/def"])
def test_a_body_is_counted_as_it_comes(server: AndonServer, path: str) -> None:
    with server.connect() as connection:
        head = request_bytes("POST", path, [BYTES, ("transfer-encoding", "chunked")])
        connection.send(head + chunked(b"123", b"45678"))
        assert connection.read_response().json()["size"] == 8
        connection.send(head + chunked(b"123", b"45678", b"901"))
        answer = connection.read_response()
    assert (answer.status, answer.json()) == (413, {"detail": "Content Too Large"})


def test_native_routes_and_the_framework_wait_for_one_another(server: AndonServer) -> None:
    paths = ["/alone", "/alone/asgi", "/alone/def"] * 2
    with ThreadPoolExecutor(len(paths)) as clients:
        answers = [answer.json() for answer in clients.map(server.get, paths)]
    assert [answer["native"] for answer in answers] == [True, False, True] * 2
    assert [answer["count"] for answer in answers] == [1] * len(paths)
