"""Compares other releases of FastAPI and Starlette: which may be known to `andon.native.digests`?

Each gets an environment of its own. In there run the hand-written cases, generated applications,
and the tests of that release of FastAPI.
"""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.parity import suite
from tests.parity.comparing import compare, summary
from tests.parity.environment import Releases, links, suite_python, test_files
from tests.parity.face import NATIVE, PLAIN
from tests.parity.over_sockets import FIXED_HASHES, ROOT
from tests.support.server_process import clean_environment

PART_SECONDS = 1800
VERSIONS = """
from importlib.metadata import version
print(*(f"{name} {version(name)}" for name in ("fastapi", "starlette", "pydantic", "anyio")))
"""


@dataclass
class Trial:
    """What was found out about some releases."""

    releases: Releases
    requests: int
    small: bool
    scratch: Path
    jobs: int
    failed: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Run all parts, and say what came of them."""
        python = suite_python(self.releases)
        print(f"== {self.releases}", flush=True)
        self.scratch.mkdir(parents=True)
        path = links(self.scratch / "links")
        self._call("versions", [str(python), "-c", VERSIONS], path)
        parity = (str(python), "-W", "ignore", "-m", "tests.parity")
        self._call("cases", [*parity, "cases"], path)
        fuzz = ("fuzz", "--requests", str(self.requests))
        self._call("fuzz", [*parity, *fuzz], path)
        self._run_suite()

    def add_digests(self, file: Path) -> None:
        """Put the digests of what was compared into the file of known ones."""
        python = suite_python(self.releases)
        command = [str(python), "-m", "andon.native.digests", "--add", str(file)]
        self._call("digests", command, self.scratch / "links")

    def _call(self, part: str, command: list[str], path: Path) -> None:
        own = {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "PARITY_NATIVE": "unknown-ok"}
        ended = subprocess.run(
            command,
            env=clean_environment() | FIXED_HASHES | own,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            timeout=PART_SECONDS,
        )
        if ended.returncode != 0:
            self.failed.append(part)

    def _run_suite(self) -> None:
        files = (suite.small_selection if self.small else test_files)(self.releases.fastapi)
        os.environ["PARITY_NATIVE"] = "unknown-ok"
        found = suite.run([PLAIN, NATIVE], files, self.scratch, self.jobs, self.releases)
        result = compare(found[PLAIN], found[NATIVE])
        for problem in result.problems:
            print(f"DIFFERENT {problem}")
        print(summary(NATIVE, result), flush=True)
        if result.problems:
            self.failed.append("suite")
