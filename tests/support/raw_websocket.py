"""A WebSocket client which sends whatever frame it is told to, also such as RFC 6455 forbids."""

import base64
import enum
import hashlib
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.raw_http import RawConnection, Response, request_bytes

CLOSE_SECONDS = 5.0
# RFC 6455, section 1.3.
ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Opcode(enum.IntEnum):
    """RFC 6455, section 11.8."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True)
class Frame:
    """One frame as it came from the server."""

    opcode: Opcode
    payload: bytes
    final: bool = True
    compressed: bool = False

    @property
    def close_code(self) -> int | None:
        """The code of a close frame; none where it carries none."""
        assert self.opcode is Opcode.CLOSE
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None

    @property
    def close_reason(self) -> str:
        """The reason of a close frame."""
        return self.payload[2:].decode()


def close_payload(code: int, reason: str = "") -> bytes:
    """Return the payload of a close frame."""
    return struct.pack("!H", code) + reason.encode()


class RawWebSocket:
    """A WebSocket over a raw connection."""

    def __init__(
        self,
        address: tuple[str, int],
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        seconds: float = 10.0,
    ) -> None:
        self.connection = RawConnection(address, seconds)
        key = base64.b64encode(os.urandom(16))
        self.expected_accept = base64.b64encode(hashlib.sha1(key + ACCEPT_SUFFIX).digest()).decode()
        upgrade = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key.decode()),
        ]
        self.connection.send(request_bytes("GET", target, [*upgrade, *headers]))

    def __enter__(self) -> "RawWebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def accepted(self) -> Response:
        """Read the handshake's answer and check it."""
        response = self.connection.read_head()
        assert response.status == 101, response
        assert (response.header("upgrade") or "").lower() == "websocket"
        assert (response.header("connection") or "").lower() == "upgrade"
        assert response.header("sec-websocket-accept") == self.expected_accept
        return response

    def send_frame(
        self,
        opcode: int,
        payload: bytes = b"",
        final: bool = True,
        masked: bool = True,
        reserved: int = 0,
    ) -> None:
        """Send one frame; `reserved` is the three bits RSV1 to RSV3 as a number."""
        self.connection.send(frame_bytes(opcode, payload, final, masked, reserved))

    def answer_close(self, close: Frame) -> None:
        """End the closing handshake as a client has to; the server must close within seconds."""
        self.connection.socket.settimeout(CLOSE_SECONDS)
        self.connection.send_until_refused(frame_bytes(Opcode.CLOSE, close.payload))

    def read_frame(self) -> Frame:
        """Read one frame; a server must not mask."""
        first, second = self.connection.read_exactly(2)
        assert not second & 0x80, "the server masked a frame"
        assert not first & 0x30, "reserved bits set"
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.connection.read_exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.connection.read_exactly(8))
        payload = self.connection.read_exactly(length)
        return Frame(Opcode(first & 0x0F), payload, bool(first & 0x80), bool(first & 0x40))


def frame_bytes(
    opcode: int,
    payload: bytes = b"",
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
) -> bytes:
    """Return one frame as a client sends it."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, mask_bit | len(payload))
    elif len(payload) < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    xored = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + xored.to_bytes(len(payload), "big")
