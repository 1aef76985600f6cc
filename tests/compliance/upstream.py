"""Runs gunicorn's own pytest suites against an Andon, in a process of their own."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.compliance.exceptions import ACCEPTED_FAILURES, DESELECTED
from tests.compliance.source import source_directory
from tests.support import AndonServer
from tests.support.server_process import clean_environment

OVERRIDES = Path(__file__).parent / "overrides"
SUITE_SECONDS = 300
ASGI_SUITE = "asgi"
# The suites count in the memory of the process and expect strict increments, so one worker each.
OPTIONS = ("--workers", "1")

FRAMEWORKS: dict[str, str] = {
    "django": "asgi:application",
    "fastapi": "app:app",
    "starlette": "app:app",
    "quart": "app:app",
    "litestar": "app:app",
    "blacksheep": "app:app",
}


@dataclass(frozen=True)
class Outcome:
    """One test of theirs."""

    name: str
    result: str
    message: str = ""

    @property
    def accepted(self) -> bool:
        """Whether its failure is on the list of exceptions."""
        return any(part in self.name for part in ACCEPTED_FAILURES)


@dataclass(frozen=True)
class Report:
    """What a suite gave."""

    suite: str
    outcomes: list[Outcome]
    output: str

    def count(self, result: str) -> int:
        """How many tests ended so: passed, failed or skipped."""
        return Counter(outcome.result for outcome in self.outcomes)[result]

    @property
    def unexpected_failures(self) -> list[Outcome]:
        """Failures which are not excused."""
        failed = [outcome for outcome in self.outcomes if outcome.result == "failed"]
        return [outcome for outcome in failed if not outcome.accepted]


def run_asgi(scratch: Path) -> Report:
    """Run `asgi_compliance`: HTTP, WebSocket, streaming, lifespan, frameworks, concurrency."""
    suite = source_directory() / "tests" / "docker" / "asgi_compliance"
    directory = scratch / "suite"
    shutil.copytree(suite, directory)
    # Their fixtures stay one folder above; a conftest nearer to the tests overrides them.
    tests = directory / "under_andon"
    tests.mkdir()
    for path in directory.glob("test_*.py"):
        path.rename(tests / path.name)
    shutil.copy(OVERRIDES / "asgi_conftest.py", tests / "conftest.py")
    (directory / "__init__.py").unlink()
    server = AndonServer(
        "apps.main_app:app", *OPTIONS, scratch=scratch / "server", application_directory=directory
    )
    try:
        server.start()
        environment = {
            "COMPLIANCE_URL": server.url,
            "COMPLIANCE_DESELECTED": json.dumps(list(DESELECTED)),
        }
        return _run_pytest(ASGI_SUITE, tests, environment, directory, scratch)
    finally:
        server.destroy()


def run_framework(framework: str, scratch: Path) -> Report:
    """Run `asgi_framework_compat` for one framework."""
    suite = source_directory() / "tests" / "docker" / "asgi_framework_compat"
    directory = scratch / "suite"
    shutil.copytree(suite, directory)
    shutil.copy(OVERRIDES / "frameworks_conftest.py", directory / "tests" / "conftest.py")
    server = AndonServer(
        FRAMEWORKS[framework],
        *OPTIONS,
        scratch=scratch / "server",
        application_directory=directory / "frameworks" / f"{framework}_app",
        environment={"DJANGO_SETTINGS_MODULE": "settings"} if framework == "django" else None,
    )
    try:
        server.start()
        urls = json.dumps({framework: server.url})
        environment = {"COMPLIANCE_URLS": urls, "PYTHONPATH": str(directory)}
        return _run_pytest(framework, directory / "tests", environment, directory, scratch)
    finally:
        server.destroy()


def _run_pytest(
    suite: str, tests: Path, environment: Mapping[str, str], directory: Path, scratch: Path
) -> Report:
    results = scratch / "results.xml"
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"),
            *("-o", "asyncio_mode=auto", "--rootdir", str(directory)),
            *(f"--junitxml={results}", str(tests)),
        ],
        cwd=directory,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
    )
    output = completed.stdout + completed.stderr
    if not results.exists():
        raise RuntimeError(f"{suite} gave no results\n{output}")
    return Report(suite, _read(results), output)


def _read(results: Path) -> list[Outcome]:
    outcomes = []
    for case in ElementTree.parse(results).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        result, message = "passed", ""
        for child in case:
            if child.tag in ("failure", "error"):
                result, message = "failed", child.get("message", "")
            elif child.tag == "skipped":
                result, message = "skipped", child.get("message", "")
        outcomes.append(Outcome(name, result, message))
    return outcomes
