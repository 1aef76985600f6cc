"""How each server is started: one command line per server, with the same meaning for all.

Access logs are off everywhere, uvloop and the fastest HTTP parser of each server are on. Everything
else is a server's default unless ``Launch`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.calls import HOST
from bench.processes import Process

APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True)
class Launch:
    """What a case wants to have served.

    ``app`` is ``module:attribute`` of a module in ``bench/apps``. With ``idle_connections`` the
    server has to keep as many connections open for as long as it can be told to; with ``respawn``
    it has to replace workers that die.
    """

    app: str
    workers: int = 1
    idle_connections: int | None = None
    respawn: bool = False


@dataclass(frozen=True)
class Server:
    """A server: ``arguments`` gives everything after the program's name for a launch on a port."""

    name: str
    title: str
    distribution: str
    program: str
    arguments: Callable[[Launch, int], list[str]]
    is_worker: Callable[[Process], bool]


IDLE_SECONDS = 600


def _andon(launch: Launch, port: int) -> list[str]:
    idle = [f"--timeout-keep-alive={IDLE_SECONDS}"] if launch.idle_connections else []
    return [
        launch.app,
        *("--app-dir", str(APPS)),
        *("--host", HOST, "--port", str(port), "--workers", str(launch.workers)),
        *("--no-access-log", "--log-level", "warning"),
        *idle,
    ]


def _uvicorn(launch: Launch, port: int) -> list[str]:
    idle = [f"--timeout-keep-alive={IDLE_SECONDS}"] if launch.idle_connections else []
    return [
        launch.app,
        *("--app-dir", str(APPS)),
        *("--host", HOST, "--port", str(port), "--workers", str(launch.workers)),
        *("--loop", "uvloop", "--http", "httptools", "--ws", "websockets"),
        *("--no-access-log", "--log-level", "warning"),
        *idle,
    ]


def _gunicorn(launch: Launch, port: int) -> list[str]:
    idle: list[str] = []
    if launch.idle_connections:
        connections = launch.idle_connections + 1000
        idle = [f"--keep-alive={IDLE_SECONDS}", f"--worker-connections={connections}"]
    return [
        launch.app,
        *("--pythonpath", str(APPS)),
        *("--bind", f"{HOST}:{port}", "--workers", str(launch.workers)),
        *("--log-level", "warning", "--no-control-socket"),
        *idle,
    ]


def _gunicorn_uvicorn(launch: Launch, port: int) -> list[str]:
    return [*_gunicorn(launch, port), "--worker-class", "uvicorn_worker.UvicornWorker"]


def _gunicorn_asgi(launch: Launch, port: int) -> list[str]:
    return [*_gunicorn(launch, port), "--worker-class", "asgi", "--asgi-loop", "uvloop"]


def _granian(launch: Launch, port: int) -> list[str]:
    # Its --backpressure counts connections, so idle ones would use it up; an idle connection is one
    # whose next request head is being waited for, and 60 s is the longest it can be told to wait.
    idle: list[str] = []
    if launch.idle_connections:
        connections = launch.idle_connections + 1000
        idle = [
            f"--backlog={connections}",
            f"--backpressure={connections}",
            "--http1-header-read-timeout=60000",
        ]
    return [
        *("--interface", "asgi", "--loop", "uvloop"),
        *("--host", HOST, "--port", str(port), "--workers", str(launch.workers)),
        *("--no-access-log", "--log-level", "warning"),
        *(["--respawn-failed-workers"] if launch.respawn else []),
        *idle,
        launch.app,
    ]


def _hypercorn(launch: Launch, port: int) -> list[str]:
    idle = [f"--keep-alive={IDLE_SECONDS}"] if launch.idle_connections else []
    return [
        *("--worker-class", "uvloop", "--workers", str(launch.workers)),
        *("--bind", f"{HOST}:{port}", "--log-level", "warning"),
        *idle,
        launch.app,
    ]


def _is_andon_worker(process: Process) -> bool:
    return "andon.worker" in process.command


def _is_child_worker(process: Process) -> bool:
    return "resource_tracker" not in process.command


SERVERS = {
    server.name: server
    for server in (
        Server("andon", "Andon", "andon", "andon", _andon, _is_andon_worker),
        Server("uvicorn", "uvicorn", "uvicorn", "uvicorn", _uvicorn, _is_child_worker),
        Server(
            "gunicorn-uvicorn",
            "gunicorn + uvicorn",
            "gunicorn",
            "gunicorn",
            _gunicorn_uvicorn,
            _is_child_worker,
        ),
        Server(
            "gunicorn-asgi",
            "gunicorn asgi",
            "gunicorn",
            "gunicorn",
            _gunicorn_asgi,
            _is_child_worker,
        ),
        Server("granian", "granian", "granian", "granian", _granian, _is_child_worker),
        Server("hypercorn", "hypercorn", "hypercorn", "hypercorn", _hypercorn, _is_child_worker),
    )
}
