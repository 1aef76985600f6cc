"""Runs a command whose programs are linked with the library of this interpreter.

The tests of the crate `andon-python` start an interpreter of their own. Not every Python comes with
its library (on Debian and Ubuntu it is in `libpython3-dev`): then they are left out, and this says
so. What they test is then tested by pytest alone, through the wheel.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

HINT = "hint: on Debian and Ubuntu: apt-get install libpython3-dev"


def main(command: list[str]) -> int:
    """Run it, and return its exit code; 0 where there is no library."""
    library = _library()
    if library is None:
        print(f"left out, for `{sys.executable}` has no library: {' '.join(command)}\n\n{HINT}")
        return 0
    known = os.environ.get("LD_LIBRARY_PATH", "")
    path = os.pathsep.join(filter(None, (str(library.parent), known)))
    # Where the interpreter in the tests finds the standard library.
    own = {"LD_LIBRARY_PATH": path, "PYTHONHOME": sys.base_prefix}
    return subprocess.run(command, env=os.environ | own).returncode


def _library() -> Path | None:
    """Return the shared library that a linker would find."""
    folder, name = (sysconfig.get_config_var(key) for key in ("LIBDIR", "LDLIBRARY"))
    if not sysconfig.get_config_var("Py_ENABLE_SHARED") or not folder or not name:
        return None
    library = Path(folder) / name
    return library if library.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
