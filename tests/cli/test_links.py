"""`sibu kb embed` and `sibu kb mine` from outside: what they print and write, their exit codes, their messages."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import sibu
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.core.names import OWL, RDF, RDFS
from sibu.curation.closing import EXTRACTOR as INFERRED
from sibu.curation.links import LinkModel
from sibu.curation.proposals import EXTRACTOR
from sibu.graph import KnowledgeBase
from sibu.logic.text import parse
from tests.cli.test_kb import command, said

BASE = "https://example.org/"
QUICK = "width=16 epochs=30 batch=64 penalty=0.02 -q"


def e(name: str) -> Entity:
    return Entity(BASE + name)


def families(count: int = 10) -> list[Triple]:
    """Parents, children, siblings in two scripts; every ninth fact is missing."""
    found = []
    for number in range(count):
        parent, *children = (f"{name}{number}" for name in ("安娜", "本", "Carl", "冬"))
        for child in children:
            found += [(parent, "parent", child), (child, "父母", parent)]
            found += [(child, "sibling", other) for other in children if other != child]
    return [Triple(*map(e, each)) for place, each in enumerate(found) if place % 9]


def missing(count: int = 10) -> set[Triple]:
    """What is not in ``families``, and should be."""
    whole = families(count)
    pairs = {(each.subject, each.object) for each in whole}
    return {Triple(e(f"{a}{n}"), e("sibling"), e(f"{b}{n}")) for n in range(count) for a in ("本", "Carl", "冬")
            for b in ("本", "Carl", "冬") if a != b and (e(f"{a}{n}"), e(f"{b}{n}")) not in pairs}  # fmt: skip


def make(folder: Path, facts: list[Triple]) -> Path:
    with KnowledgeBase.create(folder, base=BASE, languages=["zh"]) as kb:
        kb.add([(each, Source("families.tsv")) for each in facts])
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Families; their classes and names, which are no links."""
    label, kind = Entity(RDFS + "label"), Entity(RDF + "type")
    more = [Triple(e("本0"), label, Value("小本", RDF + "langString", "zh")), Triple(e("本0"), e("age"), Value.of(7))]
    more += [Triple(e("Person"), kind, Entity(OWL + "Class")), Triple(e("Person"), Entity(RDFS + "subClassOf"), e("A"))]
    return make(tmp_path_factory.mktemp("made") / "kb", families() + more)


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of it, to work in."""
    monkeypatch.chdir(shutil.copytree(made.parent, tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    return Path.cwd()


def by(extractor: str) -> dict[Triple, Source]:
    """Hypotheses with their sources."""
    with KnowledgeBase.open("kb") as kb:
        return dict(kb.said_by(lambda each: each.extractor == extractor and each.status == "hypothesis"))


# ---- vectors ---------------------------------------------------------------------------------------------------------


def test_vectors_are_learned_saved_and_what_they_propose_is_written(home: Path) -> None:
    out = said(f"embed kb {QUICK} --propose 8 --write")
    assert out.startswith("complex: vectors of 40 things and 3 relations, of 106 facts\nMRR ")
    assert "on 11 held-out facts\nsaved: links/kb\n" in out
    assert "8 hypotheses came, 0 went; they do not hold\nversion 2\n" in out
    stated = by(EXTRACTOR)
    model = LinkModel.load("links/kb")
    assert len(stated) == 8
    assert {(each.version, each.document) for each in stated.values()} == {(model.digest[:16], "links")}
    assert all(0 < each.confidence < 1 for each in stated.values())
    assert sum(each in missing() for each in stated) >= 4
    with KnowledgeBase.open("kb") as kb:
        assert not any(kb.holds(each) for each in stated)
    best = max(stated, key=lambda each: stated[each].confidence)
    shown = command(f"why kb {' '.join(f'<{term.iri}>' for term in (best.subject, best.predicate, best.object))}")[1]
    assert f"a hypothesis of links, by {EXTRACTOR}, confidence" in shown
    again = said("embed kb --from links/kb -q --propose 3 --relation 父母 --relation sibling --most-of-one 2 --write")
    assert "hypotheses came" in again or "hypothesis came" in again
    assert len(by(EXTRACTOR)) == 3, "they take the place of the former"


def test_the_same_again(home: Path) -> None:
    first, again, other = (
        json.loads(said(f"embed kb {QUICK} --json --seed {seed} --out {place}"))
        for seed, place in ((13, "a"), (13, "b"), (14, "c"))
    )
    assert first["sha256"] == again["sha256"] != other["sha256"]
    assert first["proposed"] == again["proposed"]
    assert first["left_out"] == 1, "the age; labels and classes are no facts of things"
    assert (first["facts"], first["entities"], first["relations"], first["written"]) == (106, 40, 3, None)
    assert set(first["held_out"]["mrr"]) >= {"value", "low", "high", "n"}
    one = first["proposed"][0]
    assert one.keys() == {"subject", "predicate", "object", "said", "score", "probability"}
    assert one["subject"].startswith(BASE)
    order = [*families(), Triple(e("本0"), e("age"), Value.of(7))]
    make(home / "turned", order[::-1])
    turned = json.loads(said(f"embed turned {QUICK} --json"))
    assert turned["sha256"] == first["sha256"], "the order in which facts came does not matter"


def test_labels_are_shown_and_what_was_retracted_is_not_proposed_again(home: Path) -> None:
    found = json.loads(said(f"embed kb {QUICK} --json --propose 9999"))["proposed"]
    told = {(each["subject"], each["predicate"], each["object"]): each["said"] for each in found}
    assert "小本" in {each[0] for each in told.values()}
    wrong = found[0]
    terms = " ".join(f"<{wrong[key]}>" for key in ("subject", "predicate", "object"))
    said("embed kb --from links/kb -q --propose 1 --write")
    said(f"retract kb {terms} --why 'they never met'")
    left = json.loads(said("embed kb --from links/kb -q --json --propose 9999"))["proposed"]
    assert [each["said"] for each in left] == [each["said"] for each in found[1:]]


def test_at_least_so_likely(home: Path) -> None:
    found = json.loads(said(f"embed kb {QUICK} --json --propose 400 --at-least 0.5"))["proposed"]
    assert found
    assert all(each["probability"] >= 0.5 for each in found)
    assert "`at_least` from 0 to below 1" in said("embed kb --from links/kb --at-least 1", 1)
    assert "Nothing is proposed." in said("embed kb --from links/kb -q --propose 0")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--scorer complx", "No scorer is named 'complx'. Did you mean 'complex'?"),
        ("widht=3", r"The scorer 'complex': widht: Extra inputs are not permitted (Did you mean 'width'?)"),
        ("width=3", "width: Input should be a multiple of 2"),
        ("--held-out 1", "`held_out` is a share of the triples from 0 to below 1, given 1.0."),
        ("--relation sibing", "sibing"),
        ("--from nowhere", "nowhere holds no vectors of links that can be read"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(home: Path, line: str, message: str) -> None:
    assert message in said(f"embed kb -q {line}", 1)
    assert not Path("links").exists()


def test_wrong_usage(home: Path) -> None:
    assert "give KEY=VALUE" in said("embed kb width", 2)
    assert "no options and no --out" in said("embed kb --from a --out b", 2)
    assert "name the scorer by --scorer" in said("embed kb name=transe", 2)


def test_a_folder_that_is_there_is_not_lost(home: Path) -> None:
    said(f"embed kb {QUICK} --out a")
    before = Path("a/links.json").read_text(encoding="utf-8")
    message = said("embed kb --out a -q", 1)
    assert "a already holds vectors. Choose another place with --out, replace them with --force" in message
    said(f"embed kb {QUICK} --out a --force --seed 5")
    assert Path("a/links.json").read_text(encoding="utf-8") != before
    Path("b").mkdir()
    Path("b/thesis.txt").write_text("all my work")
    for force in ("", "--force"):
        assert "b already holds something that is no vectors of links" in said(f"embed kb -q --out b {force}", 1)
    assert Path("b/thesis.txt").read_text() == "all my work"


def test_of_three_facts_no_probability_is_told(home: Path) -> None:
    make(home / "small", families()[:3])
    out = said("embed small -q epochs=3")
    assert "No facts were held out" in out
    assert "MRR" not in out
    message = said("embed small -q epochs=3 --out other --write", 1)
    assert "of 3 facts too few could be held out to tell how sure a hypothesis is" in message
    with KnowledgeBase.open("small") as kb:
        assert kb.version.number == 1


def test_one_relation_is_enough(home: Path) -> None:
    make(home / "one", [Triple(e(f"a{n}"), e("next"), e(f"a{n + 1}")) for n in range(30)])
    assert "vectors of 31 things and 1 relation, of 30 facts" in said(f"embed one {QUICK}")
    assert "0 rules from 30 facts of 31 things" in said("mine one -q")


def test_without_facts_between_things(home: Path) -> None:
    kind = Entity(RDF + "type")
    make(home / "flat", [Triple(e("a"), e("age"), Value.of(3)), Triple(e("A"), kind, Entity(OWL + "Class"))])
    wanted = (
        "flat has no facts between things {}. Of 2 facts: 1 with a value (a text, a number) as object, 1 of classes"
    )
    assert wanted.format("to learn from") in said("embed flat -q", 1)
    assert wanted.format("to mine rules on") in said("mine flat -q", 1)
    make(home / "empty", [])
    assert "empty has no facts between things to learn from. It is empty." in said("embed empty -q", 1)


def test_vectors_of_another_graph(home: Path) -> None:
    said(f"embed kb {QUICK}")
    make(home / "other", [Triple(e("x"), e("y"), e("z"))])
    assert "The vectors are those of another graph: they know no fact of" in said("embed other --from links/kb -q", 1)


def test_interrupted_it_leaves_nothing(home: Path) -> None:
    line = [sys.executable, "-m", "sibu", "kb", "embed", "kb", "epochs=100000", "patience=100000", "--write"]
    source = str(Path(sibu.__file__).parents[1])
    process = subprocess.Popen(
        line, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": source},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job would ignore it
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert any(text.startswith("Epoch") for text in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted: nothing was written." in rest
    assert "Traceback" not in rest
    assert not Path("links/kb").exists()
    with KnowledgeBase.open("kb") as kb:
        assert kb.version.number == 1


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_rules_are_mined_taken_up_and_give_hypotheses_with_proofs(home: Path) -> None:
    out = said("mine kb -q --write --out mined.rules")
    assert re.search(r"PCA confidence +confidence +head coverage +support +new +rule", out)
    assert "parent(X, Y) :- 父母(Y, X)." in out
    assert "sibling(X, Y) :- parent(Z, X), parent(Z, Y), X != Y." in out
    assert out.endswith("written: mined.rules\nadded: mined\nWhat follows by them: sibu kb infer kb\n")
    assert "hypotheses by uncertain rules" in said("infer kb -q")
    supposed = by(INFERRED)
    assert missing() <= supposed.keys(), "all that is missing is supposed"
    assert not any(each.subject == each.object for each in supposed), "nobody is a sibling of their own"
    one = min(missing())
    shown = said(f"why kb {' '.join(f'<{term.iri}>' for term in (one.subject, one.predicate, one.object))}")
    assert "hypothesis, score 0." in shown
    assert re.search(r"by mined:m\d+ \(mined\.rules:\d+\), confidence 0\.\d+: support \d+, head coverage", shown)
    assert "families.tsv" in shown
    assert "replaced: mined" in said("mine kb -q --write --confidence 0.9"), "mined rules may take each other's place"


def test_the_file_of_rules_says_the_same(home: Path) -> None:
    told = json.loads(said("mine kb -q --json --out a.rules --most 5"))
    assert len(told["rules"]) == 5
    with KnowledgeBase.open("kb") as kb:
        rules = parse(Path("a.rules").read_text(encoding="utf-8"), kb.names, "a.rules").rules
    assert [each.id for each in rules] == [each["id"] for each in told["rules"]]
    for rule, each in zip(rules, told["rules"], strict=True):
        share = each["pca_confidence"] if each["pca_confidence"] < 1 else None
        assert 0 < rule.confidence < 1
        assert share is None or rule.confidence == round(share, 4)
        assert rule.about.startswith(f"support {each['support']}, ")
    assert (told["facts"], told["things"], told["relations"], told["support"]) == (106, 40, 3, 3)
    assert "a.rules is there already" in said("mine kb -q --out a.rules", 1)
    said("mine kb -q --out a.rules --force")


def test_rules_with_values_and_things(home: Path) -> None:
    facts = [Triple(e(f"p{n}"), e("sex"), Value.of("f" if n % 2 else "m")) for n in range(20)]
    facts += [Triple(e(f"p{n}"), e("takes"), e("folate")) for n in range(1, 18, 2)]
    make(home / "clinic", facts)
    told = json.loads(said("mine clinic -q --json --constants --write"))
    assert 'takes(X, folate) :- sex(X, "f").' in [each["rule"] for each in told["rules"]]
    said("infer clinic -q")
    with KnowledgeBase.open("clinic") as kb:
        assert Triple(e("p19"), e("takes"), e("folate")) in set(kb.triples(status="hypothesis"))


def test_rules_of_a_person_are_not_replaced(home: Path) -> None:
    Path("mined.rules").write_text("old(X) :- age(X, A), A > 60.\n")
    said("rules kb mined.rules")
    message = said("mine kb -q --write", 1)
    assert "has rules named 'mined' that were not mined. Give another --name" in message
    said("mine kb -q --write --name guessed")
    assert {each["name"] for each in sibu.kb.rules("kb")["files"]} == {"mined", "guessed"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--support 0 --confidence 2", "support: given 0; allowed: at least 1.\nconfidence: given 2.0"),
        ("--longest 5", "longest: given 5; allowed: 2, 3 or 4 atoms"),
        ("--write --name a/b", "'a/b' names no rules"),
        ("--write --support 99999", "No rules were found, so none were taken up."),
    ],
)
def test_what_is_wrong_with_mining_is_said(home: Path, line: str, message: str) -> None:
    assert message in said(f"mine kb -q {line}", 1)
    assert sibu.kb.rules("kb")["files"] == []


def test_no_rules(home: Path) -> None:
    assert "No rules with a support of 99,999 or more." in said("mine kb -q --support 99999")


def test_derived_facts_are_looked_at_unless_told(home: Path) -> None:
    Path("own.rules").write_text("kin(X, Y) :- sibling(X, Y).\n")
    said("rules kb own.rules")
    said("infer kb -q")
    whole, own = (json.loads(said(f"mine kb -q --json {only}")) for only in ("", "--asserted"))
    assert (whole["relations"], own["relations"]) == (4, 3)
    assert whole["facts"] > own["facts"] == 106
