"""The application of the self-test, and what is sent to it.

It uses what native routes serve, each thing in one place at least. It is made with whatever FastAPI
is installed, so it keeps to what all supported releases have.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBasic, SecurityScopes
from pydantic import BaseModel, Field


@dataclass(frozen=True)
class Call:
    """A request."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class Part(BaseModel):
    """A model in a model."""

    name: str
    weight: float = Field(1.0, gt=0)


class Item(BaseModel):
    """A body, and a response model."""

    number: int
    title: str | None = Field(None, alias="titleOf")
    parts: list[Part] = []


class Paging(BaseModel):
    """A parameter model."""

    limit: int = 10
    tags: list[str] = []


class Refused(Exception):
    """Has a handler."""


async def page(number: int = 1) -> int:
    """A dependency with a parameter."""
    return number


def doubled(number: Annotated[int, Depends(page)]) -> int:
    """A dependency on a thread, with one of its own."""
    return 2 * number


async def opened(response: Response) -> AsyncIterator[str]:
    """A dependency that is closed, and that sets a field of the answer."""
    response.headers["x-opened"] = "yes"
    yield "opened"


def opened_on_thread() -> Iterator[str]:
    """The same on a thread."""
    yield "thread"


async def refusing(allowed: bool = True) -> None:
    """A dependency that ends the request."""
    if not allowed:
        raise HTTPException(403, "not allowed", headers={"x-reason": "none"})


async def scopes_of(scopes: SecurityScopes, request: Request) -> list[str]:
    """A dependency that is told its scopes."""
    return [*scopes.scopes, request.url.path]


def application() -> FastAPI:
    """Make the application."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(Refused, _answer_refused)
    _add_parameters(app)
    _add_bodies(app)
    _add_dependencies(app)
    _add_answers(app)
    return app


async def _answer_refused(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=418)


def _add_parameters(app: FastAPI) -> None:
    @app.get("/path/{number:int}/{rest:path}")
    async def path(number: int, rest: str) -> Any:
        return [number, rest]

    @app.get("/query")
    async def query(
        needed: int,
        flag: bool = False,
        many: Annotated[list[float], Query()] = [],  # noqa: B006
        text: Annotated[str | None, Query(min_length=2, alias="text-of")] = None,
    ) -> Any:
        return {"needed": needed, "flag": flag, "many": many, "text": text}

    @app.get("/fields")
    def fields(
        user_agent: Annotated[str | None, Header()] = None,
        x_many: Annotated[list[str] | None, Header()] = None,
        session: Annotated[str, Cookie()] = "none",
    ) -> Any:
        return {"agent": user_agent, "many": x_many, "session": session}

    @app.get("/model")
    async def model(paging: Annotated[Paging, Query()]) -> Paging:
        return paging


def _add_bodies(app: FastAPI) -> None:
    @app.post("/item", status_code=201)
    async def item(item: Item) -> Item:
        return item

    @app.put("/items", response_model=list[Item], response_model_exclude_unset=True)
    def items(items: list[Item]) -> Any:
        return items

    @app.post("/members")
    async def members(item: Item, count: Annotated[int, Body(ge=0)] = 1) -> Any:
        return {"item": item, "count": count}

    @app.post("/anything")
    async def anything(body: Annotated[Any, Body()] = None) -> Any:
        return body


def _add_dependencies(app: FastAPI) -> None:
    router = APIRouter(prefix="/in", dependencies=[Depends(refusing)])

    @router.get("/dependencies")
    async def dependencies(
        one: Annotated[int, Depends(doubled)], two: Annotated[int, Depends(page)]
    ) -> Any:
        return [one, two]

    @router.get("/opened")
    def opened_route(
        one: Annotated[str, Depends(opened)], two: Annotated[str, Depends(opened_on_thread)]
    ) -> str:
        return one + two

    @router.get("/scopes")
    async def scopes(found: Annotated[list[str], Depends(scopes_of)]) -> Any:
        return found

    @router.get("/basic", dependencies=[Depends(HTTPBasic())])
    def basic() -> None:
        return None

    app.include_router(router, prefix="/api")


def _add_answers(app: FastAPI) -> None:
    @app.get("/injected")
    async def injected(request: Request, response: Response, tasks: BackgroundTasks) -> Any:
        tasks.add_task(lambda: None)
        response.status_code = 202
        response.set_cookie("seen", "1")
        return {"url": str(request.url), "query": dict(request.query_params)}

    @app.get("/text", response_class=PlainTextResponse)
    def text() -> str:
        return "tëxt"

    @app.get("/response")
    async def response() -> Response:
        return JSONResponse({"a": 1}, status_code=203, headers={"x-own": "yes"})

    @app.get("/empty", status_code=204)
    async def empty() -> None:
        return None

    @app.get("/values")
    async def values() -> Any:
        return {"float": 1e-7, "text": 'é"\u2028', "long": 2**70, "list": (1, None, True)}

    @app.get("/raises/{kind}")
    async def raises(kind: str) -> Any:
        errors = {"http": HTTPException(409, {"a": 1}), "refused": Refused("refused")}
        raise errors.get(kind) or RuntimeError(kind)

    @app.get("/wrong")
    async def wrong() -> Item:
        return "no item"  # type: ignore[return-value]


_JSON = ((b"content-type", b"application/json"),)
_BODIES = (
    b"",
    b"null",
    b"{}",
    b"[]",
    b"7",
    b'{"number": 1}',
    b'{"number": "2", "titleOf": "t\xc3\xa9", "parts": [{"name": "p"}]}',
    b'{"number": 1.5, "parts": [{"weight": -1}]}',
    b'[{"number": 1, "title": "ignored"}]',
    b'{"item": {"number": 1}, "count": -1}',
    b'{"item": {"number": 1}}',
    b'{"number": 1,}',
    b"\xff\xfe",
    b'{"number": ' + b"9" * 400 + b"}",
    b"[" * 300 + b"]" * 300,
    b'\xef\xbb\xbf{"number": 1}',
    b'{"number": NaN}',
)
_TYPES = (
    _JSON,
    ((b"content-type", b"application/vnd.api+json; charset=utf-8"),),
    ((b"content-type", b"text/plain"),),
    (),
)
_QUERIES = (
    b"",
    b"needed=1",
    b"needed=",
    b"needed=x&needed=2",
    b"needed=1&flag=on&many=1&many=2.5&text-of=ab",
    b"needed=1&flag=maybe&many=x&text-of=a",
    b"needed=%31&text-of=a%20b+c%FF",
    b"number=3",
    b"number=three",
    b"allowed=false",
    b"allowed=no&number=x",
    b"limit=5&tags=a&tags=b",
    b"limit=five",
)
_FIELDS = (
    (),
    ((b"user-agent", b"test\xe9"), (b"x-many", b"1"), (b"x-many", b"2")),
    ((b"cookie", b'session="a b"; other=1'), (b"cookie", b"session=last")),
    ((b"authorization", b"Basic YTpi"),),
)
_PATHS = (
    "/path/7/a/b",
    "/path/x/a",
    "/path/0123/",
    "/text",
    "/text/",
    "/response",
    "/empty",
    "/values",
    "/raises/http",
    "/raises/refused",
    "/raises/other",
    "/wrong",
    "/nowhere",
)
_ASKED = (
    "/query",
    "/model",
    "/injected",
    "/api/in/dependencies",
    "/api/in/opened",
    "/api/in/scopes",
)


def calls() -> Iterator[Call]:
    """Yield what is sent."""
    for path in ("/item", "/items", "/members", "/anything"):
        method = "PUT" if path == "/items" else "POST"
        yield from (Call(method, path, headers=_JSON, body=body) for body in _BODIES)
        yield from (Call(method, path, headers=kind, body=_BODIES[6]) for kind in _TYPES)
    for path in _ASKED:
        yield from (Call("GET", path, query) for query in _QUERIES)
    for path in ("/fields", "/api/in/basic"):
        yield from (Call("GET", path, headers=fields) for fields in _FIELDS)
    for path in _PATHS:
        yield from (Call(method, path) for method in ("GET", "POST", "HEAD"))
