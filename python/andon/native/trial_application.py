"""The applications of the self-test.

They use what native routes serve, each thing in one place at least. They are made with whatever
FastAPI is installed, so they ask whether it has what not all supported releases have.
"""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
)
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import HTTPBasic, SecurityScopes
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field


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
    """Make one that has everything but middleware."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(Refused, _answer_refused)
    _add_parameters(app)
    _add_bodies(app)
    _add_dependencies(app)
    _add_answers(app)
    _add_streams(app)
    if find_spec("python_multipart") is not None:
        # FastAPI refuses to make these routes without it.
        _add_forms(app)
    _add_mounted(app)
    app.add_route("/plain/{name}", _plain)
    app.add_route("/plain-on-thread", _plain_on_thread)
    app.add_exception_handler(405, _answer_not_allowed)
    return app


def under_middleware() -> FastAPI:
    """Make one with middleware, which looks at the body and changes the answer."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(Refused, _answer_refused)
    _add_bodies(app)
    _add_dependencies(app)
    _add_answers(app)
    _add_streams(app)
    _add_mounted(app)
    app.add_route("/plain/{name}", _plain)
    app.add_exception_handler(404, _answer_not_found)

    @app.middleware("http")
    async def look(request: Request, call_next: Callable[[Request], Any]) -> Any:
        length = len(await request.body()) if request.method == "POST" else 0
        response = await call_next(request)
        response.headers["x-length"] = str(length)
        return response

    return app


def under_layers() -> FastAPI:
    """Make one under middleware that Rust does itself."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(Refused, _answer_refused)
    _add_answers(app)
    _add_streams(app)

    @app.get("/varies")
    async def varies() -> Any:
        response = PlainTextResponse("long enough")
        response.headers.append("vary", "a")
        response.headers.append("vary", "b")
        return response

    app.add_middleware(CORSMiddleware, allow_origins=["http://a"], expose_headers=["x-own"])
    app.add_middleware(GZipMiddleware, minimum_size=10)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["test", "www.other"])
    return app


def _add_mounted(app: FastAPI) -> None:
    mounted = FastAPI(openapi_url=None)
    _add_parameters(mounted)
    app.mount("/mounted", mounted)


async def _plain(request: Request) -> Response:
    if request.path_params["name"] == "fails":
        raise Refused("plain")
    return JSONResponse([str(request.url), sorted(request.scope)])


def _plain_on_thread(request: Request) -> Response:
    return PlainTextResponse(request.url.query)


async def _answer_not_found(request: Request, error: Exception) -> Response:
    return JSONResponse([str(error), len(await request.body()), sorted(request.scope)], 404)


def _answer_not_allowed(request: Request, error: Exception) -> Response:
    headers = getattr(error, "headers", None)
    return JSONResponse([request.path_params, sorted(request.scope)], 405, headers)


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

    @app.post("/limited", **_where_known(app.post, max_body_size=16))
    async def limited(body: Annotated[bytes, Body()]) -> int:
        return len(body)

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

    @router.get("/in-turn")
    async def in_turn(
        one: Annotated[int, Depends(page, **_where_known(Depends, max_concurrency=1))],
        two: Annotated[str, Depends(opened, **_where_known(Depends, max_concurrency=1))],
    ) -> Any:
        return [one, two]

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


def _add_streams(app: FastAPI) -> None:
    @app.get("/lines")
    async def lines(number: int = 2) -> AsyncIterable[Item]:
        for each in range(number):
            yield Item.model_validate({"number": each})

    @app.get("/lines-on-thread")
    def lines_on_thread(number: int = 2) -> Iterable[Any]:
        yield from ({"number": each, "infinite": float("inf")} for each in range(number))

    @app.get("/events", response_class=EventSourceResponse)
    async def events(opened: Annotated[str, Depends(opened)]) -> AsyncIterable[Any]:
        yield {"opened": opened}
        yield ServerSentEvent(data=[1, None], event="named", id="7", comment="one\ntwo")
        yield ServerSentEvent(raw_data="a\nb")

    @app.get("/raw", response_class=StreamingResponse)
    async def raw(number: int = 2) -> AsyncIterable[bytes]:
        for each in range(number):
            yield b"%d" % each


def _add_forms(app: FastAPI) -> None:
    @app.post("/form")
    async def form(
        name: Annotated[str, Form(min_length=2)],
        many: Annotated[list[int], Form()] = [],  # noqa: B006
    ) -> Any:
        return [name, many]

    @app.post("/file")
    def file(file: UploadFile, data: Annotated[bytes | None, File()] = None) -> Any:
        return [file.filename, file.size, data]


def _where_known(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return options of which some releases do not know; there they are left out."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}
