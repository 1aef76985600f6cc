"""A FastAPI application whose endpoints wait for gates, holding what they run on or not."""

import asyncio
import time
from collections.abc import AsyncIterator

import journal
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/fast")
async def fast() -> str:
    return "fast"


@app.get("/wait/{gate}")
async def wait(gate: str) -> str:
    """Wait and leave the event loop to others."""
    journal.record("started", gate=gate)
    try:
        await journal.wait_for_gate(gate)
    except asyncio.CancelledError:
        journal.record("cancelled", gate=gate)
        raise
    journal.record("ended", gate=gate)
    return gate


@app.get("/hold/{gate}")
async def hold(gate: str) -> str:
    """Hold the event loop."""
    journal.record("started", gate=gate)
    journal.block_until_gate(gate)
    return gate


@app.get("/sleep")
async def sleep() -> str:
    """Hold the event loop for long enough to be reported."""
    time.sleep(0.3)
    return "slept"


@app.get("/stream/{gate}")
async def stream(gate: str) -> StreamingResponse:
    """Answer at once, and go on when the gate is open."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await journal.wait_for_gate(gate)
        yield b"second"

    return StreamingResponse(pieces())
