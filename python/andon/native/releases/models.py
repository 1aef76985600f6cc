"""Parameter models: which parameters are one, and what gathers their fields from a request.

A *gatherer* takes what a request has of a source (its query parameters, headers or cookies) and
returns the value with the errors.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

Gatherer = Callable[[Any], tuple[Any, list[Any]]]
# Of 0.157 to 0.159: the names of all parameters of a route, by their source.
Names = dict[str, set[str]]


def names_of(dependant: Any, dependencies: Any) -> Names | None:
    """Return what parameter models of a route must know of its other parameters, if anything."""
    collect = getattr(dependencies, "_get_request_param_names", None)
    if collect is None:
        return None
    known: Names | None = dependant._request_param_names
    return collect(dependant) if known is None else known


def gatherer_of(
    field: Any, fields: list[Any], names: set[str] | None, dependencies: Any
) -> Gatherer | None:
    """Return what gathers a parameter model; `None`: the parameter is none.

    ``fields``: all of the same callable and source. ``names``: see `names_of`.
    """
    if not hasattr(dependencies, "_request_param_model_to_args"):
        # Before 0.157 there is one only where it is alone.
        alone = len(fields) == 1 and _is_model(field, dependencies)
        return _by_arguments(field, dependencies) if alone else None
    if not hasattr(dependencies, "_get_param_model"):
        is_model = _is_model(field, dependencies) and not dependencies._is_json_field(field)
        return _by_arguments(field, dependencies, known_param_names=names) if is_model else None
    model = dependencies._get_param_model(field)
    if model is None:
        return None
    if hasattr(dependencies, "_get_request_param_names"):
        return _by_arguments(field, dependencies, known_param_names=names)
    return partial(dependencies._request_param_model_to_args, field, model)


def _is_model(field: Any, dependencies: Any) -> bool:
    annotation = field.field_info.annotation
    return bool(dependencies.lenient_issubclass(annotation, dependencies.BaseModel))


def _by_arguments(field: Any, dependencies: Any, **options: Any) -> Gatherer:
    gather = partial(dependencies.request_params_to_args, [field], **options)
    return partial(_gather, gather, field.name)


def _gather(
    gather: Callable[[Any], tuple[dict[str, Any], list[Any]]], name: str, received: Any
) -> tuple[Any, list[Any]]:
    values, errors = gather(received)
    return values.get(name), errors
