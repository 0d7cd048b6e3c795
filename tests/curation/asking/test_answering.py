"""Questions over the clinic, in both languages: what is answered is so, proved, and what cannot be is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sibu
from sibu.checker import Checker
from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Triple, Value, proof_of
from sibu.core.names import RDF, RDFS
from sibu.curation.asking.answering import Answerer
from sibu.curation.asking.replies import told
from sibu.graph import KnowledgeBase
from tests.curation.clinic import BASE, NOTES, e, fact, make, put_rules


@pytest.fixture(scope="module")
def clinic(inferred: Path) -> Iterator[tuple[KnowledgeBase, Answerer]]:
    with KnowledgeBase.open(inferred) as kb:
        yield kb, Answerer(kb)


def asked(clinic: tuple[KnowledgeBase, Answerer], question: str) -> dict[str, Any]:
    kb, answerer = clinic
    return told(kb, answerer, answerer.ask(question))


WHICH = [
    ("Which drugs does Anna Berg take?", "Lunarin; Tendrin; Velorin"),
    ("What does anna take?", "Lunarin; Tendrin; Velorin"),
    ("Which medicines are taken by Anna Berg?", "Lunarin; Tendrin; Velorin"),
    ("Who takes Marisol?", "Chen Wei"),
    ("Which drugs may cause thirst?", "Marisol; Solvex"),
    ("What symptoms does Bob Lind have?", "thirst"),
    ("Where does Anna Berg lie?", "Room 3"),
    ("How old is Chen Wei?", "66"),
    ("Which patients are older than 70?", "Anna Berg; Dora Holm"),
    ("Which patients are at least 66 years old?", "Anna Berg; Chen Wei; Dora Holm"),
    ("Who is the oldest patient?", "Dora Holm"),
    ("Which patients do not take Marisol?", "Anna Berg; Bob Lind; Dora Holm"),
    ("Which symptoms may be caused by drugs that Bob Lind takes?", "thirst"),
    ("Which drugs that Anna Berg takes interact with Solvex?", "Lunarin"),
    ("Which drugs do Anna Berg and Dora Holm both take?", "Tendrin"),
    ("Which drugs does Lunarim interact with?", "Solvex"),
    ("Which drugs are contraindicated for Bob Lind?", "Lunarin"),
    ("Which patients are older than 90?", "none"),
    ("安娜服用哪些药？", "月宁; 藤定; 维络"),
    ("Anna Berg服用哪些药？", "月宁; 藤定; 维络"),
    ("安娜吃什么药物？", "月宁; 藤定; 维络"),
    ("哪些病人服用海舒？", "陈伟"),
    ("服用晴暖的病人有哪些？", "鲍勃; 陈伟"),
    ("月宁可能引起什么症状？", "头晕"),
    ("鲍勃有什么症状？", "口渴"),
    ("安娜住在哪里？", "三号房"),
    ("谁住在三号房？", "安娜; 陈伟"),
    ("陈伟多大？", "66"),
    ("年龄大于70岁的病人有哪些？", "安娜; 朵拉"),
    ("年龄最小的病人是谁？", "鲍勃"),
    ("哪些病人不服用海舒？", "安娜; 鲍勃; 朵拉"),
    ("鲍勃服用的药可能引起哪些症状？", "口渴"),
    ("与晴暖相互作用的药有哪些？", "月宁"),
    ("安娜和朵拉都服用什么药？", "藤定"),
    ("安娜和朵拉两人都服用什么药？", "藤定"),
    ("服用晴暖的60岁以上的病人有哪些？", "陈伟"),
    ("Which patients that take Solvex are over 60?", "Chen Wei"),
    ("What are all the drugs that Anna Berg takes?", "Lunarin; Tendrin; Velorin"),
    ("安娜服用的所有药是什么？", "月宁; 藤定; 维络"),
    ("Which patients are older than sixty-nine?", "Anna Berg; Dora Holm"),
    ("年龄大于六十九岁的病人有哪些？", "安娜; 朵拉"),
    ("Which patients are older than 1,000?", "none"),
    ("Which patients have an age less than or equal to 66?", "Bob Lind; Chen Wei"),
    ("Which patients have an age greater than or equal to 66?", "Anna Berg; Chen Wei; Dora Holm"),
    ("年龄小于等于66岁的病人有哪些？", "鲍勃; 陈伟"),
    ("年龄大于或等于66岁的病人有哪些？", "安娜; 陈伟; 朵拉"),
    ("年龄大于等于66岁的病人有哪些？", "安娜; 陈伟; 朵拉"),
]
NUMBERS = [
    ("How many drugs does Anna Berg take?", 3),
    ("How many patients are there?", 4),
    ("How many patients take Tendrin?", 2),
    ("安娜服用几种药？", 3),
    ("有多少个病人？", 4),
    ("有多少病人服用藤定？", 2),
    ("几只病人服用藤定？", 2),
]
WHETHER = [
    ("Does Bob Lind take Solvex?", True),
    ("Does Bob Lind take Lunarin?", False),
    ("Is Anna Berg a senior?", True),
    ("Is Bob Lind a senior?", False),
    ("Is Anna Berg older than 70?", True),
    ("Is Bob Lind older than 70?", False),
    ("Does Anna Berg take a calmer?", True),
    ("鲍勃服用晴暖吗？", True),
    ("鲍勃是否服用月宁？", False),
    ("月宁是安神药吗？", True),
    ("海舒是不是安神药？", False),
    ("陈伟有没有服用晴暖？", True),
]
OPEN = [
    "What is the blood type of Anna Berg?",
    "Does Anna Berg take aspirin?",
    "Who is the king of France?",
    "Which drugs does Anna Berg not take and which does she like?",
    "Why does Bob Lind take Solvex?",
    "Is Anna Berg taking Lunarin or Solvex?",
    "Which drugs is Dora Holm cleared for?",
    "安娜的血型是什么？",
    "安娜服用阿司匹林吗？",
    "法国的国王是谁？",
    "鲍勃为什么服用晴暖？",
    "朵拉获准使用什么药？",
    "朵拉有什么症状？",
    "安娜服用的是月宁还是晴暖？",
    "Do all patients take Solvex?",
    "Does Anna Berg take every drug?",
    "Which patients take every drug?",
    "所有病人都服用晴暖吗？",
    "病人都服用晴暖吗？",
    "服用所有药的病人有哪些？",
    "Which patients take only Solvex?",
    "Does Bob Lind only take Solvex?",
    "Which drugs does only Anna Berg take?",
    "哪些病人只服用晴暖？",
    "仅服用晴暖的病人有哪些？",
    "鲍勃只服用晴暖吗？",
    "哪些病人服用两种药？",
    "Is Anna Berg the oldest patient?",
    "Is Bob Lind the youngest?",
    "安娜是年龄最大的病人吗？",
    "安娜最年长吗？",
    "Does Bob Lind take Solvex? Does Bob Lind take Lunarin?",
    "鲍勃服用晴暖吗？安娜服用晴暖吗？",
    "Which patients are older than 12,34?",
    "😀😀",
    "؟ ما هذا",
    "Which?",
    "什么",
]


@pytest.mark.parametrize(("question", "said"), WHICH)
def test_which(clinic: tuple[KnowledgeBase, Answerer], question: str, said: str) -> None:
    found = asked(clinic, question)
    assert (found["status"], sorted(found["said"].split("; "))) == ("answered", sorted(said.split("; ")))
    assert all(each["verdict"] == "accepted" and each["sources"] for each in found["answers"])
    assert len(found["answers"]) == len(found["value"])


@pytest.mark.parametrize(("question", "number"), NUMBERS)
def test_how_many(clinic: tuple[KnowledgeBase, Answerer], question: str, number: int) -> None:
    found = asked(clinic, question)
    assert found["value"] == number
    assert found["over"]["facts"] == number, "it carries what was counted"
    assert [each["verdict"] for each in found["answers"]] == ["accepted"]


@pytest.mark.parametrize(("question", "so"), WHETHER)
def test_whether(clinic: tuple[KnowledgeBase, Answerer], question: str, so: bool) -> None:
    found = asked(clinic, question)
    assert (found["value"], found["said"]) == (so, "yes" if so else "no")
    assert all(each["verdict"] == "accepted" for each in found["answers"])
    if not so:
        assert found["over"]["facts"], "a no carries what it was looked for among"


@pytest.mark.parametrize("question", OPEN)
def test_what_cannot_be_answered_is_not(clinic: tuple[KnowledgeBase, Answerer], question: str) -> None:
    found = asked(clinic, question)
    assert (found["status"], found["value"], found["answers"]) == ("not known", None, [])
    assert found["needed"], "it says what is missing"


PIECES = [*"安娜服用哪些药？月宁吗几种不和", " which", " Anna", " take", " not", " of", " 3", " "]


def test_what_is_missing_is_told(clinic: tuple[KnowledgeBase, Answerer]) -> None:
    found = asked(clinic, "Does Anna Berg take lunarxin or not?")
    assert any("'lunarxin'" in line or "Lunarin" in line for line in found["needed"])
    found = asked(clinic, "What is the colour of Anna Berg?")
    assert found["needed"][0].startswith("Nothing here is called 'colour'")
    assert "Of Anna Berg is known: age," in found["needed"][1]
    found = asked(clinic, "Which drugs is Dora Holm cleared for?")
    assert "There is no fact as answer(X) :- is cleared for(Dora Holm, X)." in found["needed"]
    found = asked(clinic, "Which drugs are contraindicated for Dora Holm?")
    assert found["why_not"]["missing"][0]["rule"]["id"] == "clinic:interaction", "the closest rule"


def test_a_proof_is_one_for_a_checker_of_its_own(clinic: tuple[KnowledgeBase, Answerer]) -> None:
    _, answerer = clinic
    reply = answerer.ask("Which drugs are contraindicated for Bob Lind?")
    one = reply.ones[0]
    checker = Checker([*answerer.reasoning.certain, one.rule], answerer.prover.asserted)
    checker.check(proof_of(one.proved.proof.to_json()), one.proved.fact)
    sources = {source.document for step in one.proved.proof for source in step.sources}
    assert {"patients.csv", "interactions.tsv"} <= sources
    assert one.term == e("lunarin")


def test_the_plan_is_told_in_words(clinic: tuple[KnowledgeBase, Answerer]) -> None:
    plan = asked(clinic, "Which patients who lie in Room 3 take Solvex?")["plan"]
    assert plan["rule"] == "answer(X) :- lies in(X, Room 3), takes(X, Solvex)."
    assert [(each["text"], each["as"]) for each in plan["read"]] == [
        ("patients", "patient"), ("lie in", "lies in"), ("Room 3", "Room 3"), ("take", "takes"), ("Solvex", "Solvex"),
    ]  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_words_are_answered_or_refused(clinic: tuple[KnowledgeBase, Answerer], question: str) -> None:
    if not question.strip():
        with pytest.raises(DataError, match="The question is empty"):
            asked(clinic, question)
        return
    found = asked(clinic, question)
    assert found["status"] in ("answered", "not known", "ambiguous")
    assert all(each["verdict"] == "accepted" for each in found["answers"])


# ---- other knowledge bases -------------------------------------------------------------------------------------------


def test_names_without_labels_are_read_from_iris(tmp_path: Path) -> None:
    kb = make(tmp_path / "kb", [fact("anna", "worksFor", "acme_labs"), fact("acme_labs", "locatedIn", "oslo")])
    assert sibu.ask(kb, "Who works for acme labs?")["said"] == "anna"
    assert sibu.ask(kb, "Where is acme labs located?")["said"] == "oslo"
    assert sibu.ask(kb, "Where is the firm that Anna works for located?")["status"] == "not known", "`firm` is unknown"
    assert sibu.ask(kb, "安娜为谁工作？")["status"] == "not known", "nothing is named in Chinese here"


def test_what_kind_of_thing_a_thing_is(tmp_path: Path) -> None:
    kb = make(
        tmp_path / "kb", [fact("bird", "isa", "animal"), fact("fungus", "causes", "rot"), fact("b", "produces", "x")]
    )
    assert sibu.ask(kb, "Is a bird an animal?")["value"] is True
    assert sibu.ask(kb, "Are birds a kind of fungus?")["value"] is False
    assert sibu.ask(kb, "What do fungi cause?")["said"] == "rot"
    found = sibu.ask(kb, "What do fungi produce?")
    assert found["status"] == "not known", "`produces` is a relation of its own here, and not `causes` in other words"


def test_a_relation_said_the_other_way_round(tmp_path: Path) -> None:
    kb = make(tmp_path / "kb", [fact("lung", "location_of", "cell"), fact("cell", "location_of", "gene")])
    assert sibu.ask(kb, "What is located in a cell?")["said"] == "gene"
    assert sibu.ask(kb, "What is the location of a cell?")["said"] == "lung"


def test_one_name_of_two_things_is_asked_back(tmp_path: Path) -> None:
    label = Entity(RDFS + "label")
    facts = [Triple(e(name), label, Value("Mercury", RDF + "langString", "en")) for name in ("planet", "metal")]
    facts += [fact("planet", "foundIn", "space"), fact("metal", "foundIn", "ore"), fact("metal", "weight", 200)]
    kb = make(tmp_path / "kb", facts)
    found = sibu.ask(kb, "Where is Mercury found?")
    assert found["status"] == "ambiguous"
    assert {each["said"] for each in found["readings"]} == {"space", "ore"}
    assert "metal, planet" in found["needed"][0]
    assert sibu.ask(kb, "What is the weight of Mercury?")["said"] == "200", "one of them alone has a weight"


def test_silence_is_no_no(tmp_path: Path) -> None:
    kb = make(tmp_path / "kb", [fact("anna", "takes", "a"), fact("bob", "age", 7), fact("b", "costs", 3)])
    assert sibu.ask(kb, "Does anna take b?")["value"] is False
    assert sibu.ask(kb, "Does bob take b?")["status"] == "not known", "nothing is said of what he takes"
    assert sibu.ask(kb, "How many things does bob take?")["status"] == "not known"


COUNTED = [
    "Which patients take more than 1 drug?",
    "How many patients take at least 2 drugs?",
    "哪些病人服用两种以上的药？",
    "有多少病人服用至少两种药？",
    "服用药多于1种的病人有哪些？",
    "哪个病人服用的药最少？",
]


def test_how_many_things_there_are_is_not_how_old_one_is(tmp_path: Path) -> None:
    facts = [fact("anna", "takes", "lunarin"), fact("anna", "takes", "solvex"), fact("bob", "takes", "solvex")]
    facts += [fact("anna", "age", 71), fact("bob", "age", 48)]
    facts += [Triple(e(name), TYPE, e("Patient")) for name in ("anna", "bob")]
    facts += [Triple(e(name), TYPE, e("Drug")) for name in ("lunarin", "solvex")]
    named = {"takes": "服用", "age": "年龄", "Patient": "病人", "Drug": "药"}
    facts += [Triple(e(name), Entity(RDFS + "label"), Value(word)) for name, word in named.items()]
    with KnowledgeBase.open(make(tmp_path / "kb", facts)) as kb:
        answerer = Answerer(kb)
        assert [answerer.ask(each).status for each in COUNTED] == ["not known"] * len(COUNTED)
        assert told(kb, answerer, answerer.ask("Which patients are over 50?"))["said"] == "anna"
        assert told(kb, answerer, answerer.ask("服用solvex的50岁以上的病人有哪些？"))["said"] == "anna"


def test_what_was_not_inferred_is_not_proved(tmp_path: Path) -> None:
    kb = make(
        tmp_path / "kb", [fact("anna", "takes", "a"), fact("a", "like", "b")], "takes(P, Y) :- takes(P, X), like(X, Y)."
    )
    found = sibu.ask(kb, "How many things does anna take?")
    assert found["value"] == 1 and found["answers"][0]["verdict"] == "rejected", "the checker counts two"
    denied = sibu.ask(kb, "Does anna take b?")
    assert (denied["value"], denied["answers"][0]["verdict"]) == (False, "rejected")
    assert found["notes"] == [f"Nothing was inferred yet. Run: sibu kb infer {kb}"]
    sibu.kb.infer(kb)
    found = sibu.ask(kb, "How many things does anna take?")
    assert (found["value"], found["answers"][0]["verdict"]) == (2, "accepted")
    assert sibu.ask(kb, "Does anna take b?")["value"] is True


def test_a_class_above_needs_no_inference(tmp_path: Path) -> None:
    above = Entity(RDFS + "subClassOf")
    facts = [
        Triple(e("rex"), TYPE, e("Poodle")),
        Triple(e("Poodle"), above, e("Dog")),
        Triple(e("Dog"), above, e("Pet")),
    ]
    kb = make(tmp_path / "kb", [*facts, fact("anna", "owns", "rex"), fact("anna", "owns", "car")])
    found = sibu.ask(kb, "Which pets does anna own?")
    assert (found["said"], found["answers"][0]["verdict"]) == ("rex", "accepted")
    assert len(found["answers"][0]["proof"]["steps"]) == 5
    assert sibu.ask(kb, "Is rex a pet?")["value"] is True


def test_aliases_of_relations_are_words_too(tmp_path: Path) -> None:
    kb = make(tmp_path / "kb", [fact("anna", "takes", "a")])
    assert sibu.ask(kb, "What does anna gulp?")["status"] == "not known"
    with KnowledgeBase.open(kb, write=True) as opened:
        alias = Entity("http://www.w3.org/2004/02/skos/core#altLabel")
        opened.add([(Triple(e("takes"), alias, Value("gulps", RDF + "langString", "en")), NOTES)])
    assert sibu.ask(kb, "What does anna gulp?")["said"] == "a"


def test_what_uncertain_rules_suppose_is_no_answer(tmp_path: Path) -> None:
    kb = make(tmp_path / "kb", [fact("anna", "takes", "a"), fact("a", "age", 1)])
    put_rules(kb, "@confidence 0.5\nlikes(P, X) :- takes(P, X).")
    sibu.kb.infer(kb)
    found = sibu.ask(kb, "What does anna like?")
    assert found["status"] == "not known"
    assert found["why_not"]["facts"][0]["status"] == "hypothesis"


@pytest.mark.parametrize(
    ("question", "said"), [("", "is empty"), (" \n", "is empty"), ("why " * 3_000, "11,999 characters")]
)
def test_bad_questions(inferred: Path, question: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sibu.ask(inferred, question)


def test_an_empty_knowledge_base(tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "kb", base=BASE):
        pass
    assert sibu.ask(tmp_path / "kb", "Which drugs does Anna take?")["status"] == "not known"
    with pytest.raises(DataError, match="At least one answer"):
        sibu.ask(tmp_path / "kb", "x", limit=0)


def test_an_encoder_knows_other_words(clinic: tuple[KnowledgeBase, Answerer]) -> None:
    import numpy as np

    kb, plain = clinic
    seen: dict[str, int] = {}

    def encode(texts: Sequence[str]) -> np.ndarray:
        """Vectors in which `gobble` is as `takes`, and nothing else is like another."""
        places = [seen.setdefault("takes" if text == "gobble" else text, len(seen)) for text in texts]
        return np.eye(99, dtype=np.float32)[places]

    assert plain.ask("What does Bob Lind gobble?").status == "not known"
    answerer = Answerer(kb, encode)
    found = told(kb, answerer, answerer.ask("What does Bob Lind gobble?"))
    assert found["said"] == "Solvex"
    assert found["score"] < asked(clinic, "What does Bob Lind take?")["score"] + 0.01
    assert answerer.ask("What does Bob Lind admire?").status == "not known"
