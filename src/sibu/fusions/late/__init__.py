"""Late: each modality answers with a head of its own, and the answers are a weighted vote.

Nothing passes between modalities before the vote, so each keeps to what it can tell by itself: robust where one is
noisy or missing, and blind to what only two of them tell together. The weights are learned, and the report shows them.
Source: Kittler et al., 1998, On combining classifiers (IEEE TPAMI 20(3); the sum rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec
from sibu.fusions.options import Width

if TYPE_CHECKING:
    from sibu.fusions.late.layer import Late


class LateSpec(Spec):
    """Options of `late`."""

    name: Literal["late"] = "late"
    width: Width = None


def build(spec: LateSpec, *, widths: Mapping[str, int]) -> Late:
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.late.layer import Late

    return Late(widths, width=fitting(widths, spec.width))


ENTRY = Entry(LateSpec, build)
"""The fusion `late`."""
