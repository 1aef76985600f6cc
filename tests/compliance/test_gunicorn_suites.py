"""gunicorn's two ASGI suites, each run by its own pytest; their failure is ours."""

from pathlib import Path

import pytest

from tests.compliance.exceptions import ACCEPTED_FAILURES
from tests.compliance.upstream import FRAMEWORKS, SUITE_SECONDS, Report, run_asgi, run_framework

pytestmark = [pytest.mark.compliance, pytest.mark.timeout(SUITE_SECONDS + 60)]
# Fewer mean that a suite was not collected as it should be, not that it is well.
FEWEST_ASGI_TESTS = 150
FEWEST_FRAMEWORK_TESTS = 55


def test_the_asgi_suite_passes(tmp_path: Path) -> None:
    report = run_asgi(tmp_path)
    _assert_no_failures(report)
    assert report.count("passed") >= FEWEST_ASGI_TESTS


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_framework_suite_passes(framework: str, tmp_path: Path) -> None:
    report = run_framework(framework, tmp_path)
    _assert_no_failures(report)
    assert report.count("passed") >= FEWEST_FRAMEWORK_TESTS


def test_every_accepted_failure_has_a_reason() -> None:
    assert all(ACCEPTED_FAILURES.values())


def _assert_no_failures(report: Report) -> None:
    failures = report.unexpected_failures
    names = "\n".join(f"{outcome.name}: {outcome.message}" for outcome in failures)
    assert not failures, (
        f"{len(failures)} of {len(report.outcomes)} failed\n{names}\n{report.output}"
    )
