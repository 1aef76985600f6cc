"""What every generated application imports: types of its parameters, and functions that note what
happens.

Applications keep no state but `EVENTS`, which the driver empties before each request. Whether a
function raises, or does something else, depends on nothing but the values that it was given, so
that both faces, and a server in another process, come to the same.
"""

import asyncio
import contextvars
import dataclasses
import enum
import zlib
from typing import Annotated, Any, NamedTuple

import anyio
from fastapi import BackgroundTasks, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import SecurityScopes
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer
from starlette.requests import HTTPConnection

EVENTS: list[str] = []
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
TASK: contextvars.ContextVar[int] = contextvars.ContextVar("task", default=0)
# Of whoever called the application; cancelled when its client has gone.
SCOPE: contextvars.ContextVar[anyio.CancelScope | None] = contextvars.ContextVar(
    "scope", default=None
)


class Odd(Exception):
    """An exception of the application, for which it may have a handler."""


class VeryOdd(Odd):
    """One that is handled as its base class is."""


class Colour(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Text(str):
    """Equal to the builtin type, and not it."""


class Opaque:
    """Something that nothing can encode."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Opaque()"


class Pair(NamedTuple):
    left: int
    right: str


@dataclasses.dataclass
class Point:
    x: int
    y: float = 1e-05


class Tree(BaseModel):
    """For trees of any depth."""

    name: str = "leaf"
    children: list["Tree"] = []


def _noted(value: Any) -> Any:
    EVENTS.append(f"validating {value!r}")
    return value


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


Noted = Annotated[int, BeforeValidator(_noted)]
Even = Annotated[int, AfterValidator(_even)]
Bounded = Annotated[int, Field(ge=1, le=10)]
Short = Annotated[str, Field(min_length=2, max_length=5, pattern="^[a-z]+$")]
Hexadecimal = Annotated[int, PlainSerializer(hex, return_type=str)]


def note(*parts: object) -> None:
    """Remember that something happened."""
    EVENTS.append(" ".join(map(str, parts)))


def show(**values: Any) -> str:
    """The values as a text which tells types apart, and has no addresses."""
    return ", ".join(f"{name}={_shown(value)}" for name, value in values.items())


def chance(text: str, every: int) -> bool:
    """Whether this is one case of so many; depends on the text only."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % every == 0


def mark(name: str, text: str) -> str:
    """What a dependency returns: short, and different for different values."""
    return f"{name}:{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def where() -> str:
    """In which context and Task this is: the variable, and whether the Task is the one before."""
    try:
        task = id(asyncio.current_task())
    except RuntimeError:
        return f"on a thread, {VARIABLE.get()}"
    known = TASK.get()
    TASK.set(task)
    which = "a" if known == 0 else "the same" if known == task else "another"
    return f"in {which} Task, {VARIABLE.get()}"


def background(name: str, value: object) -> None:
    """A background task on a thread."""
    note("background", name, value, VARIABLE.get())


async def cancel() -> None:
    """Cancel the Task of this request, as a server that ends does."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def leave() -> None:
    """Cancel the scope in which the application was called, if there is one."""
    scope = SCOPE.get()
    if scope is not None:
        scope.cancel()
    await asyncio.sleep(0)


async def plain(request: Request) -> Response:
    """A route of Starlette."""
    text = show(request=request)
    note("plain", text, where(), sorted(request.path_params.items()))
    VARIABLE.set("plain")
    if chance(text, 8):
        raise Odd("plain")
    if chance(text, 4):
        raise HTTPException(404, "plain")
    return PlainTextResponse(f"{request.url.path} {len(await request.body())}", 299)


def plain_on_thread(request: Request) -> Response:
    """One on a thread."""
    note("plain", show(request=request), where())
    return JSONResponse(request.query_params.multi_items(), 298)


async def async_background(name: str, value: object) -> None:
    """A background task on the loop."""
    await asyncio.sleep(0)
    note("async background", name, value, VARIABLE.get())


def _shown(value: Any) -> str:
    if isinstance(value, Request | HTTPConnection):
        return _shown_connection(value)
    if isinstance(value, Response | BackgroundTasks):
        return type(value).__qualname__
    if isinstance(value, SecurityScopes):
        return f"SecurityScopes({value.scopes})"
    if isinstance(value, BaseModel):
        extra = value.__pydantic_extra__
        return f"{value!r} set {sorted(value.model_fields_set)} extra {extra}"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({sorted(map(repr, value))})"
    if hasattr(value, "credentials") or hasattr(value, "username"):
        return f"{type(value).__name__}({vars(value) if hasattr(value, '__dict__') else value})"
    return f"{type(value).__name__} {value!r}"


def _shown_connection(connection: HTTPConnection) -> str:
    """What a server has to say in the same way; what it may say otherwise is only noted."""
    scope = connection.scope
    note(f"scope {_keys(scope)} {scope['headers']} {connection.client} {scope.get('server')}")
    values = {
        name: scope[name]
        for name in ("type", "http_version", "scheme", "path", "raw_path", "query_string")
        if name in scope
    }
    # In order of their names: servers may put those of one name together.
    headers = sorted(connection.headers.items(), key=lambda item: item[0])
    return (
        f"{type(connection).__name__}({connection.url} {scope.get('method')} {values} "
        f"root_path={scope.get('root_path')!r} path_params={connection.path_params} "
        f"query={connection.query_params.multi_items()} headers={headers} "
        f"cookies={connection.cookies} "
        f"state={sorted(connection.state._state)} endpoint={_name(scope.get('endpoint'))} "
        f"route={_path(scope.get('route'))} fastapi={sorted(scope.get('fastapi', ()))})"
    )


def _keys(scope: Any) -> list[str]:
    # FastAPI's own note to itself about asynchronous generators, which no one else has a use for.
    return sorted(key for key in scope if key != "fastapi_async_cleanup_scopes")


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def _path(route: Any) -> str:
    return f"{type(route).__name__} {getattr(route, 'path', None)}"
