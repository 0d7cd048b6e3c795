"""Choice: the answer is one of a list.

For a fixed set of answers to a free question. To classify with labels that are learned choose the task `classify` with
`written`. Source: as a grammar over pieces, Willard and Louf, 2023, arXiv:2307.09702; by llguidance.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Labels, Spec


class ChoiceSpec(Spec):
    """Options of `choice`."""

    name: Literal["choice"] = "choice"
    among: Labels
    """The answers that are allowed."""


def build(spec: ChoiceSpec) -> str:
    """The grammar."""
    from sibu.core.grammar import either

    return f"start: {either(spec.among)}\n"


ENTRY = Entry(ChoiceSpec, build, needs=("llguidance",))
