"""The face of an application that is behind the front: see the package."""

import asyncio
from types import SimpleNamespace
from typing import Any

from ..face import MODE, NATIVE, Application, Served, weakly
from ..observation import Receive, Scope, Send
from .bridge import SHARED, Passage, tell
from .client import carry

BY_APPLICATION = "the application, behind the front"
BY_FRONT = "the front"
NESTED = "asked by an application that is behind the front itself"
ROOT_PATH = "a worker has one root path, the client has its own"


class WireFace:
    """An application that the worker serves when it is asked for."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.is_current = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        """Carry one request to the front, and its answer back."""
        bridge = await asyncio.to_thread(SHARED.get)
        if bridge.is_worker() and not bridge.is_serving(self):
            served(NESTED)
            await self.application(scope, receive, send)
            return
        passage = await bridge.enter(self, scope)
        try:
            await carry(bridge.port, passage, receive, send)
        finally:
            # Also where the client has gone: then the worker has seen it by now.
            await bridge.leave(passage)
            served(_server(passage))
        if passage.error is not None:
            raise passage.error

    def install(self, worker: Any, root_path: str) -> str:
        """Have the worker serve it natively, as far as that is possible."""
        from andon.native import inspect
        from andon.native.calls import Calls
        from andon.native.description import Description

        self.is_current = True
        found = inspect(self.application, MODE)
        if found.reason is None and not root_path:
            calls = found.calls(weakly(self._forget), tell)
            worker.set_native(found.description.to_json(), found.objects, found.guards, calls)
            return BY_APPLICATION
        # Of an application, the extension module asks for its root path only.
        nothing = Calls(
            app=SimpleNamespace(root_path=""),
            on_change=lambda: None,
            exception_handlers={},
            status_handlers={},
            exceptions=None,
            innermost=None,
            spliced=False,
            mounts=[],
            tell=None,
        )
        worker.set_native(Description().to_json(), [], [], nothing)
        return f"application: {found.reason}" if found.reason else ROOT_PATH

    def _forget(self) -> None:
        self.is_current = False


def _server(passage: Passage) -> str:
    if passage.name is None:
        return BY_FRONT
    return passage.served_by or NATIVE
