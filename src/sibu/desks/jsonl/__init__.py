"""JSON Lines: one row a line, to be filled in by hand or by a program.

Each line has the row's own fields, `guess` (what the bundle would say) and an empty `label` or `entities` to fill in.
Lines that stay empty are left out when they come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Desk


class LinesSpec(Spec):
    """Options of `jsonl`: none."""

    name: Literal["jsonl"] = "jsonl"


def build(spec: LinesSpec) -> Desk:  # noqa: ARG001  (every part is built from its spec)
    """The desk."""
    from sibu.desks.jsonl.form import Lines

    return Lines()


ENTRY = Entry(LinesSpec, build)
