"""Source distributions of other projects, fetched from the package index into `.cache/`."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

CACHE = Path(__file__).parent.parent.parent / ".cache"


def unpacked(name: str, version: str) -> Path:
    """Return the unpacked source distribution, fetching it the first time."""
    target = CACHE / f"{name}-{version}"
    if not target.exists():
        CACHE.mkdir(exist_ok=True)
        _unpack(_download(name, version), target)
    return target


def _download(name: str, version: str) -> Path:
    archive = CACHE / f"{name}-{version}.tar.gz"
    if not archive.exists():
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet"),
                *("--no-binary", ":all:", "--no-deps", "--dest", str(CACHE)),
                f"{name}=={version}",
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
