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


class LogisticSpec(Spec):
    """Options of `logistic`."""

    by_pairs: ClassVar[bool] = True
    fits: ClassVar[bool] = True
    name: Literal["logistic"] = "logistic"
    cosine: NonNegativeFloat = 1.0
    """Weight in training of how far the cosines of two rows are from 1 within a label and from 0 between labels: best
    where labels are topics, which overlap."""
    contrast: NonNegativeFloat = 0.01
    """Weight of the contrastive loss beside it, whose values are some ten times as large: best where labels are told
    apart by few words. With `cosine: 0` it stands alone."""
    temperature: PositiveFloat = Field(default=0.1, le=10)
    """Of the similarities in the contrastive loss: smaller looks at the hardest pairs alone."""
    penalty: PositiveFloat = 1.0
    """Weight of the squared weights against the sum of the rows' losses (scikit-learn's 1/C)."""
    unit: bool = True
    """Whether vectors are brought to length 1 before the regression; false where their length tells something, as that
    of a table's columns with `probe`."""

    @model_validator(mode="after")
    def _learns(self) -> Self:
        if not (self.cosine or self.contrast):
            raise ValueError(
                "`cosine` and `contrast` are both 0, so nothing would be learned; `method: probe` trains none"
            )
        return self


def build(spec: LogisticSpec, place: HeadPlace) -> nn.Module:
    """Logistic regression on the pooled vector."""
    from sibu.heads._fitted import Fitted
    from sibu.heads.logistic.regression import Regression

    regression = Regression(place, penalty=spec.penalty)
    return Fitted(
        regression,
        place,
        temperature=spec.temperature,
        unit=spec.unit,
        cosine=spec.cosine,
        contrast=spec.contrast,
    )


ENTRY = Entry(LogisticSpec, build)
