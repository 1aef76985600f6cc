"""Forms: which parameters come from one, and how a request's is parsed.

Starlette parses those with files. What is urlencoded is read by Rust, if Starlette's parser is as
Rust takes it to be. What FastAPI does with a form is either described (`andon.native.form_fields`)
or left to it.
"""

import functools
import importlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

from andon import _andon
from andon.native import originals
from andon.native.description import FormFields
from andon.native.framework import Framework
from andon.native.handlers import Handler
from andon.native.objects import Objects
from andon.native.understanding import NotUnderstood

_PARSERS = "starlette.formparsers"

# What releases of python-multipart or Starlette could read otherwise.
_PROBES = (
    *(b"", b"&", b"=", b"a", b"a=", b"=b", b"a=b", b"a=b&", b"&a=b", b"a&b", b"a&&b=c", b"&&&"),
    *(b"a=b=c", b"a==", b"a=&b", b"a&=b", b"a=1&a=2&b=3", b"a;b=c;d", b"a=b;c=d", b"?a=b"),
    *(b"a+b=c+d", b"%61=%62", b"a=%", b"a=%4", b"a=%zz%41", b"a=%2B+%26%3D%25", b"a=%00\x00"),
    *(b"a=%C3%A9", b"\xc3\xa9=\xe9", b"\xe9%C3%A9=%A9\xe9", b"a=%C3", b"a=%f0%9f%98%80%ED%A0%80"),
    *(b" a = b \r\n", b"a=\r\nb=c\n", b"a=%E2%28%A1%F4%90%80%80", b"%=%&%=", b"a[]=1&a.b=2&a%5B=3"),
)


@dataclass(frozen=True)
class Form:
    """The form of a route. ``embed``: each parameter of any dependant is a member of it."""

    embed: bool

    def fields_of(self, dependant: Any, objects: Objects) -> FormFields:
        """Describe what the framework finds in it for a dependant."""
        fields = dependant.body_params
        names = [field.name for field in fields]
        return FormFields(objects.number(fields), names, self.embed)


def form_of(handler: Handler, framework: Framework) -> Form | None:
    """Return the form of a route; `None`: its body is none.

    Raises `NotUnderstood` where the release reads it in a way of its own.
    """
    if not handler.is_body_form:
        return None
    if not framework.release.looks_at_own_form:
        raise NotUnderstood("a form, which this FastAPI compares with all forms of the route")
    return Form(bool(handler.embed_body_fields))


def reads_as_query() -> bool:
    """Whether what is urlencoded is read as query strings are, as far as that can be asked for."""
    parsers = importlib.import_module(_PARSERS)
    parser = getattr(parsers.multipart, "QuerystringParser", None)
    if parser is None or originals.first_change_of(parsers) is not None:
        return False
    return _reads_as_query(parsers.FormParser, parser)


@functools.cache
def _reads_as_query(form_parser: Any, _parser: Any) -> bool:
    return all(_is_read_as_query(form_parser, probe) for probe in _PROBES)


def _is_read_as_query(form_parser: Any, probe: bytes) -> bool:
    async def stream() -> AsyncIterator[bytes]:
        # In two pieces, as the network may cut it.
        yield probe[: len(probe) // 2]
        yield probe[len(probe) // 2 :]

    parsing = form_parser(None, stream()).parse()
    try:
        parsing.send(None)
    except StopIteration as ended:
        return bool(ended.value.multi_items() == _andon.query_pairs(probe))
    except Exception:
        return False
    # It waits for something.
    parsing.close()
    return False


# --- while a request is served


def read(request: Any, overrides: dict[str, Any] | None) -> Awaitable[Any]:
    """Parse the form of a request within the limits of its routers and its route.

    As ``fastapi.routing._resolve_form_limits`` has them: the route's count before the routers'.
    """
    inherited = request.scope.get("fastapi", {}).get("form_limits", {})
    limits = {**inherited, **overrides} if overrides else inherited
    return request.form(**limits)  # type: ignore[no-any-return]


async def read_on(
    request: Any, overrides: dict[str, Any] | None, pieces: list[Any], more: bool
) -> Any:
    """Parse a form of which these pieces were received already; ``more``: and there are others."""
    receive = request._receive

    async def received() -> Any:
        if not pieces:
            return await receive()
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": more or bool(pieces)}

    request._receive = received
    try:
        return await read(request, overrides)
    finally:
        request._receive = receive
