"""Bare ASGI handlers of WebSockets."""

import json

from asgi_parts import Handler, Receive, Scope, Send, describe, query
from journal import record, wait_for_gate


async def accept(receive: Receive, send: Send) -> None:
    """Take `websocket.connect`, and accept."""
    message = await receive()
    assert message == {"type": "websocket.connect"}, message
    await send({"type": "websocket.accept"})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Each message back as it came, until the client goes."""
    await accept(receive, send)
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            record("closed", name=query(scope).get("name"), message=describe(dict(message)))
            return
        content = {
            name: message[name] for name in ("text", "bytes") if message.get(name) is not None
        }
        record("message", name=query(scope).get("name"), keys=sorted(message))
        await send({"type": "websocket.send", **content})


async def show_scope(scope: Scope, receive: Receive, send: Send) -> None:
    """The scope with the types of its values, as the only message."""
    await accept(receive, send)
    content = {"class": type(scope).__name__, "scope": describe(dict(scope))}
    await send({"type": "websocket.send", "text": json.dumps(content)})
    await send({"type": "websocket.close"})


async def close(scope: Scope, receive: Receive, send: Send) -> None:
    """Closes with the code and the reason asked for, and records what follows."""
    parameters = query(scope)
    await accept(receive, send)
    message: dict[str, object] = {"type": "websocket.close"}
    if "code" in parameters:
        message |= {"code": int(parameters["code"]), "reason": parameters.get("reason")}
    await send(message)
    record("closed", name=parameters.get("name"), message=describe(dict(await receive())))


async def deny(scope: Scope, receive: Receive, send: Send) -> None:
    """Closes instead of accepting."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def deny_with_answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with an ordinary HTTP response in two parts instead of accepting."""
    await receive()
    fields = [(b"content-type", b"application/json"), (b"x-why", b"no token")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": fields})
    await send({"type": "websocket.http.response.body", "body": b'{"why":', "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b'"no token"}'})


async def subprotocol(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts the last subprotocol on offer, with a header of its own."""
    await receive()
    offered = scope["subprotocols"]
    fields = [(b"x-offered", ",".join(offered).encode())]
    chosen = offered[-1] if offered else None
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": fields})
    await send({"type": "websocket.close", "code": 1000})


async def accept_after_gate(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts once the gate is open; then echoes."""
    await wait_for_gate(query(scope)["gate"])
    await echo(scope, receive, send)


async def push(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends many messages without waiting for any."""
    parameters = query(scope)
    await accept(receive, send)
    for number in range(int(parameters["count"])):
        await send({"type": "websocket.send", "text": str(number)})
    await send({"type": "websocket.send", "bytes": b"x" * int(parameters.get("size", "0"))})
    await send({"type": "websocket.close"})


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends 64 KiB after 64 KiB, and records how much `send()` took."""
    name = query(scope)["name"]
    await accept(receive, send)
    sent = 0
    try:
        while True:
            await send({"type": "websocket.send", "bytes": b"x" * 65536})
            sent += 65536
            record("sent", name=name, bytes=sent)
    finally:
        record("stopped", name=name, bytes=sent)


async def raise_before_accept(scope: Scope, receive: Receive, send: Send) -> None:
    """An exception before the handshake."""
    raise LookupError("raised before accept")


async def raise_after_accept(scope: Scope, receive: Receive, send: Send) -> None:
    """An exception after the handshake."""
    await accept(receive, send)
    raise LookupError("raised after accept")


async def return_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns without accepting."""


async def return_after_accept(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns without closing."""
    await accept(receive, send)


async def send_after_close(scope: Scope, receive: Receive, send: Send) -> None:
    """Waits for the client to go, then sends, and records what that raised."""
    await accept(receive, send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    try:
        await send({"type": "websocket.send", "text": "late"})
    except Exception as error:
        record("late send", raised=type(error).__name__, is_os_error=isinstance(error, OSError))
    else:
        record("late send", raised=None, is_os_error=False)


ROUTES: dict[str, Handler] = {
    "/ws/echo": echo,
    "/ws/scope": show_scope,
    "/ws/close": close,
    "/ws/deny": deny,
    "/ws/deny-with-answer": deny_with_answer,
    "/ws/subprotocol": subprotocol,
    "/ws/accept-after-gate": accept_after_gate,
    "/ws/push": push,
    "/ws/endless": endless,
    "/ws/raise-before-accept": raise_before_accept,
    "/ws/raise-after-accept": raise_after_accept,
    "/ws/return-at-once": return_at_once,
    "/ws/return-after-accept": return_after_accept,
    "/ws/send-after-close": send_after_close,
}
