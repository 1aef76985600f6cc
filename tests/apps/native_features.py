"""A FastAPI application with one route for each feature that may be served natively."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    Query,
    Request,
    Response,
    Security,
    WebSocket,
)
from fastapi.responses import PlainTextResponse
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import AliasChoices, BaseModel, Json
from starlette.requests import HTTPConnection

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="token")


class Item(BaseModel):
    """A body, and a response model."""

    name: str
    price: float = 1.0


class Filters(BaseModel):
    """A parameter model."""

    limit: int = 10
    tags: list[str] = []


# --- parameters


@app.get("/scalars/{number:int}/{text}")
async def scalars(
    number: int,
    text: str,
    needed: int,
    given: str | None = None,
    many: Annotated[list[int], Query()] = [],  # noqa: B006
    user_agent: Annotated[str | None, Header()] = None,
    session: Annotated[str, Cookie(alias="sid")] = "none",
) -> dict[str, Any]:
    """One parameter from each place that a request has."""
    return locals()


@app.get("/aliases")
async def aliases(
    chosen: Annotated[str, Query(validation_alias=AliasChoices("first", "second"))],
    checked: Annotated[int, Query(validate_default=True)] = 7,
) -> None:
    """Several names for one parameter, and a default that is validated."""


@app.get("/from-one-value")
async def from_one_value(
    listed: Annotated[Json[list[int]], Query()] = [],  # noqa: B006
    cookies: Annotated[list[str] | None, Cookie()] = None,
) -> None:
    """Lists that are made of a single value."""


@app.get("/model")
async def model(filters: Annotated[Filters, Query()]) -> None:
    """A model whose fields are parameters."""


# --- bodies and results


@app.post("/whole", status_code=201)
async def whole(item: Item) -> Item:
    """The body is the parameter."""
    return item


@app.post("/embedded")
async def embedded(item: Annotated[Item, Body(embed=True)], count: Annotated[int, Body()]) -> None:
    """The parameters are members of the body."""


@app.get("/unannotated")
async def unannotated():  # type: ignore[no-untyped-def]
    """A result that is encoded as it is."""
    return {}


@app.get("/filtered", response_model=Item, response_model_exclude_unset=True)
async def filtered() -> Any:
    """A response model with an option."""
    return {"name": "one"}


@app.get("/text", response_class=PlainTextResponse)
def text() -> str:
    """A response class, on a thread."""
    return "text"


# --- dependencies


async def awaited(page: int = 1) -> int:
    """A dependency with a parameter."""
    return page


def called(page: Annotated[int, Depends(awaited)]) -> int:
    """A dependency on a thread, with one of its own."""
    return page


class Made:
    """A class as dependency."""

    def __init__(self, size: int = 20) -> None:
        self.size = size


async def opened() -> AsyncIterator[int]:
    """Closed after the answer."""
    yield 1


def opened_on_thread() -> Iterator[int]:
    """Closed before the answer."""
    yield 2


@app.get("/dependencies", dependencies=[Depends(awaited)])
async def dependencies(
    one: Annotated[int, Depends(called)],
    two: Annotated[int, Depends(awaited, use_cache=False)],
    made: Annotated[Made, Depends()],
) -> None:
    """Dependencies of every kind that has no end."""


@app.get("/opened")
async def opened_route(
    one: Annotated[int, Depends(opened)],
    two: Annotated[int, Depends(opened_on_thread, scope="function")],
) -> None:
    """Dependencies that are closed."""


async def suspends(request: Request) -> bytes:
    """Waits."""
    return await request.body()


@app.get("/suspends")
async def suspending(body: Annotated[bytes, Depends(suspends)]) -> None:
    """An endpoint that cannot wait, and a dependency that can."""


# --- objects of the framework


async def connected(
    request: Request = None,  # type: ignore[assignment]
    websocket: WebSocket = None,  # type: ignore[assignment]
) -> None:
    """A dependency of both kinds of routes."""


@app.get("/connected", dependencies=[Depends(connected)])
async def connected_route() -> None:
    """Has no WebSocket to give to what it depends on."""


async def scoped(scopes: SecurityScopes, token: Annotated[str, Depends(oauth2)]) -> str:
    """A dependency that is told the scopes of its caller."""
    return token


@app.get("/injected")
async def injected(
    connection: HTTPConnection,
    request: Request,
    response: Response,
    tasks: BackgroundTasks,
    token: Annotated[str, Security(scoped, scopes=["read", "write"])],
) -> None:
    """Everything that FastAPI hands out."""


# --- routers

inner = APIRouter(prefix="/inner", dependencies=[Depends(awaited)])
outer = APIRouter()


@inner.get("/leaf")
async def leaf() -> None:
    """A route of a router in a router."""


@outer.get("/twig")
def twig() -> None:
    """A route of a router."""


outer.include_router(inner, prefix="/middle")
app.include_router(outer, prefix="/outer")


@app.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    """Takes no request of HTTP."""
    await websocket.accept()


@app.get("/last")
async def last() -> None:
    """A route of the application itself, behind an included router."""


app.mount("/mounted", FastAPI())
