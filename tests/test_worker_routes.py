"""The route table that a worker sends when it comes up."""

import asyncio
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import andon
import pytest
from andon.routes import is_offloadable

from tests.support.fake_front import READY, ROUTES, FakeFront, Route


@pytest.fixture(scope="module")
def routes() -> Iterator[list[Route]]:
    with FakeFront("holding:app") as front:
        kinds = [frame.kind for frame in front.frames]
        assert kinds.index(ROUTES) < kinds.index(READY)
        yield front.routes()


def found(routes: list[Route], path: str, method: str = "GET") -> Route:
    """The route that the front would find."""
    return next(
        route
        for route in routes
        if re.match(route.pattern, path)
        and (route.mount or not route.websocket)
        and (not route.methods or method in route.methods)
    )


def test_routes_are_told_with_their_templates_and_methods(routes: list[Route]) -> None:
    route = found(routes, "/light")
    assert (route.template, route.methods, route.endpoint) == ("/light", ["GET"], "holding.light")


def test_how_an_endpoint_runs_is_told(routes: list[Route]) -> None:
    assert found(routes, "/light").kind == "offloadable"
    assert found(routes, "/suspend").kind == "coroutine"
    assert found(routes, "/light-def").kind == "function"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="functions cannot be marked before 3.12")
def test_a_function_that_is_marked_as_a_coroutine_is_not_offloaded() -> None:
    def marked() -> Any:
        return asyncio.sleep(0)

    inspect.markcoroutinefunction(marked)
    assert not is_offloadable(marked)


def test_included_routers_have_their_whole_path(routes: list[Route]) -> None:
    route = found(routes, "/outer/inner/7")
    assert (route.template, route.endpoint) == ("/outer/inner/{item_id}", "holding.included")


def test_mounts_are_unfolded_and_come_last_themselves(routes: list[Route]) -> None:
    assert found(routes, "/mounted/page/x").template == "/mounted/page/{name}"
    assert found(routes, "/mounted/deep/p").template == "/mounted/deep/p"
    rest = found(routes, "/mounted/nothing")
    assert (rest.template, rest.mount) == ("/mounted/{path}", True)
    templates = [route.template for route in routes]
    assert templates.index("/mounted/page/{name}") < templates.index("/mounted/{path}")


def test_websockets_are_marked(routes: list[Route]) -> None:
    route = next(route for route in routes if route.template == "/ws/{name}")
    assert route.websocket


def test_what_the_decorator_says_is_told(routes: list[Route]) -> None:
    route = found(routes, "/ruled")
    assert (route.run, route.concurrency, route.timeout, route.priority) == (3, 4, 30.0, 0)
    plain = found(routes, "/light")
    assert (plain.run, plain.concurrency, plain.timeout, plain.priority) == (None,) * 4


def test_an_application_of_another_kind_has_no_table(tmp_path: Path) -> None:
    with FakeFront("raw:app", environment={"TEST_SCRATCH": str(tmp_path)}) as front:
        assert [frame for frame in front.frames if frame.kind == ROUTES] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": "anywhere"},
        {"priority": "urgent"},
        {"concurrency": 0},
        {"concurrency": 2**32},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        andon.route(**wrong)
