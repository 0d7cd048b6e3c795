"""Language: go on with the pretraining of a model that writes, on plain texts of the domain.

Needs no labels; every piece is learned from those before it. Short texts are computed side by side without seeing each
other, long ones in pieces. The bundle is the `model` of other recipes (`generate`, or labels that are `written`), and
`sibu predict` goes on with a text. For models that read only take `mask`; where right answers are known, `generate`.
Source: Radford et al., 2018; going on in the domain: Gururangan et al., 2020, arXiv:2004.10964.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec, Stops

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class LanguageSpec(Spec):
    """Options of `language`."""

    writes: ClassVar[bool] = True
    continues: ClassVar[bool] = True
    type: Literal["language"] = "language"
    max_new_tokens: PositiveInt = 64
    """Most pieces that `sibu predict` adds to a text."""
    stop: Stops = ()
    """Texts at which it stops, beside the end of a text that the model has learned."""


def build(spec: LanguageSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.language.task import Language

    return Language(room=spec.max_new_tokens, stops=spec.stop, state=state)


ENTRY = Entry(LanguageSpec, build)
