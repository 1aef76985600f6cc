"""Whether a parameter is validated by pydantic alone, without any code of the application."""

from collections.abc import Iterable
from typing import Any

from pydantic_core import SchemaValidator

# Kinds of core schemas whose validation is pydantic's own code.
_PLAIN = frozenset(
    {
        *("any", "none", "bool", "int", "float", "decimal", "str", "bytes", "literal", "enum"),
        *("date", "time", "datetime", "timedelta", "url", "multi-host-url", "uuid", "json"),
        *("list", "tuple", "set", "frozenset", "dict", "nullable", "union", "chain", "default"),
        *("lax-or-strict", "json-or-python", "definitions", "definition-ref"),
        *("model", "model-fields", "model-field", "typed-dict", "typed-dict-field"),
    }
)
# Where a schema may have a function beside those of its kind.
_FUNCTIONS = ("default_factory", "post_init", "custom_init", "missing")
# What says nothing of validation.
_BESIDE = frozenset(
    {"serialization", "metadata", "cls", "expected", "members", "default", "config"}
)


def are_plain(fields: Iterable[Any]) -> bool:
    """Whether all fields are; in doubt not."""
    return all(_is_plain_field(field) for field in fields)


def _is_plain_field(field: Any) -> bool:
    adapter: Any = getattr(field, "_type_adapter", None)
    # One of another class calls plugins.
    if type(getattr(adapter, "validator", None)) is not SchemaValidator:
        return False
    return _is_plain(adapter.core_schema)


def _is_plain(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return all(_is_plain(each) for each in schema)
    if not isinstance(schema, dict):
        return True
    kind = schema.get("type")
    if isinstance(kind, str) and (
        kind not in _PLAIN or any(schema.get(name) for name in _FUNCTIONS)
    ):
        return False
    return all(_is_plain(value) for key, value in schema.items() if key not in _BESIDE)
