"""The self-test, by which a release that is not known is tried before it is served natively."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from andon import _andon
from andon.native import digests, install, self_test, trial_requests
from andon.native.description import Opaque
from andon.native.installation import inspect_tested
from fastapi import FastAPI
from starlette.responses import JSONResponse

Send = Callable[[dict[str, Any]], Awaitable[None]]


def test_the_installed_release_answers_the_same_natively() -> None:
    assert asyncio.run(self_test.first_difference()) is None


def test_some_two_hundred_requests_are_compared() -> None:
    under = [*trial_requests.calls_under_middleware(), *trial_requests.calls_under_layers()]
    assert 150 <= len([*trial_requests.calls(), *under]) <= 400


class Wrong:
    """A native path that loses a header field of answers with 201."""

    def __init__(self, *description: Any) -> None:
        self._right = _native_app(*description)

    def __call__(
        self, scope: Any, receive: Any, send: Send, served: Callable[[str], None]
    ) -> Awaitable[None]:
        """Serve a request."""

        async def lose(message: dict[str, Any]) -> None:
            await send(self.changed(message))

        return self._right(scope, receive, lose, served)

    def changed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return what is sent instead."""
        if message.get("status") == 201:
            return {**message, "headers": message["headers"][1:]}
        return message


class WrongStream(Wrong):
    """One that puts another piece into streams."""

    def changed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return what is sent instead."""
        return {**message, "body": b"another"} if message.get("more_body") else message


class WrongUnderMiddleware(Wrong):
    """One that loses a field which middleware has put there."""

    def changed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return what is sent instead."""
        if "headers" not in message:
            return message
        kept = [field for field in message["headers"] if field[0] != b"x-length"]
        return {**message, "headers": kept}


class Silent(Wrong):
    """One that never answers."""

    async def __call__(self, *_: Any) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class Absent:
    """A native path that serves nothing natively."""

    def __init__(self, description: str, objects: Any, guards: Any, calls: Any) -> None:
        self._app = calls.app

    def __call__(
        self, scope: Any, receive: Any, send: Send, served: Callable[[str], None]
    ) -> Awaitable[None]:
        """Have the application serve a request."""
        served("it is no plan")
        answer: Awaitable[None] = self._app(scope, receive, send)
        return answer


_native_app = _andon.NativeApp


@pytest.mark.parametrize(
    ("face", "told"),
    [
        (Wrong, "`POST /item` is answered otherwise"),
        (WrongStream, "`GET /lines` is answered otherwise"),
        (WrongUnderMiddleware, "`POST /item` is answered otherwise"),
        (Silent, "`POST /item` is answered otherwise"),
        (Absent, "only 0% of its answers are native"),
    ],
)
def test_a_native_path_that_is_wrong_is_found_out(
    face: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_andon, "NativeApp", face)
    monkeypatch.setattr(self_test, "_LONGEST", 0.5)
    assert asyncio.run(self_test.first_difference()) == told


class Target:
    """Counts the plans that it gets."""

    plans = 0

    def set_native(self, *_: Any) -> None:
        """Take a plan."""
        self.plans += 1


@pytest.fixture
def unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No release is known."""
    known = tmp_path / "digests.json"
    known.write_text("{}")
    monkeypatch.setattr(digests, "KNOWN", known)
    monkeypatch.setattr("andon.native.installation.logger.propagate", True)


def application() -> FastAPI:
    app = FastAPI()
    app.get("/", response_class=JSONResponse)(lambda: None)
    return app


@pytest.mark.usefixtures("unknown")
def test_an_unknown_release_is_left_to_asgi_with_a_hint(caplog: pytest.LogCaptureFixture) -> None:
    target = Target()
    asyncio.run(install(target, application(), "auto"))
    assert target.plans == 0
    (record,) = caplog.records
    assert "is not a release that Andon knows" in record.getMessage()
    assert "\n\nhint: `--native unknown-ok`" in record.getMessage()


@pytest.mark.usefixtures("unknown")
def test_an_unknown_release_that_stands_the_test_is_served_natively_where_asked_for() -> None:
    target = Target()
    asyncio.run(install(target, application(), "unknown-ok"))
    assert target.plans == 1


@pytest.mark.usefixtures("unknown")
def test_an_unknown_release_that_does_not_is_left_to_asgi(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_andon, "NativeApp", Wrong)
    target = Target()
    asyncio.run(install(target, application(), "unknown-ok"))
    assert target.plans == 0
    assert "in the self-test, `POST /item` is answered otherwise" in caplog.text


@pytest.mark.usefixtures("unknown")
def test_people_are_told_of_the_self_test_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(inspect_tested(application(), "unknown-ok")).reason is None
    monkeypatch.setattr(_andon, "NativeApp", Wrong)
    found = asyncio.run(inspect_tested(application(), "unknown-ok"))
    reason = "in the self-test, `POST /item` is answered otherwise"
    assert found.reason == reason
    assert {route.serve for route in found.description.routes} == {Opaque(reason)}


def test_off_installs_nothing() -> None:
    target = Target()
    asyncio.run(install(target, application(), "off"))
    assert target.plans == 0
