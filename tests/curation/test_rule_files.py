"""Rule files and shapes are taken up when they have passed all checks, together with those there are; or nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

import sibu
from sibu.core.errors import DataError, RuleError
from sibu.curation import rule_files, shape_files
from sibu.graph import KnowledgeBase
from tests.curation.clinic import fact, make

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix : <https://example.org/clinic/> .
:S a sh:NodeShape ; sh:targetClass :Patient .
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "kb", [fact("a", "to", "b")], "link(X, Y) :- to(X, Y).")


def write(folder: Path, name: str, text: str) -> Path:
    file = folder.parent / name
    file.write_text(text, encoding="utf-8")
    return file


def test_files_are_counted(folder: Path) -> None:
    file = write(folder, "हिन्दी.rules", "@confidence 0.5 a(X) :- to(X, _). f(x). :- to(X, X).")
    found = sibu.kb.rules(folder, file)
    assert found["added"] == ["हिन्दी"]
    assert found["files"][-1] == {"name": "हिन्दी", "rules": 2, "uncertain": 1, "constraints": 1}
    assert sibu.kb.rules(folder, file)["replaced"] == ["हिन्दी"]
    assert sibu.kb.rules(folder, remove=["हिन्दी"] * 2)["removed"] == ["हिन्दी"]
    assert [each["name"] for each in sibu.kb.rules(folder)["files"]] == ["own"]


def test_a_file_without_rules_is_told(folder: Path) -> None:
    found = sibu.kb.rules(folder, [write(folder, "none.rules", "# later"), write(folder, "some.rules", ":- a(x).")])
    said = [(Path(each["where"]).name, each["message"]) for each in found["warnings"] if "holds" in each["message"]]
    assert said == [("none.rules", "holds no rule.")]


def test_a_circle_through_two_files_is_found(folder: Path) -> None:
    sibu.kb.rules(folder, write(folder, "one.rules", "a(X) :- to(X, _), not b(X)."))
    with pytest.raises(RuleError, match=r"depends on not b\(X\).*two\.rules:1: b\(X\) depends on a\(X\)"):
        sibu.kb.rules(folder, write(folder, "two.rules", "b(X) :- a(X)."))
    assert [each["name"] for each in sibu.kb.rules(folder)["files"]] == ["one", "own"]


def test_all_faults_of_all_files_at_once(folder: Path) -> None:
    bad = [write(folder, f"{name}.rules", "a(X) :- b(Y).") for name in ("一", "二")]
    with pytest.raises(RuleError) as caught:
        sibu.kb.rules(folder, bad)
    assert sum("Nothing binds `X`" in str(each) for each in caught.value.faults) == 2
    assert {each.where.rpartition("/")[2] for each in caught.value.faults} == {"一.rules:1:1", "二.rules:1:1"}


def test_names_and_values_that_rdf_does_not_allow(folder: Path) -> None:
    file = write(folder, "odd.rules", 'a(X, "\\ud800") :- to(X, _).')
    with pytest.raises(RuleError, match=r"odd\.rules:1"):
        sibu.kb.rules(folder, file)


def test_two_files_of_one_name(folder: Path) -> None:
    (folder.parent / "x").mkdir()
    one, other = write(folder, "a.rules", "p(X) :- to(X, _)."), write(folder, "x/a.rules", "p(X) :- to(X, _).")
    with pytest.raises(DataError, match="Two files are the rules 'a'"):
        sibu.kb.rules(folder, [one, other])


def test_a_file_may_take_the_place_of_one_that_was_spoiled(folder: Path) -> None:
    (folder / "rules" / "own.rules").write_text("link(X")
    with pytest.raises(RuleError, match=r"own\.rules:1"):
        sibu.kb.rules(folder)
    sibu.kb.rules(folder, write(folder, "own.rules", "link(X, Y) :- to(Y, X)."))
    (folder / "rules" / "own.rules").write_text("link(X")
    assert sibu.kb.rules(folder, remove=["own"])["files"] == []


def test_what_is_known_of_the_facts(folder: Path) -> None:
    with KnowledgeBase.open(folder, write=True) as kb:
        found = rule_files.take(kb, [write(folder, "new.rules", "p(X) :- too(X, _).")])
    (warning,) = found.warnings
    assert "Nothing defines `too`" in str(warning)
    assert "Did you mean `to`" in str(warning)


def test_shapes_are_taken_up(folder: Path) -> None:
    assert sibu.kb.shapes(folder, write(folder, "形.ttl", SHAPES)) == {
        "files": ["形.ttl"], "added": ["形.ttl"], "replaced": [], "removed": [],
    }  # fmt: skip
    with KnowledgeBase.open(folder) as kb:
        assert shape_files.listed(kb) == ("形.ttl",)
        assert len(shape_files.read(kb, folder / "shapes" / "形.ttl")) == 2
    assert sibu.kb.shapes(folder, remove=["形.ttl"] * 2)["files"] == []


@pytest.mark.parametrize(
    "text", ["@prefix sh: <http://www", SHAPES + ":S sh:property 7 .", SHAPES.replace("Node", "Nod") + ":S"]
)
def test_shapes_with_faults_change_nothing(folder: Path, text: str) -> None:
    sibu.kb.shapes(folder, write(folder, "good.ttl", SHAPES))
    with pytest.raises(DataError, match=r"bad\.ttl"):
        sibu.kb.shapes(folder, write(folder, "bad.ttl", text), remove=["good.ttl"])
    assert sibu.kb.shapes(folder)["files"] == ["good.ttl"]


def test_shapes_of_one_name(folder: Path) -> None:
    (folder.parent / "x").mkdir()
    files = [write(folder, "a.ttl", SHAPES), write(folder, "x/a.ttl", SHAPES)]
    with pytest.raises(DataError, match=r"Several files are named 'a\.ttl'"):
        sibu.kb.shapes(folder, files)
    with pytest.raises(DataError, match=r"no file of shapes 'b\.ttl'\. There are none\."):
        sibu.kb.shapes(folder, remove=["b.ttl"])
