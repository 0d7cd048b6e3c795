"""JSON: the answer is a JSON value that fits a schema.

Most of JSON Schema (draft 2020-12) holds; what cannot be kept is refused before anything is trained, and so is a schema
that no value fits. Properties come in the order of the schema. Source: https://json-schema.org; by llguidance.
"""

from __future__ import annotations

from typing import Any, Literal

from sibu.catalog import Entry, Spec


class JsonSpec(Spec):
    """Options of `json`."""

    name: Literal["json"] = "json"
    json_schema: dict[str, Any]
    """The schema, written as YAML."""


def build(spec: JsonSpec) -> str:
    """The grammar."""
    from json import dumps

    from llguidance import LLMatcher

    compact: Any = {"whitespace_flexible": False}
    found: str = LLMatcher.grammar_from_json_schema(dumps(spec.json_schema), defaults=compact)
    return found


ENTRY = Entry(JsonSpec, build, needs=("llguidance",))
