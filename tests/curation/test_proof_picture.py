"""Proofs as pictures: whole, escaped, of any script, and cut where they are too large."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import sibu
from sibu.core.logic import Entity, Proof, Triple, Value
from sibu.core.names import RDFS
from sibu.curation import proof_picture
from sibu.curation.telling import Telling
from sibu.curation.why import why
from sibu.graph import KnowledgeBase
from tests.curation.clinic import e, fact, make


def drawn(folder: Path, asked: str, faults: tuple[str, ...] = ()) -> tuple[str, Proof]:
    with KnowledgeBase.open(folder) as kb:
        found = why(kb, asked)
        proof = found.facts[0].proof
        return str(proof_picture.svg(proof, Telling(kb, found.plan), faults)), proof


def boxes(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("title")]


def test_each_fact_is_a_box_and_each_premise_a_line(kb: Path) -> None:
    svg, proof = drawn(kb, "Review(anna)")
    assert len(boxes(svg)) == len(proof.steps)
    assert svg.count("<path ") == sum(len(set(step.premises)) for step in proof)
    assert 'class="top"' in svg
    assert svg.count('class="leaf"') == sum(not step.rule for step in proof)


def test_what_is_above_rests_on_what_is_below(kb: Path) -> None:
    svg, _ = drawn(kb, "Review(anna)")
    tops = [float(each.get("y", "")) for each in ET.fromstring(svg).iter() if each.tag.endswith("rect")]
    assert tops[0] == min(tops) == tops[0], "the conclusion is drawn first, at the top"
    assert len(set(tops)) >= 3


def test_signs_of_every_script_and_of_markup(tmp_path: Path) -> None:
    odd = '<script>"&\u0007 हिन्दी 😀 安娜'
    folder = make(tmp_path / "kb", [fact("x", "to", "y"), Triple(e("x"), Entity(RDFS + "label"), Value(odd))],
                  "链接(X, Y) :- to(X, Y).")  # fmt: skip
    sibu.kb.infer(folder)
    svg, _ = drawn(folder, "链接(x, Y)")
    assert "<script>" not in svg
    assert any("हिन्दी 😀 安娜" in each for each in boxes(svg))
    page = sibu.kb.why(folder, "链接(x, Y)", picture=tmp_path / "a.html")["picture"]
    assert "<script>" not in Path(page).read_text("utf-8")


def test_a_large_proof_is_cut(tmp_path: Path) -> None:
    facts = [fact(f"n{number}", "to", f"n{number + 1}") for number in range(120)]
    folder = make(tmp_path / "kb", facts, "link(X, Y) :- to(X, Y). link(X, Z) :- link(X, Y), to(Y, Z).")
    sibu.kb.infer(folder)
    svg, proof = drawn(folder, "link(n0, n120)")
    assert len(proof.steps) > proof_picture.MOST
    assert proof_picture.MOST <= len(boxes(svg)) < proof_picture.MOST + 5
    assert any(each.endswith("...") for each in boxes(svg)), "it says that it goes on"
    tree = sibu.kb.why(folder, "link(n0, n120)")["facts"][0]["tree"]
    assert tree[-1].endswith("more lines; --json has all") or len(tree) <= 401


def test_what_the_checker_rejects_is_said(kb: Path) -> None:
    svg, _ = drawn(kb, "Review(anna)", ("step 0: it is not asserted",))
    assert "Not accepted by the checker: step 0: it is not asserted" in svg
    assert "Not accepted" not in drawn(kb, "Review(anna)")[0]


def test_a_picture_of_an_asserted_fact(kb: Path) -> None:
    svg, _ = drawn(kb, "takes(bob, D)")
    (box,) = boxes(svg)
    assert box.startswith("takes(Bob Lind, Solvex)")
    assert "patients.csv, row 3" in box


def test_no_proof_no_file(kb: Path, tmp_path: Path) -> None:
    assert sibu.kb.why(kb, "Review(bob)", picture=tmp_path / "a.svg")["picture"] is None
    assert not (tmp_path / "a.svg").exists()


def test_the_folder_of_a_picture_may_be_new_or_missing(kb: Path, tmp_path: Path) -> None:
    place = tmp_path / "图" / "证明.svg"
    sibu.kb.why(kb, "Review(anna)", picture=place)
    assert place.is_file()
