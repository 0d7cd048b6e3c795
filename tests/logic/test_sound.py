"""What is wrong with a program is told before it runs, with a mend that works."""

import pytest

from sibu.core.errors import RuleError
from sibu.core.logic import Atom, Entity, Not, Rule, Variable
from sibu.core.names import Names
from sibu.logic.program import Program
from sibu.logic.sound import faults
from sibu.logic.text import parse

PLAIN = Names("https://example.org/", {"ex": "urn:e:"})
KNOWN = [
    Entity(PLAIN.base + name)
    for name in "takes interacts patient age dose value rest move q r s Old 服用 相互作用 病人".split()  # noqa: SIM905
] + [Entity("urn:e:follows")]  # fmt: skip


def found(text, known=KNOWN):
    return faults(parse(text, PLAIN, "a.rules"), known)


def told(text, known=KNOWN):
    return [str(each) for each in found(text, known).errors], [str(each) for each in found(text, known).warnings]


ERRORS = [
    # What is written; what is told; the same as the message would have it.
    (
        "bad(Patient, D) :- takes(Patient, X), interacts(X, E), not rest(Patient, D), E != X.",
        "a.rules:1:1: Nothing binds `D`, which stands in the head and in `not rest(Patient, D)`. Add a condition that "
        "binds it, such as an atom in which it stands.",
        "bad(Patient, D) :- takes(Patient, X), interacts(X, D), not rest(Patient, D).",
    ),
    (
        "p(Drug, P) :- takes(P, Drugs), q(Drugs).",
        "a.rules:1:1: Nothing binds `Drug`, which stands in the head. Did you mean `Drugs`? Add a condition "
        "that binds it, such as an atom in which it stands.",
        "p(Drugs, P) :- takes(P, Drugs), q(Drugs).",
    ),
    (
        "p(X) :- patient(X),\n  Y > 3, Y != X.",
        "a.rules:2:3: Nothing binds `Y`, which stands in `Y > 3` and in `Y != X`. Add a condition that binds "
        "it, such as an atom in which it stands.",
        "p(X) :- patient(X), age(X, Y), Y > 3, Y != X.",
    ),
    (
        "p(X) :- patient(X), not takes(X, Y).",
        "a.rules:1:21: Nothing binds `Y`, which stands in `not takes(X, Y)`. Add a condition that binds it, "
        "such as an atom in which it stands. Where any will do, write `not takes(X, _)`.",
        "p(X) :- patient(X), not takes(X, _).",
    ),
    (
        "p(N) :- value(X, M), q(X), N + 1 = M.",
        "a.rules:1:1: Nothing binds `N`, which stands in the head and in `N + 1 = M`. Add a condition that "
        "binds it, such "
        "as an atom in which it stands. (`=` gives a value to a variable that stands alone on one side: turn it to "
        "`N = ...`.)",
        "p(N) :- value(X, M), q(X), N = M - 1.",
    ),
    (
        "p(Y) :- q(X), Y = Z + X.",
        "a.rules:1:15: Nothing binds `Z`, which stands in `Y = Z + X`. Add a condition that binds it, such as "
        "an atom in which it stands.",
        "p(Y) :- q(X), q(Z), Y = Z + X.",
    ),
    (
        "takes(P, ibuprofen).",
        "a.rules:1:1: A fact has no variables, but here is `P`. Write a name or a value for it, or a body "
        "that binds it.",
        "takes(P, ibuprofen) :- patient(P).",
    ),
    (
        "many(P, N) :- N = count { X : takes(P, X) }.",
        "a.rules:1:1: Nothing binds `P`, which stands in the head and in `N = count { X : takes(P, X) }`. Bind "
        "it outside of the aggregate too: add the condition `takes(P, _)`.",
        "many(P, N) :- takes(P, _), N = count { X : takes(P, X) }.",
    ),
    (
        "many(P, N) :- patient(P), N = count { D : takes(P, X), X != P }.",
        "a.rules:1:27: Nothing between the braces of `N = count { D : takes(P, X), X != P }` binds `D`. Add "
        "a condition there that does, such as an atom in which it stands.",
        "many(P, N) :- patient(P), N = count { D : takes(P, X), dose(X, D) }.",
    ),
    (
        "many(P, N) :- patient(P), age(P, N), N = count { X : takes(P, X) }.",
        "a.rules:1:38: The result of `N = count { X : takes(P, X) }` is bound by `age(P, N)` too. Call the "
        "result `N2`, and add the condition `N2 = N`.",
        "many(P, N) :- patient(P), age(P, N), N2 = count { X : takes(P, X) }, N2 = N.",
    ),
    (
        "many(P, N) :- patient(P), N = count { N : takes(P, N) }.",
        "a.rules:1:27: The result of `N = count { N : takes(P, N) }` stands between its braces too. Give the "
        "result another variable, such as `N2`.",
        "many(P, N2) :- patient(P), N2 = count { N : takes(P, N) }.",
    ),
    (
        '@id "one" p(X) :- q(X).\n@id "one" p(X) :- r(X).',
        'a.rules:2:11: The rule has the id "one", as has the one at a.rules:1:11. Give it another, such as '
        '`@id "one-2"`.',
        '@id "one" p(X) :- q(X).\n@id "one-2" p(X) :- r(X).',
    ),
    (
        "p(X, Y) :- takes(X, Y).\nt(X) :- p(X, X, _).",
        "a.rules:2:9: `p` has 3 terms here, but 2 at a.rules:1:1. Write it with the same number, or give one "
        "of the two another name.",
        "p(X, Y) :- takes(X, Y).\nt(X) :- p(X, _).",
    ),
    (
        "age(X, M) :- age(X, N), M = N + 1.",
        "a.rules:1:25: The rule makes `M` of `N` by `M = N + 1`, again and again: it would never end. Bound it, "
        "such as by the condition `M <= 1000`.",
        "age(X, M) :- age(X, N), M = N + 1, M <= 1000.",
    ),
    (
        "age(X, M) :- age(X, N), M = N - 1.",
        "a.rules:1:25: The rule makes `M` of `N` by `M = N - 1`, again and again: it would never end. Bound it, "
        "such as by the condition `M >= 0`.",
        "age(X, M) :- age(X, N), M = N - 1, M >= 0.",
    ),
    (
        "win(X) :- move(X, Y), not win(Y).",
        "a.rules:1:1: A rule denies what rests on it in turn, so the rules can be run in no order: a.rules:1: win(X) "
        "depends on not win(Y). Let one of them rest on something else, or do without `not`.",
        "win(X) :- move(X, Y), not move(Y, X).",
    ),
]
WARNINGS = [
    (
        "old(Patient) :- takes(Patient, X), patient(Pateint), q(X).",
        "a.rules:1:36: `Pateint` stands only once in its rule. Did you mean `Patient`? If it may be anything, "
        "write `_`.",
        "old(Patient) :- takes(Patient, X), patient(Patient), q(X).",
    ),
    (
        "p(X) :- takes(X, Y).",
        "a.rules:1:9: `Y` stands only once in its rule. If it may be anything, write `_`.",
        "p(X) :- takes(X, _).",
    ),
    (
        "p(X) :- paitent(X).\nt(X) :- paitent(X).",
        "a.rules:1:9: Nothing defines `paitent` (2 times in the program): no rule concludes it, and the "
        "knowledge base has "
        "no such relation or class. Did you mean `patient`? Define it by a rule or a fact, or add it to the "
        "knowledge base.",
        "p(X) :- patient(X).\nt(X) :- patient(X).",
    ),
    (
        "p(?人) :- 服药(?人, _).",
        "a.rules:1:10: Nothing defines `服药`: no rule concludes it, and the knowledge base has no such "
        "relation or class. Did you mean `服用`? Define it by a rule or a fact, or add it to the knowledge base.",
        "p(?人) :- 服用(?人, _).",
    ),
    (
        "p(X) :- rdfs:subclassOf(X, _).",
        "a.rules:1:9: Nothing defines `rdfs:subclassOf`: no rule concludes it, and the knowledge base has no "
        "such relation "
        "or class. Did you mean `rdfs:subClassOf`? Define it by a rule or a fact, or add it to the knowledge base.",
        "p(X) :- rdfs:subClassOf(X, _).",
    ),
    (
        "p(X) :- follows(X, _).",
        "a.rules:1:9: Nothing defines `follows`: no rule concludes it, and the knowledge base has no such "
        "relation or class. "
        "Did you mean `ex:follows`? Define it by a rule or a fact, or add it to the knowledge base.",
        "p(X) :- ex:follows(X, _).",
    ),
    (
        "p(X) :- old(X).",
        "a.rules:1:9: Nothing defines `old`: no rule concludes it, and the knowledge base has no such "
        "relation or class. Did you mean `Old`? Define it by a rule or a fact, or add it to the knowledge base.",
        "p(X) :- Old(X).",
    ),
    (
        "p(X, Y) :- R(X, Y).",
        "a.rules:1:12: Nothing defines `R`: no rule concludes it, and the knowledge base has no such relation "
        "or class. Did "
        "you mean `r`? To leave the relation open, write `triple(S, R, O)`. Define it by a rule or a fact, or "
        "add it to the knowledge base.",
        "p(X, Y) :- triple(X, R, Y), q(R).",
    ),
    (
        "p(Drug) :- takes(anna, Drug), not rest(anna, drug).",
        "a.rules:1:31: `drug` is the name of a thing, but `Drug` is a variable of this rule. Write `Drug` if "
        "the variable was meant.",
        "p(Drug) :- takes(anna, Drug), not rest(anna, Drug).",
    ),
    (
        "p(?药) :- 服用(安娜, ?药), not 服用(李雷, 药).",
        "a.rules:1:22: `药` is the name of a thing, but `?药` is a variable of this rule. Write `?药` if the "
        "variable was meant.",
        "p(?药) :- 服用(安娜, ?药), not 服用(李雷, ?药).",
    ),
    (
        "p(X) :- takes(X, _).\nt(X) :- takes(X).",
        "a.rules:2:9: `takes` is a class here, with one term, but has 2 at a.rules:1:9: the two have nothing to "
        "do with each other. If that is not meant, write it with the same number of terms.",
        "p(X) :- takes(X, _).\nt(X) :- takes(X, _).",
    ),
]


@pytest.mark.parametrize(("wrong", "message", "right"), ERRORS, ids=[wrong[:40] for wrong, _, _ in ERRORS])
def test_an_error_is_told_and_its_mend_works(wrong, message, right):
    assert told(wrong)[0] == [message]
    assert told(right) == ([], [])


@pytest.mark.parametrize(("wrong", "message", "right"), WARNINGS, ids=[wrong[:40] for wrong, _, _ in WARNINGS])
def test_a_warning_is_told_and_its_mend_works(wrong, message, right):
    assert told(wrong) == ([], [message])
    assert told(right) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "contra(P, D) :- takes(P, X), interacts(X, D), not rest(P, D).",
        "old(P) :- patient(P), age(P, A), A >= 65.",
        "sum_of(P, N) :- patient(P), N = sum { D, X : takes(P, X), dose(X, D) }.",
        "many(P) :- patient(P), N = count { X : takes(P, X) }, N > 5.",
        "double(X, M) :- value(X, N), M = N * 2 + 1.",
        ":- patient(P), not Old(P).",
        "triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).",
        "禁忌(?病人, ?药) :- 服用(?病人, ?另一药), 相互作用(?另一药, ?药).",
        "both(P, N) :- patient(P), N = sum { D : dose(P, D) }, M = max { D : dose(P, D) }, N > M.",
        "p(X) :- takes(X, _), not rest(X, ibuprofen), rdf:_1(X, _), owl:sameAs(X, _).",
        "p(X) :- patient(X), rain(). rain().",
        "patient(Patient) :- age(Patient, _).",  # a class may be spelled as a variable
    ],
)
def test_nothing_is_wrong(text):
    assert told(text) == ([], [])


def test_unknown_relations_are_not_looked_for_without_a_knowledge_base():
    assert told("p(X) :- paitent(X).", None) == ([], [])
    assert len(told("p(X) :- paitent(X).", [])[1]) == 1


def test_a_rule_with_an_open_head_may_conclude_what_is_spelled_like_nothing_else():
    text = "triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).\np(X) :- zzz(X, _), takse(X, _)."
    assert [each.split(":")[3] for each in told(text)[1]] == [" Nothing defines `takse`"]


def test_among_many_names_near_misses_begin_with_the_same_letter(monkeypatch):
    monkeypatch.setattr("sibu.logic.sound.MANY", 5)
    assert "Did you mean `patient`?" in told("p(X) :- paitent(X).")[1][0]
    assert "Did you mean" not in told("p(X) :- xatient(X).")[1][0]


def test_all_is_told_at_once_and_errors_refuse():
    text = "p(X, D) :- takes(X, Y).\nwin(X) :- move(X, Y), not win(Y).\ntakes(P, a)."
    errors, warnings = told(text)
    assert [each.split(": ")[0] for each in errors] == ["a.rules:1:1", "a.rules:3:1", "a.rules:2:1"]
    assert len(warnings) == 1
    with pytest.raises(RuleError) as caught:
        found(text).refuse()
    assert str(caught.value).startswith("The rules have 3 faults:\na.rules:1:1: Nothing binds `D`")
    found("p(X) :- takes(X, Y).").refuse()  # a warning does not


def test_only_the_root_of_what_is_not_bound_is_told():
    assert [each.split(",")[0] for each in told("p(A) :- q(X), A = B + X, B = C, C = D * 2, E = D.")[0]] == [
        "a.rules:1:33: Nothing binds `D`"
    ]


def test_a_program_without_places():
    rule = Rule(
        "mined",
        Atom(Entity("urn:p"), (Variable("X"), Variable("Y"))),
        (Not(Atom(Entity("urn:q"), (Variable("X"),) * 2)),),
    )
    errors = faults(Program((rule,), PLAIN), None).errors
    assert [each.where for each in errors] == ["", ""]
    assert str(errors[0]).startswith("Nothing binds `X`")
