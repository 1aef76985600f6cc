"""Processes that the application forks from a worker: they are not workers."""

import contextlib
import os
import signal
import sys
import threading
import traceback

from andon import _andon

# What the forking thread had blocked.
_masks = threading.local()


def prepare() -> None:
    """See to it that what is forked from this process knows that it is no worker."""
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def ignore(_number: int, _frame: object) -> None:
    """Handle a signal that is the front's business."""


def _before() -> None:
    # One that comes before the child has its own handling would be lost.
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _in_parent() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _in_child() -> None:
    _andon.forked()
    # `Process.terminate()` and the end of a `multiprocessing.Pool` rely on it. SIGINT and SIGHUP
    # come from terminals, to all processes at once: requests under way may need this one.
    if signal.getsignal(signal.SIGTERM) is ignore:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def end(error: BaseException | None) -> None:
    """End this process, which has come back to where a worker would answer.

    As `multiprocessing` ends one: nothing that the parent has registered is run.
    """
    code = 0
    if isinstance(error, SystemExit):
        code = _exit_code(error)
    elif error is not None:
        code = 1
        traceback.print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        # It may be closed, or nobody reads it.
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _exit_code(error: SystemExit) -> int:
    """Return what the interpreter would end with."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1
