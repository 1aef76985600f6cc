"""Bare ASGI handlers around answers: framing, streaming, and every way to break the rules."""

import asyncio
import os
from pathlib import Path

from asgi_parts import Handler, Receive, Scope, Send, answer, body, query, start
from journal import record, wait_for_gate

CHUNK = bytes(range(256)) * 256


async def status(scope: Scope, receive: Receive, send: Send) -> None:
    """The status asked for, with a body and its length even where neither is allowed."""
    parameters = query(scope)
    content = parameters.get("body", "content").encode()
    headers = [(b"x-status", parameters["code"].encode())]
    if "length" in parameters:
        headers.append((b"content-length", parameters["length"].encode()))
    await start(send, int(parameters["code"]), headers)
    await body(send, content)


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    """A 200 without headers and with an empty body."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


async def headers(scope: Scope, receive: Receive, send: Send) -> None:
    """Headers which repeat, are empty, not lower case, and hold bytes above 127."""
    await start(
        send,
        200,
        [
            (b"Set-Cookie", b"a=1; Path=/"),
            (b"set-cookie", b"b=2"),
            (b"X-Empty", b""),
            (b"x-latin", "caf\xe9".encode("latin-1")),
            (b"x-large", b"v" * int(query(scope).get("large", "1"))),
            (b"content-length", b"2"),
        ],
    )
    await body(send, b"ok")


async def own_server_header(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer with the application's own Server and Date."""
    fields = [(b"server", b"mine"), (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT")]
    await start(send, 200, [*fields, (b"content-length", b"0")])
    await body(send, b"")


async def close(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer after which the application wants the connection closed."""
    await start(send, 200, [(b"connection", b"close"), (b"content-length", b"3")])
    await body(send, b"bye")


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """So many parts of so many bytes, without a length."""
    parameters = query(scope)
    await start(send)
    for number in range(int(parameters["count"])):
        await body(send, bytes([number % 256]) * int(parameters["size"]), more=True)
    await body(send, b"")


async def gated_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """One part at once, the other when the gate is open."""
    await start(send)
    await body(send, b"first", more=True)
    await wait_for_gate(query(scope)["gate"])
    await body(send, b"second")


async def download(scope: Scope, receive: Receive, send: Send) -> None:
    """So many bytes with their length, in parts of 64 KiB."""
    left = int(query(scope)["size"])
    await start(send, 200, [(b"content-length", str(left).encode())])
    more = True
    while more:
        part = CHUNK[:left]
        left -= len(part)
        more = left > 0
        await body(send, part, more)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends until the client goes away, and records how much `send()` took."""
    name = query(scope)["name"]
    disconnected = asyncio.create_task(_until_disconnect(receive))
    await start(send)
    sent = 0
    while not disconnected.done():
        await body(send, CHUNK, more=True)
        sent += len(CHUNK)
        record("sent", name=name, bytes=sent)
    record("stopped", name=name, bytes=sent)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def after_answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Goes on for as long as the gate is shut after the answer is complete."""
    gate = query(scope)["gate"]
    await answer(send, b"answered")
    record("answered", name=gate)
    await wait_for_gate(gate)
    record("finished", name=gate)


async def pathsend(scope: Scope, receive: Receive, send: Send) -> None:
    """A file, sent by the server."""
    path = Path(query(scope)["path"])
    fields = [(b"content-type", b"application/octet-stream")]
    if path.exists():
        fields.append((b"content-length", str(path.stat().st_size).encode()))
    await start(send, 200, fields)
    await send({"type": "http.response.pathsend", "path": str(path)})
    record("pathsend returned")


async def early_hint(scope: Scope, receive: Receive, send: Send) -> None:
    """Two hints, and the answer only when the gate is open."""
    links = [b"</style.css>; rel=preload; as=style", b"</app.js>; rel=preload; as=script"]
    await send({"type": "http.response.early_hint", "links": links})
    await wait_for_gate(query(scope)["gate"])
    await answer(send, b"page")


async def raise_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """An exception before the head."""
    raise LookupError("raised at once")


async def raise_after_head(scope: Scope, receive: Receive, send: Send) -> None:
    """An exception when part of the body is out."""
    await start(send)
    await body(send, b"partial", more=True)
    raise LookupError("raised after the head")


async def raise_after_answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An exception when the answer is complete."""
    await answer(send, b"complete")
    raise LookupError("raised after the answer")


async def return_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns without an answer."""


async def return_half(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns before the end of the body."""
    await start(send)
    await body(send, b"half", more=True)


async def body_first(scope: Scope, receive: Receive, send: Send) -> None:
    """A body without a head."""
    await body(send, b"no head")


async def too_long(scope: Scope, receive: Receive, send: Send) -> None:
    """More bytes than announced."""
    await start(send, 200, [(b"content-length", b"3")])
    await body(send, b"four")


async def too_short(scope: Scope, receive: Receive, send: Send) -> None:
    """Fewer bytes than announced."""
    await start(send, 200, [(b"content-length", b"5")])
    await body(send, b"four")


async def bad_header(scope: Scope, receive: Receive, send: Send) -> None:
    """A header value which would split the answer in two."""
    await start(send, 200, [(b"x-split", b"a\r\nx-injected: yes")])
    await body(send, b"")


async def exit_worker(scope: Scope, receive: Receive, send: Send) -> None:
    """Ends the worker process from within."""
    os._exit(7)


ROUTES: dict[str, Handler] = {
    "/status": status,
    "/empty": empty,
    "/headers": headers,
    "/own-server-header": own_server_header,
    "/close": close,
    "/stream": stream,
    "/gated-stream": gated_stream,
    "/download": download,
    "/endless": endless,
    "/after-answer": after_answer,
    "/pathsend": pathsend,
    "/early-hint": early_hint,
    "/raise-at-once": raise_at_once,
    "/raise-after-head": raise_after_head,
    "/raise-after-answer": raise_after_answer,
    "/return-nothing": return_nothing,
    "/return-half": return_half,
    "/body-first": body_first,
    "/too-long": too_long,
    "/too-short": too_short,
    "/bad-header": bad_header,
    "/exit": exit_worker,
}
