"""Lines of the tables: facts from texts, names joined to things, questions in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lines import Line, Results, shown

MEDICAL = {"bc5cdr": "BC5CDR", "ncbi": "NCBI"}
SHOWN = (0.0, 0.5, 0.9, 0.98)
"""Thresholds whose figures stand in a line; the others are in the result."""
ASKED = ("medical test", "clinic test", "umls test")


def reading(results: Results) -> list[Line]:
    """Extraction, linking, asking."""
    lines = _conll04(results.get("extraction-conll04"))
    for name, title in MEDICAL.items():
        lines += _medical(results.get(f"extraction-{name}"), f"Text to graph, {title}: classes of what is named")
    return [
        *lines,
        _names(results.get("extraction-names")),
        _linked(results.get("linking")),
        _asked(results.get("asking")),
    ]


def _conll04(found: Mapping[str, Any] | None) -> list[Line]:
    titles = ("CoNLL04, entities end to end, micro F1", "CoNLL04, relations end to end, micro F1 (both ends exact)")
    graph = "Text to graph, CoNLL04: relations asserted, precision / recall by threshold"
    if found is None:
        return [Line(title, "stated", published="SpERT (BERT base) 88.9, 71.5") for title in titles] + [
            Line(graph, "stated", plain="—", published="—")
        ]
    lines = []
    for title, kind in zip(titles, ("entities", "relations"), strict=True):
        known = "; ".join(
            f"{each['system']} {each[kind]} ({each['average']})" for each in found["end_to_end"]["published"]
        )
        own = found["end_to_end"][kind]
        said = f"{shown(own['f1'])}; macro {100 * own['macro_f1']['value']:.1f}"
        if kind == "relations":
            given = found["end_to_end"]["relations_of_given_entities"]["f1"]
            said += f"; of given entities {100 * given['value']:.1f}"
        lines.append(
            Line(title, "stated", said, "—", f"{known}, as their papers are known, not verified here", "stated")
        )
    said = f"with the ontology {_thresholds(found['with_ontology']['relations'])}; "
    said += f"without domains {_thresholds(found['without_domains']['relations'])}"
    return [*lines, Line(graph, "stated", said, "—", "—", "stated")]


def _medical(found: Mapping[str, Any] | None, title: str) -> list[Line]:
    measure = f"{title}, precision / recall by threshold"
    if found is None:
        return [Line(measure, "stated", plain="—", published="—")]
    ways = (("gazetteer", "names of the training part"), ("bundle", "a bundle"), ("both", "both"))
    said = "; ".join(f"{name} {_thresholds(found[way]['classes'])}" for way, name in ways)
    return [Line(measure, "stated", said, "—", "—", "stated")]


def _thresholds(rows: Iterable[Mapping[str, Any]]) -> str:
    chosen = [each for each in rows if each["from"] in SHOWN and each["precision"] is not None]
    parts = [f"{each['from']:g}: {100 * each['precision']:.0f}/{100 * each['recall']:.0f}" for each in chosen]
    return ", ".join(dict.fromkeys(parts))


def _names(found: Mapping[str, Any] | None) -> Line:
    title = "Text to graph: 100,000 names sought in a megabyte of text"
    if found is None:
        return Line(title, "stated", plain="—", published="—")
    parts = [f"{tongue} {found[tongue]['seconds_to_find']:.1f} s (made in {found[tongue]['seconds_to_make']:.1f})"
             for tongue in ("en", "zh")]  # fmt: skip
    return Line(title, "stated", ", ".join(parts), "—", "—", "stated")


def _linked(found: Mapping[str, Any] | None) -> Line:
    title = "Names joined to things among 100,000: right, wrong, none"
    if found is None:
        return Line(title, "stated", plain="—", published="—")
    ways = (("as_written", "as written"), ("slips", "with a slip"))
    parts = [f"{name} {_three(found['made'][way])} at {found['made'][way]['mentions_a_second']:,.0f} a second"
             for way, name in ways]  # fmt: skip
    parts.append(f"aliases that the graph lacks {_three(found['aliases'])}")
    return Line(title, "stated", "; ".join(parts), "—", "—", "stated")


def _three(own: Mapping[str, float]) -> str:
    return " / ".join(f"{100 * own[key]:.1f}" for key in ("right", "wrong", "nil"))


def _asked(found: Mapping[str, Any] | None) -> Line:
    title = "Questions written beforehand: right / not known / wrong; of those without an answer, not known"
    if found is None:
        return Line(title, "stated", plain="—", published="—")
    parts = []
    for name in ASKED:
        own, none = found["groups"][name]["answerable"], found["groups"][name]["unanswerable"]
        parts.append(
            f"{name.split()[0]} {own['right']} / {own['open']} / {own['wrong']} of {own['questions']}, "
            f"{none['right']} of {none['questions']}"
        )
    rejected = sum(each["proofs_rejected"] for each in found["groups"].values())
    parts.append(f"{rejected} proofs rejected")
    return Line(title, "stated", "; ".join(parts), "—", "—", "stated")
