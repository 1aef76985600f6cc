"""Runs the cases of a subject over sockets: a real Andon beside a real uvicorn."""

from collections.abc import Iterator
from pathlib import Path

from tests.parity.cases import subject
from tests.parity.cases.case import Case, Step
from tests.parity.over_sockets import FIXED_HASHES, ROOT, UvicornServer, ask
from tests.support import AndonServer

Address = tuple[str, int]


def problems(name: str, scratch: Path) -> list[str]:
    """All differences of a subject's answers."""
    cases = [case for case in subject(name).CASES if case.wire]
    if not cases:
        return []
    application = f"tests.parity.cases.{name}:app"
    andon = AndonServer(
        application,
        *("--workers", "1"),
        scratch=scratch / f"andon-{name}",
        application_directory=ROOT,
        environment=FIXED_HASHES,
    )
    with UvicornServer(application, scratch / f"uvicorn-{name}") as uvicorn:
        andon.start()
        try:
            return [line for case in cases for line in _case_problems(case, uvicorn, andon.address)]
        finally:
            andon.stop()
            andon.destroy()


def _case_problems(case: Case, uvicorn: Address, andon: Address) -> Iterator[str]:
    for step in case.steps:
        assert isinstance(step, Step), "a case that changes its application cannot be run here"
        expected, found = ask(uvicorn, step.request), ask(andon, step.request)
        for line in expected.differences(found):
            yield f"{case.title}: {step.request}: {line}"
