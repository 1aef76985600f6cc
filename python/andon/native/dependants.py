"""Callables and what they depend on: FastAPI's dependants in words of the plan."""

import inspect
from typing import Any

from andon.native.concurrency import concurrency_of
from andon.native.description import CallKind, Dependant, FormFields, Inject, Parameter
from andon.native.form_fields import form_parameters_of
from andon.native.forms import Form
from andon.native.framework import Framework
from andon.native.objects import Objects
from andon.native.parameters import parameters_of
from andon.native.releases.models import Names, names_of
from andon.native.understanding import NotUnderstood
from andon.routes import is_offloadable

# What a dependant says of itself: another field could mean something that is not known here.
_FIELDS = frozenset(
    {
        "background_tasks_param_name",
        "body_params",
        "call",
        "cookie_params",
        "dependencies",
        "header_params",
        "http_connection_param_name",
        "name",
        "own_oauth_scopes",
        "parent_oauth_scopes",
        "path",
        "path_params",
        "query_params",
        "request_param_name",
        "response_param_name",
        "scope",
        "security_scopes_param_name",
        "use_cache",
        "websocket_param_name",
    }
)
# From 0.163 on; in 0.157 to 0.159.
_MORE_FIELDS: tuple[set[str], ...] = (set(), {"concurrency"}, {"_request_param_names"})

# More than the plan takes.
_DEPTH = 64


class Dependants:
    """Describes the dependants of one route; results are shared within it only."""

    def __init__(self, objects: Objects, framework: Framework, form: Form | None) -> None:
        self._objects = objects
        self._framework = framework
        self._form = form
        self._cache_keys: dict[Any, int] = {}
        self._names: Names | None = None

    def root(self, dependant: Any, *, is_coroutine: bool) -> Dependant:
        """Describe an endpoint and all that it depends on.

        Raises `NotUnderstood` where a part of it cannot be served natively.
        """
        fields = set(type(dependant).__dataclass_fields__)
        if not fields >= _FIELDS or fields - _FIELDS not in _MORE_FIELDS:
            raise NotUnderstood("its dependencies are those of an unknown FastAPI")
        self._names = names_of(dependant, self._framework.dependencies)
        kind = self._framework.callables.kind(dependant)
        if kind in ("coroutine", "function"):
            # What was found out when the route was made counts.
            kind = "coroutine" if is_coroutine else "function"
        return self._describe(dependant, kind, 0)

    def _describe(self, dependant: Any, kind: CallKind, depth: int) -> Dependant:
        if depth == _DEPTH:
            raise NotUnderstood("dependencies too deep")
        if depth and _overrides(dependant.call):
            raise NotUnderstood("a dependency that sets overrides")
        below = [
            self._describe(each, self._framework.callables.kind(each), depth + 1)
            for each in dependant.dependencies
        ]
        in_form, form = self._in_form(dependant)
        return Dependant(
            call=self._objects.number(dependant.call),
            kind=kind,
            suspends=_suspends(dependant.call, kind),
            name=dependant.name,
            cache_key=self._cache_key(dependant),
            use_cache=bool(dependant.use_cache),
            concurrency=concurrency_of(dependant, self._objects),
            function_scope=dependant.scope == "function",
            dependencies=below,
            parameters=parameters_of(
                dependant,
                self._objects,
                self._framework,
                names=self._names,
                with_body=self._form is None,
            )
            + in_form,
            form=form,
            inject=self._inject(dependant),
        )

    def _in_form(self, dependant: Any) -> tuple[list[Parameter], FormFields | None]:
        """Describe what it takes of the form, or what the framework finds there for it."""
        if self._form is None or not dependant.body_params:
            return [], None
        embed = self._form.embed
        found = form_parameters_of(dependant, self._objects, self._framework, embed=embed)
        if found is None:
            return [], self._form.fields_of(dependant, self._objects)
        return found, None

    def _cache_key(self, dependant: Any) -> int:
        key = self._framework.callables.cache_key(dependant)
        try:
            return self._cache_keys.setdefault(key, len(self._cache_keys))
        except TypeError:
            raise NotUnderstood("a dependency that cannot be hashed") from None

    def _inject(self, dependant: Any) -> Inject:
        # A WebSocket that is asked for is not passed for requests of HTTP.
        scopes = self._framework.callables.scopes
        security = dependant.security_scopes_param_name
        return Inject(
            connection=dependant.http_connection_param_name,
            request=dependant.request_param_name,
            background_tasks=dependant.background_tasks_param_name,
            response=dependant.response_param_name,
            security_scopes=(security, scopes(dependant)) if security else None,
        )


def _overrides(call: Any) -> bool:
    """Whether a dependency may override those that come after it in the same request."""
    code = getattr(inspect.unwrap(call), "__code__", None)
    return code is not None and "dependency_overrides" in code.co_names


def _suspends(call: Any, kind: CallKind) -> bool:
    """Whether it may suspend."""
    return kind == "async_generator" or (kind == "coroutine" and not is_offloadable(call))
