"""FastAPI's source distribution, which holds its tests, and a Python that has what they need.

Both are kept in `.cache/`. The tests get an environment of their own, because they want other
versions than ours do. What they run is the very `andon` that is installed here. Another release
than the pinned one is laid over that environment, with the release of Starlette that is asked for.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.source_distribution import CACHE, unpacked

# The newest FastAPI that there is for an interpreter, with what goes with it.
VERSION = "0.165.0" if sys.version_info >= (3, 11) else "0.162.5"
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


@dataclass(frozen=True)
class Releases:
    """What is compared: a release of FastAPI; `None`: with the Starlette of the environment."""

    fastapi: str = VERSION
    starlette: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Releases":
        """Read ``0.165.0``, or ``0.165.0/1.10.0`` for a release of Starlette beside it."""
        fastapi, _, starlette = text.partition("/")
        return cls(fastapi, starlette or None)

    def __str__(self) -> str:
        beside = "" if self.starlette is None else f" beside Starlette {self.starlette}"
        return f"FastAPI {self.fastapi}{beside}"


PINNED = Releases()


def suite_python(releases: Releases = PINNED) -> Path:
    """The interpreter of the environment for some releases, which is made when it is not there."""
    pinned = _requirements()
    base = _environment(pinned, pinned, _install_all)
    if releases == PINNED:
        return base

    def lay_over(target: Path, listed: Path) -> None:
        # What is not there is looked for in the environment below.
        (_packages(target) / "below.pth").write_text(f"{_packages(base.parent.parent)}\n")
        where = ("--no-deps", "--target", str(_packages(target)))
        _pip(base, *where, "-r", str(listed))

    wanted = [f"fastapi=={releases.fastapi}"]
    if releases.starlette is not None:
        wanted.append(f"starlette=={releases.starlette}")
    required = "\n".join(wanted) + "\n"
    return _environment(required, pinned + required, lay_over)


def _environment(requirements: str, made_from: str, fill: Callable[[Path, Path], None]) -> Path:
    """Make an environment that has what is required, and return its interpreter."""
    target = CACHE / f"parity-python-{_digest(made_from)}"
    stamp = target / "complete"
    if not stamp.exists():
        venv.create(target, clear=True, with_pip=fill is _install_all)
        listed = target / "requirements.txt"
        listed.write_text(requirements)
        fill(target, listed)
        stamp.touch()
    return target / "bin" / "python"


def _install_all(target: Path, listed: Path) -> None:
    _pip(target / "bin" / "python", "-r", str(listed))


def _pip(python: Path, *arguments: str) -> None:
    command = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*command, *arguments], check=True)


def _packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(environment)}))


def _requirements() -> str:
    """What is pinned; for older interpreters, the newest that there is of all packages."""
    pinned = REQUIREMENTS.read_text()
    if sys.version_info >= (3, 11):
        return pinned
    lines = [line for line in pinned.splitlines() if "==" in line]
    kept = [line if _name(line) in ALWAYS_PINNED else _name(line) for line in lines]
    return "\n".join([f"fastapi=={VERSION}", *kept[1:]]) + "\n"


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
