"""Match: two modalities in one space, so that what belongs together is near: a picture and its words, a sound and its.

Rows are pairs; no label is needed. In a batch each value is to find its own partner among all (InfoNCE), or each pair
is judged by itself (SigLIP), so that larger batches teach more. `sibu find` then ranks candidates of one modality for a
query of the other: pictures for words, words for a picture, and with labels as the words it is zero-shot
classification. To learn labels from rows that have them choose `classify`.
Source: Radford et al., 2021, arXiv:2103.00020 (InfoNCE over both ways); Zhai et al., 2023, arXiv:2303.15343 (sigmoid);
Robinson et al., 2021, arXiv:2010.04592 (hard negatives).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.tasks.match.task import Match


def _two(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != 2 or len(names) != 2:
        raise ValueError("names two different modalities, as `[text, image]`")
    return names


class MatchSpec(Spec):
    """Options of `match`."""

    by_pairs: ClassVar[bool] = True
    type: Literal["match"] = "match"
    of: Annotated[tuple[str, ...], AfterValidator(_two)]
    """The two modalities, by their columns: `[text, image]`."""
    loss: Literal["infonce", "siglip"] = "infonce"
    """`infonce`: find the partner among all of the batch; `siglip`: each pair of the batch is one or is none, which
    suits small batches."""
    width: PositiveInt = 128
    """Width of the space in which both are compared."""
    hard: NonNegativeFloat = 0.0
    """With `infonce`: how much more wrong partners count the nearer they are; 0: all alike. 0.5 is a good first try."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the projection."""
    warn: float = Field(default=0.2, ge=0, le=1)
    """The gate warns of a split on which recall at 10 is below it: the two hardly mean the same."""


def build(spec: MatchSpec, state: dict[str, Any] | None = None) -> Match:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.match.task import Match

    return Match(
        of=(spec.of[0], spec.of[1]),
        loss=spec.loss,
        width=spec.width,
        hard=spec.hard,
        dropout=spec.dropout,
        warn=spec.warn,
        state=state,
    )


ENTRY = Entry(MatchSpec, build)
