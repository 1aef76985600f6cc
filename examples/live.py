"""What happens at the desk, as it happens: server-sent events, and a WebSocket."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

import store
from fastapi import APIRouter, Header, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

router = APIRouter(tags=["live"])
POLL_SECONDS = 0.2


@router.get("/changes", response_class=StreamingResponse)
async def changes(
    last_event_id: Annotated[int, Header()] = 0,
    limit: Annotated[int | None, Query(ge=1, description="end after so many")] = None,
) -> StreamingResponse:
    """Changes of parcels as server-sent events; a browser which reconnects goes on where it was."""
    stream = change_events(last_event_id, limit)
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def change_events(last: int, limit: int | None) -> AsyncIterator[str]:
    """Each change as one event; the worker polls, because another one may have made the change."""
    sent = 0
    while limit is None or sent < limit:
        for row in await run_in_threadpool(store.changes_after, last):
            last = row["id"]
            sent += 1
            data = json.dumps({"number": row["number"], "state": row["state"]})
            yield f"id: {last}\nevent: change\ndata: {data}\n\n"
            if sent == limit:
                return
        await asyncio.sleep(POLL_SECONDS)


@router.websocket("/desk/socket")
async def desk_socket(socket: WebSocket) -> None:
    """Answers each message, and sends every change meanwhile."""
    await socket.accept()
    await socket.send_json({"kind": "welcome", "pid": os.getpid()})
    watcher = asyncio.create_task(send_changes(socket))
    try:
        while True:
            await socket.send_json({"kind": "answer", **answer(await socket.receive_text())})
    except WebSocketDisconnect:
        pass
    finally:
        watcher.cancel()


async def send_changes(socket: WebSocket) -> None:
    """Send the changes which are made from now on."""
    last = await run_in_threadpool(store.last_change)
    while True:
        for row in await run_in_threadpool(store.changes_after, last):
            last = row["id"]
            change = {"number": row["number"], "state": row["state"]}
            await socket.send_json({"kind": "change", **change})
        await asyncio.sleep(POLL_SECONDS)


def answer(message: str) -> dict[str, Any]:
    """Say something useful about any message."""
    return {"message": message, "letters": len(message), "pid": os.getpid()}
