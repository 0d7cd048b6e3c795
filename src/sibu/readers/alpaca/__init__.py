"""Alpaca instructions: `{"instruction": "...", "input": "...", "output": "..."}`.

A list of such objects, or one on each line. A record has `text` (the instruction, and below it the input where there is
one) and `target` (the output); one with a `system` text or a `history` of earlier turns has `messages` in place of
`text`. Every other key of its object stays. Source: Taori et al., 2023, Stanford Alpaca.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class AlpacaSpec(Spec):
    """Options of the Alpaca reader: none."""

    name: Literal["alpaca"] = "alpaca"


def build(spec: AlpacaSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of Alpaca instructions."""
    from sibu.readers.alpaca.read import read

    return read


ENTRY = Entry(AlpacaSpec, build)
