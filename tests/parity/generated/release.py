"""What the FastAPI that is installed has of what is drawn. The same is drawn for all releases."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any


def known(function: Callable[..., Any], options: Iterable[str]) -> tuple[str, ...]:
    """Those options, ``name=value``, of which the function has a parameter."""
    parameters = inspect.signature(function).parameters
    return tuple(option for option in options if option.partition("=")[0] in parameters)
