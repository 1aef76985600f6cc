"""Bodies: what is taken for JSON, what JSON is, and what a body is to several parameters."""

from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, StrictInt

from tests.parity.cases.case import JSON, case, post, send
from tests.parity.generated.prelude import note


class Item(BaseModel):
    name: str
    price: float = 1.0
    tags: list[str] = []


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    number: int
    data: bytes | str = b""


def make() -> FastAPI:
    app = FastAPI()

    async def noted() -> str:
        note("dependency")
        return "noted"

    @app.post("/item")
    async def item(item: Item, noted: Annotated[str, Depends(noted)]) -> Item:
        return item

    @app.post("/optional")
    async def optional(item: Item | None = None) -> Any:
        return item

    @app.post("/strict")
    async def strict(item: Strict) -> Any:
        return repr(item)

    @app.post("/any")
    async def anything(value: Annotated[Any, Body()]) -> Any:
        return repr(value)

    @app.post("/number")
    async def number(value: Annotated[StrictInt, Body()]) -> int:
        return value

    @app.post("/list")
    async def items(values: list[Item]) -> int:
        return len(values)

    @app.post("/embedded")
    async def embedded(item: Annotated[Item, Body(embed=True)]) -> Any:
        return item

    @app.post("/several")
    async def several(item: Item, other: Item, count: Annotated[int, Body()] = 2) -> Any:
        return [item, other, count]

    @app.post("/bytes")
    async def take_bytes(value: Annotated[bytes, Body()]) -> Any:
        return len(value)

    @app.post("/again")
    async def again(request: Request, item: Item) -> Any:
        return [await request.json(), (await request.body()).decode(), item]

    @app.post("/unread")
    async def unread(request: Request) -> Any:
        return len(await request.body())

    @app.post("/streamed")
    async def streamed(request: Request) -> list[int]:
        return [len(chunk) async for chunk in request.stream()]

    _add_loose(app)
    return app


def _add_loose(app: FastAPI) -> None:
    loose = FastAPI(strict_content_type=False)

    @loose.post("/item")
    async def loose_item(item: Item) -> Item:
        return item

    app.mount("/loose", loose)


app = make()

ITEM = '{"name": "a", "price": 2}'


def typed(content_type: str, status: int = 200, body: str | bytes = ITEM) -> Any:
    return post("/item", status, body, ("content-type", content_type))


CASES = [
    case("a body", post("/item", 200, ITEM), post("/item", 422, '{"price": "x"}')),
    case("in pieces", send("POST", "/item", 200, (JSON,), chunks=(b'{"na', b"", b'me": "a"}'))),
    case(
        "no body",
        post("/item", 422, ""),
        post("/optional", 200, ""),
        post("/optional", 200, "null"),
    ),
    case("null", post("/item", 422, "null"), post("/any", 200, "null")),
    case(
        "not an object",
        post("/item", 422, "[]"),
        post("/item", 422, '"x"'),
        post("/several", 422, "[]"),
    ),
    case("JSON by other names", typed("application/vnd.api+json"), typed("APPLICATION/JSON")),
    case("with parameters", typed("application/json; charset=utf-16"), typed("application/json;")),
    case("not JSON by its type", typed("text/json", 422), typed("application/jsonx", 422)),
    case("types that are none", typed("json", 422), typed("application/json, text/plain", 422)),
    case("forms are not taken for JSON", typed("application/x-www-form-urlencoded", 422, "name=a")),
    case(
        "no type", send("POST", "/item", 422, (), ITEM), send("POST", "/loose/item", 200, (), ITEM)
    ),
    case("an empty type", typed("", 422)),
    case("two types", post("/item", 200, ITEM, JSON, ("content-type", "text/plain"))),
    case(
        "bad JSON",
        post("/item", 422, "{"),
        post("/item", 422, '{"name": "a",}'),
        post("/item", 422, "nul"),
    ),
    case("where it is bad", post("/item", 422, '{"n\u00e9": x}'), post("/item", 422, "\n\n  {]")),
    case("only white space", post("/item", 422, " \n"), post("/any", 200, " 1 ")),
    case("more than one value", post("/any", 422, "{} {}"), post("/any", 422, "1x")),
    case("a byte order mark", post("/item", 200, b"\xef\xbb\xbf" + ITEM.encode())),
    case(
        "UTF-16 and UTF-32",
        post("/item", 200, ITEM.encode("utf-16")),
        post("/item", 200, ITEM.encode("utf-32-le")),
    ),
    case(
        "bytes that are no UTF-8",
        post("/item", 400, b'{"name": "\xff"}'),
        post("/any", 400, b"\xff\xff\xff"),
    ),
    case(
        "surrogates",
        post("/any", 200, '"\\ud83d\\ude00"'),
        post("/any", 200, '"\\ud800"'),
        post("/item", 500, '{"name": "\\ud800"}', raises="PydanticSerializationError"),
    ),
    case(
        "numbers", post("/any", 200, "1e400"), post("/any", 200, "-0"), post("/any", 200, "1E-400")
    ),
    case(
        "numbers that JSON does not have", post("/any", 200, "NaN"), post("/any", 200, "-Infinity")
    ),
    case(
        "wrong numbers",
        post("/any", 422, "01"),
        post("/any", 422, "1."),
        post("/any", 422, "+1"),
        post("/any", 422, ".5"),
    ),
    case("many digits", post("/any", 200, "9" * 4300), post("/any", 400, "9" * 4301)),
    case("controls", post("/any", 422, '"\n"'), post("/any", 200, '"\\u0000\x7f"')),
    case(
        "a name twice",
        post("/any", 200, '{"a": 1, "a": 2}'),
        post("/item", 200, '{"name": "a", "name": "b"}'),
    ),
    case(
        "deep", post("/any", 200, "[" * 190 + "]" * 190), post("/any", 200, "[" * 400 + "]" * 400)
    ),
    case("too deep", post("/any", 400, "[" * 100_000), post("/any", 400, '{"a":' * 100_000)),
    case(
        "strict models",
        post("/strict", 200, '{"number": 1, "data": "x"}'),
        post("/strict", 422, '{"number": "1"}'),
        post("/number", 422, "1.0"),
    ),
    case(
        "lists",
        post("/list", 200, f"[{ITEM}]"),
        post("/list", 422, f"[{ITEM}, 1]"),
        post("/list", 422, ITEM),
    ),
    case("embedded", post("/embedded", 200, f'{{"item": {ITEM}}}'), post("/embedded", 422, ITEM)),
    case(
        "several",
        post("/several", 200, f'{{"item": {ITEM}, "other": {ITEM}}}'),
        post("/several", 422, "{}"),
    ),
    case("several, none", post("/several", 422, ""), post("/several", 422, "null")),
    case(
        "as it is",
        post("/bytes", 200, "abc", ("content-type", "text/plain")),
        post("/bytes", 422, "1"),
    ),
    case("read again by the endpoint", post("/again", 200, ITEM)),
    case(
        "only read by the endpoint", post("/unread", 200, "x" * 70_000), post("/streamed", 200, "")
    ),
    case(
        "a body that nobody wants",
        send("GET", "/item", 405, (JSON,), ITEM),
        post("/unread", 200, "{"),
    ),
    case(
        "bad JSON keeps dependencies from running",
        post("/item", 422, "{"),
        post("/item", 422, "{}"),
    ),
]
