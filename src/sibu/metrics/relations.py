"""Relations between two things: how many were found."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sibu.metrics.tally import table, tally_sets

Relation = tuple[Hashable, Hashable, str]
"""Head, tail, label."""

_DIRECTION = re.compile(r"\(e[12],\s*e[12]\)\s*$")


def undirected(label: str) -> str:
    """A SemEval-2010 label without its direction: ``Cause-Effect(e2,e1)`` to ``Cause-Effect``."""
    return _DIRECTION.sub("", label)


class RelationMatch:
    """Metrics of relations, where a prediction is right if head, tail and label all are.

    ``precision``, ``recall``, ``f1`` over all relations together (micro); ``macro_precision``, ``macro_recall``,
    ``macro_f1`` the means over the labels that occur in gold or predicted among the rows asked for.
    All in [0, 1]; NaN where there is no relation in either.

    The official score of SemEval-2010 task 8, "(9+1)-way evaluation taking directionality into account", is
    ``macro_f1`` with ``without={"Other"}`` and either the direction as the order of head and tail, or labels such as
    ``Cause-Effect(e2,e1)`` and ``group=undirected``. Then a right relation in the wrong direction is one false
    and one missed relation of its kind. The scorer's mean is over the relations of the answer key: the same where each
    predicted relation occurs in it, as in the task's test set.
    Source: Hendrickx et al. 2010; ``semeval2010_task8_scorer-v1.2.pl``.

    Args:
        gold: For each example its true relations ``(head, tail, label)``; duplicates count once.
        predicted: For each example its predicted relations.
        without: Labels (after ``group``) that stand for "no relation" and are not counted on either side.
        group: Under which name a label is counted; None: its own. What must match is always the whole label.

    Raises:
        ValueError: When ``gold`` and ``predicted`` differ in length.
    """

    def __init__(
        self,
        gold: Sequence[Collection[Relation]],
        predicted: Sequence[Collection[Relation]],
        *,
        without: Collection[str] = (),
        group: Callable[[str], str] | None = None,
    ) -> None:
        def kind(relation: Relation) -> str:
            return group(relation[2]) if group else relation[2]

        def kept(side: Sequence[Collection[Relation]]) -> list[list[Relation]]:
            return [[relation for relation in some if kind(relation) not in without] for some in side]

        self.n = len(gold)
        self.labels, self._tally = tally_sets(kept(gold), kept(predicted), kind)

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the examples ``rows``."""
        counts = self._tally(rows)
        return {
            **counts.micro(),
            "macro_precision": counts.macro(counts.precision()),
            "macro_recall": counts.macro(counts.recall()),
            "macro_f1": counts.macro(counts.f1()),
        }

    def by_label(self) -> dict[str, dict[str, float]]:
        """Figures by label over all examples: ``precision``, ``recall``, ``f1``, ``support``, ``predicted``."""
        return table(self.labels, self._tally.all())
