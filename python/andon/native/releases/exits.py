"""What becomes of a generator on a thread when an exception ends the request.

From 0.162.6 on it is closed, whatever the exception is. Before, one that is no `Exception` passes
it by: it stays where it has yielded until the garbage is collected.
"""

import sys

from andon.native.releases.release import release_of


def closes_after_any() -> bool:
    """Whether the FastAPI that is loaded closes it after exceptions of all kinds."""
    return release_of(sys.modules["fastapi"].__version__).closes_after_any
