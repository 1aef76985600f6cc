"""Source distributions of other projects, fetched from the package index into `.cache/`."""

import fcntl
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parent.parent.parent / ".cache"


def unpacked(name: str, version: str) -> Path:
    """Return the unpacked source distribution, fetching it the first time.

    Threads and processes that ask for it at once wait for the first of them.
    """
    target = CACHE / f"{name}-{version}"
    CACHE.mkdir(exist_ok=True)
    with _exclusively(CACHE / f"{target.name}.lock"):
        if not target.exists():
            _unpack(_download(name, version), target)
    return target


@contextmanager
def _exclusively(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        # Closing the file releases it; each opening of a file has a lock of its own.
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


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
    with tempfile.TemporaryDirectory(dir=CACHE) as partial, tarfile.open(archive) as opened:
        opened.extractall(partial, filter="data")
        (Path(partial) / target.name).rename(target)
