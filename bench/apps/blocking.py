"""Plain FastAPI routes of E1 and E6: those that block their event loop in several ways, one that
burns a processor on a thread, one that is quick.
"""

import os
import subprocess
import threading
import time

import requests
from fastapi import FastAPI

app = FastAPI()


def here() -> dict[str, int]:
    return {"pid": os.getpid(), "thread": threading.get_ident()}


@app.get("/1")
async def blocks_the_loop(seconds: float = 10.0) -> dict[str, int]:
    time.sleep(seconds)
    return here()


@app.get("/subprocess")
async def waits_for_a_program(seconds: float) -> dict[str, int]:
    subprocess.run(["sleep", str(seconds)], check=True)
    return here()


@app.get("/loop")
async def computes_on_the_loop(seconds: float) -> dict[str, int]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return here()


@app.get("/late")
async def asks_a_late_server(seconds: float, port: int) -> dict[str, int]:
    requests.get(f"http://127.0.0.1:{port}/?seconds={seconds}", timeout=60)
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
