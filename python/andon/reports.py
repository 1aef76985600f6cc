"""Texts about what went wrong at start-up, with the user's own code first."""

import os
import traceback

from andon.loading import LoadError

_HERE = os.path.dirname(os.path.abspath(__file__))


def describe(what: str, error: BaseException) -> str:
    """One line, the traceback where it helps, an empty line, a hint.

    Frames of the import machinery and of this package are left out: they are never where the
    mistake is.
    """
    if isinstance(error, LoadError):
        return f"{what}: {error}\n\nhint: {error.hint}"
    report = traceback.TracebackException.from_exception(error)
    for part in _chain(report):
        part.stack = traceback.StackSummary.from_list(
            [frame for frame in part.stack if not _is_machinery(frame.filename)]
        )
    summary = "".join(report.format_exception_only()).strip().splitlines()[-1]
    text = "".join(report.format()).rstrip()
    return f"{what}: {summary}\n{text}\n\nhint: {_hint(error)}"


def _chain(report: traceback.TracebackException) -> list[traceback.TracebackException]:
    """The report, and those of its causes and contexts."""
    found: list[traceback.TracebackException] = []
    waiting: list[traceback.TracebackException | None] = [report]
    while waiting:
        part = waiting.pop()
        if part is not None and part not in found:
            found.append(part)
            waiting += [part.__cause__, part.__context__]
    return found


def _is_machinery(filename: str) -> bool:
    return (
        filename.startswith("<frozen importlib")
        or os.path.dirname(os.path.abspath(filename)) == _HERE
        or filename.endswith(os.path.join("importlib", "__init__.py"))
    )


def _hint(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install `{error.name}` into this environment, or correct the import"
    if isinstance(error, SyntaxError):
        return "correct the syntax error"
    return "the exception comes from the application's own code, shown above"
