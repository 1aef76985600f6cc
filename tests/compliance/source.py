"""gunicorn's source distribution, which holds the suites."""

from pathlib import Path

from tests.support.source_distribution import unpacked

VERSION = "27.0.1"


def source_directory() -> Path:
    """Return the unpacked source distribution, fetching it the first time."""
    return unpacked("gunicorn", VERSION)
