"""Which frameworks are known: releases, and what may be changed of them."""

import functools
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import andon.native
import pydantic_core
import pytest
from andon import offload
from andon.native import digests, inspect
from fastapi import (
    APIRouter,
    FastAPI,
    Request,
    routing,
)
from fastapi.dependencies import utils
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from tests.support.inspecting import application


def replaced() -> AbstractContextManager[Any]:
    """As tools do that watch applications: a wrapper that looks like what it wraps."""
    original = utils.solve_dependencies

    @functools.wraps(original)
    async def solve_dependencies(**keywords: Any) -> Any:
        return await original(**keywords)

    return mock.patch("fastapi.routing.solve_dependencies", solve_dependencies)


async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
    """Stands for a method of Starlette."""


class Wrapper:
    """Stands for a function, as wrapt's do."""

    def __call__(self, *_: Any) -> None:
        """Do nothing."""


def inherited() -> AbstractContextManager[Any]:
    """Replace what a class inherits in the class itself."""
    return mock.patch.object(APIRouter, "__call__", Wrapper())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (replaced, "fastapi.routing.solve_dependencies"),
        (
            lambda: mock.patch.object(Starlette, "__call__", call),
            "starlette.applications.Starlette.__call__",
        ),
        (lambda: mock.patch.object(APIRoute, "handle"), "fastapi.routing.APIRoute.handle"),
        (
            lambda: mock.patch("fastapi.routing.jsonable_encoder"),
            "fastapi.routing.jsonable_encoder",
        ),
        (
            lambda: mock.patch.object(JSONResponse, "render"),
            "starlette.responses.JSONResponse.render",
        ),
        (lambda: mock.patch.object(Request, "json", call), "starlette.requests.Request.json"),
        (inherited, "fastapi.routing.APIRouter.__call__"),
        (lambda: mock.patch("json.dumps", call), "json.dumps"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_framework_that_was_changed_is_left_alone(
    change: Callable[[], AbstractContextManager[Any]], name: str
) -> None:
    app = application()
    with change():
        assert inspect(app).reason == f"`{name}` was replaced"
    assert inspect(app).reason is None


def test_what_andon_itself_replaces_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "run_endpoint_function", routing.run_endpoint_function)
    offload.install(mock.Mock(), mock.Mock(), application())
    assert routing.run_endpoint_function.__module__ == "andon.offload"
    assert inspect(application()).reason is None


# --- releases


def test_installed_releases_are_known() -> None:
    assert digests.unknown() is None


def test_an_unknown_release_is_served_natively_only_where_that_is_asked_for(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "digests.json"
    known.write_text('{"fastapi": {}, "starlette": {}}')
    monkeypatch.setattr(digests, "KNOWN", known)
    inspection = andon.native.inspect(application())
    assert inspection.is_unknown
    assert str(inspection.reason).startswith("FastAPI ")
    assert andon.native.inspect(application(), "unknown-ok").reason is None


def test_one_file_that_differs_makes_a_release_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {package: digests.digests_of(package) for package in ("fastapi", "starlette")}
    found["starlette"]["routing.py"] = "0" * 64
    monkeypatch.setattr(digests, "digests_of", found.get)
    assert str(digests.unknown()).startswith("Starlette ")


def test_releases_that_were_not_compared_beside_each_other_are_unknown(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads(digests.KNOWN.read_text())
    known["tested"] = {}
    changed = tmp_path / "digests.json"
    changed.write_text(json.dumps(known))
    monkeypatch.setattr(digests, "KNOWN", changed)
    assert "was not compared beside Starlette " in str(digests.unknown())


def test_a_reader_of_json_that_reads_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydantic_core, "from_json", lambda text: float(json.loads(text) == 0))
    found = inspect(FastAPI())
    assert found.reason == "`pydantic_core.from_json` reads otherwise than `json.loads`"
