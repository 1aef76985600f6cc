"""The rule as documented predicts the worker of every request of a recorded run."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartServer

REQUESTS = 10_000
CLIENTS = 32
PATHS = (
    "/health",
    "/blocking/async-sleep?seconds=0.001",
    "/health",
    "/blocking/cpu-in-def?seconds=0.001",
)
EXAMPLES = Path(__file__).parent.parent / "examples"


async def _load(url: str) -> Counter[str]:
    """Send all requests and count the placements that their answers tell."""
    placements: Counter[str] = Counter()
    numbers = iter(range(REQUESTS))

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as opened:
            for number in numbers:
                response = await opened.get(PATHS[number % len(PATHS)])
                assert response.status_code == 200, response.text
                fields = response.headers["andon-placement"].split("; ")
                placements[dict(field.split("=") for field in fields)["worker"]] += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return placements


@pytest.mark.slow
def test_the_rule_predicts_every_placement_of_a_recorded_run(
    start_server: StartServer, tmp_path: Path
) -> None:
    trace = tmp_path / "decisions.jsonl"
    server = start_server(
        "main:app",
        *("--workers", "3", "--explain", "--no-access-log", "--dispatch-trace", str(trace)),
        application_directory=EXAMPLES,
        environment={"PARCELS_DATABASE": str(tmp_path / "parcels.sqlite3")},
    )
    told = asyncio.run(_load(server.url))
    assert sum(told.values()) == REQUESTS
    server.stop()

    offered: Counter[str] = Counter()
    for line in trace.read_text().splitlines()[1:]:
        for action in json.loads(line)["actions"]:
            if "Offer" in action:
                offered[str(action["Offer"]["worker"] + 1)] += 1
    recalled = sum(offered.values()) - REQUESTS
    assert all(offered[worker] >= count for worker, count in told.items())
    assert sum((offered - told).values()) == recalled

    command = [sys.executable, "-m", "andon.replay", str(trace)]
    replayed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert replayed.returncode == 0, replayed.stderr
    assert replayed.stdout.startswith(f"{REQUESTS + recalled} placements")


def test_a_record_that_the_rule_does_not_predict_is_told(tmp_path: Path) -> None:
    trace = tmp_path / "decisions.jsonl"
    record = {
        "now": {"secs": 1, "nanos": 0},
        "event": {"WorkerReady": 0},
        "actions": [{"Resize": 9}],
    }
    trace.write_text("{}\n" + json.dumps(record) + "\n")
    command = [sys.executable, "-m", "andon.replay", str(trace)]
    replayed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert replayed.returncode == 1
    assert replayed.stderr.startswith("error: line 2: the rule decides []")
