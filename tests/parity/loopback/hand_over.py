"""What the front starts as its worker: passes the worker's descriptors on to the tests' process.

Run by the path of this file. It stays until that process is done with them, for the front takes
its end for the end of the worker.
"""

import json
import os
import signal
import socket

VARIABLE = "ANDON_PARITY_BRIDGE"


def main() -> None:
    """Hand over, and wait."""
    orders = json.loads(os.environ["ANDON_WORKER"])
    descriptors = [orders["wire"], orders["memory"]]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bridge:
        try:
            bridge.connect(os.environ[VARIABLE])
        except OSError:
            # The tests have ended without a word, and nobody else would end their front.
            os.kill(os.getppid(), signal.SIGTERM)
            return
        socket.send_fds(bridge, [b"\0"], descriptors)
        # So that the end of the wire is seen on the other side.
        for descriptor in descriptors:
            os.close(descriptor)
        bridge.recv(1)


if __name__ == "__main__":
    main()
