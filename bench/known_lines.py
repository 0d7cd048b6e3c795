"""Lines of the table about knowledge that goes into models."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from lines import NONE, Line, Results, gap, points

TITLES = {"ncbi": "NCBI", "bc5cdr": "BC5CDR"}


def known(results: Results) -> list[Line]:
    """Gazetteers and rules over labels."""
    lines = []
    for name, title in TITLES.items():
        lines += _named(results.get(f"gazetteer-{name}"), f"Diseases of {title} with a gazetteer, entity F1")
    return [*lines, *_ruled(results.get("label-rules-atis"), "ATIS with rules over labels")]


def _named(found: Mapping[str, Any] | None, measure: str) -> list[Line]:
    bar = "gain, whatever the sign"
    if found is None:
        return [Line(measure, bar, plain="—", published="—")]
    lines = []
    for share, own in found["shares"].items():
        said = ", ".join(f"`{side}` {_gap(each)}" for side, each in own["gain"].items())
        plain = f"without {100 * own['f1']['plain']:.1f}"
        lines.append(Line(f"{measure}: {_of(share)}", bar, said, plain, "—", "stated"))
    return lines


def _ruled(found: Mapping[str, Any] | None, measure: str) -> list[Line]:
    bar = "effect, whatever the sign"
    if found is None:
        return [Line(measure, bar, plain="—", published="—")]
    lines = []
    for share, own in found["shares"].items():
        for metric, title in (
            ("intent_accuracy", "intents"),
            ("slots_f1", "slots F1"),
            ("broken", "rows that break one"),
        ):
            said = ", ".join(f"`{side}` {_gap(each[metric])}" for side, each in own["gain"].items())
            plain = f"without {100 * own['means']['plain'][metric]:.1f}"
            title_ = f"{measure} ({found['rules']}), {title}: {_of(share)}"
            lines.append(Line(title_, bar, said or NONE, plain, "—", "stated"))
    return lines


def _of(share: str) -> str:
    return "all labels" if float(share) >= 1 else f"{100 * float(share):g} % of the labels"


def _gap(each: Mapping[str, float]) -> str:
    return f"{points(each['value'])} (one seed)" if isnan(each["low"]) else gap(each)
