"""Plain FastAPI routes of E4: ``/1`` awaits and then blocks, ``/2`` only blocks."""

import asyncio
import os
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/1")
async def awaits_then_blocks(seconds: float) -> dict[str, int]:
    await asyncio.sleep(seconds)
    time.sleep(seconds)
    return {"pid": os.getpid()}


@app.get("/2")
async def blocks(seconds: float) -> dict[str, int]:
    time.sleep(seconds)
    return {"pid": os.getpid()}
