"""JSON: the answer is a JSON value that fits a schema.

Most of JSON Schema (draft 2020-12) holds; what cannot be kept is refused before anything is trained, and so is a schema
that no value fits. Properties come in the order of the schema. Source: https://json-schema.org; by llguidance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import field_validator

from sibu.catalog import Entry, Spec
from sibu.core.errors import near_miss


class JsonSpec(Spec):
    """Options of `json`."""

    name: Literal["json"] = "json"
    json_schema: dict[str, Any]
    """The schema, written as YAML."""

    @field_validator("json_schema")
    @classmethod
    def _spelled(cls, schema: dict[str, Any]) -> dict[str, Any]:
        """A misspelt keyword would bound nothing."""
        wrong = list(_misspelt(schema, ()))
        if wrong:
            raise ValueError(f"has {'; '.join(wrong)}")
        return schema


_OF_NAMES = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
"""Keywords that hold schemas by names of the user's own."""
_OF_VALUES = {"enum", "const", "default", "examples", "required", "dependentRequired", "type"}
"""Keywords that hold no schema."""
_KEYWORDS = sorted(
    _OF_NAMES
    | _OF_VALUES
    | {
        "$anchor", "$comment", "$id", "$ref", "$schema", "additionalItems", "additionalProperties", "allOf", "anyOf",
        "contains", "contentEncoding", "contentMediaType", "contentSchema", "deprecated", "description", "else",
        "exclusiveMaximum", "exclusiveMinimum", "format", "if", "items", "maxContains", "maxItems", "maxLength",
        "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
        "not", "oneOf", "pattern", "prefixItems", "propertyNames", "readOnly", "then", "title", "unevaluatedItems",
        "unevaluatedProperties", "uniqueItems", "writeOnly",
    }
)  # fmt: skip


def _misspelt(schema: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Keywords that JSON Schema does not know but that are near to one that it does."""
    if isinstance(schema, list):
        for each in schema:
            yield from _misspelt(each, path)
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in _KEYWORDS and (close := near_miss(str(key), _KEYWORDS)):
            yield f"no keyword {'.'.join((*path, str(key)))!r}: {close.strip()}"
        elif key in _OF_NAMES and isinstance(value, dict):
            for name, own in value.items():
                yield from _misspelt(own, (*path, key, str(name)))
        elif key not in _OF_VALUES:
            yield from _misspelt(value, (*path, str(key)))


def build(spec: JsonSpec) -> str:
    """The grammar."""
    from json import dumps

    from llguidance import LLMatcher

    compact: Any = {"whitespace_flexible": False}
    found: str = LLMatcher.grammar_from_json_schema(dumps(spec.json_schema), defaults=compact)
    return found


ENTRY = Entry(JsonSpec, build, needs=("llguidance",))
