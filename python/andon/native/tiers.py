"""How much of the framework a route needs, in one number, for people."""

from collections.abc import Iterator

from andon.native.description import Dependant, Parameter, Response


def tier_of(root: Dependant, response: Response, *, is_special: bool) -> int:
    """Return 1 where plain values go in and come out, 2 where the framework's objects do.

    3 where an answer comes out in pieces or dependencies wait for their turn, or ``is_special``:
    the body is a form, or limited.
    """
    waits = any(each.concurrency is not None for each in all_of(root))
    if is_special or waits or response.stream is not None:
        return 3
    is_plain = response.default_class and (response.field is None or response.field.plain)
    return 1 if is_plain and all(_is_simple(each) for each in all_of(root)) else 2


def all_of(root: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and all that it depends on."""
    yield root
    for dependency in root.dependencies:
        yield from all_of(dependency)


def _is_simple(dependant: Dependant) -> bool:
    is_call = dependant.kind in ("coroutine", "function")
    plain = all(_is_scalar_or_list(parameter) for parameter in dependant.parameters)
    return is_call and dependant.inject.is_empty() and plain


def _is_scalar_or_list(parameter: Parameter) -> bool:
    is_one = len(parameter.aliases) == 1 and not parameter.empty_is_absent
    return parameter.model is None and is_one
