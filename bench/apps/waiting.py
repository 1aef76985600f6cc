"""Plain FastAPI routes of E2, E5 and the kill case: the same wait, written in three ways."""

import asyncio
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/await")
async def awaits(seconds: float) -> dict[str, str]:
    await asyncio.sleep(seconds)
    return {"waited": "await asyncio.sleep"}


@app.get("/thread")
def waits_in_a_thread(seconds: float) -> dict[str, str]:
    time.sleep(seconds)
    return {"waited": "def + time.sleep"}


@app.get("/lock")
async def holds_the_loop(seconds: float) -> dict[str, str]:
    time.sleep(seconds)
    return {"waited": "async def + time.sleep"}
