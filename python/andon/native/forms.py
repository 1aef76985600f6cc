"""Forms: which parameters come from one, and how a request's is parsed.

Starlette parses them and FastAPI takes them apart, for what they make of a form has many cases and
little of it is a matter of speed beside the parsing.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from andon.native.description import FormFields
from andon.native.framework import Framework
from andon.native.handlers import Handler
from andon.native.objects import Objects
from andon.native.understanding import NotUnderstood


@dataclass(frozen=True)
class Form:
    """The form of a route. ``embed``: each parameter of any dependant is a member of it."""

    embed: bool

    def fields_of(self, dependant: Any, objects: Objects) -> FormFields | None:
        """Describe what a dependant takes of it, if anything."""
        fields = dependant.body_params
        if not fields:
            return None
        names = [field.name for field in fields]
        return FormFields(objects.number(fields), names, self.embed)


def form_of(handler: Handler, framework: Framework) -> Form | None:
    """Return the form of a route; `None`: its body is none.

    Raises `NotUnderstood` where the release reads it in a way of its own.
    """
    if not handler.is_body_form:
        return None
    if not framework.release.looks_at_own_form:
        raise NotUnderstood("a form, which this FastAPI compares with all forms of the route")
    return Form(bool(handler.embed_body_fields))


def read(request: Any, overrides: dict[str, Any] | None) -> Awaitable[Any]:
    """Parse the form of a request within the limits of its routers and its route.

    As ``fastapi.routing._resolve_form_limits`` has them: the route's count before the routers'.
    """
    inherited = request.scope.get("fastapi", {}).get("form_limits", {})
    limits = {**inherited, **overrides} if overrides else inherited
    return request.form(**limits)  # type: ignore[no-any-return]
