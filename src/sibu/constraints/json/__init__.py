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
        if _endless(schema):
            raise ValueError("has no end: what it requires requires itself, so that no value fits")
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


def _endless(schema: Any) -> bool:
    """Whether no finite value fits, since what is required is required in itself again."""
    refs, known = set(_refs(schema)), set[str]()
    while new := {ref for ref in refs - known if _ends(_target(schema, ref), known)}:
        known |= new
    return not _ends(schema, known)


def _refs(schema: Any) -> Iterator[str]:
    """What a schema refers to, at any depth."""
    if isinstance(schema, dict):
        if isinstance(ref := schema.get("$ref"), str):
            yield ref
        schema = list(schema.values())
    for each in schema if isinstance(schema, list) else ():
        yield from _refs(each)


def _target(schema: Any, ref: str) -> Any:
    """What a reference within the schema means; anything, where it means nothing here."""
    for name in ref.removeprefix("#").split("/")[1:] if ref.startswith("#") else ():
        schema = schema.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
    return schema if ref.startswith("#") else None


def _ends(schema: Any, known: set[str]) -> bool:
    """Whether a finite value can fit; of references those that are ``known`` to end do."""
    if not isinstance(schema, dict):
        return True
    if isinstance(ref := schema.get("$ref"), str) and ref not in known:
        return False
    for key in ("anyOf", "oneOf"):
        if (given := schema.get(key)) and not any(_ends(each, known) for each in given):
            return False
    needed = list(schema.get("allOf") or ())
    if schema.get("type") == "object":
        own = schema.get("properties") or {}
        needed += [own[name] for name in schema.get("required") or () if name in own]
    if schema.get("type") == "array" and schema.get("minItems"):
        needed += [*(schema.get("prefixItems") or ())[: schema["minItems"]]] or [schema.get("items")]
    return all(_ends(each, known) for each in needed)


def build(spec: JsonSpec) -> str:
    """The grammar."""
    from json import dumps

    from llguidance import LLMatcher

    compact: Any = {"whitespace_flexible": False}
    found: str = LLMatcher.grammar_from_json_schema(dumps(spec.json_schema), defaults=compact)
    return found


ENTRY = Entry(JsonSpec, build, needs=("llguidance",))
