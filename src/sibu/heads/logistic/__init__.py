"""Logistic: the encoder learns from pairs of rows, then logistic regression is fitted to its vectors.

The way for few rows a label (from 2 to some 64): texts of one label are drawn together and those of different labels
apart, which makes many pairs of few rows; the regression is then solved to its end, not trained by steps. With `probe`
the encoder stays as it is and only the regression is fitted. With hundreds of rows a label `linear` is as good.
Source: Tunstall et al., 2022, arXiv:2209.11055; pairs of a whole batch at once: Khosla et al., 2020, arXiv:2004.11362.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from torch import nn

    from sibu.core.protocols import HeadPlace


FEW = 10
"""Labels, up to which the cosines are worth their weight; measured with 2 to 6 and 15 to 77 (docs/log.md)."""


class LogisticSpec(Spec):
    """Options of `logistic`."""

    by_pairs: ClassVar[bool] = True
    fits: ClassVar[bool] = True
    name: Literal["logistic"] = "logistic"
    cosine: NonNegativeFloat | None = None
    """Weight in training of how far the cosines of two rows are from 1 within a label and from 0 between labels: best
    where labels are few topics, which overlap. Null: 1 with up to 10 labels; 0 with more, which at right angles to each
    other would be far from where the model knew them."""
    contrast: NonNegativeFloat | None = None
    """Weight of the contrastive loss beside it, whose values are some ten times as large: best where labels are many,
    or told apart by few words. Null: 0.01 beside the cosines, 1 alone."""
    temperature: PositiveFloat = Field(default=0.1, le=10)
    """Of the similarities in the contrastive loss: smaller looks at the hardest pairs alone."""
    penalty: PositiveFloat = 0.1
    """Weight of the squared weights against the sum of the rows' losses (scikit-learn's 1/C, which is 1 there). More
    makes probabilities flat, and gives what a label of few rows is to labels of many."""
    unit: bool = True
    """Whether vectors are brought to length 1 before the regression; false where their length tells something, as that
    of a table's columns with `probe`."""

    @model_validator(mode="after")
    def _learns(self) -> Self:
        if self.cosine == 0 and self.contrast == 0:
            raise ValueError(
                "`cosine` and `contrast` are both 0, so nothing would be learned; `method: probe` trains none"
            )
        return self


def build(spec: LogisticSpec, place: HeadPlace) -> nn.Module:
    """Logistic regression on the pooled vector."""
    from sibu.heads._fitted import Fitted
    from sibu.heads.logistic.regression import Regression

    regression = Regression(place, penalty=spec.penalty)
    few = place.outputs <= FEW or spec.contrast == 0
    cosine = spec.cosine if spec.cosine is not None else float(few)
    contrast = spec.contrast if spec.contrast is not None else 0.01 if cosine else 1.0
    return Fitted(
        regression,
        place,
        temperature=spec.temperature,
        unit=spec.unit,
        cosine=cosine,
        contrast=contrast,
    )


ENTRY = Entry(LogisticSpec, build)
