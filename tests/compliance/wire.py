"""gunicorn's wire files: requests as bytes, each with a sidecar which says what they mean."""

import importlib.util
import random
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tests.compliance.source import source_directory

# gunicorn's defaults, which the files assume unless their sidecar sets others.
DEFAULT_LINE_BYTES = 4094
DEFAULT_FIELD_BYTES = 8190
DEFAULT_FIELDS = 100
RANDOM_SEED = 20_240_117


@dataclass(frozen=True)
class Limits:
    """Options for the server which a file needs."""

    line: int
    head: int
    fields: int

    @property
    def options(self) -> tuple[str, ...]:
        """The same as command line options."""
        return (
            *("--limit-request-line", str(self.line)),
            *("--limit-request-head", str(self.head)),
            *("--limit-request-fields", str(self.fields)),
        )


@dataclass(frozen=True)
class WireFile:
    """One file."""

    name: str
    data: bytes
    settings: dict[str, Any]
    expected: list[dict[str, Any]]

    @property
    def limits(self) -> Limits:
        """The limits under which the file means what its sidecar says."""
        line = self.settings.get("limit_request_line", DEFAULT_LINE_BYTES)
        field = self.settings.get("limit_request_field_size", 0) or DEFAULT_FIELD_BYTES
        fields = self.settings.get("limit_request_fields", DEFAULT_FIELDS)
        # Andon limits the head as a whole. The default is taken as it is; where a file sets its own
        # size of a field, the request line, which gunicorn counts apart, has to fit beside it.
        own = "limit_request_field_size" in self.settings and field != DEFAULT_FIELD_BYTES
        return Limits(line, line + field if own else field, fields)


def wire_files(folder: str) -> list[WireFile]:
    """Return the files of `valid` or `invalid`, by name."""
    directory = source_directory() / "tests" / "requests" / folder
    return [_load(path) for path in sorted(directory.glob("*.http"))]


def chunkings(data: bytes) -> dict[str, list[bytes]]:
    """Return the ways in which the bytes are split over several sends."""
    return {
        "whole": [data],
        "single bytes": [bytes([byte]) for byte in data],
        "random": list(_random_parts(data)),
        "lines": data.splitlines(keepends=True),
    }


def _random_parts(data: bytes) -> Iterator[bytes]:
    generator = random.Random(RANDOM_SEED)
    longest = max(1, len(data) // 10)
    position = 0
    while position < len(data):
        size = generator.randint(1, longest)
        yield data[position : position + size]
        position += size


def _load(path: Path) -> WireFile:
    sidecar = _execute(path.with_suffix(".py"))
    settings = sidecar["cfg"].settings if "cfg" in sidecar else {}
    expected = sidecar["request"]
    if isinstance(expected, type):
        expected = []
    elif isinstance(expected, dict):
        expected = [expected]
    return WireFile(path.stem, _decode(path.read_bytes()), settings, expected)


def _decode(text: bytes) -> bytes:
    """Line feeds of the file mean nothing; \\r\\n, \\n, \\0, \\t and \\xHH stand for bytes."""
    data = text.replace(b"\n", b"")
    for escape, byte in ((b"\\r", b"\r"), (b"\\n", b"\n"), (b"\\0", b"\0"), (b"\\t", b"\t")):
        data = data.replace(escape, byte)
    head, *escaped = data.split(b"\\x")
    decoded = head + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in escaped)
    assert b"\\" not in decoded.replace(b"".join(escaped), b""), "an escape which is not known"
    return decoded


class _Settings:
    """Stands for gunicorn's `Config`: remembers what a sidecar sets."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}

    def set(self, name: str, value: Any) -> None:
        """Remember one setting."""
        self.settings[name] = value


class _Errors(types.ModuleType):
    """Stands for `gunicorn.http.errors`: any name is a class."""

    def __getattr__(self, name: str) -> type:
        return type(name, (), {})


def _execute(path: Path) -> dict[str, Any]:
    specification = importlib.util.spec_from_file_location("wire_sidecar", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    vars(module)["uri"] = _uri
    with _stand_ins():
        specification.loader.exec_module(module)
    return vars(module)


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Let the sidecars import what they need of gunicorn, which need not be installed."""
    config = types.ModuleType("gunicorn.config")
    vars(config)["Config"] = _Settings
    modules = {
        "gunicorn": types.ModuleType("gunicorn"),
        "gunicorn.config": config,
        "gunicorn.http": types.ModuleType("gunicorn.http"),
        "gunicorn.http.errors": _Errors("gunicorn.http.errors"),
    }
    before = {name: sys.modules.get(name) for name in modules}
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.modules.update(modules)
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _uri(target: str) -> dict[str, str]:
    parts = _split(target)
    return {"raw": target, "path": parts.path, "query": parts.query}


def _split(target: str) -> SplitResult:
    if not target.startswith("//"):
        return urlsplit(target)
    # RFC 9112, section 3.2.1: this is a path, where `urlsplit` sees an authority.
    parts = urlsplit("." + target)
    return parts._replace(path=parts.path[1:])
