"""Lines of the tables: links that are missing, by vectors and by mined rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lines import NONE, Line, Results, judged, shown

SETS = {"umls": "UMLS", "kinships": "Kinships", "nations": "Nations", "wn18rr": "WN18RR", "fb15k237": "FB15k-237"}

BARS = {"umls": 93, "kinships": 83, "wn18rr": 47}
"""MRR in hundredths."""


def links(results: Results) -> list[Line]:
    """MRR beside PyKEEN's, and the hundred likeliest new facts by rules and by vectors."""
    lines = []
    for name, title in SETS.items():
        vectors, rules = results.get(f"links-{name}", {}), results.get(f"mining-{name}", {})
        lines.append(_ranks(vectors, f"{title}, MRR of `complex`", BARS.get(name)))
        lines.append(_hundred(vectors, rules, f"{title}, the hundred likeliest new facts: precision on test"))
    return lines


def _ranks(each: Mapping[str, Any], title: str, bar: float | None) -> Line:
    wanted = "stated" if bar is None else f"≥ {bar}"
    if "complex" not in each.get("scorers", {}):
        return Line(title, wanted)
    sides = each["scorers"]["complex"]
    own, peer = sides["ours"]["test"]["mrr"], sides.get("peer")
    seconds = sides["ours"]["seconds"]["cpu_until_learned"]
    said = f"{shown(own)}; {seconds:.0f} processor seconds"
    beside = f"PyKEEN {100 * peer['test']['mrr']:.1f}; {peer['seconds']['cpu']:.0f}" if peer else NONE
    verdict = "stated" if bar is None else judged(100 * own["value"] >= bar)
    return Line(title, wanted, said, beside, each["published_mrr"], verdict)


def _hundred(vectors: Mapping[str, Any], rules: Mapping[str, Any], title: str) -> Line:
    """By rules, and by the vectors of each scorer; each in the way that is best on valid."""
    told = []
    if "valid" in rules.get("top_100", {}):
        told.append(f"rules {rules['top_100']['test']['precision']:.2f}")
    for name, sides in vectors.get("scorers", {}).items():
        found = sides["ours"]["top_100"]
        if "chosen_on_valid" in found:
            told.append(f"`{name}` {found[found['chosen_on_valid']]['test']['precision']:.2f}")
    return Line(title, "stated", ", ".join(told) or NONE, "—", "—", "stated" if told else NONE)
