"""The generators between an endpoint that yields and the response that sends what it yields.

They are those of `fastapi.routing.get_request_handler`, which cannot be called from outside. Each
item is written by ``write``, which is Rust. Imported by the extension module once an application of
FastAPI is there.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import fastapi.routing
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from fastapi.sse import ServerSentEvent as ServerSentEvent
from fastapi.sse import format_sse_event
from starlette.concurrency import iterate_in_threadpool

# `Any`, for these names are FastAPI's own affair.
routing: Any = fastapi.routing

Write = Callable[[Any], bytes]


async def lines(items: AsyncIterator[Any], write: Write) -> AsyncIterator[bytes]:
    """Yield each item as a line; after it, a cancellation can take effect."""
    async for item in items:
        yield write(item)
        await anyio.sleep(0)


def lines_on_threads(items: Iterator[Any], write: Write) -> Iterator[bytes]:
    """Yield each item as a line; whoever iterates does it on a thread."""
    for item in items:
        yield write(item)


async def pieces(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield each item as it is; after it, a cancellation can take effect."""
    async for item in items:
        yield item
        await anyio.sleep(0)


async def events(
    items: Any, is_asynchronous: bool, write: Write, stack: AsyncExitStack
) -> AsyncIterator[bytes]:
    """Begin to gather the events, until ``stack`` is closed; return what gives them."""
    source = items.__aiter__() if is_asynchronous else iterate_in_threadpool(items)
    stream = await stack.enter_async_context(_gathering(source, write))
    stack.push_async_callback(stream.aclose)
    return _with_checkpoints(stream)


@asynccontextmanager
async def _gathering(
    source: AsyncIterator[Any], write: Write
) -> AsyncIterator[ObjectReceiveStream[bytes]]:
    """Iterate in one Task, and put in pings in another, so that no time-out cuts into an item."""
    send, receive = anyio.create_memory_object_stream[bytes](max_buffer_size=1)
    forward, result = anyio.create_memory_object_stream[bytes](max_buffer_size=1)

    async def produce() -> None:
        async with send:
            async for item in source:
                await send.send(write(item))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        tasks.start_soon(_keep_alive, receive, forward)
        yield result
        tasks.cancel_scope.cancel()


async def _keep_alive(source: ObjectReceiveStream[bytes], target: ObjectSendStream[bytes]) -> None:
    """Pass on what comes, and a ping whenever nothing has come for some time."""
    async with target, source:
        try:
            while True:
                try:
                    # Both are looked up each time, since tests of applications replace them.
                    with anyio.fail_after(routing._PING_INTERVAL):
                        data = await source.receive()
                    await target.send(data)
                except TimeoutError:
                    await target.send(routing.KEEPALIVE_COMMENT)
        except anyio.EndOfStream:
            pass


async def _with_checkpoints(stream: ObjectReceiveStream[bytes]) -> AsyncIterator[bytes]:
    async for data in stream:
        yield data
        await anyio.sleep(0)


def event(item: ServerSentEvent) -> bytes:
    """Write an event that says itself what it is; no field validates it."""
    return format_sse_event(
        data_str=_data(item),
        event=item.event,
        id=item.id,
        retry=item.retry,
        comment=item.comment,
    )


def _data(item: ServerSentEvent) -> str | None:
    if item.raw_data is not None:
        return item.raw_data
    if item.data is None:
        return None
    if hasattr(item.data, "model_dump_json"):
        text: str = item.data.model_dump_json()
        return text
    return _text(item.data)


def json_of(item: Any) -> bytes:
    """Write an item for which there is no field."""
    return _text(item).encode("utf-8")


def _text(item: Any) -> str:
    return json.dumps(routing._normalize_non_finite_floats(routing.jsonable_encoder(item)))
