"""Stacks of threads, for reports of stalls."""

import os
import sys
import sysconfig

# One more than the wire takes, which so sees that some are left out.
LIMIT = 65

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INSTALLED = tuple(
    os.path.join(path, "")
    for path in {
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

Frame = tuple[bool, int, str, str]


def take(identifier: int) -> list[Frame]:
    """Return the frames of a thread, innermost first.

    Each is: whether it is the user's own code, line (0: not known), file, function.
    """
    frame = sys._current_frames().get(identifier)
    frames: list[Frame] = []
    while frame is not None and len(frames) < LIMIT:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        frames.append((is_own(code.co_filename), frame.f_lineno or 0, code.co_filename, name))
        frame = frame.f_back
    return frames


def is_own(file: str) -> bool:
    """Whether the file is neither of the standard library, nor installed, nor of this package."""
    if file.startswith("<"):
        return False
    path = os.path.abspath(file)
    if path.startswith(_HERE) or any(part in path for part in _PACKAGES):
        return False
    return not path.startswith(_INSTALLED)
