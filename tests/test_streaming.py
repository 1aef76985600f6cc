"""Streaming in both directions: nothing is held up or kept in memory; a slow side is waited for."""

import hashlib
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, RawConnection, wait_until_unchanged
from tests.support.processes import peak_resident_bytes, resident_bytes
from tests.support.raw_http import request_bytes

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
BLOCK = bytes(range(256)) * 4096
# The buffers of a process and what CPython's allocator keeps together stay below this.
MOST_GROWTH = 48 * MEBIBYTE
# What a peer which does not read may make the other side hold.
MOST_HELD_BACK = 32 * MEBIBYTE


def test_a_part_of_an_answer_is_sent_at_once(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/gated-stream?gate=part"))
        assert connection.read_head().status == 200
        assert connection.read_chunk() == b"first"
        raw_server.journal.open_gate("part")
        assert connection.read_chunk() == b"second"
        assert connection.read_chunk() == b""


def test_an_answer_may_come_before_the_whole_request_was_sent(raw_server: AndonServer) -> None:
    head = request_bytes("POST", "/ignore-body", [("Content-Length", "1000000")])
    with raw_server.connect() as connection:
        connection.send(head + b"the beginning")
        assert connection.read_response().body == b"not read"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 10_000_000])
def test_a_download_has_the_length_which_it_announces(raw_server: AndonServer, size: int) -> None:
    response = raw_server.get(f"/download?size={size}")
    assert response.header("content-length") == str(size)
    assert response.body == (bytes(range(256)) * (size // 256 + 1))[:size]


def test_many_small_parts_arrive_in_order(raw_server: AndonServer) -> None:
    response = raw_server.get("/stream?count=5000&size=3")
    assert response.body == b"".join(bytes([number % 256]) * 3 for number in range(5000))


@pytest.mark.parametrize("size", [1, 65_536, 3_000_000])
def test_an_upload_comes_back_whole_while_it_is_sent(raw_server: AndonServer, size: int) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    with raw_server.connect() as connection:
        sender = threading.Thread(
            target=connection.send, args=(request_bytes("POST", "/mirror", body=body),)
        )
        sender.start()
        try:
            assert connection.read_response().body == body
        finally:
            sender.join()


def test_a_client_which_does_not_read_holds_back_the_application(raw_server: AndonServer) -> None:
    name = "slow-reader"

    def sent() -> int:
        return raw_server.journal.latest("sent", "bytes", name=name)

    with raw_server.connect(receive_buffer=65_536) as connection:
        connection.send(request_bytes("GET", f"/endless?name={name}"))
        held_back_at = wait_until_unchanged(sent, "send() waits for the client")
        assert held_back_at < MOST_HELD_BACK
        connection.read_head()
        while sent() == held_back_at:
            connection.read_chunk()
    raw_server.journal.wait_for("stopped", name=name)


def test_an_application_which_does_not_read_holds_back_the_client(raw_server: AndonServer) -> None:
    total = 256 * MEBIBYTE
    progress = Progress()
    with raw_server.connect(seconds=30) as connection:
        connection.send(
            request_bytes("POST", "/read-after-gate?gate=upload", [("Content-Length", str(total))])
        )
        sender = threading.Thread(target=progress.send, args=(connection.socket, total))
        sender.start()
        held_back_at = wait_until_unchanged(lambda: progress.sent, "the client has to wait")
        assert held_back_at < MOST_HELD_BACK
        raw_server.journal.open_gate("upload")
        assert connection.read_response().body == str(total).encode()
        sender.join()


@pytest.mark.slow
def test_uploading_one_gibibyte_takes_no_memory(start_server: StartServer) -> None:
    server = start_server("raw:app")
    expected = hashlib.sha256()

    def upload() -> None:
        with server.connect(seconds=60) as connection:
            connection.send(request_bytes("POST", "/digest", [("Content-Length", str(GIBIBYTE))]))
            for _ in range(GIBIBYTE // len(BLOCK)):
                connection.send(BLOCK)
                expected.update(BLOCK)
            answer = connection.read_response().json()
        assert answer == {"bytes": GIBIBYTE, "sha256": expected.hexdigest()}

    _assert_memory_stays_flat(server, upload)


@pytest.mark.slow
def test_downloading_one_gibibyte_takes_no_memory(start_server: StartServer) -> None:
    server = start_server("raw:app")

    def download() -> None:
        with server.connect(seconds=60) as connection:
            connection.send(request_bytes("GET", f"/download?size={GIBIBYTE}"))
            assert connection.read_head().header("content-length") == str(GIBIBYTE)
            assert _receive(connection, GIBIBYTE) == GIBIBYTE

    _assert_memory_stays_flat(server, download)


@pytest.mark.slow
def test_many_downloads_at_once_take_no_more_memory_than_is_under_way(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app")
    clients, downloads = 32, 60

    def download_in_turn() -> None:
        with server.connect(seconds=60) as connection:
            for _ in range(downloads):
                connection.send(request_bytes("GET", f"/download?size={MEBIBYTE}"))
                connection.read_head()
                assert _receive(connection, MEBIBYTE) == MEBIBYTE

    def download() -> None:
        with ThreadPoolExecutor(clients) as pool:
            for finished in [pool.submit(download_in_turn) for _ in range(clients)]:
                finished.result()

    _assert_memory_stays_flat(server, download)


@pytest.mark.slow
def test_curl_downloads_a_gibibyte_in_chunks(raw_server: AndonServer) -> None:
    count = GIBIBYTE // 65_536
    completed = subprocess.run(
        [
            *("curl", "--silent", "--output", "/dev/null", "--write-out", "%{size_download}"),
            f"{raw_server.url}/stream?count={count}&size=65536",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(completed.stdout) == GIBIBYTE


class Progress:
    """Counts what a sending thread got rid of."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, target: socket.socket, total: int) -> None:
        """Send so many bytes, as fast as they are taken."""
        while self.sent < total:
            self.sent += target.send(BLOCK[: total - self.sent])


def _receive(connection: RawConnection, count: int) -> int:
    received = len(connection.buffer)
    connection.buffer.clear()
    space = bytearray(MEBIBYTE)
    while received < count:
        got = connection.socket.recv_into(space)
        if not got:
            break
        received += got
    return received


def _assert_memory_stays_flat(server: AndonServer, transfer: Callable[[], None]) -> None:
    processes = [server.process_id, *server.worker_processes()]
    assert len(processes) == 2
    # One small exchange, so that what is loaded at the first request is not counted.
    server.get("/download?size=1000000")
    before = {process: resident_bytes(process) for process in processes}
    transfer()
    grown = {process: peak_resident_bytes(process) - before[process] for process in processes}
    assert max(grown.values()) < MOST_GROWTH, f"grown by {grown}"
