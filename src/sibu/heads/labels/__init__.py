"""Labels: a label is the vector of its own name or description, and a text takes the nearest. Needs no labelled row.

With `train.epochs: 0` nothing is learned (zero-shot); otherwise encoder and label vectors train from there by cross
entropy, which suits some rows a label. Each label is said in several ways (`templates`), whose vectors are averaged.
Give `descriptions` in the task where a label's name does not say what it means. For encoders that were trained on
similar sentences (`minilm`, `me5`); plain masked language models know little of it.
Source: Yin et al., 2019, arXiv:1909.00161; templates as in Radford et al., 2021, arXiv:2103.00020 (section 3.1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat

from sibu.catalog import Entry, Spec, Template

if TYPE_CHECKING:
    from torch import nn

    from sibu.core.protocols import HeadPlace


class LabelsSpec(Spec):
    """Options of `labels`."""

    starts: ClassVar[bool] = True
    name: Literal["labels"] = "labels"
    templates: Annotated[tuple[Template, ...], Field(min_length=1)] | None = None
    """Ways of saying a label, `{}` being its words; null: a few of our own, in Chinese for labels in Chinese."""
    scale: PositiveFloat = 20.0
    """Similarities times this are the scores before the softmax: the larger, the surer the answers."""


def build(spec: LabelsSpec, place: HeadPlace) -> nn.Module:
    """The nearest label by cosine."""
    from sibu.nn.labels import LabelVectors

    return LabelVectors(place, templates=spec.templates, scale=spec.scale)


ENTRY = Entry(LabelsSpec, build)
