"""Forms and files."""

from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Request, UploadFile
from pydantic import BaseModel

from tests.parity.cases.case import case, post


class Login(BaseModel):
    name: str
    roles: list[str] = []
    note: str | None = None


def make() -> FastAPI:
    app = FastAPI()

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
    case("read by the endpoint", post("/raw", 200, "a=1&a=2&b=", URLENCODED)),
]
