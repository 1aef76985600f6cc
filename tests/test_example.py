"""The example application, as its README tells to use it, and its page in a browser."""

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.browser import Browser
from tests.support.external import curl

EXAMPLES = Path(__file__).parent.parent / "examples"
WORKERS = 2


@pytest.fixture(scope="module")
def example(
    start_module_server: StartServer, tmp_path_factory: pytest.TempPathFactory
) -> AndonServer:
    """The example with two workers and a database of its own."""
    return start_module_server(
        "main:app",
        *("--workers", str(WORKERS)),
        application_directory=EXAMPLES,
        environment={
            "PARCELS_DATABASE": str(tmp_path_factory.mktemp("parcels") / "parcels.sqlite3")
        },
    )


@pytest.fixture(scope="module")
def client(example: AndonServer) -> Iterator[httpx.Client]:
    """A client of the example."""
    with httpx.Client(base_url=example.url, timeout=20) as opened:
        yield opened


def _receive_parcel(client: httpx.Client, recipient: str = "Ada") -> dict[str, Any]:
    response = client.post("/parcels", json={"recipient": recipient, "grams": 1200})
    assert response.status_code == 201
    parcel: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/parcels/{parcel['number']}"
    return parcel


def test_a_parcel_is_taken_in_moved_and_shown(client: httpx.Client, example: AndonServer) -> None:
    parcel = _receive_parcel(client)
    number = parcel["number"]
    assert parcel == {"recipient": "Ada", "grams": 1200, "number": number, "state": "received"}
    moved = client.put(f"/parcels/{number}/state", params={"state": "sorted"})
    assert moved.json()["state"] == "sorted"
    assert client.get(f"/parcels/{number}").json() == {**parcel, "state": "sorted"}
    assert client.get("/parcels/999999").status_code == 404
    assert client.post("/parcels", json={"recipient": "", "grams": -1}).status_code == 422
    assert client.get(f"/parcels/{number}/postage?grams=1200").json()["euros"] == 4.94
    wait_until(
        lambda: f"label of parcel {number} printed" in example.stdout, "the label is printed"
    )


def test_changes_are_told_as_server_sent_events(client: httpx.Client) -> None:
    number = _receive_parcel(client)["number"]
    with client.stream("GET", "/changes") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        data = (line for line in response.iter_lines() if line.startswith("data: "))
        wanted = {"number": number, "state": "received"}
        assert next(json.loads(line[6:]) for line in data if json.loads(line[6:]) == wanted)
        client.put(f"/parcels/{number}/state", params={"state": "delivered"})
        assert json.loads(next(data)[6:]) == {"number": number, "state": "delivered"}


def test_the_desk_answers_and_tells_changes(client: httpx.Client, example: AndonServer) -> None:
    with connect(example.websocket_url + "/desk/socket") as socket:
        welcome = json.loads(socket.recv(10))
        assert welcome["kind"] == "welcome"
        assert welcome["pid"] in example.worker_processes()
        socket.send("hello")
        answer = json.loads(socket.recv(10))
        assert (answer["kind"], answer["letters"]) == ("answer", 5)
        number = _receive_parcel(client)["number"]
        change = json.loads(socket.recv(10))
        assert change == {"kind": "change", "number": number, "state": "received"}


def test_an_upload_is_measured_and_hashed(client: httpx.Client) -> None:
    photo = bytes(range(256)) * 40_000
    expected = {"bytes": len(photo), "sha256": hashlib.sha256(photo).hexdigest()}
    assert client.put("/photos", content=photo).json() == {"name": None, **expected}
    posted = client.post("/photos", files={"photo": ("parcel.jpg", photo)})
    assert posted.json() == {"name": "parcel.jpg", **expected}


@pytest.mark.parametrize(
    "route",
    [
        "async-sleep",
        "sleep-in-def",
        "sleep-in-async-def",
        "cpu-in-async-def",
        "cpu-in-def",
        "await-then-sleep",
    ],
)
def test_each_blocking_route_tells_where_it_ran(
    client: httpx.Client, example: AndonServer, route: str
) -> None:
    ran = client.get(f"/blocking/{route}?seconds=0.05").json()
    assert ran["route"] == route
    assert ran["pid"] in example.worker_processes()
    assert ran["thread"] > 0
    assert ran["seconds"] >= 0.05


def test_a_blocked_worker_does_not_hold_up_the_fast_route(example: AndonServer) -> None:
    with example.connect(seconds=20) as blocked:
        blocked.send(
            b"GET /blocking/sleep-in-async-def?seconds=3 HTTP/1.1\r\nHost: test.example\r\n\r\n"
        )
        started, slowest = time.monotonic(), 0.0
        while time.monotonic() - started < 2:
            before = time.monotonic()
            assert example.get("/blocking/fast").status == 200
            slowest = max(slowest, time.monotonic() - before)
        assert blocked.read_response().json()["seconds"] >= 3
    # One which waited for the sleeper would have taken most of its three seconds.
    assert slowest < 1


@pytest.mark.parametrize("page", ["/", "/desk", "/docs", "/openapi.json", "/health"])
def test_each_page_is_there(client: httpx.Client, page: str) -> None:
    assert client.get(page).status_code == 200


def test_the_pages_of_the_index_are_there(client: httpx.Client) -> None:
    links = re.findall(r'href="([^"]+)"', client.get("/").text)
    assert len(links) >= 8
    for _ in range(5):
        # The link to the changes ends after five.
        _receive_parcel(client)
    for link in links:
        if "seconds=" not in link:
            assert client.get(link).status_code == 200, link


def test_curl_lines_of_the_readme_work(example: AndonServer) -> None:
    readme = (EXAMPLES / "README.md").read_text()
    (line,) = [line for line in readme.splitlines() if line.startswith("curl -i -X POST")]
    body = re.search(r"-d '([^']+)'", line)
    assert body is not None
    posted = curl("--json", body[1], f"{example.url}/parcels").stdout
    assert json.loads(posted)["recipient"] == "Ada"


def test_the_example_is_typed(tmp_path: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}"]
    completed = subprocess.run(
        [*mypy, *map(str, sorted(EXAMPLES.glob("*.py")))],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert completed.returncode == 0, completed.stdout


def test_the_desk_works_in_a_browser(example: AndonServer, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(f"{example.url}/desk")
        browser.wait_for_text("open, served by process")
        browser.wait_for_text("answer: hello from the page (19 letters)")
        browser.evaluate("document.getElementById('receive').click()")
        browser.wait_for_text("is received")
