"""What is sent to the applications of the self-test."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A request."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


_JSON = ((b"content-type", b"application/json"),)
_BODIES = (
    b"",
    b"null",
    b"{}",
    b"[]",
    b"7",
    b'{"number": 1}',
    b'{"number": "2", "titleOf": "t\xc3\xa9", "parts": [{"name": "p"}]}',
    b'{"number": 1.5, "parts": [{"weight": -1}]}',
    b'[{"number": 1, "title": "ignored"}]',
    b'{"item": {"number": 1}, "count": -1}',
    b'{"item": {"number": 1}}',
    b'{"number": 1,}',
    b"\xff\xfe",
    b'{"number": ' + b"9" * 400 + b"}",
    b"[" * 300 + b"]" * 300,
    b'\xef\xbb\xbf{"number": 1}',
    b'{"number": NaN}',
)
_TYPES = (
    _JSON,
    ((b"content-type", b"application/vnd.api+json; charset=utf-8"),),
    ((b"content-type", b"text/plain"),),
    (),
)
_QUERIES = (
    b"",
    b"needed=1",
    b"needed=",
    b"needed=x&needed=2",
    b"needed=1&flag=on&many=1&many=2.5&text-of=ab",
    b"needed=1&flag=maybe&many=x&text-of=a",
    b"needed=%31&text-of=a%20b+c%FF",
    b"number=3",
    b"number=three",
    b"allowed=false",
    b"allowed=no&number=x",
    b"limit=5&tags=a&tags=b",
    b"limit=five",
)
_FIELDS = (
    (),
    ((b"user-agent", b"test\xe9"), (b"x-many", b"1"), (b"x-many", b"2")),
    ((b"cookie", b'session="a b"; other=1'), (b"cookie", b"session=last")),
    ((b"authorization", b"Basic YTpi"),),
)
_PATHS = (
    "/path/7/a/b",
    "/path/x/a",
    "/path/0123/",
    "/text",
    "/text/",
    "/response",
    "/empty",
    "/values",
    "/raises/http",
    "/raises/refused",
    "/raises/other",
    "/wrong",
    "/nowhere",
)
_ASKED = (
    "/query",
    "/model",
    "/injected",
    "/api/in/dependencies",
    "/api/in/opened",
    "/api/in/scopes",
)


_ORIGINS = (
    (),
    ((b"origin", b"http://a"),),
    ((b"origin", b"http://b"),),
)
_STREAMS = ("/lines", "/lines-on-thread", "/events", "/raw")
_URLENCODED = ((b"content-type", b"application/x-www-form-urlencoded"),)
_MULTIPART = ((b"content-type", b"multipart/form-data; boundary=b"),)
_FORMS = (
    b"name=ab&many=1&many=2",
    b"name=%C3%A9+b&many=x",
    b"name=a",
    b"name=",
    b"",
)
_PART = b'--b\r\ncontent-disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
_PARTS = (
    _PART % (b"name", b"", b"ab") + b"--b--\r\n",
    _PART % (b"file", b'; filename="a.txt"', b"\x00\xff") + b"--b--\r\n",
    _PART % (b"file", b"", b"no file") + _PART % (b"data", b"", b"x") + b"--b--\r\n",
    b"--b\r\nbroken",
)


def calls() -> Iterator[Call]:
    """Yield what is sent to the application that has everything but middleware."""
    for path in ("/item", "/items", "/members", "/anything"):
        method = "PUT" if path == "/items" else "POST"
        yield from (Call(method, path, headers=_JSON, body=body) for body in _BODIES)
        yield from (Call(method, path, headers=kind, body=_BODIES[6]) for kind in _TYPES)
    for path in _ASKED:
        yield from (Call("GET", path, query) for query in _QUERIES)
    for path in ("/fields", "/api/in/basic"):
        yield from (Call("GET", path, headers=fields) for fields in _FIELDS)
    for path in _PATHS:
        yield from (Call(method, path) for method in ("GET", "POST", "HEAD"))
    for path in _STREAMS:
        yield from (Call("GET", path, query) for query in (b"", b"number=0", b"number=x"))
    for path in ("/form", "/file"):
        yield from (Call("POST", path, headers=_URLENCODED, body=body) for body in _FORMS)
        yield from (Call("POST", path, headers=_MULTIPART, body=body) for body in _PARTS)
    yield from (Call("POST", "/limited", body=b"x" * size) for size in (0, 16, 17))
    yield from (Call("GET", "/api/in/in-turn", query) for query in _QUERIES[7:9])
    yield from _beside_routes()


def calls_under_middleware() -> Iterator[Call]:
    """Yield what is sent to the application that has middleware."""
    yield from (Call("POST", "/item", headers=_JSON, body=body) for body in _BODIES[5:9])
    yield from (Call("POST", "/limited", body=b"x" * size) for size in (16, 17))
    for path in (*_STREAMS, "/injected", "/api/in/opened", "/api/in/in-turn"):
        yield from (Call("GET", path, query) for query in (b"", b"number=x"))
    for path in _PATHS[3:]:
        yield Call("GET", path)
    yield from _beside_routes()


def _beside_routes() -> Iterator[Call]:
    """Yield what goes to mounted applications, to routes of Starlette, and to no route."""
    for path in ("/path/7/a", "/path/x/a", "/query", "/nowhere", "/fields", "/query/", ""):
        yield Call("GET", f"/mounted{path}", _QUERIES[1])
    for path in ("/plain/a", "/plain/fails", "/plain-on-thread", "/plain/a/", "/item/", "/fields/"):
        yield Call("GET", path, b"a=%20&b")
    for path in ("/plain/a", "/mounted/query", "/text", "/mounted/nowhere"):
        yield Call("DELETE", path, body=b"ignored")


def calls_under_layers() -> Iterator[Call]:
    """Yield what is sent to the application under middleware that Rust does itself."""
    paths = ("/text", "/injected", "/response", "/lines", "/raises/http", "/raises/other")
    for path in (*paths, "/varies"):
        for gzip in ((), ((b"accept-encoding", b"gzip"),)):
            yield from (Call("GET", path, headers=(*origin, *gzip)) for origin in _ORIGINS)
    for host in (b"other", b"third", b"[::1]"):
        yield Call("GET", "/text", b"a=b", ((b"host", host),))
    asks = (b"access-control-request-method", b"GET")
    yield from (Call("OPTIONS", "/text", headers=(*origin, asks)) for origin in _ORIGINS)
