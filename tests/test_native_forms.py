"""Whether urlencoded forms are read as Starlette's parser reads them."""

import random
from collections.abc import AsyncIterator
from typing import Annotated, Any
from unittest import mock

from andon import _andon
from andon.native import forms
from fastapi import Body, File, Form, UploadFile
from pydantic import BaseModel, Json
from starlette import formparsers

from tests.support.inspecting import Found, application

PIECES = (
    *(b"a", b"b", b"&", b"&", b"=", b"=", b"%", b"+", b"%41", b"%c3", b"%A9", b"%f0%9f%98%80"),
    *(b"%ed%a0%80", b"\xc3", b"\xa9", b"\xe9", b"\x00", b"\r\n", b";", b"%2", b"%zz", b"4", b"F"),
    *(b"%F4%90%80%80", b"%e2%82", b"?", b'"', b"%00", b"%25", b"%26", b"%3D", b"%2B"),
)
BODIES = 20_000


def parsed(body: bytes, cuts: list[int]) -> Any:
    """What Starlette's parser makes of a body that comes in pieces."""

    async def stream() -> AsyncIterator[bytes]:
        for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
            yield body[begin:end]

    parsing: Any = formparsers.FormParser(mock.Mock(), stream()).parse()  # type: ignore[arg-type]
    try:
        parsing.send(None)
    except StopIteration as ended:
        return ended.value.multi_items()
    raise AssertionError("it waits for something")


def test_hostile_bodies_are_read_as_by_starlettes_parser() -> None:
    drawn = random.Random("forms")
    for number in range(BODIES):
        body = b"".join(drawn.choices(PIECES, k=drawn.randrange(24)))
        if number % 3 == 0:
            body = drawn.randbytes(drawn.randrange(30))
        cuts = sorted(drawn.randrange(len(body) + 1) for _ in range(drawn.randrange(4)))
        assert _andon.query_pairs(body) == parsed(body, cuts), (body, cuts)


def test_a_parser_that_reads_otherwise_is_called() -> None:
    assert forms.reads_as_query()

    class Own(formparsers.FormParser):
        async def parse(self) -> Any:
            return formparsers.FormData()

    with mock.patch.object(formparsers, "FormParser", Own):
        assert not forms.reads_as_query()
    with mock.patch.object(formparsers.FormParser, "on_field_end", lambda self: None):
        assert not forms.reads_as_query()
    assert forms.reads_as_query()


class Model(BaseModel):
    """A form as a whole."""

    name: str


def test_parameters_of_forms_are_found_natively_but_for_files_that_are_read() -> None:
    app = application()

    @app.post("/native")
    def native(
        name: Annotated[str, Form()],
        tags: Annotated[list[str], Form()],
        model: Annotated[Model | None, Form()],
        file: UploadFile,
        number: Annotated[Json[int], Form()] = 1,
    ) -> None:
        """Do nothing."""

    @app.post("/read")
    def read(name: Annotated[str, Form()], file: Annotated[bytes, File()]) -> None:
        """Do nothing."""

    @app.post("/sequence")
    def sequence(numbers: Annotated[Json[list[int]], Form()]) -> None:
        """Do nothing."""

    @app.post("/mixed")
    def mixed(name: Annotated[str, Form()], other: Annotated[str, Body()]) -> None:
        """Do nothing."""

    found = Found(app)
    root = found.native("/native").root
    assert root.form is None
    assert [each.source for each in root.parameters] == ["form"] * 5
    assert [each.list_ for each in root.parameters] == [False, True, False, False, False]
    for path in ("/read", "/sequence", "/mixed"):
        assert found.native(path).root.form is not None
        assert found.native(path).root.parameters == []
