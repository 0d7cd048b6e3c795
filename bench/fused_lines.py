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


MATCHED = (
    ("sentences", "sentences and pictures (NLVR)"),
    ("digits", "spoken and written digits"),
    ("words", "spoken digits and their words"),
)


def fused(results: Results) -> list[Line]:
    """Each modality beside a simple model; two together, as they are and with one missing or under noise."""
    return [
        *(_alone(results, *each) for each in ALONE),
        *(line for each in PAIRS for line in _together(results, *each)),
        *_fusions(results),
        *(_matched(results, *each) for each in MATCHED),
        *_waited(results),
        *(_cost(results, *each) for each in PAIRS),
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


def _matched(results: Results, name: str, title: str) -> Line:
    found = results.get(f"matching-{name}")
    bar = "against chance and a frozen pairing"
    if found is None:
        return Line(f"One space for {title}: recall at 1, 5, 10", bar)
    means = found["means"]
    said = {side: ", ".join(f"{100 * own[f'recall_at_{k}']:.1f}" for k in (1, 5, 10)) for side, own in means.items()}
    beside = "; ".join(f"{side} {said[side]}" for side in ("frozen", "chance") if side in said)
    measure = f"One space for {title}: recall at 1, 5, 10 among {found['rows']['test']}, mean of {found['seeds']}"
    lead = min(means["trained"][f"recall_at_{k}"] - means["chance"][f"recall_at_{k}"] for k in (1, 5, 10))
    return Line(measure, bar, said["trained"], beside, "—", judged(lead > 0))


def _waited(results: Results) -> list[Line]:
    found = results.get("input-pipeline")
    bar = "waits < 5 % of the time; memory flat"
    if found is None:
        return [Line("The model waits for its input", bar)]
    lines = []
    for name, (part, whole) in found["sets"].items():
        share, more = whole["waiting_share"], whole["peak_memory_bytes"] / part["peak_memory_bytes"]
        told = f"{100 * share:.1f} % of {whole['training_seconds']:.0f} s; rows {whole['rows'] / part['rows']:.0f} x: "
        told += f"memory {more:.2f} x; first look at {whole['rows']} values {whole['first_look_seconds']:.1f} s"
        lines.append(Line(f"The model waits for its input, {name}", bar, told, "—", "—", judged(share < 0.05)))
    return lines


def _cost(results: Results, name: str, title: str) -> Line:
    found = results.get(f"fused-{name}")
    measure, bar = f"Cost of a second modality: {title}", "stated"
    if found is None:
        return Line(measure, bar)
    seconds, memory = found["training_seconds"], found["peak_memory_bytes"]
    told = {
        kind: f"{seconds[kind]['median']:.0f} s, {memory[kind] / 2**20:.0f} MiB"
        for kind in ("joined", *found["modalities"])
    }
    alone = ", ".join(f"{field} {told[field]}" for field in found["modalities"])
    return Line(measure, bar, told["joined"], alone, "—", "stated")


def _fusions(results: Results) -> list[Line]:
    found = results.get("fusions")
    title, bar = "Spoken and written digit by fusion and what is missing", "every pattern runs; figures stated"
    if found is None:
        return [Line(title, bar)]
    lines = []
    for name, own in found["fusions"].items():
        told = ", ".join(f"{pattern} {100 * value:.1f}" for pattern, value in own["means"].items())
        lines.append(Line(f"{title}: {name}", bar, told, "—", "—", "stated"))
    return lines
