"""The reasoner of rule files: which files, and what it says of faults."""

from __future__ import annotations

import pytest

from sibu.core.errors import DataError, RecipeError, RuleError
from sibu.core.names import Names
from sibu.reasoners import REASONERS
from sibu.reasoners.rules import RulesSpec, build

NAMES = Names("https://example.org/")
TEXTS = {"a": 'p(X) :- q(X). @id "二" p(X) :- r(X).', "诊所": "s(X) :- p(X).", "c": ""}


def test_the_files_in_the_order_of_their_names() -> None:
    rules = build(RulesSpec()).rules(NAMES, TEXTS)
    assert [rule.id for rule in rules] == ["a:r1", "a:二", "诊所:r1"]
    assert rules[2].where == "诊所.rules:1:1"


def test_chosen_files() -> None:
    assert [rule.id for rule in build(RulesSpec(files=("诊所",))).rules(NAMES, TEXTS)] == ["诊所:r1"]
    with pytest.raises(DataError, match=r"no rules named '诊'\. Did you mean '诊所'\? There are: a, 诊所, c\."):
        build(RulesSpec(files=("诊",))).rules(NAMES, TEXTS)
    with pytest.raises(DataError, match="There are none; `sibu kb rules` adds them"):
        build(RulesSpec(files=("a",))).rules(NAMES, {})


def test_faults_of_all_files() -> None:
    with pytest.raises(RuleError) as caught:
        build(RulesSpec()).rules(NAMES, {"a": "p(X) :- q(Y).", "b": "p(X) :- q(Z)."})
    assert [each.where for each in caught.value.faults][:1] == ["a.rules:1:1"]
    assert {each.where.split(":")[0] for each in caught.value.faults} == {"a.rules", "b.rules"}
    with pytest.raises(RuleError, match=r"b\.rules:1"):
        build(RulesSpec()).rules(NAMES, {"a": "p(a).", "b": "p("})


def test_two_files_may_deny_each_other_only_in_order() -> None:
    with pytest.raises(RuleError, match="depends on not"):
        build(RulesSpec()).rules(NAMES, {"a": "p(X) :- t(X), not q(X).", "b": "q(X) :- p(X)."})


def test_it_says_nothing_of_values() -> None:
    reasoner = build(RulesSpec())
    assert list(reasoner.facts(())) == reasoner.ill_typed(()) == []


def test_options_by_name() -> None:
    assert REASONERS.spec({"name": "rules", "files": ["a"]}) == RulesSpec(files=("a",))
    with pytest.raises(RecipeError, match="file"):
        REASONERS.spec({"name": "rules", "file": ["a"]})
