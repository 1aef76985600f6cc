"""A worker process: loads the application, runs its lifespan, and serves what the front offers.

Started by the supervisor as ``python -m andon.worker``; see `andon.setup` for its orders.
"""

import asyncio
import contextvars
import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from logging import Logger
from typing import Any, Literal, Protocol, cast

from andon import _andon, forks, loops, native, offload, routes, stacks, threads
from andon.lifespan import Lifespan, StartupFailed
from andon.loading import Application, load
from andon.logs import configure
from andon.reports import describe
from andon.setup import Setup

EXIT_STARTUP = 3
EXIT_LOAD = 4

_LOAD_STAGE = 1
_STARTUP_STAGE = 2


def main() -> int:
    """Run the worker and return its exit code."""
    setup = Setup.from_environment()
    logger = configure(setup.log_level, setup.number)
    _leave_signals_to_the_front()
    forks.prepare()
    worker = _andon.Worker(
        setup.wire, setup.memory, setup.graceful_shutdown, setup.threads, setup.cancel_on_disconnect
    )
    try:
        loop = loops.new_loop(setup.loop)
        # Some applications ask for the loop while they are imported.
        asyncio.set_event_loop(loop)
        application = load(setup.target, factory=setup.factory, app_dir=setup.app_dir)
    except BaseException as error:
        worker.failed(_LOAD_STAGE, describe(f"cannot load `{setup.target}`", error))
        return EXIT_LOAD
    try:
        return loops.run(_serve(worker, application, setup, logger), loop)
    finally:
        # Not sooner: what the loop's Tasks do when they are cancelled may need threads.
        worker.threads().close()


def _leave_signals_to_the_front() -> None:
    """Ignore what a terminal or service manager sends to the whole process group.

    The front drains in good order. A handler, not ``SIG_IGN``: that would be inherited by
    processes which the application starts.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forks.ignore)


async def _serve(
    worker: _andon.Worker, application: Application, setup: Setup, logger: Logger
) -> int:
    pool = worker.threads()
    threads.install(pool, asyncio.get_running_loop())
    worker.watch(setup.stall_report)
    lifespan = Lifespan(application, cast(Literal["auto", "on", "off"], setup.lifespan))
    try:
        await lifespan.startup()
    except (Exception, SystemExit) as error:
        worker.failed(_STARTUP_STAGE, _describe_startup(setup.target, error))
        return EXIT_STARTUP
    _describe_routes(worker, application, logger)
    await native.install(worker, application, cast(native.Mode, setup.native))
    calls = _Calls(logger, lambda: _install_offload(worker, pool, application, logger))
    await until_told_to_end(worker, application, setup.root_path, lifespan.state, calls)
    await lifespan.shutdown()
    return 0


def _describe_routes(worker: _andon.Worker, application: Application, logger: Logger) -> None:
    """Tell the front what there is. An application of a kind that is not known serves as well."""
    try:
        table = routes.table(application)
        if table:
            worker.routes(table)
    except Exception:
        logger.warning("the application's routes could not be read", exc_info=True)


def _install_offload(
    worker: _andon.Worker, pool: _andon.Threads, application: Application, logger: Logger
) -> None:
    """Let endpoints be run on threads; where that fails, they run on the loop as before."""
    try:
        offload.install(worker, pool, application)
    except Exception:
        logger.warning("endpoints cannot be run on threads", exc_info=True)


class Calls(Protocol):
    """What the extension module calls here."""

    def log(self, text: str, error: BaseException | None) -> None:
        """Log an error."""

    def take_stack(self, identifier: int) -> list[stacks.Frame]:
        """Return the frames of a thread, innermost first."""

    def offload(self) -> None:
        """Let endpoints be run on threads; called before the first request for which that is."""


@dataclass(frozen=True)
class _Calls:
    logger: Logger
    install_offload: Callable[[], None]

    def log(self, text: str, error: BaseException | None) -> None:
        self.logger.error(text, exc_info=error)

    def take_stack(self, identifier: int) -> list[stacks.Frame]:
        return stacks.take(identifier)

    def offload(self) -> None:
        self.install_offload()


def _describe_startup(target: str, error: BaseException) -> str:
    what = f"`{target}` failed to start"
    if isinstance(error, StartupFailed):
        return f"{what}\n{error}\n\nhint: the exception comes from the application's lifespan"
    return describe(what, error)


async def until_told_to_end(
    worker: _andon.Worker,
    application: Application,
    root_path: str,
    state: dict[str, Any],
    calls: Calls,
) -> None:
    """Serve what the front offers, on the running loop."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def read() -> None:
        try:
            turn = worker.read()
        except Exception as error:
            calls.log("the wire failed", error)
            turn = _andon.Turn.End
        if turn == _andon.Turn.End:
            loop.remove_reader(worker.fileno())
            end.set()

    context = contextvars.copy_context()
    gc.callbacks.append(worker.collections())
    # One that the application has set while it started is its own choice.
    if loop.get_task_factory() is None:
        loop.set_task_factory(worker.task_factory())
    worker.serve(application, loop, context, root_path, state, calls)
    loop.add_reader(worker.fileno(), read)
    await end.wait()


if __name__ == "__main__":
    sys.exit(main())
