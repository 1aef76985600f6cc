"""Runs FastAPI's own tests once in each mode, in a bounded number of processes.

The files are dealt out to shards once and for all, and each shard is a process of its own in each
mode: applications of the tutorials keep state in their modules, so what runs before what must not
differ between modes.
"""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.parity.environment import (
    PINNED,
    VERSION,
    Releases,
    links,
    suite_directory,
    suite_python,
    test_files,
)
from tests.parity.exchange import Recording, read
from tests.parity.exclusions import DESELECTED
from tests.support.server_process import clean_environment

SHARDS = 4
# One processor for each, on the smallest machine that we care for.
JOBS = 2
SHARD_SECONDS = 900
# The selection of `make test`: every so many files.
SMALL_STEP = 5


class SuiteFailed(Exception):
    """pytest itself did not come to its end."""


@dataclass(frozen=True)
class Shard:
    """Some test files in one mode."""

    release: str
    face: str
    number: int
    files: Sequence[str]

    @property
    def name(self) -> str:
        """For file names."""
        return f"{self.face.replace(':', '.')}-{self.number}"


def small_selection(release: str = VERSION) -> list[str]:
    """Every fifth file, without those which only wait or only look at telemetry."""
    files = [
        file for file in test_files(release) if "telemetry" not in file and "cancel" not in file
    ]
    return files[::SMALL_STEP]


def run(
    faces: Sequence[str],
    files: Sequence[str],
    scratch: Path,
    jobs: int = JOBS,
    releases: Releases = PINNED,
) -> dict[str, Recording]:
    """Run these files of a release with each face, and return what was recorded."""
    python = suite_python(releases)
    path = links(scratch / "path")
    shards = [
        Shard(releases.fastapi, face, number, files[number::SHARDS])
        for face in faces
        for number in range(min(SHARDS, len(files)))
    ]
    with ThreadPoolExecutor(jobs) as pool:
        paths = list(pool.map(lambda shard: _run_shard(shard, python, path, scratch), shards))
    return {
        face: read(path for shard, path in zip(shards, paths, strict=True) if shard.face == face)
        for face in faces
    }


def _run_shard(shard: Shard, python: Path, path: Path, scratch: Path) -> Path:
    directory = suite_directory(scratch / shard.name, shard.release)
    recording = scratch / f"{shard.name}.jsonl"
    output = scratch / f"{shard.name}.log"
    with output.open("wb") as log:
        code = subprocess.run(
            [
                *(str(python), "-m", "pytest"),
                *("-p", "andon_parity.plugin", "-p", "no:cacheprovider", "-p", "no:logfire"),
                *("--parity-face", shard.face, "--parity-record", str(recording)),
                f"--basetemp={directory / 'temporary'}",
                *("--tb=native", "-q", *_deselections(), *shard.files),
            ],
            cwd=directory,
            env=_environment(path),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=SHARD_SECONDS,
        ).returncode
    # 1 means that tests failed, which is for the comparison to judge.
    if code not in (0, 1):
        raise SuiteFailed(f"exit code {code}\n{output.read_text(errors='replace')[-4000:]}")
    return recording


def _deselections() -> list[str]:
    return [f"--deselect={name}" for name in DESELECTED]


def _environment(path: Path) -> dict[str, str]:
    return clean_environment() | {
        "PYTHONPATH": str(path),
        # The order of sets is part of some answers.
        "PYTHONHASHSEED": "0",
        # logfire is installed for its own tests, and would wrap every validator of all the others.
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "COLUMNS": os.environ.get("COLUMNS", "80"),
    }
