"""What the tests stand on: the server process, raw protocol clients, and waiting with deadlines."""

from tests.support.journal import Journal
from tests.support.raw_http import RawConnection, Response
from tests.support.raw_websocket import Frame, Opcode, RawWebSocket
from tests.support.server import AndonServer, ServerDidNotStart
from tests.support.waiting import wait_until, wait_until_unchanged

__all__ = [
    "AndonServer",
    "Frame",
    "Journal",
    "Opcode",
    "RawConnection",
    "RawWebSocket",
    "Response",
    "ServerDidNotStart",
    "wait_until",
    "wait_until_unchanged",
]
