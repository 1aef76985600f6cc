"""Why whole applications are left to ASGI, and which middleware is native."""

import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from andon.native import inspect
from fastapi import (
    FastAPI,
    Request,
    Response,
)
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.support.inspecting import Found, application, endpoint


class Handled(FastAPI):
    """Handles requests itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on."""
        await super().__call__(scope, receive, send)


class Kept(FastAPI):
    """Changes nothing of how requests are handled."""


def with_middleware() -> FastAPI:
    """An application with middleware of two kinds."""
    app = application()
    app.add_middleware(CORSMiddleware)

    @app.middleware("http")
    async def watch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response

    return app


def hidden_stack() -> FastAPI:
    """An application whose middleware keeps what it wraps where nobody finds it."""
    app = application()
    kept: dict[str, Any] = {}

    def hiding(inner: Any) -> Any:
        kept["app"] = inner

        async def call(scope: Any, receive: Any, send: Any) -> None:
            await kept["app"](scope, receive, send)

        return call

    app.add_middleware(hiding)
    return app


def wrapped_stack() -> FastAPI:
    """An application whose stack a tool has wrapped."""
    app = application()
    app.middleware_stack = CORSMiddleware(app.build_middleware_stack())
    return app


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: application(debug=True), "`debug` is on"),
        (hidden_stack, "its middleware stack: middleware hiding hides what it wraps"),
        (wrapped_stack, "its middleware stack was changed"),
        (lambda: Handled(), "`Handled` handles requests by methods of its own"),
        (lambda: Starlette(), "the application is no FastAPI() but a `Starlette`"),
        (
            lambda: CORSMiddleware(FastAPI()),
            "the application is no FastAPI() but a `CORSMiddleware`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_application_with_more_around_its_routes_is_left_to_asgi(
    make: Callable[[], Any], reason: str
) -> None:
    inspection = inspect(make())
    assert inspection.reason == reason
    assert inspection.count() == 0
    with pytest.raises(ValueError, match=re.escape(reason)):
        inspection.calls(lambda: None)


def test_native_routes_are_told_with_the_middleware_around_them() -> None:
    inspection = inspect(with_middleware())
    assert inspection.reason is None
    assert inspection.count() == len(inspection.description.routes)
    assert inspection.middleware() == ", under middleware watch, CORSMiddleware"


class Watched(GZipMiddleware):
    """A class of the application's own."""


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ((GZipMiddleware, CORSMiddleware), "CORSMiddleware, GZipMiddleware (native, too)"),
        ((Watched, CORSMiddleware), "CORSMiddleware, Watched"),
        ((CORSMiddleware, Watched), "Watched, CORSMiddleware"),
    ],
)
def test_a_stack_is_native_if_all_of_its_classes_are_known(
    classes: tuple[Any, ...], told: str
) -> None:
    app = application()
    for each in classes:
        app.add_middleware(each)
    assert inspect(app).middleware() == f", under middleware {told}"


def test_a_class_of_applications_without_code_of_its_own_is_native() -> None:
    app = Kept(openapi_url=None)
    app.get("/")(endpoint)
    assert Found(app).native("/").tier == 1


def test_routes_of_an_application_that_is_left_to_asgi_are_told_with_the_reason() -> None:
    assert Found(application(debug=True)).reason("/") == "`debug` is on"


def test_telemetry_is_noticed() -> None:
    app = application(telemetry={"tracer_provider": mock.Mock()})
    assert inspect(app).reason == "FastAPI's telemetry is on"


def test_native_routes_can_be_off() -> None:
    assert inspect(application(), "off").reason == "`--native off`"
