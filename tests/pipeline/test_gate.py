"""Every fault of the data that the gate names: its severity, file, row and words, and that its mend mends it."""

import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import sibu
from sibu.cli import main
from sibu.core.errors import DataError
from sibu.pipeline.gate import SplitSurvey
from sibu.pipeline.progress import Silent
from sibu.train.batches import Budget, split_by_budget
from tests.conftest import write_jsonl


def intents(language, split):
    words = {"en": ("book it", "pay the bill"), "zh": ("预约医生", "付账单")}[language]
    return [{"text": f"{words[n % 2]} {split} {n}", "label": ("visit", "money")[n % 2]} for n in range(6)]


def ratings(language, split):
    word = {"en": "good film", "zh": "电影好"}[language]
    return [{"text": f"{word} {split} {n}", "number": n} for n in range(6)]


def sentences(language, split):
    name, verb, place = {"en": ("john", "lives in", "paris"), "zh": ("王医生", "在", "北京")}[language]
    gap = {"en": " ", "zh": ""}[language]
    rows = []
    for number in range(6):
        text = f"{name}{gap}{verb}{gap}{place} {split} {number}"
        start = text.index(place)
        spans = [
            {"start": 0, "end": len(name), "label": "PER"},
            {"start": start, "end": start + len(place), "label": "LOC"},
        ]
        rows.append({"text": text, "entities": spans})
    return rows


def tokens(language, split):
    words = {"en": ["john", "lives", "in", "new", "york"], "zh": ["王", "在", "住", "北", "京"]}[language]
    tags = ["B-PER", "O", "O", "B-LOC", "I-LOC"]
    return [{"tokens": [*words, split, str(n)], "tags": [*tags, "O", "O"]} for n in range(6)]


def questions(language, split):
    question, context, answer = {
        "en": ("where?", "he works in paris", "paris"),
        "zh": ("在哪？", "他在北京上班", "北京"),
    }[language]
    answers = [{"text": answer, "start": context.index(answer)}]
    return [{"question": f"{question} {split} {n}", "context": context, "answers": answers} for n in range(6)]


def relations(language, split):
    first, second, verb = {"en": ("john", "acme", " joins "), "zh": ("王医生", "医院", "加入")}[language]
    rows = []
    for number in range(6):
        text = f"{first}{verb}{second} {split} {number}"
        start = text.index(second)
        entities = [{"start": 0, "end": len(first)}, {"start": start, "end": start + len(second)}]
        found = [{"head": 0, "tail": 1, "label": "joins"}] if number % 2 else []
        rows.append({"text": text, "entities": entities, "relations": found})
    return rows


SOUND = {
    "classify": intents,
    "regress": ratings,
    "tag": sentences,
    "tag tokens": tokens,
    "extract": questions,
    "relate": relations,
}


@pytest.fixture
def recipe(tmp_path, tiny_model):
    """Makes a recipe whose splits are sound; ``files`` replaces some, ``options`` and ``text`` are set."""

    def make(kind, language="en", *, files=None, options=None, text=None):
        data = {
            split: str(write_jsonl(tmp_path / f"{split}.jsonl", SOUND[kind](language, split)))
            for split in ("train", "dev", "test")
        }
        data |= {split: str(file) for split, file in (files or {}).items()}
        task = {"type": kind.split()[0], "data": data, **(options or {})}
        modality = {"name": "text", **(text or {})}
        return {"name": "gate", "model": str(tiny_model), "modalities": [modality], "tasks": {"it": task}}

    return make


def told(checked, *, but=("unknown characters",)):
    """What was found; the tiny vocabulary knows few characters, so that what it lacks is told by a test of its own."""
    faults = [f for f in checked.gate.faults.examples if f.kind not in but]
    return [(f.kind, f.severity, Path(f.file).name, f.row, f.message) for f in faults]


@dataclass
class Case:
    """A row that is at fault, where it stands, what is said of it, and the row as it should be."""

    task: str
    language: str
    row: dict
    kind: str
    severity: str
    message: str
    mended: dict | None
    split: str = "train"
    options: dict = field(default_factory=dict)
    text: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.kind}, {self.task}, {self.language}"


def span(text, part, label, *, left=0, right=0):
    start = text.index(part)
    return {"start": start - left, "end": start + len(part) + right, "label": label}


EN, ZH = "mary saw london", "李医生在上海，很好"
PERSON, PLACE = {"en": "mary", "zh": "李医生"}, {"en": "london", "zh": "上海"}


def both(make):
    """The cases of a fault in English and in Chinese."""
    return [case for language, text in (("en", EN), ("zh", ZH)) for case in make(language, text)]


def tagged(language, text, *spans):
    return {"text": text, "entities": list(spans)}


def empty_inputs(language, text):
    empty = ("empty input", "error", "the text is empty.")
    sound = {kind: SOUND[kind](language, "x")[1] for kind in SOUND}
    for kind in ("classify", "regress", "tag", "relate"):
        mended = sound[kind]
        bare = {name: [] for name in ("entities", "relations") if name in mended}
        yield Case(kind, language, mended | bare | {"text": " \u3000"}, *empty, mended)
    mended = sound["extract"]
    blank = mended | {"context": "\n", "answers": []}
    yield Case("extract", language, blank, "empty input", "error", "the context is empty.", mended)
    mended = sound["tag tokens"]
    blank = mended | {"tokens": [*mended["tokens"][:-1], " "]}
    yield Case("tag tokens", language, blank, "empty input", "error", "a token is empty or blank.", mended)
    none = {"tokens": [], "tags": []}
    yield Case("tag tokens", language, none, "empty input", "error", "there is no token.", mended)


def unknown_labels(language, text):
    label = {"en": "sports", "zh": "体育"}[language]
    mends = SOUND["classify"](language, "x")[0]
    for split in ("dev", "test"):
        message = f"the label {label!r} is not among the training data's: 'money', 'visit'."
        row = {"text": text, "label": label}
        yield Case("classify", language, row, "unknown label", "warning", message, mends, split)
        listed = {"labels": ["visit", "money"]}
        message = f"the label {label!r} is not among the recipe's: 'visit', 'money'."
        yield Case("classify", language, row, "unknown label", "error", message, mends, split, listed)
    row = tagged(language, text, span(text, PLACE[language], label))
    mended = tagged(language, text, span(text, PLACE[language], "LOC"))
    message = f"the label {label!r} is not among the training's: 'LOC', 'PER'."
    yield Case("tag", language, row, "unknown label", "warning", message, mended, "test")
    message = f"the label {label!r} is not among the recipe's: 'PER', 'LOC'."
    yield Case("tag", language, row, "unknown label", "error", message, mended, "test", {"labels": ["PER", "LOC"]})
    sound = SOUND["relate"](language, "x")[1]
    row = sound | {"relations": [{"head": 0, "tail": 1, "label": label}]}
    message = f"the relation {label!r} is not among: 'joins'."
    yield Case("relate", language, row, "unknown label", "warning", message, sound, "test")
    yield Case("relate", language, row, "unknown label", "error", message, sound, "test", {"labels": ["joins"]})


def spans(language, text):
    person, place = PERSON[language], PLACE[language]
    whole = span(text, place, "LOC")
    mended = tagged(language, text, whole)
    beyond = {"start": whole["start"], "end": len(text) + 1, "label": "LOC"}
    message = f"the span {beyond['start']}..{beyond['end']} (LOC) is not inside the text of {len(text)} characters."
    kind = "span outside the text"
    yield Case("tag", language, tagged(language, text, beyond), kind, "error", message, mended)
    backwards = {"start": 3, "end": 3, "label": "LOC"}
    message = f"the span 3..3 (LOC) is not inside the text of {len(text)} characters."
    yield Case("tag", language, tagged(language, text, backwards), kind, "error", message, mended)
    for left, right in ((1, 0), (0, 1)):
        spaced = text.replace(place, f" {place} ")
        blank = span(spaced, place, "LOC", left=left, right=right)
        given = spaced[blank["start"] : blank["end"]]
        message = f"the span {blank['start']}..{blank['end']} (LOC, {given!r}) begins or ends with a blank."
        row, fixed = (tagged(language, spaced, each) for each in (blank, span(spaced, place, "LOC")))
        yield Case("tag", language, row, "span with blanks", "error", message, fixed)
    overlap = span(text, person, "PER", right=whole["end"] - len(person) - text.index(person))
    message = f"the spans 0..{whole['end']} (PER) and {whole['start']}..{whole['end']} (LOC) overlap."
    row = tagged(language, text, whole, overlap)
    for options, severity in (({}, "error"), ({"overlaps": "longest"}, "warning")):
        yield Case("tag", language, row, "overlapping spans", severity, message, mended, options=options)
    twice = f"{text} A1"
    inside = {"start": len(text) + 1, "end": len(text) + 2, "label": "LOC"}
    joined = tagged(language, twice, {**inside, "end": len(twice)})
    assert twice[inside["start"] :] == "A1"
    word = f"{text} monday"
    inside = {"start": len(text) + 1, "end": len(word) - 1, "label": "LOC"}
    message = f"the span {inside['start']}..{inside['end']} (LOC, 'monda') begins or ends inside a word."
    yield Case("tag", language, tagged(language, word, inside), "span inside a word", "warning", message, joined)


def own_texts(language, text):
    place, other = PLACE[language], {"en": "paris", "zh": "北京"}[language]
    good = span(text, place, "LOC") | {"text": place}
    for kind, more in (("tag", {}), ("relate", {"relations": []})):
        entities = [good, span(text, PERSON[language], "PER")]
        sound = {"text": text, "entities": entities, **more}
        shifted = good | {"start": good["start"] - 1, "end": good["end"] - 1}
        message = (
            f"the span {shifted['start']}..{shifted['end']} is {text[shifted['start'] : shifted['end']]!r}, but its "
            f"own `text` says {place!r}. It stands at {good['start']}."
        )
        row = sound | {"entities": [shifted, entities[1]]}
        yield Case(kind, language, row, "span and its text", "error", message, sound, "test")
        message = f"the span {good['start']}..{good['end']} is {place!r}, but its own `text` says {other!r}."
        row = sound | {"entities": [good | {"text": other}, entities[1]]}
        yield Case(kind, language, row, "span and its text", "error", message, sound)


def pairs(language, text):
    for kind, target in (("classify", {"label": "visit"}), ("regress", {"number": 1.5})):
        alone = {"text": text, **target}
        message = "there is a `text_pair`, which no training row has."
        yield Case(
            kind, language, alone | {"text_pair": text[:5]}, "pair not learned", "warning", message, alone, "test"
        )


def tags(language, text):
    sound = SOUND["tag tokens"](language, "x")[0]
    words = sound["tokens"]

    def tagged_as(*own):
        return sound | {"tags": [*own, *sound["tags"][len(own) :]]}

    short = sound | {"tags": sound["tags"][:-1]}
    yield Case("tag tokens", language, short, "tags and tokens", "error", "7 tokens have 6 tags.", sound)
    message = "'PER' is not a tag: O, or a prefix (B-, I-, E-, S-) and a label."
    yield Case("tag tokens", language, tagged_as("PER"), "bad tag", "error", message, sound, "test")
    for place, tag, before in ((0, "I-PER", "the beginning"), (4, "I-PER", "B-LOC")):
        own = [*sound["tags"][:place], tag]
        message = f"{tag!r} at token {place} ({words[place]!r}) cannot follow {before!r}."
        yield Case("tag tokens", language, tagged_as(*own), "broken BIO sequence", "warning", message, sound)
    message = "tokens come with `entities`."
    yield Case("tag tokens", language, sound | {"entities": []}, "both forms", "error", message, sound)


def answers(language, text):
    question, place = {"en": "where?", "zh": "在哪？"}[language], PLACE[language]
    start = text.index(place)
    sound = {"question": question, "context": text, "answers": [{"text": place, "start": start}]}
    moved = sound | {"answers": [{"text": place, "start": start - 1}]}
    stands = text[start - 1 : start - 1 + len(place)]
    message = f"the answer {place!r} is not at character {start - 1}, where {stands!r} stands."
    yield Case("extract", language, moved, "answer misplaced", "warning", message, sound)
    placeless = sound | {"answers": [{"text": place, "start": -1}]}
    message = f"the answer {place!r} has no place (`start` is -1)."
    yield Case("extract", language, placeless, "answer misplaced", "warning", message, sound)
    unasked = sound | {"question": " "}
    yield Case("extract", language, unasked, "empty question", "warning", "the question is empty.", sound)
    absent = sound | {"answers": [{"text": "nowhere", "start": 0}]}
    message = f"the answer 'nowhere' is not at character 0, where {text[:7]!r} stands."
    yield Case("extract", language, absent, "answer not in text", "warning", message, sound)
    blank = sound | {"answers": [{"text": " ", "start": 0}]}
    yield Case("extract", language, blank, "empty answer", "error", "an answer is empty.", sound)
    long = {"en": "the movie was good and the film was bad ", "zh": "这是很好的电影也是很好的医生。"}[language] * 9
    row = {"question": question, "context": long, "answers": [{"text": long[:200].strip(), "start": 0}]}
    short = row | {"answers": [{"text": long[:3], "start": 0}]}
    yield Case(
        *("extract", language, row, "answer in no window", "warning"),
        f"the answer {long[:200].strip()!r} is whole in none of the text's windows (",
        short,
        text={"max_length": 32, "overlap": 8},
    )


def relating(language, text):
    sound = SOUND["relate"](language, "x")[1]
    for head, tail in ((0, 2), (1, 1)):
        row = sound | {"relations": [{"head": head, "tail": tail, "label": "joins"}]}
        message = f"the relation 'joins' names the entities {head} and {tail} of 2."
        yield Case("relate", language, row, "bad relation", "error", message, sound, "test")
    twice = sound | {"relations": [{"head": 1, "tail": 0, "label": "joins"}, *sound["relations"]]}
    message = "the entities 0 and 1 have two relations, 'joins' and 'joins'."
    yield Case("relate", language, twice, "two relations", "warning", message, sound)
    length = len(sound["text"])
    row = sound | {"entities": [sound["entities"][0], {"start": length, "end": length + 2}]}
    message = f"the entity {length}..{length + 2} is not inside the text of {length} characters."
    yield Case("relate", language, row, "span outside the text", "error", message, sound)
    far = {"en": " of the", "zh": "的人"}[language] * 40
    row = sound | {"text": sound["text"][: sound["entities"][1]["start"]] + far}
    row["entities"] = [sound["entities"][0], {"start": len(row["text"]) - 1, "end": len(row["text"])}]
    message = "two entities stand farther apart than the model's longest input."
    yield Case("relate", language, row, "entities far apart", "warning", message, sound, "dev")


def other(language, text):
    sound = SOUND["classify"](language, "x")[0]
    message = "the label is a list where the task has one label."
    row = sound | {"label": ["visit", "money"]}
    yield Case("classify", language, row, "label form", "error", message, sound, "test")
    row = {"text": text, "number": 7}
    options = {"bounds": [0, 5]}
    message = "7 lies beyond the bounds 0 to 5."
    yield Case("regress", language, row, "beyond bounds", "error", message, row | {"number": 5}, "test", options)


GROUPS = (empty_inputs, unknown_labels, spans, own_texts, pairs, tags, answers, relating, other)
CASES = [case for group in GROUPS for case in both(group)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_faulty_row_is_named_and_its_mend_works(case, recipe, tmp_path):
    def found(row):
        rows = [*SOUND[case.task](case.language, case.split), row]
        file = write_jsonl(tmp_path / f"faulty.{case.split}.jsonl", rows)
        files = {case.split: file}
        return sibu.check(recipe(case.task, case.language, files=files, options=case.options, text=case.text))

    checked = found(case.row)
    ((kind, severity, file, row, message),) = told(checked)
    assert (kind, severity, file, row) == (case.kind, case.severity, f"faulty.{case.split}.jsonl", 7)
    assert message == case.message or (case.message.endswith("(") and message.startswith(case.message))
    assert checked.sound == (case.severity == "warning")
    assert checked.gate.faults.examples[0].mend
    assert told(found(case.mended)) == []


@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_a_pair_that_is_missing(kind, recipe, tmp_path):
    def paired(split, *without):
        rows = SOUND[kind]("en", split)
        return [row if n in without else row | {"text_pair": "the film"} for n, row in enumerate(rows)]

    files = {split: write_jsonl(tmp_path / f"{split}.all.jsonl", paired(split)) for split in ("train", "dev", "test")}
    assert told(sibu.check(recipe(kind, files=files))) == []
    files["test"] = write_jsonl(tmp_path / "gap.jsonl", paired("test", 2))
    message = "there is no `text_pair`, which all training rows have."
    assert told(sibu.check(recipe(kind, files=files))) == [("missing pair", "error", "gap.jsonl", 3, message)]
    files |= {"train": write_jsonl(tmp_path / "some.jsonl", paired("train", 0, 4)), "test": files["dev"]}
    files["test"] = write_jsonl(tmp_path / "whole.jsonl", paired("test"))
    message = "there is no `text_pair`, which some training rows have."
    assert told(sibu.check(recipe(kind, files=files))) == [
        ("missing pair", "warning", "some.jsonl", row, message) for row in (1, 5)
    ]


def test_a_bundle_of_pairs_refuses_a_text_alone(recipe, tmp_path):
    rows = {split: [row | {"text_pair": "now"} for row in intents("en", split)] for split in ("train", "dev", "test")}
    files = {split: write_jsonl(tmp_path / f"{split}.pairs.jsonl", own) for split, own in rows.items()}
    bundle = sibu.run(recipe("classify", files=files) | {"train": {"max_steps": 1}}, out=tmp_path / "out")
    model = sibu.load(bundle)
    assert model.predict({"text": "my bill", "text_pair": "now"}).value
    for alone in ("my bill", {"text": "my bill", "text_pair": " "}):
        with pytest.raises(DataError, match="there is no `text_pair`, which all training rows have"):
            model.predict(alone)


def test_a_language_that_the_model_does_not_know(recipe, tmp_path):
    rows = [
        *intents("en", "train"),
        {"text": "饕餮魑魅魍魉", "label": "visit"},
        {"text": "饕餮 book it now please", "label": "visit"},
    ]
    checked = sibu.check(recipe("classify", files={"train": write_jsonl(tmp_path / "a.jsonl", rows)}))
    message = "6 of 8 pieces are unknown to the model."
    assert told(checked, but=()) == [("unknown characters", "warning", "a.jsonl", 7, message)]
    assert "me5" in checked.gate.faults.examples[0].mend


def test_what_is_left_to_train_on_has_two_labels(recipe, tmp_path):
    made = recipe("classify")
    rows = [{"text": "book it", "label": "a"}, {"text": "my bill", "label": "b"}]
    data = {"train": str(write_jsonl(tmp_path / "two.jsonl", rows)), "test": made["tasks"]["it"]["data"]["test"]}
    made["tasks"]["it"]["data"] = data
    left = "Dev is held out of the 2 rows of the training data, and what is left is too little: "
    said = rf"{left}The training data has 1 label \('[ab]'\); a classifier needs at least 2"
    with pytest.raises(DataError, match=said):
        sibu.check(made)
    made["tasks"]["it"]["data"] = data | {"dev_share": 0}  # the mend that it names
    assert sibu.check(made).gate.as_json()["errors"] == 0


def test_labels_that_differ_in_blanks_or_capitals_alone(recipe, tmp_path):
    rows = intents("en", "train")
    label = rows[0]["label"]
    rows[0] |= {"label": f"{label} "}
    checked = sibu.check(recipe("classify", files={"train": write_jsonl(tmp_path / "a.jsonl", rows)}))
    assert ("labels alike", "warning") in [each[:2] for each in told(checked, but=())]
    (fault,) = [each for each in checked.gate.faults.examples if each.kind == "labels alike"]
    assert fault.message == f"the labels '{label}' and '{label} ' differ in blanks or capitals alone (it)."


def test_test_inputs_that_dev_has_too(recipe, tmp_path):
    shared = intents("en", "dev")
    files = {"dev": write_jsonl(tmp_path / "d.jsonl", shared), "test": write_jsonl(tmp_path / "t.jsonl", shared[2:4])}
    place = tmp_path / "d.jsonl"
    assert told(sibu.check(recipe("classify", files=files))) == [
        ("leak", "warning", "t.jsonl", row, f"this input is in dev too ({place}:{row + 2}; it, test).")
        for row in (1, 2)
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluation_tells_what_it_found_odd(language, recipe, tmp_path):
    bundle = sibu.run(recipe("classify", language) | {"train": {"max_steps": 1}}, out=tmp_path / "out")
    said = []

    class Voice(Silent):
        def say(self, text):
            said.append(text)

    odd = write_jsonl(tmp_path / "odd.jsonl", [{**row, "label": "zzz"} for row in intents(language, "test")])
    more = write_jsonl(tmp_path / "more.jsonl", intents(language, "test"))
    report = sibu.load(bundle).evaluate([odd, more], progress=Voice())
    assert report.scores["accuracy"].n == 12
    assert [line.partition(", such as ")[0] for line in said] == [f"warning: unknown label: 6 in {odd}"]
    assert f"{odd}:1: the label 'zzz' is not among the training data's" in said[0]
    bad = write_jsonl(tmp_path / "bad.jsonl", [{"text": " ", "label": "visit"}] * 9)
    with pytest.raises(DataError) as fault:
        sibu.load(bundle).evaluate(bad)
    assert str(fault.value).startswith("The data gate found 9 errors; nothing was evaluated.")
    assert str(fault.value).endswith("... and 6 more.")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_counts_labels_and_lengths(language, recipe, tmp_path):
    long = {"en": "the pain is bad and ", "zh": "头痛和发烧，"}[language] * 4
    rows = [*intents(language, "train"), {"text": long, "label": "visit"}]
    checked = sibu.check(recipe("classify", language, files={"train": write_jsonl(tmp_path / "a.jsonl", rows)}))
    assert told(checked) == []
    found = checked.as_json()["tasks"]["it"]
    assert {split: seen["rows"] for split, seen in found.items()} == {"train": 7, "dev": 6, "test": 6}
    assert found["train"]["labels"] == {"visit": 4, "money": 3}
    assert found["train"]["longer_than_model"] == found["train"]["tokens_cut"] == 0
    assert sum(found["train"]["lengths"].values()) == 7
    pieces = {int(length): count for length, count in found["train"]["lengths"].items()}
    assert found["train"]["tokens"] == sum(length * count for length, count in pieces.items())
    assert found["train"]["length"]["max"] == max(pieces)
    assert found["train"]["length"]["p50"] == sorted(length for length in pieces for _ in range(pieces[length]))[3]

    def lengths(max_length):
        own = recipe("classify", language, files={"train": tmp_path / "a.jsonl"}, text={"max_length": max_length})
        checked = sibu.check(own)
        assert checked.limit == max_length
        return checked.as_json()["tasks"]["it"]["train"]

    assert lengths(max(pieces))["longer_than_model"] == 0
    cut = lengths(max(pieces) - 5)
    assert (cut["longer_than_model"], cut["tokens_cut"]) == (1, 5)
    assert cut["length"]["max"] == max(pieces)
    assert cut["windows"] == cut["inputs"] == 7


def test_what_is_read_in_windows_is_longer_but_not_cut(recipe, tmp_path):
    rows = [*sentences("en", "train"), {"text": "the pain is bad and " * 4, "entities": []}]
    text = {"max_length": 16, "overlap": 4}
    own = recipe("tag", files={"train": write_jsonl(tmp_path / "a.jsonl", rows)}, text=text)
    found = sibu.check(own).as_json()["tasks"]["it"]["train"]
    assert (found["longer_than_model"], found["tokens_cut"], found["windows"]) == (1, 0, 8)
    assert found["labels"] == {"PER": 6, "LOC": 6}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("kind", "labels"),
    [("tag tokens", {"PER": 6, "LOC": 6}), ("tag", {"PER": 6, "LOC": 6}), ("relate", {"joins": 3}), ("regress", {})],
)
def test_labels_are_counted_as_the_task_means_them(kind, labels, language, recipe):
    found = sibu.check(recipe(kind, language)).as_json()["tasks"]["it"]
    assert {split: seen["labels"] for split, seen in found.items()} == dict.fromkeys(("train", "dev", "test"), labels)


@pytest.mark.parametrize("key", ["labels", "descriptions"])
def test_labels_that_no_row_teaches(key, recipe, tmp_path):
    rows = [{"text": f"{label} {n}", "label": label} for n in range(5) for label in ("book", "pay")]
    files = {"train": write_jsonl(tmp_path / "a.jsonl", rows)}
    for split in ("dev", "test"):
        judged = [{"text": f"{split} {row['text']}", "label": row["label"]} for row in rows]
        files[split] = write_jsonl(tmp_path / f"{split}.own.jsonl", judged)

    def found(named, **options):
        own = named if key == "labels" else dict.fromkeys(named, "words")
        return sibu.check(recipe("classify", files=files, options={key: own, **options}))

    faulty = found(["visit", "pay", "book", "ask"])
    message = "no row to train on has the labels 'ask', 'visit' of the recipe (it)."
    assert told(faulty) == [("label without rows", "warning", "a.jsonl", None, message)]
    assert "The head `labels` begins from the words" in faulty.gate.faults.examples[0].mend
    assert told(found(["visit", "pay", "book", "ask"], head="labels")) == []
    assert told(found(["pay", "book"])) == []


def test_rare_labels(recipe, tmp_path):
    rows = [{"text": f"pay {n}", "label": "money"} for n in range(30)] + [{"text": "book", "label": "visit"}] * 1
    file = tmp_path / "a.jsonl"
    own = recipe("classify", files={"train": write_jsonl(file, rows)})
    message = "1 of 2 labels have fewer than 3 rows (it): visit."
    assert told(sibu.check(own)) == [("rare label", "warning", "a.jsonl", None, message)]
    write_jsonl(file, rows + [{"text": f"book {n}", "label": "visit"} for n in range(2)])
    assert told(sibu.check(own)) == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_equal_rows_within_a_split(split, language, recipe, tmp_path):
    own = intents(language, split)
    text = {"en": f"  BOOK  it {split}\t0 ", "zh": f"预约医生  {split.upper()} 0\n"}[language]
    file = tmp_path / "a.jsonl"

    def found(*more):
        write_jsonl(file, [*own, *more])
        return told(sibu.check(recipe("classify", language, files={split: file})))

    same = ("duplicate", "warning", "a.jsonl", 7, f"the same row as line 1 (it, {split}).")
    assert found({"text": text, "label": "visit"}) == [same]
    other = ("conflicting labels", "warning", "a.jsonl", 7, "the same input as line 1, with another target (it).")
    assert found({"text": text, "label": "money"}) == [other]
    assert found() == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["tag", "tag tokens", "extract", "relate", "regress"])
def test_equal_rows_of_other_tasks(kind, language, recipe, tmp_path):
    rows = SOUND[kind](language, "train")
    file = write_jsonl(tmp_path / "a.jsonl", [*rows, rows[1]])
    message = "the same row as line 2 (it, train)."
    found = told(sibu.check(recipe(kind, language, files={"train": file})))
    assert found == [("duplicate", "warning", "a.jsonl", 7, message)]
    target = next(name for name in ("entities", "tags", "answers", "relations", "number") if name in rows[1])
    if kind == "relate":
        target = "relations"
    changed = 99 if kind == "regress" else rows[1][target][:-1] + ["O"] * (kind == "tag tokens")
    if kind == "tag tokens":
        changed = ["O"] * len(rows[1]["tags"])
    write_jsonl(file, [*rows, rows[1] | {target: changed}])
    message = "the same input as line 2, with another target (it)."
    found = told(sibu.check(recipe(kind, language, files={"train": file})))
    assert found == [("conflicting labels", "warning", "a.jsonl", 7, message)]


def test_equal_rows_of_two_files_are_named_with_their_file(recipe, tmp_path):
    rows = intents("en", "train")
    own = recipe("classify")
    files = [str(write_jsonl(tmp_path / name, part)) for name, part in (("a.jsonl", rows), ("b.jsonl", rows[3:4]))]
    own["tasks"]["it"]["data"]["train"] = files
    message = f"the same row as {files[0]}:4 (it, train)."
    assert told(sibu.check(own)) == [("duplicate", "warning", "b.jsonl", 1, message)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_training_rows_in_another_split(split, language, recipe, tmp_path):
    leaked = intents(language, "train")[2]
    leaked["text"] = leaked["text"].upper() + " "
    file = write_jsonl(tmp_path / "a.jsonl", [*intents(language, split), leaked])
    own = recipe("classify", language, files={split: file})
    train = own["tasks"]["it"]["data"]["train"]
    message = f"this input is in the training data too ({train}:3; it, {split})."
    assert told(sibu.check(own)) == [("leak", "warning", "a.jsonl", 7, message)]
    write_jsonl(file, intents(language, split))
    assert told(sibu.check(own)) == []


LONG = {
    "en": "The clinic was clean and the doctor took her time to explain what the blood test had shown.",
    "zh": "医院很干净，医生花了很长时间解释验血的结果，并且告诉我明天还要再来一次检查，真的非常感谢他们的耐心。",
}
NEARLY = {"en": LONG["en"].replace("blood", "urine"), "zh": LONG["zh"].replace("明天", "后天")}
UNLIKE = {
    "en": "The clinic was dirty and the doctor took no time to explain what the report had said.",
    "zh": "医院不太干净，医生只花了很短时间解释结果，也没有告诉我什么时候再来检查，我真的非常失望。",
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["classify", "tag tokens"])
def test_nearly_equal_texts_in_another_split(kind, language, recipe, tmp_path):
    def row(text):
        if kind == "classify":
            return {"text": text, "label": "visit"}
        words = text.split() if language == "en" else list(text)
        return {"tokens": words, "tags": ["O"] * len(words)}

    train = write_jsonl(tmp_path / "a.jsonl", [*SOUND[kind](language, "train"), row(LONG[language])])
    test = tmp_path / "b.jsonl"

    def found(text):
        write_jsonl(test, [*SOUND[kind](language, "test"), row(text)])
        return told(sibu.check(recipe(kind, language, files={"train": train, "test": test})))

    message = f"nearly the same text is in the training data ({train}:7; it, test)."
    assert found(NEARLY[language]) == [("near leak", "warning", "b.jsonl", 7, message)]
    assert found(UNLIKE[language]) == []
    message = f"this input is in the training data too ({train}:7; it, test)."
    assert found(LONG[language]) == [("leak", "warning", "b.jsonl", 7, message)]


@pytest.mark.parametrize("split", ["train", "dev", "test"])
@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file(split, content, recipe, tmp_path):
    file = tmp_path / "empty.jsonl"
    file.write_text(content)
    with pytest.raises(DataError) as caught:
        sibu.check(recipe("classify", files={split: file}))
    assert f"{file}: no row can be used (tasks.it).\n{file}: No records: the file holds none." in str(caught.value)
    assert "Give a file with at least one record." in str(caught.value)


def test_equal_rows_stay_together_where_dev_is_split_from_train(recipe, tmp_path):
    rows = [{"text": text, "label": "visit"} for n in range(20) for text in (f"book {n}", f" Book  {n}")]
    rows += [{"text": f"pay {n}", "label": "money"} for n in range(3)]
    own = recipe("classify", files={"train": write_jsonl(tmp_path / "a.jsonl", rows)})
    del own["tasks"]["it"]["data"]["dev"]
    checked = sibu.check(own)
    assert {kind for kind, *_ in told(checked)} == {"duplicate"}
    assert checked.gate.faults.number("warning") == 20


def test_too_few_rows_to_split_dev_from(recipe, tmp_path):
    rows = [{"text": "book", "label": ["visit", "money"]}]
    own = recipe("classify", files={"train": write_jsonl(tmp_path / "one.jsonl", rows)})
    del own["tasks"]["it"]["data"]["dev"]
    with pytest.raises(DataError, match=r"one\.jsonl has 1 row, too few to split dev from\. Give `data\.dev`"):
        sibu.check(own)


def test_a_label_that_is_missing_in_one_row(recipe, tmp_path):
    for missing in ({"text": "pay"}, {"text": "pay", "label": None}):
        for split in ("train", "test"):
            file = write_jsonl(tmp_path / "a.jsonl", [*intents("en", split), missing])
            checked = sibu.check(recipe("classify", files={split: file}))
            message = "'label' has no value (null)." if "label" in missing else "there is no 'label'."
            assert told(checked) == [("missing value", "error", "a.jsonl", 7, message)]
            assert checked.gate.faults.skipped == {str(file): 1}


@pytest.mark.parametrize("value", [3, None, ["a"]])
def test_a_text_that_is_none(value, recipe, tmp_path):
    file = write_jsonl(tmp_path / "a.jsonl", [*intents("en", "train"), {"text": value, "label": "visit"}])
    checked = sibu.check(recipe("classify", files={"train": file}))
    ((kind, severity, _, row, message),) = told(checked)
    assert (severity, row) == ("error", 7)
    assert (kind, message) == {
        3: ("bad value", "'text' must be a text, given 3."),
        None: ("missing value", "'text' has no value (null)."),
    }.get(value if value != ["a"] else 0, ("bad value", "'text' must be a text, given [\"a\"]."))
    assert checked.as_json()["skipped_rows"] == {str(file): 1}
    assert checked.as_json()["tasks"]["it"]["train"]["rows"] == 6


def csv_file(path, rows, encoding="utf-8"):
    lines = ["text,label", *(f"{row['text']},{row['label']}" for row in rows)]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def test_a_faulty_line_counts_once_however_many_tasks_read_it(recipe, tmp_path):
    made = recipe("classify")
    file = tmp_path / "train.broken.jsonl"
    file.write_text(Path(made["tasks"]["it"]["data"]["train"]).read_text() + "{broken\n", encoding="utf-8")
    made["tasks"]["it"]["data"]["train"] = str(file)
    made["tasks"]["other"] = made["tasks"]["it"]
    made["tasks"]["third"] = made["tasks"]["it"] | {"fields": {"text": "text"}}
    found = sibu.check(made).as_json()
    assert [(count["kind"], count["count"]) for count in found["counts"]] == [("bad json", 1)]
    assert found["skipped_rows"] == {str(file): 1}


@pytest.mark.parametrize("split", ["train", "test"])
def test_lines_in_another_encoding(split, recipe, tmp_path):
    file = csv_file(tmp_path / "a.csv", [*intents("en", split), *intents("zh", split)[:2]], "gb18030")
    checked = sibu.check(recipe("classify", files={split: file}))
    assert not checked.sound
    assert told(checked) == [
        (
            "bad encoding",
            "error",
            "a.csv",
            row,
            f"Line {row} is not UTF-8: byte {byte} of it is 0x{code:02X}. Only UTF-8 is read.",
        )
        for row, byte, code in ((8, 7, 0xC9), (9, 1, 0xB8))
    ]
    assert checked.as_json()["skipped_rows"] == {str(file): 2}
    first, second = (fault.mend.partition("; if that is right: ") for fault in checked.gate.faults.examples)
    assert [first[0], second[0]] == [
        f"As GB18030 it reads '{word}'" for word in (f"预约医生 {split} 0,"[:10], f"付账单 {split} 1,"[:10])
    ]
    command = first[2]
    assert command == second[2]
    assert command.startswith("iconv -f GB18030 -t UTF-8 ")
    subprocess.run(command, shell=True, check=True)
    mended = tmp_path / "a.utf8.csv"
    assert str(mended) in shlex.split(command)
    checked = sibu.check(recipe("classify", files={split: mended}))
    assert told(checked) == []
    assert checked.as_json()["tasks"]["it"][split]["rows"] == 8


def test_a_whole_file_in_another_encoding(recipe, tmp_path):
    file = csv_file(tmp_path / "a.csv", intents("zh", "train"), "gb18030")
    with pytest.raises(DataError) as caught:
        sibu.check(recipe("classify", files={"train": file}))
    assert f"{file}: no row can be used" in str(caught.value)
    assert f"{file}:2: Line 2 is not UTF-8" in str(caught.value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_ragged_lines(language, recipe, tmp_path):
    comma = {"en": "yes, book it", "zh": "是,预约"}[language]
    file = csv_file(tmp_path / "a.csv", [*intents(language, "train"), {"text": comma, "label": "visit"}])
    with file.open("a") as lines:
        lines.write("bare\n")
    checked = sibu.check(recipe("classify", language, files={"train": file}))
    cells = [*comma.split(","), "visit"]
    many = f"The record has 3 cells where the header has 2 ('text', 'label'): {cells}."
    few = "The record has 1 cell where the header has 2 ('text', 'label'): ['bare']."
    assert told(checked) == [
        ("ragged line", "error", "a.csv", 8, many),
        ("ragged line", "error", "a.csv", 9, few),
    ]
    assert checked.as_json()["skipped_rows"] == {str(file): 2}
    assert checked.as_json()["tasks"]["it"]["train"]["rows"] == 6
    csv_file(file, [*intents(language, "train"), {"text": f'"{comma}"', "label": "visit"}])
    assert told(sibu.check(recipe("classify", language, files={"train": file}))) == []


def test_tags_as_bilou_are_read_as_bioes(recipe, tmp_path):
    files = {}
    for split in ("train", "dev", "test"):
        words = [["jo", "in", "old", "york", split, str(n)] for n in range(3)]
        rows = [{"tokens": own, "tags": ["U-PER", "O", "B-LOC", "L-LOC", "O", "O"]} for own in words]
        files[split] = write_jsonl(tmp_path / f"bilou.{split}.jsonl", rows)
    own = recipe("tag tokens", files=files, options={"labels": ["LOC", "PER"]})
    assert told(sibu.check(own)) == []
    write_jsonl(files["train"], [*rows, {"tokens": ["a", "b"], "tags": ["U-PER", "L-PER"]}])
    message = "'L-PER' at token 1 ('b') cannot follow 'U-PER'."
    (broken,) = [fault for fault in told(sibu.check(own)) if fault[0] != "leak"]
    assert broken == ("broken BIOES sequence", "warning", "bilou.train.jsonl", 4, message)


def test_faults_are_counted_beyond_those_that_are_shown(recipe, tmp_path):
    rows = [*intents("en", "train"), *({"text": " ", "label": "visit"} for _ in range(30))]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    found = sibu.check(recipe("classify", files={"train": file})).as_json()
    counts = {(each["kind"], each["severity"]): each["count"] for each in found["counts"]}
    assert counts == {("empty input", "error"): 30, ("duplicate", "warning"): 29}
    assert (found["errors"], found["warnings"]) == (30, 29)
    shown = [each["row"] for each in found["faults"] if each["kind"] == "empty input"]
    assert shown == list(range(7, 27))


def test_a_run_with_errors_trains_nothing(recipe, tmp_path, monkeypatch, capsys):
    file = write_jsonl(tmp_path / "a.jsonl", [*intents("zh", "train"), {"text": "", "label": "visit"}])
    own = tmp_path / "recipe.yaml"
    own.write_text(yaml.safe_dump(recipe("classify", "zh", files={"train": file})))
    out = tmp_path / "runs" / "out"
    with pytest.raises(DataError, match=f"found 1 error; nothing was trained.\n{file}:7: the text is empty."):
        sibu.run(own, out=out)
    monkeypatch.setattr(sys, "argv", ["sibu", "run", str(own), "--out", str(out), "--quiet"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{file}:7: the text is empty. Remove the row or fill in its text." in told.err
    assert not out.parent.exists()
    monkeypatch.setattr(sys, "argv", ["sibu", "check", str(own), "--quiet"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "1 error, 0 warnings" in capsys.readouterr().out


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(2, 64), min_size=1, max_size=200), st.sampled_from([64, 100, 999]), st.sampled_from([None, 3])
)
def test_steps_are_estimated_as_batches_are_cut(lengths, tokens, examples):
    own = np.array(sorted(lengths, reverse=True))
    cut = split_by_budget(np.arange(len(own)), own, Budget(tokens, examples))
    assert SplitSurvey(rows=len(own), lengths=Counter(lengths)).batches(64, tokens, examples) == len(cut)


def test_the_estimate_counts_windows():
    found = SplitSurvey(rows=2, lengths=Counter([130, 10]))  # 64 + 64 + 2 pieces, and 10
    assert found.batches(64, 64, None) == 3
    assert found.batches(64, 10_000, None) == 1
