"""Carries one request of an ASGI client over a socket, and the answer back as ASGI messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ..observation import Message, Receive, Scope, Send
from .bridge import Passage

LONGEST_HEAD = 1024 * 1024
PIECE_BYTES = 64 * 1024
Field = tuple[bytes, bytes]
# What servers set for themselves.
HOP_BY_HOP = (b"connection", b"transfer-encoding")


@dataclass(frozen=True)
class _Head:
    status: int
    fields: list[Field]

    def first(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.fields if key == name), None)


async def carry(port: int, passage: Passage, receive: Receive, send: Send) -> None:
    """Make the request, and send what is answered.

    An answer that is cut ends without its last message.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LONGEST_HEAD)
    try:
        with contextlib.suppress(ConnectionError):
            # A server may answer, and close, before it has the whole request.
            await _write(writer, passage, receive)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _pass_back(reader, passage.scope["method"], send)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _write(writer: asyncio.StreamWriter, passage: Passage, receive: Receive) -> None:
    message = await receive()
    has_body = bool(message.get("body")) or message.get("more_body", False)
    fields = passage.fields(has_body=has_body)
    chunked = (b"transfer-encoding", b"chunked") in fields
    writer.write(_head(passage.scope, fields))
    while True:
        piece = message.get("body", b"")
        # An empty chunk would be the last one.
        framed = chunked and piece
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if framed else piece)
        await writer.drain()
        if not message.get("more_body", False):
            break
        message = await receive()
    if chunked:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _head(scope: Scope, fields: list[Field]) -> bytes:
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target)]
    lines += [b"%b: %b" % field for field in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _pass_back(reader: asyncio.StreamReader, method: str, send: Send) -> None:
    head = await _read_head(reader)
    fields = [field for field in head.fields if field[0] not in HOP_BY_HOP]
    await send({"type": "http.response.start", "status": head.status, "headers": fields})
    has_body = method != "HEAD" and head.status not in (204, 304)
    if has_body:
        async for piece in _body(reader, head):
            await send(_message(piece, more=True))
    await send(_message(b"", more=False))


def _message(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    while True:
        status, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        number = int(status.split(b" ", 2)[1])
        if number >= 200:
            pairs = (line.partition(b":") for line in lines)
            return _Head(number, [(name.lower(), value.strip()) for name, _, value in pairs])


async def _body(reader: asyncio.StreamReader, head: _Head) -> AsyncIterator[bytes]:
    length = head.first(b"content-length")
    if head.first(b"transfer-encoding") == b"chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    elif length is not None:
        left = int(length)
        while left:
            piece = await reader.read(min(left, PIECE_BYTES))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece
    else:
        while piece := await reader.read(PIECE_BYTES):
            yield piece
