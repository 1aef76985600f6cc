"""Models whose fields are the parameters of a query, of headers or of cookies."""

from typing import Annotated, Any

import fastapi.dependencies.utils
from fastapi import Cookie, FastAPI, Header, Query
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tests.parity.cases.case import case, get

# Since 0.159.
HAS_OPTIONAL = hasattr(fastapi.dependencies.utils, "_get_param_model")


class Filter(BaseModel):
    limit: Annotated[int, Field(ge=1)] = 10
    tags: list[str] = []
    order: str = Field("up", alias="order-by")
    either: str | None = Field(None, validation_alias=AliasChoices("one", "two"))


class Strict(Filter):
    model_config = ConfigDict(extra="forbid")


class Open(Filter):
    model_config = ConfigDict(extra="allow")


class Fields(BaseModel):
    x_token: str
    x_many: list[int] = []
    plain: str | None = None


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/ignored")
    async def ignored(group: Annotated[Filter, Query()]) -> Any:
        return group

    @app.get("/forbidden")
    async def forbidden(group: Annotated[Strict, Query()]) -> Any:
        return group

    @app.get("/allowed")
    async def allowed(group: Annotated[Open, Query()]) -> Any:
        return group

    if HAS_OPTIONAL:

        @app.get("/optional")
        async def optional(group: Annotated[Filter | None, Query()] = None) -> Any:
            return group

    @app.get("/headers")
    async def headers(group: Annotated[Fields, Header()]) -> Any:
        return group

    @app.get("/as-is")
    async def as_is(group: Annotated[Fields, Header(convert_underscores=False)]) -> Any:
        return group

    @app.get("/cookies")
    async def cookies(group: Annotated[Fields, Cookie()]) -> Any:
        return group

    return app


app = make()

CASES = [
    case(
        "fields", get("/ignored?limit=3&tags=a&tags=b&order-by=down"), get("/ignored?limit=0", 422)
    ),
    case("nothing", get("/ignored"), get("/optional"), get("/optional?limit=2")),
    case("more than there are fields", get("/ignored?more=1"), get("/forbidden?more=1", 422)),
    case("more, kept", get("/allowed?more=1&more=2&other="), get("/allowed?more=1")),
    case(
        "names and aliases",
        get("/ignored?order=x"),
        get("/forbidden?order=x", 422),
        get("/ignored?two=2"),
    ),
    case("headers", get("/headers", 200, ("X-Token", "a"), ("x-many", "1"), ("x-many", "2"))),
    case("headers that are missing", get("/headers", 422), get("/headers", 422, ("x_token", "a"))),
    case(
        "headers as they are",
        get("/as-is", 200, ("x_token", "a")),
        get("/as-is", 422, ("x-token", "a")),
    ),
    case("cookies", get("/cookies", 200, ("cookie", "x_token=a; plain=b")), get("/cookies", 422)),
]
