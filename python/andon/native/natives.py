"""How a route of FastAPI is served natively, put together from its parts."""

from collections.abc import Iterator
from typing import Any

from andon.native.dependants import Dependants
from andon.native.description import Body, Native, ScopeObjects
from andon.native.forms import form_of, reads_as_query
from andon.native.framework import Framework
from andon.native.guards import Guard, guards_of_route
from andon.native.handlers import Handler, handler_of, name_of
from andon.native.limits import limits_around, limits_of
from andon.native.objects import Objects
from andon.native.parameters import is_embedded
from andon.native.releases.included import app_of
from andon.native.responses import response_of
from andon.native.tiers import tier_of
from andon.native.understanding import NotUnderstood


class Natives:
    """Describes the native routes of one application; ``router`` is the outermost one."""

    def __init__(self, app: Any, framework: Framework, objects: Objects, router: Any) -> None:
        self._app = app
        self._framework = framework
        self._objects = objects
        self._router = router
        self._around = limits_around(app)

    def native(
        self, route: Any, shape: Any, left_in_scope: dict[str, Any] | None, place: Guard
    ) -> Native:
        """Describe a route; ``shape`` is itself or what its inclusion makes of it.

        ``place``: that it is there, among the others.
        Raises `NotUnderstood` with the reason why it is the application's.
        """
        closure, limits = limits_of(app_of(route, shape, self._framework), self._around)
        handler = handler_of(closure, self._framework)
        overrides = handler.dependency_overrides_provider
        if overrides is not None and overrides is not self._app:
            raise NotUnderstood("dependency overrides that are not the application's")
        response = response_of(handler, self._objects, self._framework)
        dependants = Dependants(self._objects, self._framework, form_of(handler, self._framework))
        root = dependants.root(handler.dependant, is_coroutine=handler.is_coroutine)
        return Native(
            tier=tier_of(root, response, is_special=bool(handler.is_body_form or limits)),
            endpoint=name_of(handler.dependant.call),
            caller="fastapi",
            root=root,
            body=self._body(handler),
            limits=limits,
            response=response,
            scope=self._scope(route, shape, left_in_scope),
            guards=self._objects.number(guards_of_route(place, shape, handler.dependant)),
        )

    def _body(self, handler: Handler) -> Body | None:
        if handler.body_field is None:
            return None
        strict = bool(handler.actual_strict_content_type)
        if handler.is_body_form:
            limits = self._objects.number(handler.form_limits)
            return Body(strict, embed=True, form=limits, urlencoded=reads_as_query())
        embed = {
            is_embedded(each, handler.embed_body_fields, self._framework)
            for each in _all_of(handler.dependant)
        } - {None}
        if len(embed) > 1:
            raise NotUnderstood("a body that is read in two ways")
        absent = not self._framework.release.keeps_null
        return Body(strict, embed=embed == {True}, form=None, null_is_absent=absent)

    def _scope(self, route: Any, shape: Any, left: dict[str, Any] | None) -> ScopeObjects:
        number = self._objects.number
        return ScopeObjects(
            app=number(self._app),
            router=number(self._router),
            route=number(route),
            endpoint=number(shape.endpoint),
            fastapi=None if left is None else number(left),
        )


def _all_of(dependant: Any) -> Iterator[Any]:
    yield dependant
    for dependency in dependant.dependencies:
        yield from _all_of(dependency)
