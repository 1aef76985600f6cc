"""How each server is started: one command line per server, with the same meaning for all.

Access logs are off everywhere, uvloop and the fastest HTTP parser of each server are on. Everything
else is a server's default unless ``Launch`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.calls import HOST
from bench.processes import Process

APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True)
class Launch:
    """What a case wants to have served.

    ``app`` is ``module:attribute`` of a module in ``directory``. With ``idle_connections`` the
    server has to keep as many connections open for as long as it can be told to; with ``respawn``
    it has to replace workers that die.
    """

    app: str
    workers: int = 1
    idle_connections: int | None = None
    respawn: bool = False
    directory: Path = APPS


@dataclass(frozen=True)
class Server:
    """A server: ``arguments`` gives everything after the program's name for a launch on a port."""

    name: str
    title: str
    distribution: str
    program: str
    arguments: Callable[[Launch, int], list[str]]
    is_worker: Callable[[Process], bool]

    @property
    def ours(self) -> bool:
        """Whether this is Andon, with whatever options."""
        return self.distribution == "andon"

    def having(self, name: str, title: str, *options: str) -> Server:
        """This server with further command-line options, as a row of its own."""
        return replace(
            self,
            name=name,
            title=title,
            arguments=lambda launch, port: [*self.arguments(launch, port), *options],
        )


IDLE_SECONDS = 600


def _andon(launch: Launch, port: int) -> list[str]:
    idle = [f"--timeout-keep-alive={IDLE_SECONDS}"] if launch.idle_connections else []
    return [
        launch.app,
        *("--app-dir", str(launch.directory)),
        *("--host", HOST, "--port", str(port), "--workers", str(launch.workers)),
        *("--no-access-log", "--log-level", "warning"),
        *idle,
    ]


def _uvicorn(launch: Launch, port: int) -> list[str]:
    idle = [f"--timeout-keep-alive={IDLE_SECONDS}"] if launch.idle_connections else []
    return [
        launch.app,
        *("--app-dir", str(launch.directory)),
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
        *("--pythonpath", str(launch.directory)),
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


def _bare_hyper(launch: Launch, port: int) -> list[str]:
    return ["--host", HOST, "--port", str(port), "--threads", str(launch.workers)]


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

ANDON = SERVERS["andon"]
# What a machine gives at most without Python: a row beside the servers, never one of them.
BARE_HYPER = Server(
    "hyper", "hyper (no Python)", "hyper", "andon-bare-hyper", _bare_hyper, _is_child_worker
)
# Andon with an option that makes it another server in the cases that measure it.
OFFLOAD = ANDON.having("andon-offload", "Andon, offload", "--on-block", "offload")
ELASTIC = ANDON.having("andon-elastic", "Andon, 3 workers at most", "--max-workers", "3")
ASGI_ONLY = ANDON.having("andon-asgi", "Andon, no native routes", "--native", "off")
EXPLAIN = ANDON.having("andon-explain", "Andon, explaining", "--explain")
QUEUE_TIMEOUT_SECONDS = 0.5
# As many threads as the framework has under the others, so that all have the same capacity.
BOUNDED = ANDON.having(
    "andon-bounded",
    "Andon, queue 0.5 s",
    *("--queue-timeout", str(QUEUE_TIMEOUT_SECONDS)),
    *("--heavy-queue-timeout", str(QUEUE_TIMEOUT_SECONDS)),
    *("--threads", "40"),
)

TITLES = {
    server.name: server.title
    for server in (*SERVERS.values(), BARE_HYPER, OFFLOAD, ELASTIC, ASGI_ONLY, EXPLAIN, BOUNDED)
}
