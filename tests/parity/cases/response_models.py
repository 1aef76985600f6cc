"""What becomes of a result with a model: validation, filters, and what is wrong with it."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, computed_field

from tests.parity.cases.case import case, get
from tests.parity.generated.prelude import Hexadecimal, Level, Point, Tree


class Base(BaseModel):
    name: str
    value: float = 1e-05


class Secret(Base):
    password: str = "secret"


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    number: int = Field(1, alias="the-number", serialization_alias="written")
    amount: Decimal = Decimal("1.10")
    level: Level = Level.LOW
    nothing: str | None = None

    @computed_field
    def double(self) -> int:
        return self.number * 2


class Record:
    name = "from attributes"
    value = 2


RESULT = {"name": "a", "value": 2, "unknown": True}
Upper = Annotated[str, PlainSerializer(str.upper)]


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/annotated")
    async def annotated() -> Base:
        return Secret(name="a")

    @app.get("/named", response_model=Base)
    async def named() -> Any:
        return RESULT

    @app.get("/thread", response_model=Base)
    def on_thread() -> Any:
        return RESULT

    @app.get("/attributes", response_model=Base)
    async def attributes() -> Any:
        return Record()

    @app.get("/none", response_model=None)
    async def no_model() -> Base:
        return Secret(name="a")

    @app.get("/null")
    async def null() -> None:
        return None

    @app.get("/wrong")
    async def wrong() -> Base:
        return {"name": [1], "value": "x"}  # type: ignore[return-value]

    @app.get("/wrong-on-thread")
    def wrong_on_thread() -> list[int]:
        return ["x"]  # type: ignore[list-item]

    @app.get("/class", response_class=JSONResponse)
    async def explicit_class() -> Base:
        return Base(name="\u2028")

    @app.get("/text", response_class=PlainTextResponse)
    async def text() -> Upper:
        return "text"

    _add_types(app)
    _add_filters(app)
    return app


def _add_types(app: FastAPI) -> None:
    @app.get("/float")
    async def floats() -> list[float]:
        return [1e-05, 1e16, float("nan"), float("inf"), 0.1, -0.0, 5e-324]

    @app.get("/numbers")
    async def numbers() -> dict[int, Decimal]:
        return {1: Decimal("1.10"), 2**70: Decimal("1E+3")}

    @app.get("/text-escapes")
    async def text_escapes() -> str:
        return 'é"\\\u2028\x7f\x00/\U0001f600'

    @app.get("/surrogate")
    async def surrogate() -> str:
        return "\ud800"

    @app.get("/bytes")
    async def take_bytes() -> bytes:
        return b"\xff"

    @app.get("/any")
    async def anything() -> Any:
        return {"a": {1, 2}, "b": Point(1), "c": b"x"}

    @app.get("/tree")
    async def tree() -> Tree:
        return Tree(children=[Tree(name="\x1f")])

    @app.get("/point")
    async def point() -> Point:
        return Point(3)

    @app.get("/serializer")
    async def serializer() -> list[Hexadecimal]:
        return [255]

    @app.get("/union")
    async def union() -> Base | int:
        return 3


def _add_filters(app: FastAPI) -> None:
    filters: dict[str, dict[str, Any]] = {
        "plain": {},
        "unset": {"response_model_exclude_unset": True},
        "defaults": {"response_model_exclude_defaults": True},
        "nones": {"response_model_exclude_none": True},
        "names": {"response_model_by_alias": False},
        "include": {"response_model_include": {"number", "double"}},
        "exclude": {"response_model_exclude": {"number": ..., "level": ...}},
        "both": {"response_model_include": ["number"], "response_model_exclude_unset": True},
    }
    for name, options in filters.items():
        for kind in ("json", "class"):
            classes: dict[str, Any] = {"response_class": JSONResponse} if kind == "class" else {}

            @app.get(f"/{kind}/{name}", response_model=Aliased, **options, **classes)
            async def filtered():  # type: ignore[no-untyped-def]
                return Aliased.model_validate({"number": 3})


app = make()
FILTERS = ("plain", "unset", "defaults", "nones", "names", "include", "exclude", "both")

CASES = [
    case("annotated", get("/annotated"), get("/named"), get("/thread")),
    case("from attributes", get("/attributes")),
    case("no model although annotated", get("/none"), get("/null")),
    case("wrong", get("/wrong", 500, raises="ResponseValidationError")),
    case("wrong on a thread", get("/wrong-on-thread", 500, raises="ResponseValidationError")),
    case("an explicit class", get("/class"), get("/text")),
    case("floats", get("/float"), get("/numbers")),
    case("texts", get("/text-escapes"), get("/tree")),
    case("a surrogate", get("/surrogate", 500, raises="PydanticSerializationError")),
    case("bytes that are no UTF-8", get("/bytes", 500, raises="PydanticSerializationError")),
    case("other types", get("/any"), get("/point"), get("/serializer"), get("/union")),
    *(case(f"filter: {name}", get(f"/json/{name}"), get(f"/class/{name}")) for name in FILTERS),
]
