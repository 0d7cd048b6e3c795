"""Wrong answers as people read them: the text, with what is right and what was answered marked in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from sibu.core.example import answers_of, join_tokens
from sibu.core.result import REWARD
from sibu.pipeline.report.figures import clip, fixed, is_chinese, signed

MOST_TEXT = 500
"""Characters of a text that are shown; of a longer one the surroundings of its marks."""
AROUND = 90
"""Characters shown on both sides of a mark in a long text."""
_BREAKING = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text that is to be seen."""

    start: int
    end: int
    kind: str
    """Its class on the page: ``right``, ``missed``, ``false`` or ``entity``."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A short answer, and whether it is right."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a wrong answer with its caption."""

    caption: str
    text: Markup
    language: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong answer."""

    lines: Sequence[Line]
    gold: Sequence[Chip] = ()
    said: Sequence[Chip] = ()
    score: float | None = None
    note: str = ""
    texts: Sequence[str] = field(default=(), repr=False)
    """The texts as they came, to tell their language by."""


def clean(text: str) -> str:
    """A text without the control characters that HTML forbids."""
    return text.translate(_BREAKING)


def marked(text: str, marks: Iterable[Mark], *, most: int = MOST_TEXT) -> Markup:
    """A text with its marks; marks may overlap, and each label stands where its mark ends."""
    text = clean(text)
    inside = [
        Mark(max(mark.start, 0), min(mark.end, len(text)), mark.kind, mark.label)
        for mark in marks
        if max(mark.start, 0) < min(mark.end, len(text))
    ]
    parts: list[Markup] = []
    shown = _windows(len(text), inside, most)
    for number, (first, last) in enumerate(shown):
        if first > 0:
            parts.append(Markup('<span class="gap">… </span>' if number else '<span class="gap">…</span>'))
        parts += _pieces(text, inside, first, last)
    if shown[-1][1] < len(text):
        parts.append(Markup('<span class="gap">…</span>'))
    return Markup("").join(parts)


def _windows(length: int, marks: Sequence[Mark], most: int) -> list[tuple[int, int]]:
    """The stretches of a text that are shown, ``most`` characters in all: the whole, its beginning, or around marks."""
    if length <= most:
        return [(0, length)]
    wanted = sorted((max(mark.start - AROUND, 0), min(mark.end + AROUND, length)) for mark in marks)
    found: list[tuple[int, int]] = []
    for start, end in wanted or [(0, most)]:
        if found and start <= found[-1][1]:
            start, end = found[-1][0], max(end, found[-1][1])
            found.pop()
        left = most - sum(last - first for first, last in found)
        if left <= 0:
            break
        found.append((start, min(end, start + left)))
    return found


def _pieces(text: str, marks: Sequence[Mark], first: int, last: int) -> list[Markup]:
    """The text between two places, cut wherever a mark begins or ends."""
    edges = {first, last} | {edge for mark in marks for edge in (mark.start, mark.end) if first < edge < last}
    places = sorted(edges)
    found = []
    for start, end in pairwise(places):
        over = [mark for mark in marks if mark.start <= start and mark.end >= end]
        if not over:
            found.append(Markup("{}").format(text[start:end]))
            continue
        kinds = " ".join(dict.fromkeys(mark.kind for mark in over))
        labels = [Markup("<i>{}</i>").format(clean(mark.label)) for mark in over if mark.label and mark.end == end]
        found.append(Markup('<mark class="{}">{}{}</mark>').format(kinds, text[start:end], Markup("").join(labels)))
    return found


def wrong_answers(kind: str, errors: Sequence[Mapping[str, Any]]) -> list[Wrong]:
    """The errors that ``evaluate_rows`` kept, each in the form that its task type reads best in.

    Args:
        kind: The task's type; of one that is not known the raw values are shown.
        errors: ``{"row": ..., "prediction": {"value": ..., "score": ...}}`` each.
    """
    show = {
        "classify": _classified,
        "regress": _number,
        "tag": _tagged,
        "extract": _extracted,
        "relate": _related,
        "generate": _written,
        "reinforce": _written,
        "prefer": _preferred,
    }
    found = []
    for error in errors:
        row, prediction = error.get("row") or {}, error.get("prediction") or {}
        try:
            found.append(show.get(kind, _anything)(row, prediction))
        except (KeyError, TypeError, IndexError, ValueError):  # a form that this page does not know: show it as it is
            found.append(_anything(row, prediction))
    return found


def _line(caption: str, text: str, marks: Iterable[Mark] = ()) -> Line:
    return Line(caption, marked(text, marks), "zh" if is_chinese(text) else "")


def _texts(row: Mapping[str, Any]) -> tuple[list[Line], list[str]]:
    """The row's texts; a caption only where there are two."""
    given = [(name, row[name]) for name in ("text", "text_pair") if isinstance(row.get(name), str)]
    captions = {"text": "text" if len(given) > 1 else "", "text_pair": "pair"}
    return [_line(captions[name], text) for name, text in given], [text for _, text in given]


def _classified(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    lines, texts = _texts(row)
    gold, said = _listed(row["label"]), _listed(prediction["value"])
    right = [Chip(_short(name), "right" if name in said else "missed") for name in gold]
    chosen = [Chip(_short(name), "right" if name in gold else "false") for name in said]
    none = [Chip("no label")]
    return Wrong(lines, right or none, chosen or none, prediction.get("score"), texts=texts)


def _number(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    lines, texts = _texts(row)
    names = [name for name in ("number", "label", "target", "value", "score") if isinstance(row.get(name), int | float)]
    gold, said = float(row[names[0]]), float(prediction["value"])
    note = f"off by {signed(said - gold)}"
    return Wrong(lines, [Chip(fixed(gold), "missed")], [Chip(fixed(said), "false")], note=note, texts=texts)


def _tagged(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    if row.get("tokens") is not None:
        text, places = join_tokens(row["tokens"])
        gold = _from_tags(row, places)
    else:
        text = row["text"]
        gold = {(span["start"], span["end"], str(span["label"])) for span in row.get("entities") or []}
    said = {(span["start"], span["end"], str(span["label"])) for span in prediction["value"]}
    true = [Mark(*span[:2], "right" if span in said else "missed", span[2]) for span in sorted(gold)]
    told = [Mark(*span[:2], "right" if span in gold else "false", span[2]) for span in sorted(said)]
    note = f"{len(gold - said)} missed, {len(said - gold)} false, {len(gold & said)} right"
    lines = [_line("gold", text, true), _line("predicted", text, told)]
    return Wrong(lines, score=prediction.get("score"), note=note, texts=[text])


def _from_tags(row: Mapping[str, Any], places: Sequence[tuple[int, int]]) -> set[tuple[int, int, str]]:
    """A row's tags as character spans."""
    from sibu.metrics.spans import decode_tags

    spans = decode_tags(row.get("tags") or [], "BIO")  # reads BIOES as well, and IO as IO wherever a row has no B-
    return {(places[start][0], places[end - 1][1], label) for label, start, end in spans}


def _extracted(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    context, answers, value = row["context"], row.get("answers") or [], prediction.get("value")
    gold = [
        (answer["start"], answer["start"] + len(answer["text"]))
        for answer in answers
        if answer.get("start") is not None
    ]
    marks = [Mark(start, end, "missed", "gold") for start, end in dict.fromkeys(gold)]
    if value:
        marks.append(Mark(value["start"], value["end"], "false", "predicted"))
    true = [Chip(_short(text), "missed") for text in dict.fromkeys(answer["text"] for answer in answers)]
    told = Chip(_short(value["text"]), "false") if value else Chip("no answer")
    lines = [_line("question", row["question"]), _line("context", context, marks)]
    return Wrong(lines, true or [Chip("no answer")], [told], prediction.get("score"), texts=[row["question"], context])


def _related(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    text, entities = row["text"], row["entities"]
    marks = [Mark(entity["start"], entity["end"], "entity", str(entity.get("label") or "")) for entity in entities]
    names = [text[entity["start"] : entity["end"]] for entity in entities]
    gold = [(item["head"], item["tail"], str(item["label"])) for item in row.get("relations") or []]
    said = [(item["head"], item["tail"], str(item["label"])) for item in prediction["value"] or []]

    def chips(some: Sequence[tuple[int, int, str]], other: Sequence[tuple[int, int, str]], kind: str) -> list[Chip]:
        told = [(f"{_short(names[h], 40)} → {label} → {_short(names[t], 40)}", (h, t, label)) for h, t, label in some]
        return [Chip(words, "right" if triple in other else kind) for words, triple in told] or [Chip("no relation")]

    score = prediction.get("score")
    return Wrong([_line("", text, marks)], chips(gold, said, "missed"), chips(said, gold, "false"), score, texts=[text])


def _asked(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a model was asked, by who said it."""
    if not row.get("messages"):
        return [("text", row["text"])]
    turns = [(turn["role"], turn["content"]) for turn in row["messages"]]
    return turns[:-1] if turns[-1][0] == "assistant" else turns


def _written(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    asked = _asked(row)
    lines = [_line(who, said) for who, said in asked]
    lines += [_line("right", text) for text in answers_of(row)] + [_line("written", str(prediction["value"]))]
    notes = []
    for each in prediction.get("evidence") or ():
        if each["kind"] == "limit":
            notes.append(f"cut at {each['content']} pieces")
        if each["kind"] == REWARD:
            notes.append(", ".join(f"{name} {fixed(value)}" for name, value in each["content"].items()))
    return Wrong(lines, note="; ".join(notes), texts=[said for _, said in asked])


def _preferred(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:  # noqa: ARG001
    asked = _asked(row)
    lines = [_line(who, said) for who, said in [*asked, ("chosen", row["chosen"]), ("rejected", row["rejected"])]]
    return Wrong(lines, texts=[said for _, said in asked])


def _anything(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> Wrong:
    """Whatever it is, as JSON."""
    shown = [_line(str(name), value if isinstance(value, str) else _json(value)) for name, value in row.items()]
    texts = [value for value in row.values() if isinstance(value, str)]
    score = prediction.get("score")
    return Wrong(shown, said=[Chip(_short(_json(prediction.get("value"))), "false")], score=score, texts=texts)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _listed(label: Any) -> list[str]:
    return [str(name) for name in label] if isinstance(label, list | tuple) else [str(label)]


def _short(text: str, most: int = 120) -> str:
    return clip(clean(" ".join(text.split())), most)
