"""Regress: a number for a text or a pair (similarity, rating, intensity).

A linear layer on the pooled vector, mean squared error on targets brought to mean 0 and deviation 1 (the numbers come
back in their own units). For a label choose `classify`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.tasks.regress.task import Regress


class RegressSpec(Spec):
    """Options of `regress`."""

    type: Literal["regress"] = "regress"
    pooling: Literal["mean", "first", "max"] = "mean"
    """How token vectors become one."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the last layer; it shifts the variance of what is predicted, hence none by default."""
    bounds: tuple[float, float] | None = None
    """Least and greatest number that can be answered; null: none."""

    @field_validator("bounds")
    @classmethod
    def _ordered(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds is not None and not bounds[0] < bounds[1]:
            raise ValueError("the first bound must be less than the second")
        return bounds


def build(spec: RegressSpec, state: dict[str, Any] | None = None) -> Regress:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.regress.task import Regress

    return Regress(pooling=spec.pooling, dropout=spec.dropout, bounds=spec.bounds, state=state)


ENTRY = Entry(RegressSpec, build)
