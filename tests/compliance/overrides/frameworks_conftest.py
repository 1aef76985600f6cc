"""Copied beside gunicorn's framework tests: an Andon each stands in for their containers."""

import json
import os

import pytest

URLS: dict[str, str] = json.loads(os.environ["COMPLIANCE_URLS"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the frameworks which are served."""
    kept: list[pytest.Item] = []
    deselected: list[pytest.Item] = []
    for item in items:
        assert isinstance(item, pytest.Function)
        framework = item.callspec.params.get("framework")
        (kept if framework in URLS else deselected).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def docker_services() -> None:
    """The servers run already."""


@pytest.fixture
def framework_url(framework: str) -> str:
    """Where the framework of this test is served."""
    return URLS[framework]


@pytest.fixture
def framework_ws_url(framework: str) -> str:
    """The same, for WebSockets."""
    return URLS[framework].replace("http://", "ws://")
