"""Copied beside gunicorn's ASGI tests: one Andon stands in for their containers."""

import json
import os

import pytest

ABSENT = "http://127.0.0.1:9"
DESELECTED: list[str] = json.loads(os.environ["COMPLIANCE_DESELECTED"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose node id holds one of the names which the runner gave."""
    deselected = [item for item in items if any(part in item.nodeid for part in DESELECTED)]
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def docker_services() -> dict[str, str]:
    """Only the plain HTTP server exists; what needs another is deselected by the runner."""
    return {
        "gunicorn_http": os.environ["COMPLIANCE_URL"],
        "gunicorn_https": ABSENT,
        "nginx_http": ABSENT,
        "nginx_https": ABSENT,
    }
