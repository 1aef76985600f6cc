"""What is said of an application's routes: the Python side of ``crates/plan/src/description.rs``.

The inspection makes it; Rust compiles a plan from its JSON. Python objects are named by their
number in the table that travels beside it (`andon.native.objects`). Field for field the Rust
structures, where a name that Python would confuse ends in an underscore.
"""

import json
from dataclasses import dataclass, field, fields
from typing import Any, Literal

CallKind = Literal["coroutine", "function", "generator", "async_generator"]
Stream = Literal["json_lines", "events", "raw"]
Source = Literal["path", "query", "header", "cookie", "body", "form"]
# Whose code calls an endpoint.
Caller = Literal["fastapi", "starlette", "router"]


@dataclass(frozen=True)
class Shared:
    """A default that cannot change: this very object stands in for what was not sent."""

    object: int


Absent = Literal["none", "made"] | Shared


@dataclass(frozen=True)
class FormMember:
    """A member of a model, and where it is in a form."""

    aliases: list[str]
    list_: bool


@dataclass(frozen=True)
class FormModel:
    """A model, or a union of models, whose members are fields of a form."""

    members: list[FormMember]
    supplied_by: list[str] | None
    supplied_by_any: bool


@dataclass(frozen=True)
class Parameter:
    """One parameter of a callable."""

    source: Source
    name: str
    aliases: list[str]
    list_: bool
    empty_is_absent: bool
    required: bool
    absent: Absent
    validate_default: bool
    validate: int
    field: int
    model: int | None
    form: FormModel | None = None


@dataclass(frozen=True)
class Inject:
    """Keywords under which a callable gets objects of the framework."""

    connection: str | None = None
    request: str | None = None
    background_tasks: str | None = None
    response: str | None = None
    security_scopes: tuple[str, list[str]] | None = None

    def is_empty(self) -> bool:
        """Whether it asks for none."""
        return all(getattr(self, each.name) is None for each in fields(self))


@dataclass(frozen=True)
class FormFields:
    """Parameters that the framework itself takes out of a form."""

    fields: int
    names: list[str]
    embed: bool


@dataclass(frozen=True)
class Dependant:
    """A callable with its parameters and dependencies."""

    call: int
    kind: CallKind
    suspends: bool
    name: str | None
    cache_key: int
    use_cache: bool
    concurrency: int | None
    function_scope: bool
    dependencies: list["Dependant"]
    parameters: list[Parameter]
    form: FormFields | None
    inject: Inject


@dataclass(frozen=True)
class Body:
    """How a body is read."""

    strict_content_type: bool
    embed: bool
    form: int | None
    urlencoded: bool = False
    null_is_absent: bool = False


@dataclass(frozen=True)
class BodyLimit:
    """A limit of the size of bodies, in bytes."""

    level: Literal["application", "router", "route"]
    size: int


@dataclass(frozen=True)
class ResponseField:
    """The ``response_model`` and its options."""

    field: int
    validate: int
    to_json: int
    options: int
    plain: bool


@dataclass(frozen=True)
class Response:
    """What becomes of the endpoint's result."""

    status_code: int | None
    field: ResponseField | None
    class_: int
    default_class: bool
    stream: Stream | None


@dataclass(frozen=True)
class ScopeObjects:
    """What user code finds in the scope of a matched request."""

    app: int
    router: int
    # `None`: there is none.
    route: int | None
    endpoint: int | None
    fastapi: int | None


@dataclass(frozen=True)
class Native:
    """How a route is served natively."""

    tier: int
    endpoint: str
    caller: Caller
    root: Dependant
    body: Body | None
    limits: list[BodyLimit]
    response: Response
    scope: ScopeObjects
    # A list of what must be as it was when a request takes this route.
    guards: int | None


@dataclass(frozen=True)
class Refused:
    """What a route answers to methods that it does not take: 405, with this ``Allow``."""

    allow: str
    native: Native


@dataclass(frozen=True)
class Opaque:
    """The application itself answers, for this reason."""

    reason: str


@dataclass(frozen=True)
class Barrier:
    """Nothing is known of what it matches: it and all that follow are the application's."""

    reason: str


@dataclass(frozen=True)
class Route:
    """One route; no methods: every method."""

    methods: list[str]
    path: str
    serve: Native | Opaque | Barrier
    # `None`: only the application knows.
    refused: Refused | None = None


@dataclass(frozen=True)
class Missed:
    """What the router does with a request that no route takes: 404, after a try for a redirect."""

    not_found: Native
    # `None`: it does not try.
    redirect: Native | None
    # A list of what must be as it was for that to be true.
    guards: int


@dataclass(frozen=True)
class Description:
    """An application's routes in the order in which the framework tries them."""

    routes: list[Route] = field(default_factory=list)
    # `None`: only the application knows.
    missed: Missed | None = None

    def to_json(self) -> str:
        """Return the JSON from which `andon._andon` compiles a plan."""
        return json.dumps(_plain(self), separators=(",", ":"))


_TAGS = {Native: "native", Opaque: "opaque", Barrier: "barrier"}


def _plain(value: Any) -> Any:
    """Return what serde reads: enums tagged from outside, fields under their Rust names."""
    if isinstance(value, Shared):
        return {"shared": value.object}
    if isinstance(value, Opaque | Barrier):
        return value.reason
    if isinstance(value, Route):
        return {**_members(value), "serve": {_TAGS[type(value.serve)]: _plain(value.serve)}}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _members(value) if hasattr(value, "__dataclass_fields__") else value


def _members(value: Any) -> dict[str, Any]:
    return {
        each.name.removesuffix("_"): _plain(getattr(value, each.name)) for each in fields(value)
    }
