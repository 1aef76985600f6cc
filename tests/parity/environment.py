"""FastAPI's source distribution, which holds its tests, and a Python that has what they need.

Both are kept in `.cache/`. The tests get an environment of their own, because they want other
versions than ours do. What they run is the very `andon` that is installed here. Of another release
than the pinned one, they get the newest of all packages that go with it.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.source_distribution import CACHE, unpacked

VERSION = "0.165.0"
HERE = Path(__file__).parent
REQUIREMENTS = HERE / "suite-requirements.txt"
# Not among what is copied: the tests shall use the installed package, not the one beside them.
UNUSED = ("fastapi",)
# What is pinned with any release: the plugin is made for it.
ALWAYS_PINNED = ("pytest",)


def source_directory(release: str = VERSION) -> Path:
    """The unpacked source distribution, fetched the first time."""
    return unpacked("fastapi", release)


def suite_directory(target: Path, release: str = VERSION) -> Path:
    """Copy the tests, and the applications of the tutorials that they use, into a new folder.

    Each process of the suite gets its own, for some tests write files where they run.
    """
    source = source_directory(release)

    def unused(directory: str, _: list[str]) -> tuple[str, ...]:
        return UNUSED if Path(directory) == source else ()

    shutil.copytree(source, target, ignore=unused)
    return target


def test_files(release: str = VERSION) -> list[str]:
    """All files with tests, relative to the suite's folder, in a fixed order."""
    source = source_directory(release)
    files = [path.relative_to(source) for path in (source / "tests").rglob("test_*.py")]
    return sorted(str(file) for file in files if "benchmarks" not in str(file))


def suite_python(release: str = VERSION) -> Path:
    """The interpreter of the suite's environment, which is made when it is not there."""
    requirements = _requirements(release)
    target = CACHE / f"parity-python-{_digest(requirements)}"
    python = target / "bin" / "python"
    stamp = target / "complete"
    if not stamp.exists():
        venv.create(target, clear=True, with_pip=True)
        listed = target / "requirements.txt"
        listed.write_text(requirements)
        install = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*install, "-r", str(listed)], check=True)
        stamp.touch()
    return python


def _requirements(release: str) -> str:
    pinned = REQUIREMENTS.read_text()
    if release == VERSION:
        return pinned
    lines = [line for line in pinned.splitlines() if "==" in line]
    lines = [line for line in lines if not line.startswith(("fastapi==", "starlette=="))]
    kept = [line if _name(line) in ALWAYS_PINNED else _name(line) for line in lines]
    return "\n".join([f"fastapi=={release}", *kept]) + "\n"


def _name(requirement: str) -> str:
    return requirement.partition("==")[0]


def links(target: Path) -> Path:
    """A folder for PYTHONPATH, with the `andon` that is installed, and this package."""
    target.mkdir()
    installed = importlib.util.find_spec("andon")
    assert installed is not None and installed.origin is not None, "andon is not installed"
    (target / "andon").symlink_to(Path(installed.origin).parent)
    (target / "andon_parity").symlink_to(HERE)
    return target


def _digest(requirements: str) -> str:
    made_from = requirements.encode() + sys.version.encode()
    return hashlib.sha256(made_from).hexdigest()[:12]
