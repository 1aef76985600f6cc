#!/usr/bin/env python3
"""Stands in for the interpreter that runs `-m andon.worker`; its `target` says what it does.

It records in the folder `app_dir` what it sees, one file per process.
"""

import json
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path

READY, FAILED = 1, 2
SHUTDOWN = 7
LOAD, STARTUP = 1, 2
NO_SLOT = 0xFFFFFFFF

orders = json.loads(os.environ["ANDON_WORKER"])
wire = socket.socket(fileno=orders["wire"])


def send(kind: int, payload: bytes = b"") -> None:
    """Send a frame that concerns the worker as a whole."""
    wire.sendall(struct.pack("<IBBHII", len(payload), kind, 0, 0, NO_SLOT, 0) + payload)


def record() -> None:
    """Write down what this process was given."""
    sockets = [name for name in os.listdir("/proc/self/fd") if _is_socket(int(name))]
    seen = {
        "arguments": sys.argv[1:],
        "sockets": sockets,
        "wire": orders["wire"],
        "memory": orders["memory"],
    }
    seen["memory_size"] = os.fstat(orders["memory"]).st_size
    partial = Path(orders["app_dir"], f"{os.getpid()}.partial")
    partial.write_text(json.dumps(seen))
    partial.rename(partial.with_suffix(".json"))


def _is_socket(number: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    except OSError:
        return False


def until_shutdown() -> None:
    """Wait for the shutdown frame or the end of the socket."""
    while frame := wire.recv(16):
        if frame[4] == SHUTDOWN:
            return


record()
match orders["target"]:
    case "ready":
        send(READY)
        until_shutdown()
    case "stubborn":
        send(READY)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)
    case "bequeath":
        # A child of the application keeps the wire open when the worker dies.
        if os.fork() == 0:
            os.closerange(0, 3)
            time.sleep(20)
            os._exit(0)
        send(READY)
        until_shutdown()
    case "fail-load":
        send(FAILED, bytes([LOAD]) + b"no module named `nothing`")
        sys.exit(4)
    case "fail-startup":
        send(FAILED, bytes([STARTUP]) + b"the database is down")
        sys.exit(3)
    case "die":
        sys.exit(7)
    case "mend":
        # The code can be loaded once the file is there.
        if not Path(orders["app_dir"], "mended.py").exists():
            send(FAILED, bytes([LOAD]) + b"a mistake")
            sys.exit(4)
        send(READY)
        until_shutdown()
