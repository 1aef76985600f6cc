"""Real clients, each with what it does in its own way: curl, httpx, aiohttp, websockets, ws."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import httpx
import pytest
import websockets

from tests.support import AndonServer
from tests.support.external import curl, run_node

BODY = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(BODY).hexdigest()


# --- curl


def test_curl_reads_an_answer(raw_server: AndonServer) -> None:
    answer = json.loads(curl("--header", "X-Name: v", f"{raw_server.url}/curl?a=b").stdout)
    assert (answer["path"], answer["query"]) == ("/curl", "a=b")
    assert ["x-name", "v"] in answer["headers"]


def test_curl_uploads_a_large_file_after_continue(raw_server: AndonServer, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    # curl itself asks for 100 Continue before bodies above one mebibyte.
    completed = curl("--verbose", "--upload-file", str(file), f"{raw_server.url}/digest")
    assert json.loads(completed.stdout) == {"bytes": len(BODY), "sha256": SHA256}
    assert b"100 Continue" in completed.stderr


def test_curl_uploads_in_chunks(raw_server: AndonServer, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    chunked = ("--header", "Transfer-Encoding: chunked", "--header", "Expect:")
    completed = curl(*chunked, "--data-binary", f"@{file}", f"{raw_server.url}/digest")
    assert json.loads(completed.stdout) == {"bytes": len(BODY), "sha256": SHA256}


def test_curl_posts_a_form_with_a_file(fastapi_server: AndonServer, tmp_path: Path) -> None:
    file = tmp_path / "photo.bin"
    file.write_bytes(BODY)
    completed = curl("--form", f"file=@{file}", f"{fastapi_server.url}/upload")
    assert json.loads(completed.stdout) == {"name": "photo.bin", "size": len(BODY)}


def test_curl_uses_one_connection_for_two_requests(raw_server: AndonServer) -> None:
    url = f"{raw_server.url}/twice"
    written = ("--write-out", "\n%{num_connects}\n")
    lines = curl(*written, url, url).stdout.decode().splitlines()
    assert [line for line in lines if line in ("0", "1")] == ["1", "0"]


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_curl_speaks_either_version(raw_server: AndonServer, version: str) -> None:
    answer = json.loads(curl(version, f"{raw_server.url}/").stdout)
    assert answer["http_version"] == version.removeprefix("--http")


def test_curl_gets_a_head(raw_server: AndonServer) -> None:
    head = curl("--head", f"{raw_server.url}/close").stdout.decode().lower()
    assert head.startswith("http/1.1 200 ok\r\n")
    assert "content-length: 3\r\n" in head


# --- httpx


def test_httpx_streams_both_ways(raw_server: AndonServer) -> None:
    parts = [bytes([number]) * 10_000 for number in range(100)]
    with httpx.Client(timeout=10) as client:
        response = client.post(f"{raw_server.url}/mirror", content=iter(parts))
        assert response.content == b"".join(parts)
        assert client.get(f"{raw_server.url}/next").status_code == 200


def test_httpx_runs_a_hundred_requests_at_once(raw_server: AndonServer) -> None:
    async def run() -> list[str]:
        async with httpx.AsyncClient(timeout=20) as client:
            requests = [client.get(f"{raw_server.url}/{number}") for number in range(100)]
            responses = await asyncio.gather(*requests)
        return [response.json()["path"] for response in responses]

    assert asyncio.run(run()) == [f"/{number}" for number in range(100)]


def test_httpx_validates_through_fastapi(fastapi_server: AndonServer) -> None:
    with httpx.Client(base_url=fastapi_server.url, timeout=10) as client:
        item = client.get("/items/7", params={"q": "a b", "limit": 3}).json()
        assert item == {"item_id": 7, "q": "a b", "limit": 3}
        created = client.post("/items", json={"name": "n", "price": 2.5, "tags": ["a"]})
        assert (created.status_code, created.json()) == (201, {"name": "n", "total": 5.0})
        assert client.post("/items", json={"name": "n"}).status_code == 422
        assert client.get("/items/x").status_code == 422
        assert client.get("/nothing").status_code == 404
        assert client.post("/items/7").status_code == 405
        assert client.get("/openapi.json").json()["openapi"].startswith("3.")
        assert "swagger" in client.get("/docs").text.lower()
        for route in ("/stream", "/stream/sync"):
            text = client.get(route, params={"count": 50}).text
            assert text == "".join(f"part {number}\n" for number in range(50))


# --- aiohttp


def test_aiohttp_streams_and_keeps_its_connection(raw_server: AndonServer) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(BODY), 65_536):
            yield BODY[start : start + 65_536]

    async def run() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(raw_server.url, connector=connector) as session:
            async with session.post("/digest", data=parts()) as response:
                assert await response.json() == {"bytes": len(BODY), "sha256": SHA256}
            async with session.get("/stream?count=100&size=1000") as response:
                received = [part async for part in response.content.iter_chunked(1 << 16)]
                assert sum(map(len, received)) == 100_000
            async with session.post("/digest", data=b"x" * 10_000, expect100=True) as response:
                assert (await response.json())["bytes"] == 10_000

    asyncio.run(run())


def test_aiohttp_speaks_websocket(raw_server: AndonServer) -> None:
    async def run() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(raw_server.url + "/ws/echo", compress=15) as socket,
        ):
            await socket.send_str("text")
            assert await socket.receive_str() == "text"
            # aiohttp itself takes no message above four mebibytes.
            await socket.send_bytes(BODY[:1_000_000])
            assert await socket.receive_bytes() == BODY[:1_000_000]
            await socket.ping(b"ping")
            assert await socket.close(code=4000)
            assert socket.close_code == 4000

    asyncio.run(run())


# --- websockets


def test_fifty_websockets_talk_at_once(raw_server: AndonServer) -> None:
    async def talk(number: int) -> None:
        async with websockets.connect(raw_server.websocket_url + "/ws/echo") as socket:
            for turn in range(20):
                await socket.send(f"{number}:{turn}")
                assert await socket.recv() == f"{number}:{turn}"
            await (await socket.ping())

    async def run() -> None:
        await asyncio.gather(*(talk(number) for number in range(50)))

    asyncio.run(run())


# --- npm


NODE_ECHO = """
const WebSocket = require("ws");
const socket = new WebSocket(process.argv[1]);
const seen = [];
socket.on("open", () => { seen.push(["open", socket.extensions]); socket.send("text"); });
socket.on("message", (data, isBinary) => {
  seen.push(["message", isBinary, data.length]);
  if (!isBinary) socket.send(Buffer.alloc(100000, 7));
  else socket.ping("ping");
});
socket.on("pong", (data) => { seen.push(["pong", data.toString()]); socket.close(4001, "done"); });
socket.on("close", (code, reason) => {
  seen.push(["close", code, reason.toString()]);
  console.log(JSON.stringify(seen));
});
socket.on("error", (error) => { console.error(error); process.exit(1); });
"""


def test_ws_of_npm_talks_in_text_bytes_and_pings(raw_server: AndonServer) -> None:
    seen = json.loads(run_node(NODE_ECHO, raw_server.websocket_url + "/ws/echo?name=npm"))
    assert seen[0][1].startswith("permessage-deflate")
    assert seen[1:] == [
        ["message", False, 4],
        ["message", True, 100_000],
        ["pong", "ping"],
        ["close", 4001, "done"],
    ]
    message = raw_server.journal.wait_for("closed", name="npm")["message"]
    assert (message["code"], message["reason"]) == (4001, "done")


NODE_DENIED = """
const WebSocket = require("ws");
const socket = new WebSocket(process.argv[1]);
socket.on("unexpected-response", (request, response) => {
  console.log(response.statusCode, response.headers["x-why"]);
  process.exit(0);
});
socket.on("error", (error) => { console.error(error); process.exit(1); });
"""


def test_ws_of_npm_sees_the_answer_which_denies_it(raw_server: AndonServer) -> None:
    url = raw_server.websocket_url + "/ws/deny-with-answer"
    assert run_node(NODE_DENIED, url).split() == ["401", "no", "token"]
