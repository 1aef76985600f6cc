"""The harness finds differences: faces that are wrong on purpose are reported."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.parity import suite, wrong_faces
from tests.parity.cases import parameters, subject
from tests.parity.cases.case import case, get
from tests.parity.cases.keeping import kept_by_case
from tests.parity.cases.running import problems
from tests.parity.comparing import compare
from tests.parity.exchange import Recording, exchange_of
from tests.parity.face import PLAIN, MakeFace, plain
from tests.parity.generated.driving import Driver
from tests.parity.generated.fuzzing import Run, fuzz
from tests.parity.observation import Body, Observation, Raised, Start, differences
from tests.parity.over_sockets import ROOT
from tests.support import wait_until

ENOUGH_REQUESTS = 3000
LEAVES_ITS_FRONT = """
import os, signal
from tests.parity.loopback.bridge import Bridge
print(Bridge().front.process_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
SUITE_SECONDS = 240
KEY = ("tests/test_a.py::test_a", "GET", "http://testserver/", 0)


def case_problems(name: str, title: str, make_face: MakeFace) -> list[str]:
    module = subject(name)
    case = next(case for case in module.CASES if case.title == title)
    return asyncio.run(problems(module.make, case, make_face))


def fuzz_with(make_face: MakeFace) -> Run:
    return fuzz(Driver(make_face), ENOUGH_REQUESTS, "harness")


def test_a_plain_face_shows_no_difference() -> None:
    assert fuzz(Driver(plain), 300, "harness").found == []
    assert case_problems("errors", "HTTPException", plain) == []


@pytest.mark.parametrize(
    ("make_face", "words"),
    [
        (wrong_faces.without_a_header, "content-type"),
        (wrong_faces.in_the_application, "content-type"),
        (wrong_faces.in_two_pieces, "messages: "),
        (wrong_faces.without_an_exception, "exception: "),
        (wrong_faces.with_another_query, " / "),
    ],
)
def test_a_wrong_face_is_found_by_generated_requests(make_face: MakeFace, words: str) -> None:
    [found] = fuzz_with(make_face).found
    assert words in found.text()


def test_what_is_found_is_made_small() -> None:
    [found] = fuzz_with(wrong_faces.without_a_header).found
    assert not found.needs_others
    assert len(found.application.routes) == 0
    assert found.application.dependencies == ()
    assert found.request.headers == () and found.request.query == b""


@pytest.mark.parametrize(
    ("name", "title", "make_face"),
    [
        ("errors", "HTTPException", wrong_faces.without_a_header),
        ("responses", "result: text", wrong_faces.in_two_pieces),
        ("lifecycle", "an exception without a handler", wrong_faces.without_an_exception),
        ("parameters", "plus, percent and bad percent", wrong_faces.with_another_query),
    ],
)
def test_a_wrong_face_is_found_by_a_case(name: str, title: str, make_face: MakeFace) -> None:
    assert case_problems(name, title, make_face)


def test_a_case_with_another_status_than_it_says_is_reported() -> None:
    another = case("title", get("/query", 418))
    assert asyncio.run(problems(parameters.make, another, plain)) == [
        f"{get('/query').request}: status 200, the case says 418"
    ]


@pytest.mark.compliance
@pytest.mark.timeout(SUITE_SECONDS)
def test_a_wrong_face_is_found_by_the_suite(tmp_path: Path) -> None:
    face = "andon_parity.wrong_faces:without_a_header"
    recordings = suite.run([PLAIN, face], ["tests/test_path.py"], tmp_path)
    result = compare(recordings[PLAIN], recordings[face])
    # The tests themselves look at bodies only, and pass.
    assert result.passed_other == result.passed_plain > 0
    assert result.different and result.equal
    assert all("headers" in text for text in result.different)


@pytest.mark.parametrize(
    "change",
    [
        lambda seen: seen.messages.pop(),
        lambda seen: seen.messages.reverse(),
        lambda seen: seen.messages.append(Body(b"", False)),
        lambda seen: seen.events.append("more"),
        lambda seen: setattr(seen, "raised", Raised("E", "text", None)),
        lambda seen: seen.messages.__setitem__(0, Start(200, ((b"b", b"2"), (b"a", b"1")))),
        lambda seen: seen.messages.__setitem__(0, Start(201, ((b"a", b"1"), (b"b", b"2")))),
        lambda seen: seen.messages.__setitem__(1, Body(b"other", False)),
    ],
)
def test_every_part_of_an_observation_is_compared(change: Callable[[Observation], Any]) -> None:
    seen, other = observation(), observation()
    assert differences(seen, other) == []
    change(other)
    assert differences(seen, other)


def test_what_is_left_over_of_requests_is_found() -> None:
    left = asyncio.run(kept_by_case("parameters", wrong_faces.keeping_scopes))
    assert "path" in left


def test_an_exchange_that_is_missing_is_a_problem() -> None:
    exchange = exchange_of(KEY, observation(), PLAIN, "APIRoute /")
    there = Recording({exchange.key: exchange}, {})
    assert compare(there, there).problems == []
    assert compare(there, Recording({}, {})).problems
    assert compare(Recording({}, {}), there).problems


def observation() -> Observation:
    """An answer of two headers and a body."""
    return Observation([Start(200, ((b"a", b"1"), (b"b", b"2"))), Body(b"body", False)])


def test_a_front_ends_when_the_tests_have_ended_without_a_word() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEAVES_ITS_FRONT], cwd=ROOT, stdout=subprocess.PIPE, timeout=60
    )
    front = Path(f"/proc/{int(ended.stdout)}/stat")

    def has_ended() -> bool:
        try:
            # Its end may not have been taken note of: a zombie.
            return front.read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    wait_until(has_ended, "the front has ended", 30)
