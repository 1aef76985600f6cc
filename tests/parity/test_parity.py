"""The native path answers as plain ASGI does: cases, generated requests, FastAPI's own tests.

Smaller than `make parity` and `make fuzz`, which are for whoever changes the native path.
"""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.parity import suite
from tests.parity.cases import SUBJECTS, subject, wire
from tests.parity.cases.case import Case
from tests.parity.cases.keeping import kept_by_case
from tests.parity.cases.running import problems
from tests.parity.comparing import compare, not_native_over_wire, summary
from tests.parity.exchange import Recording
from tests.parity.exclusions import (
    BY_DESIGN,
    DESELECTED,
    KNOWN_DIFFERENCES,
    LEAST_NATIVE_SHARE,
    MASKS,
    NOT_OVER_SOCKETS,
    UNSTABLE,
)
from tests.parity.face import FACES, NATIVE, PLAIN, WIRE, native
from tests.parity.generated.driving import Driver
from tests.parity.generated.fuzzing import fuzz
from tests.parity.generated.over_wire import WireDriver

FUZZ_REQUESTS = 5_000
WIRE_REQUESTS = 1_500
FUZZ_SEED = "make test"
SUITE_SECONDS = 600
# Fewer mean that something was not collected as it should be, not that it is well.
FEWEST_PASSED = 700
ALL_CASES = [(name, case) for name in SUBJECTS for case in subject(name).CASES]


@pytest.mark.parametrize(
    ("name", "case"), ALL_CASES, ids=[f"{name}: {case.title}" for name, case in ALL_CASES]
)
def test_a_case_is_answered_the_same(name: str, case: Case) -> None:
    found = asyncio.run(problems(subject(name).make, case, native))
    if f"{name}: {case.title}" in KNOWN_DIFFERENCES:
        assert found, "it is no longer different"
    else:
        assert not found, "\n".join(found)


@pytest.mark.parametrize("name", SUBJECTS)
def test_nothing_is_left_over_of_a_request(name: str, caplog: pytest.LogCaptureFixture) -> None:
    # pytest keeps what is logged.
    with caplog.at_level(logging.CRITICAL, "python_multipart"):
        assert asyncio.run(kept_by_case(name, native)) == {}


@pytest.mark.parametrize("name", SUBJECTS)
def test_cases_are_answered_over_sockets_as_uvicorn_does(name: str, tmp_path: Path) -> None:
    assert wire.problems(name, tmp_path) == []


def test_hostile_requests_to_generated_applications_are_answered_the_same() -> None:
    run = fuzz(Driver(native), FUZZ_REQUESTS, FUZZ_SEED)
    assert not run.found, run.found[0].text()


def test_hostile_requests_over_sockets_are_answered_as_uvicorn_does() -> None:
    run = fuzz(WireDriver(), WIRE_REQUESTS, FUZZ_SEED)
    assert not run.found, run.found[0].text()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    """What FastAPI's own tests gave in each mode."""
    return suite.run(list(FACES), suite.small_selection(), tmp_path_factory.mktemp("suite"))


@pytest.mark.compliance
@pytest.mark.timeout(SUITE_SECONDS)
@pytest.mark.parametrize("face", [NATIVE, WIRE])
def test_fastapis_own_tests_give_the_same(recordings: dict[str, Recording], face: str) -> None:
    result = compare(recordings[PLAIN], recordings[face], over_wire=face == WIRE)
    text = "\n".join([*result.problems, summary(face, result)])
    assert not result.problems, text
    assert result.passed_plain >= FEWEST_PASSED, text
    if face == NATIVE:
        assert result.native_share >= LEAST_NATIVE_SHARE, text


@pytest.mark.compliance
@pytest.mark.timeout(SUITE_SECONDS)
def test_what_is_native_in_process_is_native_over_the_wire(
    recordings: dict[str, Recording],
) -> None:
    assert not_native_over_wire(recordings[NATIVE], recordings[WIRE]) == []


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("cors", ("answers, ", "a question")),
        ("compressing", ("whole answers, ", "large", "streams, ")),
        ("compressing_all", ("answers, ", "what is asked, ")),
        ("hosts", ("with www",)),
        ("https", ("with TLS",)),
        ("stacked", ("with TLS, ", "refusals, ")),
    ],
)
def test_what_answers_under_known_middleware_is_native(name: str, titles: tuple[str, ...]) -> None:
    cases = [case for case in subject(name).CASES if case.title.startswith(titles)]
    served: list[str] = []
    for case in cases:
        assert asyncio.run(problems(subject(name).make, case, native, served.append)) == []
    assert len(served) == sum(len(case.steps) for case in cases)
    assert set(served) == {NATIVE}


def test_every_exclusion_has_a_reason() -> None:
    lists = (DESELECTED, UNSTABLE, NOT_OVER_SOCKETS, BY_DESIGN, KNOWN_DIFFERENCES)
    assert all(reason for exclusions in lists for reason in exclusions.values())
    assert all(mask.reason for mask in MASKS)
