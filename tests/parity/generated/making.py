"""Draws the specification of an application from a source of chance."""

from random import Random

from fastapi import APIRouter, Depends

from tests.parity.generated import statements, streams
from tests.parity.generated.drawing import draw_parameters
from tests.parity.generated.kinds import BODY_KINDS, KINDS, Kind
from tests.parity.generated.release import known
from tests.parity.generated.specification import (
    ASYNC,
    ASYNC_CALLABLE,
    ASYNC_GENERATOR,
    CALLABLE,
    CLASS,
    GENERATOR,
    PARTIAL,
    PLAIN,
    Application,
    Field,
    Function,
    Model,
    Parameter,
    Route,
    Router,
    Use,
)

DEPENDENCY_STYLES = (
    *(ASYNC, ASYNC, ASYNC, ASYNC, PLAIN, CLASS, CALLABLE, ASYNC_CALLABLE, PARTIAL),
    *(GENERATOR, ASYNC_GENERATOR, ASYNC_GENERATOR),
)
# Mostly asynchronous: a call on a thread takes several times as long.
ENDPOINT_STYLES = (ASYNC, ASYNC, ASYNC, PLAIN)
SEGMENTS = ("items", "users", "a.b", "x-y", "a")
CONVERTORS = ("", "", "", ":int", ":path", ":float", ":uuid", ":str")
INJECTIONS = (
    ("request", "Request"),
    ("response", "Response"),
    ("tasks", "BackgroundTasks"),
    ("connection", "HTTPConnection"),
    ("granted", "SecurityScopes"),
)
MODEL_OPTIONS = (
    'extra="forbid"',
    'extra="allow"',
    "populate_by_name=True",
    "frozen=True",
    "str_strip_whitespace=True",
    "strict=True",
)
SECURITY = (
    'security.OAuth2PasswordBearer(tokenUrl="token")',
    'security.OAuth2PasswordBearer(tokenUrl="token", auto_error=False)',
    'security.APIKeyHeader(name="x-key")',
    'security.APIKeyQuery(name="key", auto_error=False)',
    'security.APIKeyCookie(name="session")',
    "security.HTTPBasic(auto_error=False)",
    "security.HTTPBearer()",
)
STATEMENTS_SHARE = 0.5
MIDDLEWARE_SHARE = 0.15
STREAMS_SHARE = 0.15
MOUNTED_SHARE = 0.3


def make(random: Random, for_servers: bool) -> Application:
    """Draw an application with a few routes.

    One for servers does nothing that each of them takes in its own way: its requests are not
    cancelled, and it announces no length of what is not sent.
    """
    return Maker(random, for_servers).application()


class Maker:
    """What has been drawn of an application so far."""

    def __init__(self, random: Random, for_servers: bool) -> None:
        self.random = random
        self.for_servers = for_servers
        self.models: tuple[Model, ...] = ()
        # Names of dependencies, security schemes included.
        self.known: list[str] = []
        self.kinds: dict[tuple[str, str], Kind] = {}
        self.threads_at_end = False

    def application(self) -> Application:
        """Draw all of it."""
        random = self.random
        self.models = tuple(self._model(number) for number in range(random.randint(1, 3)))
        schemes = random.sample(SECURITY, random.choice((0, 0, 1, 2)))
        security = tuple((f"scheme_{number}", scheme) for number, scheme in enumerate(schemes))
        self.known = [name for name, _ in security]
        dependencies: list[Function] = []
        for number in range(random.randint(1, 6)):
            dependencies.append(self._dependency(f"dependency_{number}"))
            self.known.append(dependencies[-1].name)
            on_thread = any(map(streams.on_thread, dependencies[-1].at_end))
            self.threads_at_end |= on_thread or dependencies[-1].style == GENERATOR
        routers: tuple[Router, ...] = ()
        for _ in range(random.choice(range(4))):
            routers += (self._router(routers),)
        routes = tuple(self._route(number, len(routers)) for number in range(random.randint(3, 8)))
        uses = self._bare_uses(0.15)
        application = Application(
            self.models, tuple(dependencies), security, routers, routes, uses=uses
        )
        return statements.add(random, application, STATEMENTS_SHARE, MIDDLEWARE_SHARE)

    def _model(self, number: int) -> Model:
        random = self.random
        kinds = random.choice((KINDS, BODY_KINDS))
        fields = []
        for index in range(random.randint(1, 4)):
            alias = f"{chr(65 + index)}-x" if random.random() < 0.2 else None
            required = random.random() < 0.6
            fields.append(Field(f"m{index}", random.choice(kinds), required, alias))
        config = tuple(option for option in MODEL_OPTIONS if random.random() < 0.12)
        if 'extra="forbid"' in config:
            config = tuple(option for option in config if option != 'extra="allow"')
        return Model(f"Model{number}", tuple(fields), config)

    def _dependency(self, name: str) -> Function:
        random = self.random
        style = random.choice(DEPENDENCY_STYLES)
        injections = self._injections()
        generator = style in (GENERATOR, ASYNC_GENERATOR)
        return Function(
            name,
            style,
            # Bodies of dependencies are embedded into the endpoint's, so they are rare.
            self._parameters("", (0, 0, 1, 1, 2, 3), 0.05),
            self._named_uses(),
            injections,
            statements.effects(random, style, injections, self.for_servers),
            random.choice(statements.ON_ERROR) if generator else "raise",
            statements.end_effects(random, style, self.for_servers) if generator else (),
        )

    def _route(self, number: int, routers: int) -> Route:
        random = self.random
        path, names = _path(random)
        style = random.choice(ENDPOINT_STYLES)
        injections = self._injections()
        method = random.choice(("GET", "GET", "POST", "POST", "PUT", "DELETE", "PATCH"))
        returns, annotation, options = statements.answer(random, self.models, self.for_servers)
        endpoint = Function(
            f"endpoint_{number}",
            style,
            self._parameters(names, (0, 1, 2, 2, 3, 5), 0.1 if method == "GET" else 0.8),
            self._named_uses(),
            injections,
            statements.effects(random, style, injections, self.for_servers),
            returns=returns,
            annotation=annotation,
        )
        # Servers begin such an answer sooner or later, before or after what fails.
        if not self.for_servers and random.random() < STREAMS_SHARE:
            endpoint, options = streams.streaming(
                random, endpoint, self.models, self.threads_at_end
            )
        router = random.choice([None, *range(routers)])
        if random.random() < 0.08:
            options += (f"max_body_size={random.choice((0, 10, 60, 10_000))}",)
        options = known(APIRouter.get, options)
        return Route(method, path, endpoint, options, self._bare_uses(0.2), router)

    def _router(self, before: tuple[Router, ...]) -> Router:
        random, number = self.random, len(before)
        nested_in = number - 1 if number and random.random() < 0.5 else None
        mounted = random.random() < MOUNTED_SHARE
        if mounted and nested_in is not None and not before[nested_in].mounted:
            # A mount does not get the prefix of a router.
            nested_in = None
        prefixes = (f"/r{number}", f"/r{number}/deep", f"/r{number}/v1.0")
        return Router(random.choice(prefixes), self._bare_uses(0.2), nested_in, mounted)

    def _parameters(
        self, path_names: str, counts: tuple[int, ...], body_share: float
    ) -> tuple[Parameter, ...]:
        return draw_parameters(self.random, path_names, counts, self.models, body_share, self.kinds)

    def _injections(self) -> tuple[tuple[str, str], ...]:
        return tuple(item for item in INJECTIONS if self.random.random() < 0.12)

    def _named_uses(self) -> tuple[Use, ...]:
        count = min(len(self.known), self.random.choice((0, 0, 1, 1, 2)))
        names = self.random.choices(self.known, k=count)
        return tuple(self._use(name, f"d{index}") for index, name in enumerate(names))

    def _bare_uses(self, share: float) -> tuple[Use, ...]:
        if not self.known or self.random.random() > share:
            return ()
        names = self.random.choices(self.known, k=self.random.choice((1, 2)))
        return tuple(self._use(name, None) for name in names)

    def _use(self, dependency: str, name: str | None) -> Use:
        random = self.random
        options = []
        if random.random() < 0.15:
            options.append("use_cache=False")
        if random.random() < 0.05:
            # More than one request asks for: whoever waited for himself would wait for ever.
            options.append("max_concurrency=100")
        if random.random() < 0.3:
            scopes = tuple(random.sample(("me", "items", "all"), random.choice((0, 1, 2))))
            return Use(dependency, name, known(Depends, options), scopes)
        if random.random() < 0.2:
            options.append(f'scope="{random.choice(("function", "request"))}"')
        return Use(dependency, name, known(Depends, options))


def _path(random: Random) -> tuple[str, str]:
    """A path, and its parameters with their convertors as "a:int b"."""
    parts, names = [""], []
    for index in range(random.choice((1, 1, 2, 2, 3))):
        if random.random() < 0.45:
            convertor = random.choice(CONVERTORS)
            names.append(f"p{index}{convertor}")
            around = random.choice(("{}", "{}", "{}", "v{}", "{}.json"))
            parts.append(around.format(f"{{p{index}{convertor}}}"))
        else:
            parts.append(random.choice(SEGMENTS))
    return "/".join(parts) + random.choice(("", "", "", "/")), " ".join(names)
