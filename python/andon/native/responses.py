"""What becomes of an endpoint's result."""

from typing import Any

from andon.native.description import Response, ResponseField, Stream
from andon.native.framework import Framework
from andon.native.handlers import Handler
from andon.native.objects import Objects
from andon.native.parameters import validator_of
from andon.native.understanding import NotUnderstood


def response_of(handler: Handler, objects: Objects, framework: Framework) -> Response:
    """Describe how the result of a route's endpoint is answered.

    Raises `NotUnderstood` where that is not known.
    """
    stream = _stream(handler, framework)
    default = isinstance(handler.response_class, framework.datastructures.DefaultPlaceholder)
    response_class = handler.actual_response_class
    if stream is None and default and response_class is not framework.responses.JSONResponse:
        raise NotUnderstood("a default response class that is not JSON")
    if not isinstance(response_class, type):
        raise NotUnderstood("a response class that is no class")
    # Of a stream, the field of the whole answer is for its description only.
    field = handler.response_field if stream is None else handler.stream_item_field
    return Response(
        status_code=_status(handler.status_code),
        field=_field(handler, field, objects, framework) if field else None,
        class_=objects.number(response_class),
        default_class=default,
        stream=stream,
    )


def _stream(handler: Handler, framework: Framework) -> Stream | None:
    """Return what the items of a generator go out as, in the order in which FastAPI decides it."""
    if framework.callables.kind(handler.dependant) not in ("generator", "async_generator"):
        if handler.is_sse_stream:
            raise NotUnderstood("server-sent events of an endpoint that is no generator")
        return None
    if not handler.is_sse_stream and not handler.is_json_stream:
        return "raw"
    if not framework.release.encodes_streams:
        raise NotUnderstood("a stream, which this FastAPI encodes otherwise than newer ones")
    return "events" if handler.is_sse_stream else "json_lines"


def _status(status: Any) -> int | None:
    """Return the route's own status; nothing and 0 are none, as FastAPI has it."""
    if not status:
        return None
    if type(status) is not int or not 100 <= status <= 999:
        raise NotUnderstood("a status that is no status of HTTP")
    return status


def _field(handler: Handler, field: Any, objects: Objects, framework: Framework) -> ResponseField:
    validate = validator_of(field, framework)
    serializer = field._type_adapter.serializer
    if type(serializer).__name__ != "SchemaSerializer":
        raise NotUnderstood("a type that is not complete")
    options = {
        "include": handler.response_model_include,
        "exclude": handler.response_model_exclude,
        "by_alias": handler.response_model_by_alias,
        "exclude_unset": handler.response_model_exclude_unset,
        "exclude_defaults": handler.response_model_exclude_defaults,
        "exclude_none": handler.response_model_exclude_none,
    }
    return ResponseField(
        field=objects.number(field),
        validate=objects.number(validate),
        to_json=objects.number(serializer.to_json),
        options=objects.number(options),
        plain=_is_plain(options),
    )


def _is_plain(options: dict[str, Any]) -> bool:
    """Whether all of them are as they are by default. Nothing included is not the default."""
    plain = {
        "include": None,
        "exclude": None,
        "by_alias": True,
        "exclude_unset": False,
        "exclude_defaults": False,
        "exclude_none": False,
    }
    return all(value is plain[name] for name, value in options.items())
