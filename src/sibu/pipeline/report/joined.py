"""What a report says of several modalities: figures by what is read, what each adds, and how they were aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sibu.core.result import Report


@dataclass(frozen=True, slots=True)
class Reading:
    """The metrics where some of the modalities are read, or one of them under noise."""

    name: str
    values: Sequence[float | None]
    whole: bool = False
    """Whether it is all of them as they are."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a modality does for the answers."""

    name: str
    adds: float
    """The mean size of what it adds to an answer (its Shapley value)."""
    weight: float | None
    """What the fusion learned to weigh it with; None: it has no such weights."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The modalities of a split."""

    metrics: Sequence[str] = ()
    readings: Sequence[Reading] = ()
    parts: Sequence[Part] = ()
    rows: int = 0
    """By how many rows the figures are told."""
    columns: Sequence[str] = ()
    """Figures of the alignments, beside their quality."""
    aligned: Sequence[tuple[Mapping[str, Any], Sequence[str]]] = ()
    """Each pair that was aligned with its figures: least, middle and greatest."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.readings or self.aligned)


def joined(report: Report) -> Joined:
    """What a split's report knows of its modalities."""
    found: Mapping[str, Any] = report.details.get("modalities") or {}
    pairs: Sequence[Mapping[str, Any]] = report.details.get("alignments") or ()
    plain = ("of", "with", "rows", "left_out", "quality", "below_warn")
    columns = list(dict.fromkeys(key for pair in pairs for key in pair if key not in plain))
    aligned = [(pair, [_range(pair.get(key)) for key in ("quality", *columns)]) for pair in pairs]
    if not found:
        return Joined(columns=columns, aligned=aligned)
    metrics = list(report.scores)
    most = max(len(each["of"]) for each in found["subsets"])
    told = [
        *((" + ".join(each["of"]), each["scores"], len(each["of"]) == most) for each in found["subsets"][::-1]),
        *((f"all, with noise on {each['noise']}", each["scores"], False) for each in found["noise"]),
    ]
    readings = [Reading(name, [scores.get(metric) for metric in metrics], whole) for name, scores, whole in told]
    weights = found.get("weights") or {}
    parts = [Part(name, value, weights.get(name)) for name, value in found["shares"].items()]
    return Joined(metrics, readings, parts, int(found["rows"]), columns, aligned)


def _range(found: Mapping[str, float] | None) -> str:
    """A figure's middle, and its ends."""
    if not found:
        return ""
    return f"{found['median']:.4g} ({found['min']:.4g} to {found['max']:.4g})"
