"""Makes an application and a request smaller while they still show a difference."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from tests.parity.generated.specification import (
    Application,
    Function,
    Model,
    Parameter,
    Route,
    Router,
)
from tests.parity.request import Request

Value = TypeVar("Value")
# Whether this application and this request still show it.
Shows = Callable[[Application, Request], bool]


def shrink(
    application: Application, request: Request, shows: Shows, most_tries: int
) -> tuple[Application, Request]:
    """Leave out what can be left out, one thing after the other, until nothing more can."""
    tries = 0
    again = True
    while again:
        again = False
        for candidate in _smaller(application, request):
            tries += 1
            if tries > most_tries:
                return application, request
            if shows(*candidate):
                application, request = candidate
                again = True
                break
    return application, request


def _smaller(application: Application, request: Request) -> Iterator[tuple[Application, Request]]:
    for smaller in _smaller_applications(application):
        yield smaller, request
    for shorter in _smaller_requests(request):
        yield application, shorter


def _smaller_requests(request: Request) -> Iterator[Request]:
    if len(request.chunks) > 1:
        yield replace(request, chunks=(request.body,))
    if request.chunks:
        yield replace(request, chunks=())
    for index in range(len(request.headers)):
        yield replace(request, headers=_without(request.headers, index))
    pairs = tuple(request.query.split(b"&")) if request.query else ()
    for index in range(len(pairs)):
        yield replace(request, query=b"&".join(_without(pairs, index)))
    if len(request.body) > 1:
        yield replace(request, chunks=(request.body[: len(request.body) // 2],))


def _smaller_applications(application: Application) -> Iterator[Application]:
    yield from _shorter(application, ("routes", "statements", "options", "uses"))
    for index in range(len(application.dependencies)):
        yield from _without_dependency(application, index)
    for index, dependency in enumerate(application.dependencies):
        for function in _smaller_functions(dependency):
            yield replace(
                application, dependencies=_with(application.dependencies, index, function)
            )
    for index, router in enumerate(application.routers):
        for smaller in _shorter(router, ("uses",)):
            yield replace(application, routers=_with(application.routers, index, smaller))
    for index, route in enumerate(application.routes):
        for smaller_route in _smaller_routes(route):
            yield replace(application, routes=_with(application.routes, index, smaller_route))
    for index, model in enumerate(application.models):
        for smaller_model in _smaller_models(model):
            yield _with_model(application, index, smaller_model)


def _smaller_routes(route: Route) -> Iterator[Route]:
    yield from _shorter(route, ("options", "uses"))
    for endpoint in _smaller_functions(route.endpoint):
        yield replace(route, endpoint=endpoint)
    if route.endpoint.returns != "None":
        yield replace(route, endpoint=replace(route.endpoint, returns="None", annotation=None))


def _smaller_functions(function: Function) -> Iterator[Function]:
    yield from _shorter(
        function, ("parameters", "uses", "injections", "effects", "at_end", "items")
    )
    if function.annotation is not None:
        yield replace(function, annotation=None)
    if function.on_error != "raise":
        yield replace(function, on_error="raise")
    for index, parameter in enumerate(function.parameters):
        if parameter.options:
            plain = replace(parameter, options=())
            yield replace(function, parameters=_with(function.parameters, index, plain))


def _smaller_models(model: Model) -> Iterator[Model]:
    yield from _shorter(model, ("fields", "config"))


def _without_dependency(application: Application, index: int) -> Iterator[Application]:
    """Without a dependency that nobody uses; the uses are left out one by one before."""
    name = application.dependencies[index].name
    owners: list[Function | Route | Router | Application] = [
        *application.dependencies,
        *application.routes,
        *(route.endpoint for route in application.routes),
        *application.routers,
        application,
    ]
    if not any(use.dependency == name for owner in owners for use in owner.uses):
        yield replace(application, dependencies=_without(application.dependencies, index))


def _with_model(application: Application, index: int, model: Model) -> Application:
    """With another model of the same name, also where parameters hold it."""

    def of_parameter(parameter: Parameter) -> Parameter:
        same = parameter.model is not None and parameter.model.name == model.name
        return replace(parameter, model=model) if same else parameter

    def of_function(function: Function) -> Function:
        return replace(function, parameters=tuple(map(of_parameter, function.parameters)))

    return replace(
        application,
        models=_with(application.models, index, model),
        dependencies=tuple(map(of_function, application.dependencies)),
        routes=tuple(
            replace(route, endpoint=of_function(route.endpoint)) for route in application.routes
        ),
    )


def _shorter(owner: Value, names: tuple[str, ...]) -> Iterator[Value]:
    """The owner with one element less in one of these fields."""
    for name in names:
        values = getattr(owner, name)
        for index in range(len(values)):
            changes: dict[str, Any] = {name: _without(values, index)}
            yield replace(owner, **changes)  # type: ignore[type-var]


def _without(values: tuple[Value, ...], index: int) -> tuple[Value, ...]:
    return (*values[:index], *values[index + 1 :])


def _with(values: tuple[Value, ...], index: int, value: Value) -> tuple[Value, ...]:
    return (*values[:index], value, *values[index + 1 :])
