"""Bare ASGI handlers around requests: what arrived, and how the body is taken."""

import asyncio
import gc
import hashlib

from asgi_parts import (
    Handler,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    body,
    describe,
    query,
    read_body,
    start,
)
from journal import record, wait_for_gate


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """What arrived, as JSON whose strings stand for bytes (latin-1)."""
    content = await read_body(receive)
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
    ]
    await answer_json(
        send,
        {
            "method": scope["method"],
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "http_version": scope["http_version"],
            "headers": headers,
            "body": content.decode("latin-1"),
        },
    )


async def show_scope(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole scope with the types of its values."""
    await answer_json(send, {"class": type(scope).__name__, "scope": describe(dict(scope))})


async def show_state(scope: Scope, receive: Receive, send: Send) -> None:
    """The state as this request sees it, after it added to its own copy."""
    before = dict(scope["state"])
    scope["state"]["added by a request"] = True
    before["shared"].append("request")
    await answer_json(send, before)


async def show_messages(scope: Scope, receive: Receive, send: Send) -> None:
    """Each message up to the end of the body, and the one after it when the answer is out."""
    messages = []
    while True:
        message = await receive()
        messages.append(describe(dict(message)))
        if not message.get("more_body", False):
            break
    await answer_json(send, messages)
    record("after the answer", message=describe(dict(await receive())))


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """The body, part by part as it arrives."""
    await start(send)
    while True:
        message = await receive()
        more = message.get("more_body", False)
        await body(send, message.get("body", b""), more)
        if not more:
            return


async def digest(scope: Scope, receive: Receive, send: Send) -> None:
    """The size and SHA-256 of the body, whatever its size."""
    size, sha256 = 0, hashlib.sha256()
    more = True
    while more:
        message = await receive()
        size += len(message["body"])
        sha256.update(message["body"])
        more = message.get("more_body", False)
    await answer_json(send, {"bytes": size, "sha256": sha256.hexdigest()})


async def ignore_body(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer without one call of `receive()`."""
    await answer(send, b"not read")


async def read_after_gate(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body only once the gate is open."""
    record("waiting to read")
    await wait_for_gate(query(scope)["gate"])
    content = await read_body(receive)
    await answer(send, str(len(content)).encode())


async def wait_for_disconnect(scope: Scope, receive: Receive, send: Send) -> None:
    """Records which messages come until the client is gone."""
    name = query(scope)["name"]
    record("started", name=name)
    while True:
        message = await receive()
        record("received", name=name, type=message["type"], size=len(message.get("body", b"")))
        if message["type"] == "http.disconnect":
            break
    again = await receive()
    record("disconnected", name=name, again=again["type"])
    # Sending to a client which is gone must be harmless.
    await answer(send, b"nobody reads this")
    record("sent after the disconnect", name=name)


async def poll(scope: Scope, receive: Receive, send: Send) -> None:
    """Asks a hundred times for a message that does not come; answers how many futures are left."""
    await read_body(receive)
    for _ in range(100):
        asking = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
    del asking
    gc.collect()
    futures = [each for each in gc.get_objects() if isinstance(each, asyncio.Future)]
    left = [each for each in futures if each.cancelled()]
    await answer_json(send, len(left))


async def hold(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once the gate is open."""
    parameters = query(scope)
    record("holding", name=parameters["gate"])
    await wait_for_gate(parameters["gate"])
    await answer(send, b"released")
    record("released", name=parameters["gate"])


ROUTES: dict[str, Handler] = {
    "/echo": echo,
    "/scope": show_scope,
    "/state": show_state,
    "/messages": show_messages,
    "/mirror": mirror,
    "/digest": digest,
    "/ignore-body": ignore_body,
    "/read-after-gate": read_after_gate,
    "/wait-for-disconnect": wait_for_disconnect,
    "/poll": poll,
    "/hold": hold,
}
