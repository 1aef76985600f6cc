"""What a generated application is made of.

All of it is immutable, so that `shrinking` can leave parts out without harm to the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.parity.generated.kinds import Kind

PATH, QUERY, HEADER, COOKIE, BODY = "Path", "Query", "Header", "Cookie", "Body"
FORM, FILE = "Form", "File"
# How a dependency or an endpoint may be written.
ASYNC, PLAIN = "async", "def"
CLASS, CALLABLE, ASYNC_CALLABLE, PARTIAL = "class", "callable", "async callable", "partial"
GENERATOR, ASYNC_GENERATOR = "generator", "async generator"


@dataclass(frozen=True)
class Field:
    """A field of a model."""

    name: str
    kind: Kind
    required: bool
    alias: str | None = None


@dataclass(frozen=True)
class Model:
    """A pydantic model."""

    name: str
    fields: tuple[Field, ...]
    # Arguments of ConfigDict.
    config: tuple[str, ...] = ()

    @property
    def flat(self) -> bool:
        """Whether parameters of a query, headers or cookies may be its fields."""
        return all(field.kind.texts for field in self.fields)


@dataclass(frozen=True)
class Parameter:
    """A parameter that comes from the request."""

    name: str
    source: str
    kind: Kind
    required: bool
    # Arguments of Query(...) and the like; none at all: the plain annotation.
    options: tuple[str, ...] = ()
    annotated: bool = True
    # Names under which a request may have it, the first being the usual one.
    aliases: tuple[str, ...] = ()
    model: Model | None = None


@dataclass(frozen=True)
class Use:
    """Another dependency that something depends on."""

    dependency: str
    # As it is passed; none: it is only called.
    name: str | None
    # Arguments of Depends(...).
    options: tuple[str, ...] = ()
    # Not none: Security(...) with these scopes.
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Effect:
    """A statement that is run in one case of so many."""

    every: int
    statement: str


@dataclass(frozen=True)
class Function:
    """An endpoint or a dependency."""

    name: str
    style: str
    parameters: tuple[Parameter, ...] = ()
    uses: tuple[Use, ...] = ()
    # Pairs of name and annotation, such as ("request", "Request").
    injections: tuple[tuple[str, str], ...] = ()
    effects: tuple[Effect, ...] = ()
    # Of a generator: what it does with an exception, and at its end.
    on_error: str = "raise"
    at_end: tuple[Effect, ...] = ()
    # Of an endpoint: the expression that it returns, and its annotation.
    returns: str = ""
    annotation: str | None = None
    # Of an endpoint that is a generator: the expressions that it yields.
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """A route of a router."""

    method: str
    path: str
    endpoint: Function
    # Arguments of the decorator after the path.
    options: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    # The number of its router; none: the application's own.
    router: int | None = None


@dataclass(frozen=True)
class Router:
    """A router, included in the one before it or in the application.

    If it is mounted, it is an application itself.
    """

    prefix: str
    uses: tuple[Use, ...] = ()
    nested_in: int | None = None
    mounted: bool = False


@dataclass(frozen=True)
class Application:
    """All of it, in the order in which it is written."""

    models: tuple[Model, ...]
    dependencies: tuple[Function, ...]
    security: tuple[tuple[str, str], ...]
    routers: tuple[Router, ...]
    routes: tuple[Route, ...]
    # Arguments of FastAPI(...).
    options: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    # Whole statements: exception handlers, middleware.
    statements: tuple[str, ...] = ()
    # Whether it is called within a scope that can be cancelled.
    scoped: bool = False

    def full_path(self, route: Route) -> str:
        """The route's path with the prefixes of its routers."""
        path, number = route.path, route.router
        while number is not None:
            path = self.routers[number].prefix + path
            number = self.routers[number].nested_in
        return path

    def parameters(self, route: Route) -> Iterator[Parameter]:
        """All parameters that a request to this route may have."""
        yield from route.endpoint.parameters
        uses = [*route.uses, *route.endpoint.uses, *self.uses]
        number = route.router
        while number is not None:
            uses.extend(self.routers[number].uses)
            number = self.routers[number].nested_in
        for name in self.reached(uses):
            yield from self.dependency(name).parameters

    def reached(self, uses: list[Use]) -> set[str]:
        """The names of all dependencies below these."""
        names: set[str] = set()
        security = {name for name, _ in self.security}
        while uses:
            name = uses.pop().dependency
            if name not in names and name not in security:
                names.add(name)
                uses.extend(self.dependency(name).uses)
        return names

    def dependency(self, name: str) -> Function:
        """The dependency of this name."""
        return next(item for item in self.dependencies if item.name == name)
