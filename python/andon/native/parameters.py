"""Parameters: where each comes from, what stands in for it, and what validates it."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from andon.native.description import Absent, Parameter, Shared, Source
from andon.native.framework import Framework
from andon.native.objects import Objects
from andon.native.releases.models import Gatherer, Names, gatherer_of
from andon.native.understanding import NotUnderstood

# Of which a deep copy is the object itself.
_UNCHANGING = (bool, bytes, complex, float, int, str, type(None))
# What has more than one value of a name: a list is only gathered from these.
_REPEATING: frozenset[Source] = frozenset({"query", "header"})


def parameters_of(
    dependant: Any,
    objects: Objects,
    framework: Framework,
    *,
    names: Names | None,
    with_body: bool,
) -> list[Parameter]:
    """Describe the parameters of a dependant in the order in which they are validated.

    ``names``: see `andon.native.releases.models.names_of`.
    """
    found = []
    for source, fields in _by_source(dependant):
        known = (names or {}).get(source)
        for field in fields:
            if source != "body":
                model = gatherer_of(field, fields, known, framework.dependencies)
                found.append(_parameter(source, field, model, objects, framework))
            elif with_body:
                found.append(_parameter(source, field, None, objects, framework))
    return found


def is_embedded(dependant: Any, embed: bool, framework: Framework) -> bool | None:
    """Whether the body is an object of which the dependant's parameters are members.

    `None`: it has none. As `fastapi.dependencies.utils.request_body_to_args` decides.
    """
    fields = dependant.body_params
    if not fields:
        return None
    should = framework.dependencies._should_embed_body_fields(fields)
    return embed or len(fields) != 1 or bool(should)


def validator_of(field: Any, framework: Framework) -> Any:
    """Return the bound ``validate_python`` of a field, pydantic-core's or that of its plugins.

    Raises `NotUnderstood` where the field's type is not complete.
    """
    if type(field) is not framework.fields.ModelField:
        raise NotUnderstood("a field of another class than FastAPI's")
    validator = field._type_adapter.validator
    if type(validator).__name__ not in ("SchemaValidator", "PluggableSchemaValidator"):
        raise NotUnderstood("a type that is not complete")
    return validator.validate_python


def absent_of(info: Any, objects: Objects) -> Absent:
    """Return what stands in for a parameter that is not required."""
    default = info.default
    if info.default_factory is None and _is_unchanging(default):
        return Shared(objects.number(default))
    return "made"


def _by_source(dependant: Any) -> Iterator[tuple[Source, list[Any]]]:
    yield "path", dependant.path_params
    yield "query", dependant.query_params
    yield "header", dependant.header_params
    yield "cookie", dependant.cookie_params
    yield "body", dependant.body_params


def _parameter(
    source: Source, field: Any, model: Gatherer | None, objects: Objects, framework: Framework
) -> Parameter:
    info = field.field_info
    _check_source(source, info, framework)
    is_list = model is None and _is_list(source, field, framework)
    is_single = model is None and source != "body" and not is_list
    required = bool(info.is_required())
    return Parameter(
        source=source,
        name=field.name,
        aliases=_aliases(source, field, model, framework),
        list_=is_list,
        empty_is_absent=is_single and _is_sequence(field, framework),
        required=required,
        absent="none" if required else absent_of(info, objects),
        validate_default=_validates_default(source, info, framework),
        validate=objects.number(validator_of(field, framework)),
        field=objects.number(field),
        model=None if model is None else objects.number(model),
    )


def _check_source(source: Source, info: Any, framework: Framework) -> None:
    if source == "body":
        if isinstance(info, framework.params.Form):
            raise NotUnderstood("a form field of a body that is no form")
    elif not isinstance(info, framework.params.Param) or info.in_.value != source:
        raise NotUnderstood("a parameter whose place is not told")


def _aliases(source: Source, field: Any, model: Gatherer | None, framework: Framework) -> list[str]:
    """Return the names in a request, of which the first that is there counts."""
    if model is not None:
        # Its fields have their own, which are the framework's business.
        return [field.alias]
    has_choices = source != "body" or framework.release.has_body_aliases
    if not has_choices or not hasattr(framework.dependencies, "_get_param_aliases"):
        return [framework.dependencies.get_validation_alias(field)]
    return [request_name for _, request_name in framework.dependencies._get_param_aliases(field)]


def _is_sequence(field: Any, framework: Framework) -> bool:
    return bool(framework.shared.field_annotation_is_sequence(field.field_info.annotation))


def _is_list(source: Source, field: Any, framework: Framework) -> bool:
    """Whether every value is taken: as FastAPI's `_get_multidict_value` decides."""
    is_json = framework.dependencies._is_json_field(field)
    return source in _REPEATING and _is_sequence(field, framework) and not is_json


def _validates_default(source: Source, info: Any, framework: Framework) -> bool:
    """Whether a default is validated.

    Before 0.148 one of the body never is, any other one is if it is not `None`.
    """
    if framework.release.validates_by_flag:
        return bool(info.validate_default)
    if source == "body" or info.is_required():
        return False
    if info.default_factory is not None:
        raise NotUnderstood("a default that this FastAPI makes twice for a request")
    return info.default is not None


def _is_unchanging(value: Any) -> bool:
    if type(value) is tuple:
        return all(_is_unchanging(each) for each in value)
    return type(value) in _UNCHANGING or isinstance(value, Enum)
