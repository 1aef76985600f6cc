"""Where parameters come from, which value counts, and the order of errors."""

from typing import Annotated, Any

from fastapi import Body, Cookie, Depends, FastAPI, Header, Path, Query
from pydantic import AliasChoices

from tests.parity.cases.case import case, get, post
from tests.parity.generated.prelude import note


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/query")
    async def query(
        q: str = "default", n: int | None = None, many: Annotated[list[str] | None, Query()] = None
    ) -> Any:
        return [q, n, many]

    @app.get("/lists")
    async def lists(
        numbers: Annotated[list[int], Query()],
        unique: Annotated[set[str], Query()] = {"x"},  # noqa: B006 (FastAPI copies it)
        pair: Annotated[tuple[int, int], Query()] = (1, 2),
    ) -> Any:
        return [numbers, sorted(unique), pair]

    @app.get("/scalars")
    async def scalars(yes: bool, much: float, few: Annotated[int, Query(ge=1, lt=5)] = 3) -> Any:
        return [yes, much, few]

    @app.get("/aliases")
    async def aliases(
        a: Annotated[str | None, Query(alias="a-b")] = None,
        b: Annotated[str | None, Query(validation_alias="c")] = None,
        d: Annotated[str | None, Query(validation_alias=AliasChoices("d-one", "d-two"))] = None,
    ) -> Any:
        return [a, b, d]

    @app.get("/headers")
    async def headers(
        x_token: Annotated[str | None, Header()] = None,
        x_many: Annotated[list[str] | None, Header()] = None,
        as_is: Annotated[str | None, Header(convert_underscores=False)] = None,
        other: Annotated[str | None, Header(alias="X_Other")] = None,
        user_agent: Annotated[str | None, Header()] = None,
    ) -> Any:
        return [x_token, x_many, as_is, other, user_agent]

    @app.get("/required-header")
    async def required_header(x_token: Annotated[int, Header()]) -> int:
        return x_token

    @app.get("/cookies")
    async def cookies(
        a: Annotated[str | None, Cookie()] = None, b: Annotated[str | None, Cookie()] = None
    ) -> Any:
        return [a, b]

    @app.get("/path/{number}/{word}")
    async def path(number: int, word: Annotated[str, Path(max_length=3)]) -> Any:
        return [number, word]

    @app.get("/made")
    async def made(
        a: Annotated[list[int], Query(default_factory=list)],
        b: Annotated[int, Query(validate_default=True, le=5)] = 9,
    ) -> Any:
        return [a, b]

    _add_order(app)
    return app


def _add_order(app: FastAPI) -> None:
    async def innermost(first: int) -> int:
        note("innermost")
        return first

    async def inner(second: int, innermost: Annotated[int, Depends(innermost)]) -> int:
        note("inner")
        return second

    async def fine() -> str:
        note("fine")
        return "fine"

    async def again(innermost: Annotated[int, Depends(innermost)]) -> int:
        note("again")
        return innermost

    @app.post("/order/{number}")
    async def order(
        body: Annotated[int, Body()],
        cookie: Annotated[int, Cookie()],
        header: Annotated[int, Header()],
        query: int,
        number: int,
        inner: Annotated[int, Depends(inner)],
        fine: Annotated[str, Depends(fine)],
        again: Annotated[int, Depends(again)],
    ) -> Any:
        return [body, cookie, header, query, number, inner, fine, again]


app = make()
COOKIE = "cookie"

CASES = [
    case("the last of several scalars", get("/query?q=1&q=2"), get("/query?n=x&n=1")),
    case(
        "all of a list", get("/query?many=1&many=&many=2"), get("/lists?numbers=1&numbers=x", 422)
    ),
    case("an empty list", get("/lists", 422), get("/lists?numbers=", 422)),
    case("sets and tuples", get("/lists?numbers=1&unique=a&unique=a&pair=1&pair=2")),
    case("a tuple of another length", get("/lists?numbers=1&pair=1", 422)),
    case("nothing is a value", get("/query?q="), get("/query?q"), get("/query?n=", 422)),
    case("plus, percent and bad percent", get("/query?q=a+b%2B%20%zz%"), get("/query?q=%4")),
    case("a semicolon does not separate", get("/query?q=1;n=2"), get("/query?q=a%3Bb")),
    case(
        "ampersands and equals signs",
        get("/query?&&q=1&&"),
        get("/query?=&q=a=b"),
        get("/query?q=="),
    ),
    case("names are decoded, too", get("/query?%71=1"), get("/query?+q=1"), get("/query?Q=1")),
    case("UTF-8, and what is none", get("/query?q=%C3%A9%E4%B8%AD"), get("/query?q=%ff%C3")),
    case(
        "bytes that are not encoded", get("/query?q=\xe9\xff"), get("/query?q=\xc3\xa9"), wire=False
    ),
    case("a surrogate", get("/query?q=%ED%A0%80"), get("/query?q=%00")),
    case(
        "booleans",
        get("/scalars?yes=on&much=1"),
        get("/scalars?yes=Y&much=1"),
        get("/scalars?yes=2&much=1", 422),
    ),
    case(
        "floats",
        get("/scalars?yes=1&much=1e-5"),
        get("/scalars?yes=1&much=inf"),
        get("/scalars?yes=1&much=1_0"),
    ),
    case(
        "bounds", get("/scalars?yes=1&much=1&few=5", 422), get("/scalars?yes=1&much=1&few=0", 422)
    ),
    case("many digits", get(f"/query?n={'9' * 4300}"), get(f"/query?n={'9' * 4301}", 422)),
    case("digits of other scripts", get("/query?n=%D9%A1", 422), get("/query?n=%EF%BC%91", 422)),
    case(
        "around numbers",
        get("/query?n=+1"),
        get("/query?n=%2B1"),
        get("/query?n=1.0"),
        get("/query?n=1.5", 422),
    ),
    case("aliases", get("/aliases?a-b=1&c=2&d-two=3"), get("/aliases?a=1&b=2&d=3")),
    case("the first alias that is there", get("/aliases?d-two=2&d-one=1")),
    case("the first of several headers", get("/headers", 200, ("X-Token", "1"), ("x-token", "2"))),
    case("all of a list of headers", get("/headers", 200, ("X-Many", "1, 2"), ("x-many", "3"))),
    case("underscores", get("/headers", 200, ("as-is", "1"), ("x_token", "2"), ("x-other", "3"))),
    case("underscores that are meant", get("/headers", 200, ("as_is", "1"), ("X_Other", "3"))),
    case("headers are Latin-1", get("/headers", 200, ("x-token", "\xe9\xff"), ("user-agent", "a"))),
    case(
        "an empty header",
        get("/headers", 200, ("x-token", "")),
        get("/required-header", 422, ("x-token", "")),
    ),
    case(
        "a header that is missing",
        get("/required-header", 422),
        get("/required-header", 200, ("X-Token", "1")),
    ),
    case("cookies", get("/cookies", 200, (COOKIE, "a=1; b=2"))),
    case("the last of several cookies", get("/cookies", 200, (COOKIE, "a=1; a=2"))),
    case("several headers of cookies", get("/cookies", 200, (COOKIE, "a=1; b=1"), (COOKIE, "a=2"))),
    case("quoted cookies", get("/cookies", 200, (COOKIE, 'a="x\\"y"; b="\\101\\054"'))),
    case(
        "odd cookies",
        get("/cookies", 200, (COOKIE, "a; =b; ;b = 2 ;")),
        get("/cookies", 200, (COOKIE, 'a="')),
    ),
    case("cookies are Latin-1", get("/cookies", 200, (COOKIE, "a=\xe9; b=%20"))),
    case("path", get("/path/1/abc"), get("/path/x/abcd", 422), get("/path/1/%E4%B8%AD%E4%B8%AD")),
    case(
        "defaults are made and validated", get("/made", 422), get("/made?b=1"), get("/made?a=1&b=2")
    ),
    case("the order of errors", post("/order/x?query=x", 422, "{}")),
    case(
        "dependencies run although others failed",
        post("/order/1?query=1&first=1&second=x", 422, "x"),
    ),
    case(
        "no errors",
        post(
            "/order/1?query=2&first=3&second=4",
            200,
            "5",
            ("content-type", "application/json"),
            ("cookie", "cookie=6"),
            ("header", "7"),
        ),
    ),
]
