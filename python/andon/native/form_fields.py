"""What parameters take out of a form: described, so that Rust finds it there."""

from typing import Any, get_args

from andon.native.description import FormMember, FormModel, Parameter
from andon.native.framework import Framework
from andon.native.objects import Objects
from andon.native.parameters import absent_of, is_embedded, validator_of
from andon.native.understanding import NotUnderstood


def form_parameters_of(
    dependant: Any, objects: Objects, framework: Framework, *, embed: bool
) -> list[Parameter] | None:
    """Describe the parameters that a dependant has in a form.

    `None`: the framework itself finds them, for there is one whose file is read, or that is
    something special.
    """
    if not framework.release.takes_all_of_form:
        return None
    fields = dependant.body_params
    try:
        is_single = len(fields) == 1 and not _models_of(fields[0], framework)
        if is_single and not is_embedded(dependant, embed, framework):
            raise NotUnderstood("a form that is a single value")
        return [_parameter(field, objects, framework) for field in fields]
    except NotUnderstood:
        return None


def _parameter(field: Any, objects: Objects, framework: Framework) -> Parameter:
    info = field.field_info
    if not isinstance(info, framework.params.Form):
        raise NotUnderstood("a parameter that is not of a form")
    models = _models_of(field, framework)
    member = None if models else _member(field, framework)
    required = bool(info.is_required())
    return Parameter(
        source="form",
        name=field.name,
        aliases=_aliases(field, framework)[:1] if member is None else member.aliases,
        list_=member is not None and member.list_,
        empty_is_absent=True,
        required=required,
        absent="none" if required else absent_of(info, objects),
        validate_default=bool(info.validate_default),
        validate=objects.number(validator_of(field, framework)),
        field=objects.number(field),
        model=None,
        form=_model(field, models, framework) if models else None,
    )


def _models_of(field: Any, framework: Framework) -> list[Any]:
    return list(framework.dependencies._get_form_models(field))


def _model(field: Any, models: list[Any], framework: Framework) -> FormModel:
    fields = framework.dependencies.get_cached_model_fields
    may_be_none = type(None) in get_args(field.field_info.annotation)
    all_fields = [each for model in models for each in fields(model)]
    names = sorted({name for each in all_fields for name in _aliases(each, framework)})
    # The validators of a union look for the members of each model themselves.
    own = fields(models[0]) if len(models) == 1 else []
    extra = ("allow", "forbid")
    return FormModel(
        members=[_member(each, framework) for each in own],
        supplied_by=names if may_be_none else None,
        supplied_by_any=any(model.model_config.get("extra") in extra for model in models),
    )


def _member(field: Any, framework: Framework) -> FormMember:
    """Describe where a value is, as `fastapi.dependencies.utils._get_multidict_value` finds it."""
    shared, annotation = framework.shared, field.field_info.annotation
    is_list = bool(shared.field_annotation_is_sequence(annotation))
    if is_list and framework.dependencies._is_json_field(field):
        raise NotUnderstood("a sequence in a single value")
    if isinstance(field.field_info, framework.params.File) and (
        shared.is_bytes_or_nonable_bytes_annotation(annotation)
        or shared.is_bytes_sequence_annotation(annotation)
    ):
        raise NotUnderstood("a file that is read")
    return FormMember(_aliases(field, framework), is_list)


def _aliases(field: Any, framework: Framework) -> list[str]:
    return [alias for alias, _ in framework.dependencies._get_param_aliases(field)]
