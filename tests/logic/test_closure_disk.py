"""A closure that is written and read again is the same."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from safetensors.numpy import load_file, save_file

from sibu.core.errors import DataError
from sibu.core.logic import Atom, Entity, Value
from sibu.core.names import RDF, XSD
from sibu.logic.closure import Closure
from tests.logic.closures import assert_proved, closed, everything, fact, found, of, program
from tests.logic.programs import Program, programs
from tests.logic.test_closure import model

TEXT = """
    reach(X, Y) :- edge(X, Y). reach(X, Z) :- reach(X, Y), edge(Y, Z). 尽头(X) :- edge(_, X), not edge(X, _).
    triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).
    edge(a, b). edge(b, c). edge(c, d). rdfs:subPropertyOf(edge, near). four(a, b, c, 1).
"""


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs(depth=5))
def test_what_is_read_is_what_was_written(tmp_path: Path, program: Program) -> None:
    asserted = set(program.facts)
    model(program, frozenset(asserted))
    closure = Closure(program.rules)
    closure.add(program.facts)
    closure.close()
    gone = sorted(asserted, key=str)[::4]
    closure.retract(gone)
    closure.close()
    closure.save(tmp_path / "closure")
    again = Closure.load(tmp_path / "closure", program.rules)
    assert not again.stale
    holds = everything(closure, program.rules, asserted)
    assert everything(again, program.rules, asserted) == holds
    assert all(again.proof(each) == closure.proof(each) for each in holds)
    for each in (closure, again):
        each.add(gone)
    assert of(again.close()) == of(closure.close())
    holds = everything(again, program.rules, asserted)
    assert holds == everything(closure, program.rules, asserted)
    assert_proved(again, holds, asserted)


def test_terms_of_every_kind(tmp_path: Path) -> None:
    odd = [Entity("urn:安:😀"), Entity("_:b"), Value("\ud800 😀\n"), Value("a", RDF + "langString", "zh"), Value(""),
           Value("1", XSD + "decimal"), Value.of(True)]  # fmt: skip
    closure = Closure((), proofs=False)
    closure.add(Atom(Entity("urn:p"), (one, two)) for one in odd for two in odd)
    closure.close()
    closure.save(tmp_path / "closure")
    again = Closure.load(tmp_path / "closure", ())
    assert list(again.terms) == list(closure.terms)
    assert np.array_equal(again.columns(Entity("urn:p")), closure.columns(Entity("urn:p")))


def test_with_other_rules_all_is_derived_anew_from_what_is_asserted(tmp_path: Path) -> None:
    closed(TEXT).save(tmp_path / "closure")
    rules, _ = program("reach(X, Y) :- edge(X, Y).")
    closure = Closure.load(tmp_path / "closure", rules)
    assert closure.stale
    assert closure.asserted(fact("edge(a, b)"))
    assert not closure.asserted(fact("reach(a, c)"))
    came, went = of(closure.close())
    assert came == set()
    assert fact("reach(a, d)") in went
    assert fact("edge(a, b)") not in went
    assert found(closure, "reach(X, Y)") == {fact("reach(a, b)"), fact("reach(b, c)"), fact("reach(c, d)")}
    assert_proved(closure, found(closure, "reach(X, Y)"), found(closure, "edge(X, Y)"))


def test_where_the_rules_stand_makes_no_difference(tmp_path: Path) -> None:
    closure = closed(TEXT)
    closure.save(tmp_path / "closure")
    moved, _ = program('@about "Wherever one comes." ' + TEXT.replace(". ", ".\n"))
    names = tuple(type(rule)(f"r{place}", rule.head, rule.body, rule.where) for place, rule in enumerate(moved))
    assert Closure.load(tmp_path / "closure", names).stale  # another id is another proof
    same = tuple(
        type(rule)(old.id, rule.head, rule.body, rule.where) for rule, old in zip(moved, closure.rules, strict=True)
    )
    assert not Closure.load(tmp_path / "closure", same).stale


def test_a_folder_that_is_none_damaged_or_of_another_format(tmp_path: Path) -> None:
    rules, _ = program(TEXT)
    with pytest.raises(DataError, match="holds no closure that can be read"):
        Closure.load(tmp_path, rules)
    folder = tmp_path / "closure"
    closed(TEXT).save(folder)
    page = json.loads((folder / "closure.json").read_text(encoding="utf-8"))
    (folder / "closure.json").write_text(json.dumps(page | {"format": 99}), encoding="utf-8")
    with pytest.raises(DataError, match="format 99; this version reads 1"):
        Closure.load(folder, rules)
    (folder / "closure.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="format None"):
        Closure.load(folder, rules)


@pytest.mark.parametrize("file", ["facts.safetensors", "terms.safetensors"])
def test_each_array_that_is_missing_or_wrong_is_found(tmp_path: Path, file: str) -> None:
    rules, _ = program(TEXT)
    folder = tmp_path / "closure"
    closed(TEXT).save(folder)
    whole = load_file(folder / file)
    for name, array in whole.items():
        if not len(array):
            continue
        beyond = np.where(array == array.max(), np.array(2**30 if array.dtype.itemsize > 1 else 1), array)
        for damaged in (None, array[1:], beyond.astype(array.dtype)):
            if array.dtype.itemsize == 1 and damaged is not None and len(damaged) == len(array):
                continue  # other letters make other terms, and anything may be asserted
            if name.endswith(".place") and array.max() < 0 and damaged is not None and len(damaged) == len(array):
                continue  # none of these rows is derived
            rest = {other: each for other, each in whole.items() if other != name}
            save_file(rest if damaged is None else rest | {name: np.ascontiguousarray(damaged)}, folder / file)
            with pytest.raises(DataError, match="is damaged"):
                Closure.load(folder, rules)
                pytest.fail(f"{name} {damaged}")
    (folder / file).write_bytes(b"no")
    with pytest.raises(DataError, match="is damaged"):
        Closure.load(folder, rules)
