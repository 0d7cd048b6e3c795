"""Contrast: vectors of whole texts, near for texts that mean the same and far for others, from texts without labels.

Without pairs a text is its own pair: it is read twice, each time with other values dropped out (SimCSE). With the
column `text_pair` (a paraphrase, an answer to a question, the body under a title) a text is to find its pair. The other
pairs of a batch are what it is told from, so that larger batches teach more; texts that are equal are never told apart.
The bundle is the `model` of other recipes, and `sibu predict` gives the vectors. A long text is cut to the model's
longest input. Another way, from texts alone: `denoise`; for tasks on single words take `mask`.
The head has no weights: the layer that SimCSE puts on `[CLS]` in training and takes off afterwards is left out.
Source: Gao et al., 2021, arXiv:2104.08821; pairs: Henderson et al., 2017, arXiv:1705.00652.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.tasks.contrast.task import Contrast


class ContrastSpec(Spec):
    """Options of `contrast`."""

    pretrains: ClassVar[bool] = True
    by_pairs: ClassVar[bool] = True
    weightless: ClassVar[bool] = True
    type: Literal["contrast"] = "contrast"
    temperature: PositiveFloat = 0.05
    """Divides the cosines: the lower, the more the nearest wrong texts count."""
    pooling: Literal["mean", "first", "max"] = "mean"
    """How token vectors become one: `mean` suits sentence encoders, `first` plain BERT."""
    symmetric: bool = True
    """Whether a pair is to find its text too, as the text its pair; false: the text its pair alone."""


def build(spec: ContrastSpec, state: dict[str, Any] | None = None) -> Contrast:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.contrast.task import Contrast

    return Contrast(temperature=spec.temperature, pooling=spec.pooling, symmetric=spec.symmetric, state=state)


ENTRY = Entry(ContrastSpec, build)
