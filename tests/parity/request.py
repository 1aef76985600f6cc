"""A request as data: sent to a face in process, or over a socket."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from .observation import Message, Scope

CLIENT = ("127.0.0.1", 50000)
SERVER = ("testserver", 80)


@dataclass(frozen=True)
class Request:
    """One request; the body in the pieces in which it arrives."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: tuple[bytes, ...] = ()
    # In process: the client goes when so many pieces of the answer were sent; 0: before.
    leaves_after: int | None = None
    # In process: as the scope has it.
    scheme: str = "http"

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    def scope(self, root_path: str = "") -> Scope:
        """The scope that uvicorn would make of it; a new one, for the application changes it."""
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": self.scheme,
            "path": root_path + unquote(self.path.decode("ascii")),
            "raw_path": root_path.encode() + self.path,
            "query_string": self.query,
            "root_path": root_path,
            "headers": list(self.headers),
            "client": CLIENT,
            "server": SERVER,
            "state": {},
            "extensions": {},
        }

    def messages(self) -> Iterator[Message]:
        """The pieces of the body as messages."""
        chunks = self.chunks or (b"",)
        for number, chunk in enumerate(chunks, start=1):
            yield {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}


class Client:
    """The server's side of one request: what the application receives, and what it sends."""

    def __init__(self, request: Request, note: Callable[[str], None]) -> None:
        self.messages = request.messages()
        self.answered = asyncio.Event()
        self.note = note
        self.stays_for = request.leaves_after
        if self.stays_for == 0:
            self.answered.set()

    async def receive(self) -> Message:
        """The pieces of the body; the client goes when it has its answer, and not before."""
        message = next(self.messages, None)
        if message is not None:
            return message
        await self.answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Note what is sent among what else happens."""
        self.note(f"sent {message['type']}")
        if message["type"] != "http.response.body":
            return
        if self.stays_for is not None:
            self.stays_for -= 1
        if self.stays_for == 0 or not message.get("more_body", False):
            self.answered.set()
