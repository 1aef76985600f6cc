"""Fetches gunicorn's source distribution, which holds the suites, into `.cache/`."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "27.0.1"
CACHE = Path(__file__).parent.parent.parent / ".cache"


def source_directory() -> Path:
    """Return the unpacked source distribution, fetching it the first time."""
    target = CACHE / f"gunicorn-{VERSION}"
    if not target.exists():
        CACHE.mkdir(exist_ok=True)
        _unpack(_download(), target)
    return target


def _download() -> Path:
    archive = CACHE / f"gunicorn-{VERSION}.tar.gz"
    if not archive.exists():
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet"),
                *("--no-binary", ":all:", "--no-deps", "--dest", str(CACHE)),
                f"gunicorn=={VERSION}",
            ],
            check=True,
        )
    return archive


def _unpack(archive: Path, target: Path) -> None:
    # Unpacked beside the target and renamed, so that an interrupted run leaves no half of it.
    partial = CACHE / f"unpacking-{os.getpid()}"
    with tarfile.open(archive) as opened:
        opened.extractall(partial, filter="data")
    (partial / target.name).rename(target)
    partial.rmdir()
