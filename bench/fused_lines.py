"""Lines of the tables: modalities alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lines import Line, Results, judged

ALONE = (
    ("wine", "Table, wine"),
    ("breast_cancer", "Table, breast cancer"),
    ("diabetes", "Table, diabetes (a number)"),
    ("digits", "Pictures, written digits"),
    ("pictures", "Pictures, kinds of object (NLVR)"),
    ("spoken", "Sound, spoken digits (FSDD)"),
    ("basic_motions", "Series, BasicMotions"),
    ("japanese_vowels", "Series, JapaneseVowels"),
)
PAIRS = (
    ("digits", "Spoken and written digit"),
    ("nlvr", "Sentence and picture (NLVR)"),
    ("movielens", "Title and user to rating (MovieLens-100k)"),
)


def fused(results: Results) -> list[Line]:
    """Each modality beside a simple model; two together, as they are and with one missing or under noise."""
    return [
        *(_alone(results, *each) for each in ALONE),
        *(line for each in PAIRS for line in _together(results, *each)),
    ]


def _alone(results: Results, name: str, title: str) -> Line:
    found = results.get(f"alone-{name}")
    bar = "≥ a simple model"
    if found is None:
        return Line(title, bar)
    simple, best = max(found["simple"]["means"].items(), key=lambda each: each[1])
    own = found["sibu"]["mean"]
    count = len(found["sibu"]["scores"])
    measure = f"{title}, {found['metric'].replace('_', ' ')}, mean of {count}"
    return Line(measure, bar, f"{100 * own:.1f}", f"{simple} {100 * best:.1f}", "—", judged(own >= best))


def _together(results: Results, name: str, title: str) -> list[Line]:
    found = results.get(f"fused-{name}")
    bars = ("better than the best single one", "≥ the other alone − 1 point")
    if found is None:
        return [Line(title, bars[0]), Line(f"{title}, one missing or under noise", bars[1])]
    means, lower = found["means"], found["lower_is_better"]
    fields = list(found["modalities"])
    sign = -1 if lower else 1
    best = max((means[field] for field in fields), key=lambda each: sign * each)
    said = ", ".join(f"{field} {_said(means[field], lower)}" for field in fields)
    first = Line(
        f"{title}, {found['metric']}, {found['fusion']}, mean of {found['seeds']}",
        bars[0],
        _said(means["joined"], lower),
        said,
        "—",
        judged(sign * means["joined"] > sign * best),
    )
    good, told = _robust(found, fields, sign)
    return [first, Line(f"{title}, one missing or under noise", bars[1], told, said, "—", judged(good))]


def _robust(found: Mapping[str, Any], fields: list[str], sign: int) -> tuple[bool, str]:
    """Whether a model of two does as well as the one that is left, and how that is shown."""
    told, good = [], True
    for field, other in (fields, fields[::-1]):
        alone = found["means"][other]
        least = alone - 0.01 if sign > 0 else alone * 1.01
        for kind, own in (("without", found["only"][other]), ("noise on", found["noise_on"][field])):
            good &= sign * own >= sign * least
            told.append(f"{kind} {field} {_said(own, sign < 0)}")
    return good, ", ".join(told)


def _said(score: float, lower: bool) -> str:
    return f"{score:.3f}" if lower else f"{100 * score:.1f}"
