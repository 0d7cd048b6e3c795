"""Rules over labels: as they are written, as a penalty against brute force, as answers against brute force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sibu.core.errors import RecipeError
from sibu.core.knowing import Options
from sibu.core.result import Prediction
from sibu.knowledge.label_rules import LabelRulesSpec, build
from sibu.knowledge.label_rules.rules import LabelRules
from sibu.knowledge.label_rules.text import All, Any, No, NoRule, Says, atoms, holds, parse
from sibu.tasks.classify.options import OneLabel, SeveralLabels
from sibu.tasks.tag.decode import legal_moves, tag_names
from sibu.tasks.tag.options import Stretches

LABELS = {"intent": ("book", "cancel", "pay"), "topics": ("money", "health"), "entities": ("drug", "人")}
EXCLUSIVE = {"intent": True, "topics": False, "entities": False}
ATOMS = [Says(task, label) for task, labels in LABELS.items() for label in labels]


def rules(*texts: str) -> LabelRules:
    found = build(LabelRulesSpec(rules=texts), LABELS, EXCLUSIVE)
    assert isinstance(found, LabelRules)
    return found


def test_a_rule_is_read() -> None:
    a, b, c = Says("intent", "book"), Says("topics", "money"), Says("entities", "人")
    assert parse("intent = book -> not topics = money") == Any((No(a), No(b)))
    assert parse("intent=book and topics has money or entities lacks 人") == Any((All((a, b)), No(c)))
    assert parse("非 (intent = 'book' 且 entities 有 人)") == No(All((a, c)))
    assert parse('"my task" = "a -> b"') == Says("my task", "a -> b")
    assert parse("intent in (book, pay) <-> topics = money") == parse(
        "(intent in (book, pay) -> topics = money) and (topics = money -> intent in (book, pay))"
    )
    assert parse("a = x-y->b = c.d") == Any((No(Says("a", "x-y")), Says("b", "c.d")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("intent = book ->", "ends where a task"),
        ("intent book", r"has 'book' at character 8 where `=`, `!=`, `in`, `has` or `lacks`"),
        ("(intent = book", r"ends where `\)` is expected"),
        ("intent = book topics = money", "at character 15 where `and`, `or`, `->` or the end"),
        ("intent = 'book", "open quote"),
    ],
)
def test_what_is_no_rule_says_where(text: str, said: str) -> None:
    with pytest.raises(NoRule, match=said):
        parse(text)


def test_a_text_of_rules_has_one_a_line() -> None:
    spec = LabelRulesSpec.model_validate(
        {"rules": "# none\nintent = book -> topics = health\n\nentities lacks 人 # no\n"}
    )
    assert spec.rules == ("intent = book -> topics = health", "entities lacks 人")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        rules("intnt = book", "intent = bok -> topics = drug")
    said = [str(fault) for fault in caught.value.faults]
    assert said[0].startswith("rules.0: names the task 'intnt'") and "Did you mean 'intent'?" in said[0]
    assert said[1].startswith("rules.1: names 'bok', no label of intent. Did you mean 'book'?")
    assert "'drug', no label of topics. It is a label of entities." in said[2]


def test_rules_that_cannot_be_kept_are_told() -> None:
    with pytest.raises(RecipeError, match=r"rules.0: `intent = book and intent = pay` holds of no answer"):
        rules("intent = book and intent = pay")
    with pytest.raises(RecipeError, match=r"rules.0: .* holds whatever the answer is"):
        rules("intent = book or intent != book")
    with pytest.raises(RecipeError, match="they contradict one another"):
        rules("topics = money", "entities has drug -> topics lacks money", "entities has drug")
    with pytest.raises(RecipeError, match="no input can ever have intent = book"):
        rules("intent = book -> topics = money", "intent = book -> topics lacks money")


def formulas() -> st.SearchStrategy[object]:
    atom = st.sampled_from(ATOMS)
    return st.recursive(
        atom,
        lambda part: st.one_of(
            part.map(No),
            st.lists(part, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
            st.lists(part, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts))),
        ),
        max_leaves=5,
    )


def worlds() -> Iterator[dict[str, frozenset[str]]]:
    several = [[frozenset(s for s, k in zip(own, keep, strict=True) if k) for keep in product((0, 1), repeat=len(own))]
               for own in (LABELS["topics"], LABELS["entities"])]  # fmt: skip
    for intent, topics, entities in product(LABELS["intent"], *several):
        yield {"intent": frozenset({intent}), "topics": topics, "entities": entities}


def kept(parts: list[object], world: Mapping[str, frozenset[str]]) -> bool:
    return all(holds(each, lambda atom: atom.label in world[atom.task]) for each in parts)  # type: ignore[arg-type]


def made(parts: list[object]) -> LabelRules:
    used = list(dict.fromkeys(atom.task for each in parts for atom in atoms(each)))  # type: ignore[arg-type]
    return LabelRules(
        [str(each) for each in parts],
        parts,  # type: ignore[arg-type]
        {name: LABELS[name] for name in used},
        {name: EXCLUSIVE[name] for name in used},
    )


@given(st.lists(formulas(), min_size=1, max_size=3), st.integers(0, 10_000))
def test_the_penalty_is_the_semantic_loss(parts: list[object], seed: int) -> None:
    assume(any(kept(parts, world) for world in worlds()))  # others are refused
    draw = torch.Generator().manual_seed(seed)
    known = made(parts)
    logits = {name: torch.randn(2, len(own), generator=draw, requires_grad=True) for name, own in LABELS.items()}
    chances = {}
    for name in known.tasks:
        own = logits[name]
        both = torch.stack([torch.nn.functional.logsigmoid(-own), torch.nn.functional.logsigmoid(own)], -1)
        chances[name] = torch.log_softmax(own, -1) if EXCLUSIVE[name] else both
    found = known.penalty(chances)
    assert found is not None
    wanted = []
    for row in range(2):
        whole = torch.zeros((), dtype=torch.float64)
        for world in worlds():
            if kept(parts, world):
                chance = torch.softmax(logits["intent"][row].double(), -1)[LABELS["intent"].index(*world["intent"])]
                for name in ("topics", "entities"):
                    for place, label in enumerate(LABELS[name]):
                        p = torch.sigmoid(logits[name][row, place].double())
                        chance = chance * (p if label in world[name] else 1 - p)
                whole = whole + chance
        wanted.append(-torch.log(whole))
    assert found.item() == pytest.approx(torch.stack(wanted).mean().item(), abs=1e-4)
    found.backward()
    assert all(each.grad is None or bool(torch.isfinite(each.grad).all()) for each in logits.values())


def answered(seed: int) -> Mapping[str, Options]:
    draw = np.random.default_rng(seed)
    tags = tag_names(LABELS["entities"], "BIO")
    logs = [row - np.logaddexp.reduce(row) for row in (draw.normal(size=3), *draw.normal(size=(3, len(tags))))]
    plain = Prediction(None)
    return {
        "intent": OneLabel(LABELS["intent"], logs[0], plain),
        "topics": SeveralLabels(LABELS["topics"], draw.normal(size=2), plain),
        "entities": Stretches(tags, np.stack(logs[1:]), legal_moves(tags, "BIO"), lambda _: plain),
    }


def score(options: Mapping[str, Options], world: Mapping[str, frozenset[str]]) -> float:
    """The log probability of the best answers with exactly these labels."""
    total = 0.0
    for name, own in options.items():
        best = own.best({label: label in world[name] for label in LABELS[name]})
        total += -np.inf if best is None else best[0]
    return total


@given(st.lists(formulas(), min_size=1, max_size=3), st.integers(0, 10_000))
def test_the_answers_are_the_likeliest_that_keep_the_rules(parts: list[object], seed: int) -> None:
    known, options = made(parts), answered(seed)
    own = {name: options[name] for name in known.tasks}
    able = [world for world in worlds() if kept(parts, world)]
    best = max((score(own, world) for world in able), default=-np.inf)
    told = known.obeyed(own)
    decided = {name: {} for name in own} if told is None else told.decided
    found = {name: each.best(decided[name]) for name, each in own.items()}
    said = {name: each[1] for name, each in found.items() if each is not None}
    keeps = kept(parts, said)
    if best == -np.inf:
        assert told is None
    else:
        assert keeps
        assert sum(each[0] for each in found.values() if each is not None) == pytest.approx(best)
        assert told is None or told.broken


@given(st.integers(1, 4), st.dictionaries(st.sampled_from(["a", "b", "c"]), st.booleans()), st.integers(0, 999))
def test_a_tag_sequence_is_the_best_legal_one_with_its_kinds(words: int, decided: dict[str, bool], seed: int) -> None:
    tags = tag_names(("a", "b", "c"), "BIO")
    begin, follow, end = moves = legal_moves(tags, "BIO")
    chances = np.random.default_rng(seed).normal(size=(words, len(tags)))
    found = Stretches(tags, chances, moves, lambda _: Prediction(None)).best(decided)
    best = -np.inf
    for path in product(range(len(tags)), repeat=words):
        legal = begin[path[0]] and end[path[-1]] and all(follow[i, j] for i, j in pairwise(path))
        kinds = {tags[tag][2:] for tag in path} - {""}
        if legal and all((kind in kinds) == value for kind, value in decided.items()):
            best = max(best, chances[range(words), path].sum())
    assert (-np.inf if found is None else found[0]) == pytest.approx(best)


def test_rules_with_too_many_ways_are_learned_one_by_one() -> None:
    labels = {"many": tuple(f"l{number}" for number in range(40))}
    texts = tuple(f"not (many = l{number} and many = l{number + 1})" for number in range(39))
    known = build(LabelRulesSpec(rules=texts), labels, {"many": False})
    logits = torch.full((1, 40), 0.0)
    both = torch.stack([torch.nn.functional.logsigmoid(-logits), torch.nn.functional.logsigmoid(logits)], -1)
    found = known.penalty({"many": both})
    assert found is not None
    assert found.item() == pytest.approx(-39 * np.log(3 / 4), abs=1e-3)
