"""JSON Lines: one JSON object on each line.

Blank lines are skipped. Values keep their JSON types. Source: https://jsonlines.org, RFC 8259.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class JsonlSpec(Spec):
    """Options of the JSON Lines reader: none."""

    name: Literal["jsonl"] = "jsonl"


def build(spec: JsonlSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of JSON Lines."""
    from sibu.readers.jsonl.read import read

    return read


ENTRY = Entry(JsonlSpec, build)
