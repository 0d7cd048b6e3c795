"""Texts to windows and back: whatever the tokenizer does to a text, places stay characters of the original."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.conftest import write_tiny_model, write_tiny_unigram

from sibu.core.errors import RecipeError
from sibu.core.example import is_cjk, join_tokens
from sibu.core.protocols import WindowOutput
from sibu.core.text import TextInput
from sibu.core.units import units
from sibu.metrics.spans import encode_tags
from sibu.modalities.text.prepare import TextPreparer
from sibu.tasks import extract, relate, tag

KINDS = ("wordpiece", "unigram")
ENGLISH = ["the", "Pain", "paris", "john's", "x", "re-use", "fevers", "don't", "mg", "Ünïcode", "A"]
CHINESE = ["北京", "头痛", "我", "预约医生", "，", "。", "《上海》", "𠮷", "カタカナ", "々"]
MIXED = ["MRI检查", "3天", "B超", "iPhone在北京"]
ODD = [
    *("😀", "👩‍⚕️", "👍🏽", "🇨🇳", "a😀b"),
    *("e\u0301", "\u0301", "q\u0323\u0307", "か\u3099", "ｶﾞ", "नमस्ते", "각", "\u1112\u1161\u11ab"),
    *("ＡＢ１２", "（全角）", "㍿", "½", "ﬁne", "①", "…", "…", "㎏", "ℌ"),
    *("\x00", "\x07", "\u200b", "\ufeff", "\u00ad", "\x1f", "\ufffd", "\u202e", "▁", "##x", "[SEP]", "</s>"),
]
GAPS = ["", " ", " ", "  ", "\t", "\n", "\u3000", "\xa0", "\u2028"]
WORD = st.sampled_from([*ENGLISH, *CHINESE, *MIXED, *ODD])
VISIBLE = WORD.filter(str.strip)
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.one_of(
    st.lists(st.tuples(WORD, st.sampled_from(GAPS)).map("".join), min_size=1, max_size=30).map("".join),
    st.text(CHARACTERS, min_size=1, max_size=40),
)
TOKENS = st.lists(VISIBLE | st.text(CHARACTERS, min_size=1, max_size=5).filter(str.strip), min_size=1, max_size=25)
SHAPE = st.sampled_from([(64, 64), (20, 6), (12, 3), (9, 2), (8, 0)])


@pytest.fixture(scope="module", params=KINDS)
def preparer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows") / request.param
    (write_tiny_model if request.param == "wordpiece" else write_tiny_unigram)(folder)
    return cache(lambda max_length, overlap: TextPreparer(folder, max_length=max_length, overlap=overlap, shapes=True))


def prepared(text, source):
    (windows,) = text.prepare([source])
    for window in windows:
        assert len(window.input_ids) <= text.max_length
        assert len(window.input_ids) == len(window.segments) == len(window.starts) == len(window.ends)
        assert all(len(array) == len(window.input_ids) for array in text.arrays(window, source).values())
    return windows


def places_of(windows):
    """Each place once, by number; a place in two windows is the same in both."""
    found = {}
    for window in windows:
        pieces = [piece for *_, piece in window.places]
        assert pieces == sorted(pieces)
        for number, start, end, piece in window.places:
            assert window.segments[piece] != 0
            assert found.setdefault(number, (start, end)) == (start, end)
    return [found[number] for number in sorted(found)]


def body(window, segment=1):
    """The pieces of one of a window's texts, each with its characters."""
    pieces = zip(window.input_ids, window.starts, window.ends, window.segments, strict=True)
    return [(number, start, end) for number, start, end, own in pieces if own == segment]


def spans_over(data, count, labels=("X", "Y-Z")):
    """Spans that do not overlap, as (label, first, last exclusive) of ``count`` places."""
    edges = sorted(data.draw(st.sets(st.integers(0, count), max_size=8)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    pairs += [(one[1], two[0]) for one, two in pairwise(pairs) if data.draw(st.booleans())]
    return [(data.draw(st.sampled_from(labels)), first, last) for first, last in sorted(pairs)]


def speaking(windows, space):
    """The numbers of the places that have a piece, and share it with no earlier place that has one."""
    found = set()
    for window in windows:
        taken = set()
        for number, start, end, piece in window.places:
            covered = window.starts[piece] < end and window.ends[piece] > start and window.input_ids[piece] != space
            if covered and piece not in taken:
                found.add(number)
                taken.add(piece)
    return sorted(found)


def perfect(task, row, windows):
    """What a head that makes no mistake says of each window."""
    targets = [task.targets(row, 0, window, gold=True)["tags"] for window in windows]
    return [
        WindowOutput(window, one_hot(target, len(task.tags))) for window, target in zip(windows, targets, strict=True)
    ]


def one_hot(numbers, classes):
    logits = np.zeros((len(numbers), classes), dtype=np.float32)
    for place, number in enumerate(numbers):
        if number >= 0:
            logits[place, number] = 9
    return logits


@settings(deadline=None, max_examples=200)
@given(text=TEXT, shape=SHAPE)
def test_every_unit_has_one_place_or_no_piece(preparer, text, shape):
    source = TextInput(text, places="units", fit="slide", split_characters=True)
    text_room = preparer(*shape)
    windows = prepared(text_room, source)
    places = places_of(windows)
    assert all(one[1] <= two[0] for one, two in pairwise(places))
    space = text_room.vocabulary.space_id
    covered = {
        character
        for window in windows
        for number, start, end in body(window)
        if number != space
        for character in range(start, end)
    }
    assert covered <= set(range(len(text)))
    borders = {edge for unit in units(text) for edge in unit}
    assert {edge for place in places for edge in place} <= borders
    for start, end in units(text):
        homes = [place for place in places if place[0] <= start and end <= place[1]]
        dropped = not covered & set(range(start, end))
        assert len(homes) == 1 if not dropped else len(homes) <= 1
    for window in windows:
        for _, start, end, piece in window.places:
            assert window.starts[piece] < end
            assert window.ends[piece] > start
            assert window.input_ids[piece] != space


@settings(deadline=None, max_examples=100)
@given(text=TEXT)
def test_units_cover_what_can_be_seen(text):
    seen = [character for start, end in units(text) for character in text[start:end]]
    assert seen == [character for character in text if not character.isspace()]
    assert all(end - start == 1 for start, end in units(text) if any(map(is_cjk, text[start:end])))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't re-use it", ["don", "'", "t", "re", "-", "use", "it"]),
        ("3天 MRI检查", ["3", "天", "MRI", "检", "查"]),
        ("cafe\u0301s e\u0323\u0301", ["cafe\u0301s", "e\u0323\u0301"]),
        ("नमस्ते", ["नमस्ते"]),
        ("ＡＢ１２，", ["ＡＢ", "１２", "，"]),
        ("头痛ok了", ["头", "痛", "ok", "了"]),
        ("a_b 10mg", ["a", "_", "b", "10", "mg"]),
        ("👍🏽ok\u3000\u200b", ["👍", "🏽", "ok", "\u200b"]),
        ("", []),
    ],
)
def test_units(text, words):
    assert [text[start:end] for start, end in units(text)] == words


@settings(deadline=None, max_examples=100)
@given(text=TEXT, pair=st.none() | TEXT)
def test_what_fits_is_encoded_as_the_tokenizer_does(preparer, text, pair):
    text_room = preparer(64, 8)
    (window,) = prepared(text_room, TextInput(text, pair=pair))
    assume(window.cut == 0)
    tokenizer = text_room.vocabulary.tokenizer
    known = tokenizer.encode(text) if pair is None else tokenizer.encode(text, pair)
    assert window.input_ids == known.ids
    assert window.segments == [0 if sequence is None else sequence + 1 for sequence in known.sequence_ids]
    if pair is not None and body(window, 2):
        assert text_room.arrays(window, TextInput(text, pair=pair))["type_ids"].tolist() == known.type_ids


@settings(deadline=None, max_examples=200)
@given(text=TEXT, shape=SHAPE)
def test_windows_overlap_as_stated_and_leave_nothing_out(preparer, text, shape):
    text_room = preparer(*shape)
    windows = prepared(text_room, TextInput(text, places="units", fit="slide", split_characters=True))
    encoded = text_room.vocabulary.split_tokenizer.encode(text, add_special_tokens=False)
    ids = encoded.ids
    room = text_room.max_length - 2
    overlap = min(shape[1], text_room.max_length // 2, room - 1)
    begins = {0}
    for number, window in enumerate(windows):
        own = [piece for piece, _, _ in body(window)]
        if number:
            begins = {start + step for start in begins for step in range(1, room - overlap + 1)}
        begins = {begin for begin in begins if ids[begin : begin + len(own)] == own}
        assert begins
        assert len(own) == room or window is windows[-1]
        assert window.cut == 0
    assert len(ids) - len(own) in begins


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(deadline=None, max_examples=150)
@given(text=TEXT, shape=SHAPE, data=st.data())
def test_spans_of_a_text_come_back(preparer, scheme, text, shape, data):
    task = tag.build(tag.TagSpec(scheme=scheme), {"reads": "BIO", "labels": ["X", "Y-Z"], "counts": {}})
    assume(text.strip())
    text_room = preparer(*shape)
    row = {"text": text}
    windows = prepared(text_room, task.inputs(row)[0])
    places = places_of(windows)
    gold = [
        {"start": places[first][0], "end": places[last - 1][1], "label": label}
        for label, first, last in spans_over(data, len(places))
    ]
    row |= {"entities": gold}
    assert list(task.check(row, [windows])) == []
    found = task.decode(row, [perfect(task, row, windows)]).value
    assert [{key: span[key] for key in ("start", "end", "label")} for span in found] == gold
    assert [span["text"] for span in found] == [text[span["start"] : span["end"]] for span in gold]


def test_a_word_is_judged_where_it_has_most_context(preparer):
    task = tag.build(tag.TagSpec(), {"reads": "BIO", "labels": ["X"], "counts": {}})
    text = "paris 北京 " * 8
    spans = [{"start": start, "end": start + 5, "label": "X"} for start in range(0, len(text), 9)]
    row = {"text": text, "entities": spans}
    windows = prepared(preparer(16, 8), task.inputs(row)[0])
    outputs = perfect(task, row, windows)
    assert len(windows) > 2
    margins = [{n: min(p, len(w.input_ids) - 1 - p) for n, _, _, p in w.places} for w in windows]
    for output, own in zip(outputs, margins, strict=True):
        for number, _, _, piece in output.window.places:
            if own[number] < max(other.get(number, 0) for other in margins):
                output.logits[piece] = -output.logits[piece]
    found = task.decode(row, [outputs]).value
    assert [{key: span[key] for key in ("start", "end", "label")} for span in found] == spans


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(deadline=None, max_examples=150)
@given(tokens=TOKENS, shape=SHAPE, data=st.data())
def test_spans_of_tokens_come_back(preparer, scheme, tokens, shape, data):
    task = tag.build(tag.TagSpec(scheme=scheme), {"reads": "BIO", "labels": ["X", "Y-Z"], "counts": {}})
    text_room = preparer(*shape)
    source = task.inputs({"tokens": tokens})[0]
    text, characters = join_tokens(tokens)
    assert source.text == text
    windows = prepared(text_room, source)
    own = speaking(windows, text_room.vocabulary.space_id)
    spans = [(label, own[first], own[last - 1] + 1) for label, first, last in spans_over(data, len(own))]
    row = {"tokens": tokens, "tags": encode_tags(spans, len(tokens), "BIO")}
    assert list(task.check(row, [windows])) == []
    found = task.decode(row, [perfect(task, row, windows)]).value
    assert [(span["label"], span["token_start"], span["token_end"]) for span in found] == spans
    for span in found:
        start, end = characters[span["token_start"]][0], characters[span["token_end"] - 1][1]
        assert (span["start"], span["end"], span["text"]) == (start, end, text[start:end])


@settings(deadline=None, max_examples=150)
@given(first=TEXT, second=TEXT, max_length=st.sampled_from([64, 20, 9, 6]))
def test_of_a_pair_cut_to_fit_each_keeps_half_the_room(preparer, first, second, max_length):
    text_room = preparer(max_length, 2)
    (window,) = prepared(text_room, TextInput(first, pair=second))
    whole = [text_room.vocabulary.tokenizer.encode(text, add_special_tokens=False).ids for text in (first, second)]
    room = max_length - text_room.vocabulary.specials(pair=True)
    kept = [[piece for piece, _, _ in body(window, segment)] for segment in (1, 2)]
    for ids, own in zip(whole, kept, strict=True):
        assert own == ids[: len(own)]
        assert len(own) >= min(len(ids), room // 2)
    assert window.cut == sum(map(len, whole)) - sum(map(len, kept))
    assert window.cut == 0 or sum(map(len, kept)) == room


@settings(deadline=None, max_examples=150)
@given(question=TEXT, context=TEXT, shape=st.sampled_from([(64, 64), (24, 6), (16, 4), (12, 3)]), data=st.data())
def test_an_answer_comes_back(preparer, question, context, shape, data):
    task = extract.build(extract.ExtractSpec(), {"no_answer": False})
    text_room = preparer(*shape)
    row = {"question": question, "context": context}
    windows = prepared(text_room, task.inputs(row)[0])
    places = places_of(windows)
    assume(places)
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, len(places) - 1))
    start, end = places[first][0], places[last][1]
    room = text_room.max_length - text_room.vocabulary.specials(pair=True)
    asked, read = (
        text_room.vocabulary.split_tokenizer.encode(text, add_special_tokens=False) for text in (question, context)
    )
    kept = len(body(windows[0]))
    assert kept >= min(len(asked.ids), room // 2)
    assert windows[0].cut == len(asked.ids) - kept
    row |= {"answers": [{"text": context[start:end], "start": start}]}
    shared = min(text_room.overlap, room - kept - 1)
    faults = [kind for kind, *_ in task.check(row, [windows]) if not kind.startswith("empty")]
    if len(windows) > 1 and sum(low < end and high > start for low, high in read.offsets) > shared + 1:
        assert faults in ([], ["answer in no window"])
    else:
        assert faults == []
    if faults:
        return
    outputs = []
    for window in windows:
        logits = np.zeros((len(window.input_ids), 2), dtype=np.float32)
        learned = task.targets(row, 0, window, gold=True)["places"]
        if learned[0] >= 0:  # else the window holds a part of the answer
            logits[learned, [0, 1]] = 9
        outputs.append(WindowOutput(window, logits))
    assert task.decode(row, [outputs]).value == {"text": context[start:end], "start": start, "end": end}


def test_an_answer_with_blanks_around_is_learned(preparer):
    task = extract.build(extract.ExtractSpec(), {"no_answer": True})
    for context, text in (("john works at paris today", " paris "), ("他在 北京 上海。", " 北京 ")):
        row = {"question": "where", "context": context, "answers": [{"text": text, "start": context.index(text)}]}
        (window,) = prepared(preparer(64, 8), task.inputs(row)[0])
        first, last = task.targets(row, 0, window, gold=True)["places"]
        assert context[window.starts[first] : window.ends[last]] == text.strip()


@settings(deadline=None, max_examples=150)
@given(text=TEXT, max_length=st.sampled_from([64, 24, 14, 9]), types=st.booleans(), data=st.data())
def test_both_entities_are_in_the_window(preparer, text, max_length, types, data):
    task = relate.build(relate.RelateSpec(), {"labels": ["r"], "classes": ["", "r>"], "mark_types": types})
    assume(text.strip())
    edges = sorted({edge for unit in units(text) for edge in unit})
    entities = []
    for label in ("x", None):
        start, end = sorted(data.draw(st.lists(st.sampled_from(edges), min_size=2, max_size=2, unique=True)))
        entities.append({"start": start, "end": end, "label": label})
    row = {"text": text, "entities": entities}
    text_room = preparer(max_length, 2)
    (source,) = task.inputs(row)
    assert [source.text[start:end] for start, end in source.places] == ["@", "#"]
    (window,) = prepared(text_room, source)
    offsets = text_room.vocabulary.split_tokenizer.encode(source.text, add_special_tokens=False).offsets
    pieces = [
        next(place for place, (low, high) in enumerate(offsets) if low <= start < high) for start, _ in source.places
    ]
    far = max(pieces) - min(pieces) + 1 > max_length - 2
    faults = [kind for kind, *_ in task.check(row, [[window]])]
    assert faults == (["entities far apart"] if far else [])
    if not far:
        marks = task.targets(row, 0, window, gold=False)["marks"]
        assert [source.text[window.starts[mark] : window.ends[mark]] for mark in marks] == ["@", "#"]


def test_windows_too_small_for_a_pair_are_refused(preparer):
    fewest = preparer(64, 8).vocabulary.specials(pair=True) + 2
    preparer(fewest, 8)
    for max_length in (1, fewest - 1):
        with pytest.raises(RecipeError, match=f"max_length is {max_length}, .* Give {fewest} or more"):
            preparer(max_length, 8)
    with pytest.raises(RecipeError, match=r"max_length is 65, but the model takes at most 64 pieces\. Give 64 or less"):
        preparer(65, 8)
