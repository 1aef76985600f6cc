"""Plain FastAPI routes of E3: a pure Python loop under ``def`` and under ``async def``, and a route
that answers at once.
"""

import os

from fastapi import FastAPI

app = FastAPI()


def burn(loops: int) -> int:
    """A fixed amount of work that holds the GIL."""
    total = 0
    for number in range(loops):
        total += number & 7
    return total


@app.get("/fast")
async def fast() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/sync")
def in_a_thread(loops: int) -> dict[str, int]:
    burn(loops)
    return {"pid": os.getpid()}


@app.get("/async")
async def on_the_loop(loops: int) -> dict[str, int]:
    burn(loops)
    return {"pid": os.getpid()}
