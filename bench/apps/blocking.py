"""Plain FastAPI routes of E1 and E6: one that blocks its event loop, one that burns a processor,
one that is quick.
"""

import os
import threading
import time

from fastapi import FastAPI

app = FastAPI()


def here() -> dict[str, int]:
    return {"pid": os.getpid(), "thread": threading.get_ident()}


@app.get("/1")
async def blocks_the_loop(seconds: float = 10.0) -> dict[str, int]:
    time.sleep(seconds)
    return here()


@app.get("/2")
async def quick() -> dict[str, int]:
    return here()


@app.get("/burn")
def burns(seconds: float = 10.0) -> dict[str, int]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return here()
