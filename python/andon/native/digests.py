"""Which releases of FastAPI and Starlette are known: by the digests of their sources.

Native routes do what the sources of the frameworks do. So they are there only for sources that were
compared with what Andon does; ``digests.json`` has the SHA-256 of each file of such releases, and
beside which releases of Starlette those of FastAPI were compared.

``python -m andon.native.digests`` prints the digests of what is installed. With ``--add FILE`` it
puts them into the file of known ones, once the parity suite passes with them.
"""

import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

from andon.native.framework import FASTAPI_MODULES, MIDDLEWARE_MODULES, STARLETTE_MODULES

KNOWN = Path(__file__).with_name("digests.json")

_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)
_MODULES = {"fastapi": FASTAPI_MODULES, "starlette": STARLETTE_MODULES}
# Of Starlette; by release as well.
_MIDDLEWARE = "middleware"

# For releases of FastAPI, those of Starlette beside which they were compared.
_TESTED = "tested"

# Of one package: the digest of each file by its path in the package.
Digests = dict[str, str]


def unknown() -> str | None:
    """Return what is installed and not known, in words; `None`: all is known."""
    known = json.loads(KNOWN.read_text())
    fastapi, starlette = (_same_releases(known, package) for package in _MODULES)
    if not fastapi or not starlette:
        package = "starlette" if fastapi else "fastapi"
        return f"{_installed(package)} is not a release that Andon knows"
    tested = known.get(_TESTED, {})
    if not any(other in tested.get(release, ()) for release in fastapi for other in starlette):
        return f"{_installed('fastapi')} was not compared beside {_installed('starlette')}"
    return None


def _same_releases(known: dict[str, Any], package: str) -> list[str]:
    """Return the known releases that have the very sources that are installed."""
    installed = digests_of(package)
    return [release for release, each in known.get(package, {}).items() if each == installed]


def _installed(package: str) -> str:
    return f"{_title(package)} {version_of(package)}"


def digests_of(package: str) -> Digests:
    """Return the digests of an installed package's files; those that it does not have are left out.

    It need not be imported; one that is not installed has none.
    """
    return _digests(package, _MODULES[package])


def is_known_module(name: str) -> bool:
    """Whether a module of Starlette's middleware is that of a known release."""
    file = f"{name.removeprefix('starlette.').replace('.', '/')}.py"
    folder = _folder("starlette")
    if folder is None or not (folder / file).is_file():
        return False
    releases = json.loads(KNOWN.read_text()).get(_MIDDLEWARE, {}).values()
    return _digest(folder / file) in {release.get(file) for release in releases}


def _digests(package: str, modules: tuple[str, ...]) -> Digests:
    folder = _folder(package)
    if folder is None:
        return {}
    names = [f"{name.replace('.', '/')}.py" for name in modules]
    return {name: _digest(folder / name) for name in names if (folder / name).is_file()}


def version_of(package: str) -> str:
    """Return the installed version, as the package itself has it."""
    folder = _folder(package)
    # Not from its metadata: to read that costs a worker 25 ms at its start.
    text = (folder / "__init__.py").read_text() if folder is not None else ""
    found = _VERSION.search(text)
    return found[1] if found else "of an unknown version"


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _title(package: str) -> str:
    return {"fastapi": "FastAPI", "starlette": "Starlette"}[package]


def main() -> int:
    """Print the digests of the installed releases, or add them to a file."""
    # Not above: every worker imports this module.
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m andon.native.digests",
        description="Print the digests of the installed releases of FastAPI and Starlette.",
    )
    parser.add_argument("--add", metavar="FILE", type=Path, help="put them into this file instead")
    arguments = parser.parse_args()
    found = {package: {version_of(package): digests_of(package)} for package in _MODULES}
    found[_MIDDLEWARE] = {version_of("starlette"): _digests("starlette", MIDDLEWARE_MODULES)}
    if arguments.add is None:
        print(_text(found))
        return 0
    known = json.loads(arguments.add.read_text()) if arguments.add.exists() else {}
    for package, releases in found.items():
        known.setdefault(package, {}).update(releases)
    beside = known.setdefault(_TESTED, {}).setdefault(version_of("fastapi"), [])
    known[_TESTED][version_of("fastapi")] = sorted({*beside, version_of("starlette")})
    arguments.add.write_text(_text(known) + "\n")
    return 0


def _text(releases: dict[str, Any]) -> str:
    return json.dumps(releases, indent=1, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())
