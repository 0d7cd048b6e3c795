"""Every way keeps spans on what they mark, tags on their tokens, and the rest of a row as it was."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.augmenters import AUGMENTERS
from sibu.augmenters.delete import DeleteSpec
from sibu.augmenters.entities import EntitiesSpec
from sibu.augmenters.entities.mentions import _chunks
from sibu.augmenters.keyboard import KeyboardSpec, beside
from sibu.augmenters.spelling import SpellingSpec
from sibu.augmenters.swap import SwapSpec
from sibu.augmenters.synonyms import SynonymsSpec
from sibu.core.errors import RecipeError
from sibu.metrics.spans import decode_tags

WORDNET = {
    "index.noun": "  1 a licence line\ncar n 2 0 2 2 00000010 00000020\nauto n 1 0 1 1 00000010\n",
    "data.noun": "  1 a licence line\n00000010 06 n 02 car 0 auto 0 000 | a\n00000020 06 n 02 car 0 tram 0 000 | b\n",
    "index.verb": "buy v 1 0 1 1 00000030\n",
    "data.verb": "00000030 40 v 03 buy 0 purchase 0 take_in 0 000 | c\n",
    "index.adj": "big a 1 0 1 1 00000040\n",
    "data.adj": "00000040 00 a 02 big(a) 0 large 0 000 | d\n",
    "index.adv": "",
    "data.adv": "",
}


@pytest.fixture(scope="module")
def wordnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("wordnet")
    for name, text in WORDNET.items():
        (home / name).write_text(text)
    return home


def way(spec: Any, rows: list[dict] | None = None) -> Any:
    found = AUGMENTERS.of(spec).build(spec)
    found.learn(rows or [])
    return found


WAYS = [DeleteSpec(share=0.4), SwapSpec(share=0.4), SpellingSpec(share=0.4), KeyboardSpec(share=0.4)]
WORDS = st.sampled_from(["please", "book", "aspirin", "in", "北京", "，", "!", "12", "Paris", "头痛", "tomorrow", "x"])

TAGS = st.sampled_from(["O", "O", "B-a", "I-a", "B-b", "S-a", "E-b"])


@st.composite
def marked(draw: st.DrawFn) -> dict[str, Any]:
    """A text of words with blanks or none between them, some of them marked."""
    text, spans = "", []
    for word in draw(st.lists(WORDS, min_size=1, max_size=14)):
        if draw(st.booleans()):
            spans.append({"start": len(text), "end": len(text) + len(word), "label": draw(st.sampled_from("ab"))})
        text += word + draw(st.sampled_from(["", " ", " ", "  "]))
    return {"id": 7, "text": text, "entities": spans}


@given(row=marked(), seed=st.integers(0, 99), spec=st.sampled_from(WAYS))
@settings(deadline=None, max_examples=300)
def test_spans_stay_on_what_they_mark(row: dict, seed: int, spec: Any) -> None:
    made = way(spec)(row, Random(seed))
    if made is None:
        return
    assert made["text"] != row["text"]
    assert made["id"] == 7
    for old, new in zip(row["entities"], made["entities"], strict=True):
        assert made["text"][new["start"] : new["end"]] == row["text"][old["start"] : old["end"]]
        assert new["label"] == old["label"]


@pytest.mark.parametrize("start", [-1, 0, 17, 99])
def test_answers_without_their_place_are_kept_where_they_are_learned(start: int) -> None:
    row = {"context": "Give the patient aspirin now or never", "answers": [{"text": "aspirin", "start": start}]}
    for seed in range(40):
        made = way(DeleteSpec(share=0.6))(row, Random(seed))
        assert made is not None
        (answer,) = made["answers"]
        assert made["context"][answer["start"] :].startswith("aspirin")
    lost = row | {"answers": [{"text": "ibuprofen", "start": start}]}
    made = way(DeleteSpec(share=0.6))(lost, Random(1))
    assert made is not None
    assert made["answers"] == lost["answers"]


def test_what_a_span_says_is_what_stands_there() -> None:
    rows = [
        {"text": f"{name} lives here", "entities": [{"start": 0, "end": len(name), "label": "a", "text": name}]}
        for name in ("Anna", "上海的王先生")
    ]
    made = way(EntitiesSpec(), rows)(rows[0], Random(1))
    assert made == {
        "text": "上海的王先生 lives here",
        "entities": [{"start": 0, "end": 6, "label": "a", "text": "上海的王先生"}],
    }


@given(row=marked(), seed=st.integers(0, 99), share=st.sampled_from([0.2, 1.0]))
@settings(deadline=None, max_examples=300)
def test_other_entities_of_the_same_label_stand_in_their_place(row: dict, seed: int, share: float) -> None:
    known = [{"text": "Rome and 上海 now", "entities": [_span(0, 4, "a"), _span(9, 11, "b")]}, row]
    made = way(EntitiesSpec(share=share), known)(row, Random(seed))
    mentions: dict[str, set[str]] = {"a": {"Rome"}, "b": {"上海"}}
    for span in row["entities"]:
        mentions[span["label"]].add(row["text"][span["start"] : span["end"]])
    if made is None:
        assert not row["entities"] or all(len(mentions[s["label"]]) == 1 for s in row["entities"]) or share < 1
        return
    ends = [(0, 0), *((s["start"], s["end"]) for s in made["entities"])]
    olds = [(0, 0), *((s["start"], s["end"]) for s in row["entities"])]
    for number, (old, new) in enumerate(zip(row["entities"], made["entities"], strict=True), 1):
        assert made["text"][new["start"] : new["end"]] in mentions[old["label"]]
        between = made["text"][ends[number - 1][1] : new["start"]]
        assert between == row["text"][olds[number - 1][1] : old["start"]]


def _span(start: int, end: int, label: str) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


@given(
    pairs=st.lists(
        st.tuples(WORDS, st.sampled_from(["O", "O", "B-a", "I-a", "B-b", "S-a", "E-b"])), min_size=1, max_size=12
    ),
    seed=st.integers(0, 99),
    spec=st.sampled_from([*WAYS, EntitiesSpec(share=1.0)]),
)
@settings(deadline=None, max_examples=300)
def test_tags_stay_on_their_tokens(pairs: list[tuple[str, str]], seed: int, spec: Any) -> None:
    tokens, tags = map(list, zip(*pairs, strict=True))
    row = {"tokens": tokens, "tags": tags}
    made = way(spec, [{"tokens": ["New", "York"], "tags": ["B-a", "I-a"]}, row])(row, Random(seed))
    if made is None:
        return
    assert len(made["tokens"]) == len(made["tags"]) > 0
    if spec.name != "entities":
        marked_before = [(t, g) for t, g in pairs if g != "O"]
        assert [(t, g) for t, g in zip(made["tokens"], made["tags"], strict=True) if g != "O"] == marked_before
    else:
        assert [t for t, g in pairs if g == "O"] == [
            t for t, g in zip(made["tokens"], made["tags"], strict=True) if g == "O"
        ]


@given(tags=st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=10))
def test_entities_of_tags_are_those_that_the_metrics_count(tags: list[str]) -> None:
    """With tags that begin where they should; stray ones are taken as they stand."""
    sound = [
        g if not g.startswith("I") or (n and tags[n - 1][2:] == g[2:]) else f"B{g[1:]}" for n, g in enumerate(tags)
    ]
    assert [(label, s, e) for label, s, e in _chunks(sound)] == sorted(decode_tags(sound, "BIO"), key=lambda c: c[1])


def test_synonyms_are_of_the_commonest_sense_and_keep_capitals(wordnet: Path) -> None:
    change = way(SynonymsSpec(folder=str(wordnet), share=0.9))
    made = change({"text": "Buy a BIG car, 北京"}, Random(1))
    assert made["text"] == "Purchase a LARGE auto, 北京"
    assert change({"text": "nothing here"}, Random(1)) is None


def test_wordnet_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"index.noun is missing\). Install it \(`apt install wordnet-base`\)"):
        way(SynonymsSpec(folder=str(tmp_path)))


def test_an_answer_in_a_context_is_never_touched() -> None:
    context = "the doctor said take aspirin twice every day please"
    row = {"question": "what should we take", "context": context, "answers": [{"text": "aspirin", "start": 21}]}
    for seed in range(30):
        made = way(DeleteSpec(share=0.5))(row, Random(seed))
        (answer,) = made["answers"]
        assert made["context"][answer["start"] :].startswith("aspirin")


def test_letters_lie_beside_each_other_both_ways() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert set(beside("a")) == set("qwsz")
    assert all(a in beside(b) for a in letters for b in beside(a))


def test_a_text_is_never_emptied() -> None:
    for text in ("one", "one two", "我", "我你"):
        for seed in range(20):
            made = way(DeleteSpec(share=0.99))({"text": text}, Random(seed))
            assert made is None or made["text"].strip()


@pytest.mark.parametrize("text", ["please move my appointment to monday", "我 要 改 时间", "one two"])
def test_what_is_deleted_takes_its_blanks(text: str) -> None:
    for seed in range(60):
        made = way(DeleteSpec(share=0.6))({"text": text}, Random(seed))
        assert made is not None
        assert made["text"] == " ".join(made["text"].split()), "no blank at an end, none twice"


def test_the_same_draws_give_the_same() -> None:
    row = {"text": "please move my appointment to monday morning"}
    for spec in WAYS:
        assert way(spec)(row, Random(3)) == way(spec)(row, Random(3))
