"""FastAPI routes as real applications have them, for the cases that measure the framework's part.

`app` has no middleware; `wrapped` has one of the application's own, `shared` allows other origins,
`crowded` has many routes, `overridden` gets an override of a dependency while it runs.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

ROUTERS = 5
ROUTES_PER_ROUTER = 10

router = APIRouter()
oauth2 = OAuth2PasswordBearer(tokenUrl="token")


class Item(BaseModel):
    """What is posted."""

    name: str
    price: float
    tags: list[str] = []


class StoredItem(Item):
    """What comes back."""

    id: int
    owner: str


class Session:
    """Stands for a session of a database."""

    def __init__(self) -> None:
        self.stored: list[Item] = []

    def close(self) -> None:
        self.stored.clear()


async def settings(verbose: bool = False) -> dict[str, bool]:
    return {"verbose": verbose}


async def repository(used: Annotated[dict[str, bool], Depends(settings)]) -> dict[str, object]:
    return {"settings": used}


async def service(used: Annotated[dict[str, object], Depends(repository)]) -> dict[str, object]:
    return {"repository": used}


async def async_session() -> AsyncIterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def sync_session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def current_user(token: Annotated[str, Depends(oauth2)]) -> str:
    return token.removeprefix("token-of-")


@router.get("/async")
async def async_dict() -> dict[str, str]:
    return {"hello": "world"}


@router.get("/depends")
async def three_levels(used: Annotated[dict[str, object], Depends(service)]) -> dict[str, bool]:
    return {"used": bool(used)}


@router.get("/session")
async def with_session(
    request: Request, session: Annotated[Session, Depends(async_session)]
) -> dict[str, object]:
    return {"path": request.url.path, "stored": len(session.stored)}


@router.post("/orders", response_model=StoredItem, status_code=201)
def usual(
    item: Item,
    request: Request,
    response: Response,
    session: Annotated[Session, Depends(sync_session)],
    user: Annotated[str, Depends(current_user)],
) -> dict[str, object]:
    session.stored.append(item)
    response.headers["x-path"] = request.url.path
    return {"id": len(session.stored), "owner": user, **item.model_dump()}


@router.get("/numbers/{number}")
async def validated(number: int) -> dict[str, int]:
    return {"number": number}


@router.get("/refused")
async def refused() -> None:
    raise HTTPException(status_code=403, detail="not for you")


@router.post("/sign-in")
async def sign_in(
    name: Annotated[str, Form()], remember: Annotated[bool, Form()] = False
) -> dict[str, object]:
    return {"name": name, "remember": remember}


@router.get("/lines")
async def lines() -> AsyncIterator[dict[str, int]]:
    for number in range(3):
        yield {"number": number}


@router.get("/failing")
async def failing() -> None:
    raise LookupError("nobody handles this")


def _nested() -> APIRouter:
    """Make 50 routes in five routers under one, all with a parameter."""
    api = APIRouter(prefix="/api/v1")
    for number in range(ROUTERS):
        below = APIRouter(prefix=f"/section{number}")
        for route in range(ROUTES_PER_ROUTER):
            below.get(f"/thing{route}/{{number}}")(validated)
        api.include_router(below)
    return api


@asynccontextmanager
async def overriding_later(application: FastAPI) -> AsyncIterator[None]:
    def override() -> None:
        application.dependency_overrides[service] = settings

    asyncio.get_running_loop().call_later(0.5, override)
    yield


def _with(included: APIRouter, **options: Any) -> FastAPI:
    application = FastAPI(**options)
    application.include_router(included)
    return application


app = _with(router)
crowded = _with(_nested())
wrapped = _with(router)
shared = _with(router)
overridden = _with(router, lifespan=overriding_later)
shared.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])


@wrapped.middleware("http")
async def stamped(request: Request, call_next):  # type: ignore[no-untyped-def]
    response = await call_next(request)
    response.headers["x-stamp"] = request.method
    return response
