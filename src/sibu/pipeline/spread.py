"""How far the members of an ensemble agree with what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

from sibu.core.result import Evidence, Prediction

KIND = "members"
"""Kind of the evidence that tells it."""


def with_spread(answer: Prediction, alone: Sequence[Any]) -> Prediction:
    """The answer of an ensemble, with the spread of its members' as evidence.

    ``agree`` is the share of the members whose own answer is the same; of a list also ``each``, the share that has each
    item of it, in its order. Of a number it is ``deviation``, the standard deviation (of a sample) of their numbers.

    Args:
        answer: What all say together.
        alone: What each member would say alone.
    """
    value = answer.value
    if isinstance(value, float):
        content: dict[str, Any] = {"deviation": round(stdev(map(float, alone)), 6) if len(alone) > 1 else 0.0}
    elif isinstance(value, list):
        own = [[_bare(item) for item in value], *([_bare(item) for item in other] for other in alone)]
        items, *others = own
        content = {"agree": _share(other == items for other in others)}
        content["each"] = [_share(item in other for other in others) for item in items]
    else:
        content = {"agree": _share(other == value for other in alone)}
    return replace(answer, evidence=(*answer.evidence, Evidence(KIND, content)))


def _bare(item: Any) -> Any:
    """An item of an answer without its probability."""
    return {key: part for key, part in item.items() if key != "score"} if isinstance(item, dict) else item


def _share(held: Any) -> float:
    return round(fmean(map(float, held)), 6)
