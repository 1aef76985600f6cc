"""What an answer and the logs tell of how it came about."""

import json
import re

from tests.conftest import StartServer
from tests.support import wait_until
from tests.support.raw_http import Response

TIMING = re.compile(r"queue;dur=[0-9.]+, run;dur=[0-9.]+, cpu;dur=[0-9.]+")
PLACEMENT = re.compile(r"worker=1; lane=(normal|heavy); executor=(loop|thread); reason=[a-z-]+")
ASK = ("Andon-Explain", "1")


def _is_explained(response: Response) -> bool:
    fields = [response.header("server-timing"), response.header("andon-placement")]
    if fields == [None, None]:
        return False
    assert TIMING.fullmatch(fields[0] or ""), fields
    assert PLACEMENT.fullmatch(fields[1] or ""), fields
    return True


def test_every_answer_is_explained_where_that_is_wanted(start_server: StartServer) -> None:
    server = start_server("placing:app", "--explain")
    assert _is_explained(server.get("/fast"))
    assert _is_explained(server.get("/no-such-route"))


def test_a_client_on_the_same_machine_may_ask_for_it(start_server: StartServer) -> None:
    server = start_server("placing:app")
    assert _is_explained(server.get("/fast", ASK))
    assert not _is_explained(server.get("/fast"))


def test_a_client_that_is_not_trusted_is_told_nothing(start_server: StartServer) -> None:
    server = start_server("placing:app", "--trusted-peers", "none")
    assert not _is_explained(server.get("/fast", ASK))
    assert server.get("/fast", ("Andon-Timeout", "0.000001")).status == 200


def test_logs_can_be_written_as_json(start_server: StartServer) -> None:
    server = start_server("placing:app", "--log-format", "json")
    server.get("/fast?json=1", ASK)
    wait_until(lambda: "json=1" in server.stdout, "the answer is logged")
    answer = json.loads(server.stdout)
    assert (answer["event"], answer["path"], answer["query"]) == ("answer", "/fast", "json=1")
    assert (answer["status"], answer["worker"]) == (200, 1)
    assert answer["queue_ms"] + answer["run_ms"] <= answer["elapsed_ms"] + 1
    assert answer["cpu_ms"] >= 0
    messages = [json.loads(line) for line in server.stderr.splitlines()]
    assert all(message.keys() >= {"time", "level", "message"} for message in messages)


def test_every_decision_can_be_recorded(start_server: StartServer) -> None:
    server = start_server("placing:app", "--dispatch-trace", "trace.jsonl")
    assert server.get("/fast").status == 200
    assert server.stop() == 0
    lines = (server.scratch / "trace.jsonl").read_text().splitlines()
    settings, *records = [json.loads(line) for line in lines]
    assert settings["window"] > 0
    assert all(record.keys() == {"now", "event", "actions"} for record in records)
    assert any("Offer" in action for record in records for action in record["actions"])
