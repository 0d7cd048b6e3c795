"""A bundle's judgement: how probable it finds a label for the answer, or what number it gives it.

For what is easier to recognise than to describe (a tone, an intent, a complaint resolved). The bundle is one of
`classify` or `regress`; what it was not trained on it may judge badly, and a model that is trained against it will find
out where. Source: Ziegler et al., 2019, arXiv:1909.08593.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


class ClassifierSpec(Spec):
    """Options of `classifier`."""

    name: Literal["classifier"] = "classifier"
    weight: float = 1.0
    """Factor in the sum of several rewards; below 0 it punishes."""
    bundle: str
    """Folder of the bundle that judges."""
    task: str | None = None
    """Its task; null: its only one."""
    label: str | None = None
    """The label whose probability is the reward, for a bundle of `classify`."""


def build(spec: ClassifierSpec, judge_of: Callable[[str], Judge]) -> Reward:
    """The reward; ``judge_of`` opens a bundle."""
    from sibu.rewards.classifier.ask import asking

    return asking(judge_of(spec.bundle), spec.bundle, spec.task, spec.label)


ENTRY = Entry(ClassifierSpec, build)
