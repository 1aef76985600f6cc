"""Forms and files."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, Form, Request, UploadFile
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, Json

from tests.parity.cases.case import case, post
from tests.parity.generated.prelude import note


class Login(BaseModel):
    name: str
    roles: list[str] = []
    note: str | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field("x", validation_alias=AliasChoices("title", "name"))


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    roles: list[str] = Field([], alias="role")


def default() -> list[str]:
    note("made")
    return []


def add_models(app: FastAPI) -> None:
    """Adds forms that are models, and what takes a part of a form."""

    @app.post("/strict")
    async def strict(form: Annotated[Strict, Form()]) -> Any:
        return form.model_dump()

    @app.post("/open")
    async def opened(form: Annotated[Open, Form()]) -> Any:
        return [form.model_dump(), list(form.model_fields_set), form.model_extra]

    @app.post("/either")
    async def either(form: Annotated[Strict | Login, Form()]) -> Any:
        return [type(form).__name__, form.model_dump()]

    @app.post("/perhaps")
    async def perhaps(
        form: Annotated[Login | None, Form()] = None, more: Annotated[str, Form()] = "none"
    ) -> Any:
        return [form and form.model_dump(), more]

    @app.post("/json")
    async def json(
        one: Annotated[Json[int], Form()], many: Annotated[Json[list[int]], Form()]
    ) -> Any:
        return [one, many]

    @app.post("/made")
    async def made(
        tags: Annotated[list[str], Form(default_factory=lambda: note("made") or [])],
    ) -> Any:
        return tags

    @app.post("/mixed")
    async def mixed(
        request: Request, name: Annotated[str, Form(alias="n", min_length=2)], file: UploadFile
    ) -> Any:
        form = await request.form()
        return [name, file.filename, form["file"] is file, list(form)]


def add_logins(app: FastAPI) -> None:
    """Adds dependencies that take a form, and what looks at it again."""

    def again(request: Request, username: Annotated[str, Form()] = "") -> str:
        return username + str(request._form)

    @app.post("/login")
    async def login(
        form: Annotated[OAuth2PasswordRequestForm, Depends()], again: Annotated[str, Depends(again)]
    ) -> Any:
        return [vars(form), again]

    @app.post("/consumed")
    async def consumed(request: Request, name: Annotated[str, Form()] = "none") -> Any:
        form = await request.form()
        try:
            body: Any = (await request.body()).decode()
        except RuntimeError as error:
            body = str(error)
        return [name, form.multi_items(), form is await request.form(), body]


def make() -> FastAPI:
    app = FastAPI()
    add_models(app)
    add_logins(app)

    @app.post("/form")
    async def form(
        name: Annotated[str, Form()],
        age: Annotated[int | None, Form()] = None,
        tags: Annotated[list[str] | None, Form()] = None,
    ) -> Any:
        return [name, age, tags]

    @app.post("/model")
    def model(login: Annotated[Login, Form()]) -> Login:
        return login

    @app.post("/file")
    async def file(
        file: UploadFile, data: Annotated[bytes, File()], title: Annotated[str, Form()] = "none"
    ) -> Any:
        return [file.filename, file.content_type, file.size, (await file.read()).decode(), data]

    @app.post("/files")
    async def files(files: list[UploadFile]) -> Any:
        return [(item.filename, item.size) for item in files]

    @app.post("/raw")
    async def raw(request: Request) -> Any:
        return [(name, str(value)) for name, value in (await request.form()).multi_items()]

    return app


app = make()
URLENCODED = ("content-type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", "multipart/form-data; boundary=b")


def parts(*fields: tuple[str, str]) -> bytes:
    """A multipart body of fields: their dispositions, and their data."""
    pieces = [
        f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{data}\r\n"
        for disposition, data in fields
    ]
    return ("".join(pieces) + "--b--\r\n").encode()


FILE = ('name="file"; filename="a.txt"', "text")
DATA = ('name="data"; filename="b"', "data")
# What parsers may take otherwise.
BODIES = (
    *("", "&", "=", "name", "name=", "=b", "name=b&", "&&name=b&&", "name=b=c", "a;name=b"),
    *("name=+%2B+", "name=%", "name=%zz%4", "n%61me=%C3%A9", "name=%C3%28%ED%A0%80", "name=%00"),
    *("name=a\r\n", "name=é%C3", "name[]=1&name=2", "?name=a", "name=%F4%90%80%80%f0%9f%98%80"),
)
CHUNKS = (
    (b"na", b"me=a%C", b"3%A9&name", b"=b"),
    (b"name=a", b"&", b"&name=", b"b&"),
    *((b"name=" + b"x" * size, b"y" * size, b"&name=z") for size in (1000, 1024 * 500)),
    (*[b"name=a&" * 100] * 9, b"name=b"),
)
# Refused before all of it has come.
TOO_MUCH = (
    (b"name=" + b"x" * 1024 * 512, b"y" * 1024 * 512, b"&name=z"),
    (*[b"name=a&" * 100] * 10, b"name=b", b"&name=c"),
)
SPELLINGS = (
    *("APPLICATION/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=latin-1"),
    *("application/x-www-form-urlencoded ; charset=utf-8", " application/x-www-form-urlencoded "),
    *("application/x-www-form-urlencoded;", "application/x-www-form-urlencoded; a=b"),
    *('application/x-www-form-urlencoded; charset="utf-8"', "application/x-www-form-urlencoded,"),
    *("application/x-www-form-urlencodedx", "x-www-form-urlencoded", "text/plain"),
)

CASES = [
    case("urlencoded", post("/form", 200, "name=a+b&age=3&tags=x&tags=%C3%A9", URLENCODED)),
    case("nothing is missing", post("/form", 422, "name=&age=", URLENCODED)),
    case("wrong", post("/form", 422, "age=x", URLENCODED), post("/form", 422, "", URLENCODED)),
    case("JSON is no form", post("/form", 422, '{"name": "a"}')),
    case("multipart", post("/form", 200, parts(('name="name"', "é")), MULTIPART)),
    case("a model", post("/model", 200, "name=a&roles=b&roles=c&more=d", URLENCODED)),
    case(
        "files",
        post("/file", 200, parts(FILE, DATA), MULTIPART),
        post("/file", 422, parts(FILE), MULTIPART),
    ),
    case(
        "several files",
        post(
            "/files",
            200,
            parts(('name="files"; filename="a"', ""), ('name="files"; filename="b"', "1")),
            MULTIPART,
        ),
    ),
    case(
        "no file selected", post("/files", 422, parts(('name="files"; filename=""', "")), MULTIPART)
    ),
    case(
        "broken multipart",
        post("/form", 422, b"--b\r\nnonsense", MULTIPART),
        post("/form", 400, parts(FILE), ("content-type", "multipart/form-data")),
    ),
    case("too many fields", post("/form", 400, "&".join(["name=a"] * 1001), MULTIPART), wire=False),
    case(
        "a login",
        post("/login", 200, "grant_type=password&username=a&password=b&scope=c+d%20e", URLENCODED),
        post("/login", 422, "grant_type=other&username=&client_id=", URLENCODED),
        post("/login", 422, parts(('name="username"', "a")), MULTIPART),
    ),
    case("read again", *(post("/consumed", 200, body, URLENCODED) for body in BODIES)),
    case("read again of parts", post("/consumed", 200, parts(('name="name"', "a")), MULTIPART)),
    case("in chunks", *(post("/consumed", 200, "", URLENCODED, chunks=each) for each in CHUNKS)),
    case(
        "too much in chunks",
        *(post("/consumed", 400, "", URLENCODED, chunks=each) for each in TOO_MUCH),
    ),
    case(
        "other spellings of the type",
        *(post("/consumed", 200, "name=a", ("content-type", each)) for each in SPELLINGS),
    ),
    case(
        "two content types",
        post("/consumed", 200, "name=a", URLENCODED, MULTIPART),
        post("/consumed", 400, "name=a", ("content-type", "multipart/form-data"), URLENCODED),
    ),
    case(
        "nothing else is allowed",
        post("/strict", 200, "title=a", URLENCODED),
        post("/strict", 422, "title=a&name=b", URLENCODED),
        post("/strict", 200, "title=&name=b&name=c", URLENCODED),
        post("/strict", 422, "other=&other=1", URLENCODED),
        post("/strict", 200, "", URLENCODED),
    ),
    case(
        "all else is kept",
        post("/open", 200, "a=1&role=x&b=&a=2&role=&c=3", URLENCODED),
        post("/open", 200, "role=&=1&=2", URLENCODED),
    ),
    case(
        "one of two models",
        post("/either", 200, "name=a&roles=b", URLENCODED),
        post("/either", 200, "title=a", URLENCODED),
        post("/either", 422, "roles=a", URLENCODED),
    ),
    case(
        "perhaps a model",
        post("/perhaps", 200, "", URLENCODED),
        post("/perhaps", 200, "more=1", URLENCODED),
        post("/perhaps", 422, "name=&more=1", URLENCODED),
        post("/perhaps", 200, "name=a&roles=b", URLENCODED),
    ),
    case(
        "JSON in a form",
        post("/json", 200, "one=1&many=[1,2]", URLENCODED),
        post("/json", 422, "one=x&many=", URLENCODED),
    ),
    case("a default is made", *(post("/made", 200, "tags=", URLENCODED) for _ in range(2))),
    case(
        "a file beside a text",
        post("/mixed", 200, parts(('name="n"', "ab"), FILE), MULTIPART),
        post("/mixed", 422, parts(('name="n"', "a"), ('name="file"', "text")), MULTIPART),
        post("/mixed", 422, parts(('name="n"; filename="n"', "ab"), FILE), MULTIPART),
        post("/mixed", 422, "n=ab&file=1", URLENCODED),
    ),
    case(
        "as many fields as there may be",
        post("/consumed", 200, "&".join(["name=a"] * 1000), URLENCODED),
        post("/consumed", 400, "&".join(["name=a"] * 1001), URLENCODED),
        post("/consumed", 200, "name=a" + "&" * 2000, URLENCODED),
    ),
    case(
        "as long a field as there may be",
        post("/consumed", 200, "name=" + "x" * (1024 * 1024 - 4), URLENCODED),
        post("/consumed", 400, "name=" + "x" * (1024 * 1024 - 3), URLENCODED),
        post("/consumed", 200, "a=" + "x" * 1024 * 1000 + "&name=" + "y" * 1024 * 500, URLENCODED),
    ),
    case("read by the endpoint", post("/raw", 200, "a=1&a=2&b=", URLENCODED)),
]
