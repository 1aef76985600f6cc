"""What the inspection says of routes that can be served natively."""

import asyncio
import json
from typing import Any

import pytest
from andon.native.description import Inject, Parameter, Shared
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse

from tests.apps import native_features as features
from tests.support.inspecting import Found


@pytest.fixture(scope="module")
def found() -> Found:
    return Found(features.app)


def parameters(found: Found, path: str) -> dict[str, Parameter]:
    return {each.name: each for each in found.native(path).root.parameters}


def test_every_route_is_native_but_those_of_mounts(found: Found) -> None:
    assert found.inspection.reason is None
    reasons = {
        route.serve.reason: route.path
        for route in found.inspection.description.routes
        if hasattr(route.serve, "reason")
    }
    assert reasons.keys() == {"mounted: 4 of 4 routes are native"}


def test_routes_come_in_the_order_in_which_they_are_tried(found: Found) -> None:
    paths = found.paths()
    assert paths[0] == "/scalars/{number:int}/{text}"
    included = ["/outer/twig", "/outer/middle/inner/leaf"]
    assert paths[-4:] == [*included, "/last", "/mounted/{path:path}"]


def test_a_mount_takes_every_method(found: Found) -> None:
    assert found.route("/mounted/{path:path}").methods == []
    assert found.route("/openapi.json").methods == ["GET", "HEAD"]
    assert found.route("/last").methods == ["GET"]


def test_websockets_are_left_out(found: Found) -> None:
    assert "/socket" not in found.paths()


def test_parameters_have_their_place_and_names(found: Found) -> None:
    told = [
        (each.source, each.name, each.aliases)
        for each in parameters(found, "/scalars/{number:int}/{text}").values()
    ]
    assert told == [
        ("path", "number", ["number"]),
        ("path", "text", ["text"]),
        ("query", "needed", ["needed"]),
        ("query", "given", ["given"]),
        ("query", "many", ["many"]),
        ("header", "user_agent", ["user-agent"]),
        ("cookie", "session", ["sid"]),
    ]


def test_what_stands_in_for_a_parameter_is_shared_only_if_it_cannot_change(found: Found) -> None:
    of = parameters(found, "/scalars/{number:int}/{text}")
    assert (of["needed"].required, of["needed"].absent) == (True, "none")
    shared = of["session"].absent
    assert isinstance(shared, Shared)
    assert found.object(shared.object) == "none"
    assert (of["many"].list_, of["many"].absent) == (True, "made")


def test_validators_are_those_of_the_fields(found: Found) -> None:
    number = parameters(found, "/scalars/{number:int}/{text}")["number"]
    assert found.object(number.validate)("7", from_attributes=True) == 7
    assert found.object(number.field).name == "number"


def test_several_names_and_validated_defaults_are_told(found: Found) -> None:
    of = parameters(found, "/aliases")
    assert of["chosen"].aliases == ["first", "second"]
    assert of["checked"].validate_default


def test_a_list_of_one_value_takes_an_empty_one_for_none(found: Found) -> None:
    of = parameters(found, "/from-one-value")
    assert [(each.list_, each.empty_is_absent) for each in of.values()] == [(False, True)] * 2
    assert not parameters(found, "/scalars/{number:int}/{text}")["many"].empty_is_absent


def test_a_parameter_model_is_named(found: Found) -> None:
    filters = parameters(found, "/model")["filters"]
    assert features.Filters in found.object(filters.model).args


def test_a_body_is_whole_or_has_members(found: Found) -> None:
    whole, embedded = found.native("/whole").body, found.native("/embedded").body
    assert whole is not None and embedded is not None
    assert (whole.embed, whole.strict_content_type, embedded.embed) == (False, True, True)
    assert found.native("/last").body is None


def test_a_result_has_its_field_and_status(found: Found) -> None:
    response = found.native("/whole").response
    assert (response.status_code, response.default_class) == (201, True)
    assert response.field is not None and response.field.plain
    value = found.object(response.field.validate)({"name": "a"}, from_attributes=True)
    assert found.object(response.field.to_json)(value) == b'{"name":"a","price":1.0}'


def test_a_result_without_annotation_has_no_field(found: Found) -> None:
    response = found.native("/unannotated").response
    assert response.field is None
    assert found.object(response.class_) is JSONResponse


def test_options_of_the_response_model_are_handed_on(found: Found) -> None:
    field = found.native("/filtered").response.field
    assert field is not None and not field.plain
    assert found.object(field.options)["exclude_unset"] is True


def test_a_response_class_is_named(found: Found) -> None:
    response = found.native("/text").response
    assert found.object(response.class_) is PlainTextResponse
    assert not response.default_class


def test_dependencies_come_in_the_order_in_which_they_are_solved(found: Found) -> None:
    root = found.native("/dependencies").root
    assert found.calls(root) == [features.awaited, features.called, features.awaited, features.Made]
    assert [each.name for each in root.dependencies] == [None, "one", "two", "made"]
    assert [each.kind for each in root.dependencies] == [
        "coroutine",
        "function",
        "coroutine",
        "function",
    ]


def test_equal_dependencies_share_a_number(found: Found) -> None:
    first, called, uncached, made = found.native("/dependencies").root.dependencies
    (below,) = called.dependencies
    assert first.cache_key == below.cache_key == uncached.cache_key != made.cache_key
    assert [first.use_cache, below.use_cache, uncached.use_cache] == [True, True, False]


def test_dependencies_that_are_closed_say_when(found: Found) -> None:
    one, two = found.native("/opened").root.dependencies
    assert (one.kind, one.function_scope) == ("async_generator", False)
    assert (two.kind, two.function_scope) == ("generator", True)


def test_what_can_wait_is_told(found: Found) -> None:
    root = found.native("/suspends").root
    assert not root.suspends
    assert [each.suspends for each in root.dependencies] == [True]


def test_objects_of_the_framework_are_told_by_keyword(found: Found) -> None:
    root = found.native("/injected").root
    assert (root.inject.connection, root.inject.request) == ("connection", "request")
    assert (root.inject.response, root.inject.background_tasks) == ("response", "tasks")
    (scoped,) = root.dependencies
    assert scoped.inject.security_scopes == ("scopes", ["read", "write"])
    (scheme,) = scoped.dependencies
    assert found.object(scheme.call) is features.oauth2
    assert scheme.inject.connection == "request"


def test_a_websocket_is_not_handed_to_requests(found: Found) -> None:
    (connected,) = found.native("/connected").root.dependencies
    assert connected.inject == Inject(request="request")


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("/scalars/{number:int}/{text}", 1),
        ("/whole", 1),
        ("/embedded", 1),
        ("/dependencies", 1),
        ("/aliases", 2),
        ("/model", 2),
        ("/filtered", 2),
        ("/text", 2),
        ("/opened", 2),
        ("/suspends", 2),
        ("/injected", 2),
    ],
)
def test_tiers_follow_from_what_is_used(found: Found, path: str, tier: int) -> None:
    assert found.native(path).tier == tier


def test_included_routers_bring_their_dependencies(found: Found) -> None:
    root = found.native("/outer/middle/inner/leaf").root
    assert found.calls(root) == [features.awaited]


def test_the_scope_is_as_the_framework_leaves_it(found: Found) -> None:
    before = found.native("/whole").scope
    assert found.object(before.app) is features.app
    assert found.object(before.router) is features.app.router
    assert found.object(before.route).endpoint is features.whole
    assert before.fastapi is None
    # To match what follows an included router, FastAPI has made the dictionary.
    assert found.object(found.native("/last").scope.fastapi) == {}


def test_the_scope_of_an_included_route_has_its_context(found: Found) -> None:
    scope = found.native("/outer/middle/inner/leaf").scope
    left = found.object(scope.fastapi)
    assert left.keys() == {"included_router", "effective_route_context"}
    assert left["effective_route_context"].path == "/outer/middle/inner/leaf"
    assert left["included_router"].original_router is features.inner
    assert found.object(scope.route) is left["effective_route_context"].original_route


def test_what_is_left_in_the_scope_is_what_a_request_sees() -> None:
    """The dictionaries of the inspection, compared with those of real requests."""
    seen: dict[str, Any] = {}
    app = _with_probe(seen)
    found = Found(app)
    for path in found.paths():
        _get(app, path)
        expected = found.native(path).scope.fastapi
        assert seen["fastapi"] == (None if expected is None else found.object(expected)), path


def test_the_description_is_json_for_rust(found: Found) -> None:
    told = json.loads(found.inspection.description.to_json())
    by_path = {route["path"]: route for route in told["routes"]}
    told_of_mount = {"opaque": "mounted: 4 of 4 routes are native"}
    assert by_path["/mounted/{path:path}"]["serve"] == told_of_mount
    assert by_path["/openapi.json"]["serve"]["native"]["caller"] == "starlette"
    assert by_path["/openapi.json"]["refused"]["native"]["caller"] == "router"
    native = by_path["/aliases"]["serve"]["native"]
    chosen, checked = native["root"]["parameters"]
    assert (chosen["absent"], chosen["list"]) == ("none", False)
    assert checked["absent"].keys() == {"shared"}
    assert native["response"].keys() == {"status_code", "field", "class", "default_class", "stream"}
    scoped = by_path["/injected"]["serve"]["native"]["root"]["dependencies"][0]
    assert scoped["inject"]["security_scopes"] == ["scopes", ["read", "write"]]


def _with_probe(seen: dict[str, Any]) -> FastAPI:
    async def probe(request: Request) -> None:
        left = request.scope.get("fastapi")
        seen["fastapi"] = None if left is None else dict(left)

    app, router, limited = (
        FastAPI(openapi_url=None),
        APIRouter(),
        APIRouter(form_limits={"max_files": 1}),
    )
    app.get("/first")(probe)
    limited.get("/limited")(probe)
    router.get("/included")(probe)
    router.include_router(limited)
    app.include_router(router, prefix="/in")
    app.get("/last")(probe)
    return app


def _get(app: FastAPI, path: str) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 200
