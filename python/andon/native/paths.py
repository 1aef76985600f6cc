"""What paths a route matches, as a template for the plan.

The truth is the compiled pattern that the framework matches with. A template is handed on only if
it stands for exactly that pattern with Starlette's own convertors; otherwise a wider one, under
which the application is asked more often than it must be, or none.
"""

import re
from dataclasses import dataclass
from typing import Any

from andon.native.framework import Framework
from andon.native.understanding import NotUnderstood

# starlette.routing.PARAM_REGEX
_PARAMETER = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")

# Starlette's convertors: name, class, expression.
_STANDARD = {
    "str": ("StringConvertor", "[^/]+"),
    "path": ("PathConvertor", ".*"),
    "int": ("IntegerConvertor", "[0-9]+"),
    "float": ("FloatConvertor", r"[0-9]+(\.[0-9]+)?"),
    "uuid": (
        "UUIDConvertor",
        "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
    ),
}


@dataclass(frozen=True)
class Path:
    """A template, and whether it matches exactly what the route matches, not more."""

    template: str
    is_exact: bool


def path_of(route: Any, path: str, framework: Framework) -> Path:
    """Describe what ``route`` matches; ``path`` is what its pattern was compiled from.

    Raises `NotUnderstood` where nothing can be said of it: then it may match any path.
    """
    if not path.startswith("/"):
        raise NotUnderstood("its path does not begin with a slash")
    pattern = route.path_regex
    if not isinstance(pattern, re.Pattern) or pattern.flags != re.UNICODE:
        raise NotUnderstood("its pattern is not one that Starlette makes")
    convertors = route.param_convertors
    kinds = {name: _kind(convertor, framework) for name, convertor in convertors.items()}
    if pattern.pattern != _expression(path, convertors):
        raise NotUnderstood("its pattern is not that of its path")
    named = {match[1]: (match[2] or ":str")[1:] for match in _PARAMETER.finditer(path)}
    if kinds == named:
        return Path(path, is_exact=True)
    return Path(_widened(path, kinds), is_exact=False)


def _kind(convertor: Any, framework: Framework) -> str | None:
    """Return the name of one of Starlette's own convertors; `None`: it is another one."""
    for name, (class_name, expression) in _STANDARD.items():
        owner = getattr(framework.convertors, class_name)
        if type(convertor) is owner and convertor.regex == expression:
            return name
    return None


def _expression(path: str, convertors: dict[str, Any]) -> str:
    """Compile a path as `starlette.routing.compile_path` does."""
    expression, begin = "^", 0
    for match in _PARAMETER.finditer(path):
        convertor = convertors.get(match[1])
        expression += re.escape(path[begin : match.start()])
        expression += f"(?P<{match[1]}>{getattr(convertor, 'regex', None)})"
        begin = match.end()
    return expression + re.escape(path[begin:]) + "$"


def _widened(path: str, kinds: dict[str, str | None]) -> str:
    """Let the parameters whose convertor is not Starlette's match anything."""

    def parameter(match: re.Match[str]) -> str:
        return f"{{{match[1]}:{kinds[match[1]] or 'path'}}}"

    return _PARAMETER.sub(parameter, path)
