"""What binds a variable comes before what needs it, wherever there is such an order."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu import checker
from sibu.core.errors import RuleError
from sibu.core.logic import Aggregate, Arithmetic, Atom, Comparison, Entity, Not, Rule, Value, Variable
from sibu.core.names import Names
from sibu.logic.order import bound_order, mentioned
from sibu.logic.strata import strata
from sibu.logic.text import parse, write

PLAIN = Names("https://example.org/")
VARIABLES = st.sampled_from("ABCD").map(Variable)
ATOMS = st.builds(
    lambda name, terms: Atom(Entity(f"urn:{name}"), tuple(terms)),
    st.sampled_from("pqr"),
    st.lists(VARIABLES, min_size=2, max_size=3),
)
EXPRESSIONS = (
    VARIABLES | VARIABLES.map(lambda each: Arithmetic("+", each, Value.of(1))) | st.builds(
        Arithmetic, st.just("*"), VARIABLES, VARIABLES
    ) | st.just(Value.of(3))
)  # fmt: skip
COMPARISONS = st.builds(Comparison, st.sampled_from(["=", "=", "<"]), EXPRESSIONS, EXPRESSIONS)
RULES = st.builds(
    lambda head, body: Rule("r", head, tuple(body)),
    st.none() | ATOMS,
    st.lists(ATOMS | ATOMS.map(Not) | COMPARISONS | COMPARISONS, min_size=1, max_size=5),
)


def is_bound(rule, order):
    """Whether every condition finds what it needs, from left to right; as the words of ``Comparison`` have it."""
    by_atoms = {name for each in rule.body if isinstance(each, Atom) for name in mentioned(each)}
    known = set()
    for each in order:
        names = set(mentioned(each))
        if isinstance(each, Not) and not names <= known:
            return False
        if isinstance(each, Comparison) and not names <= known:
            given_value = [
                one.name
                for one, other in ((each.left, each.right), (each.right, each.left))
                if isinstance(one, Variable) and one.name not in known | by_atoms and set(mentioned(other)) <= known
            ]
            if each.operator != "=" or not given_value:
                return False
        known |= names
    return rule.head is None or set(rule.head.variables) <= known


@settings(max_examples=400)
@given(RULES)
def test_an_order_is_found_where_there_is_one(rule):
    try:
        order = bound_order(rule)
    except RuleError:
        assert not any(is_bound(rule, each) for each in permutations(rule.body))
    else:
        assert sorted(map(id, order)) == sorted(map(id, rule.body))
        assert is_bound(rule, order)
        assert [each for each in order if isinstance(each, Atom)] == list(rule.atoms)


@pytest.mark.parametrize(
    ("body", "order"),
    [
        ("A > 5, p(X, A)", "p(X, A), A > 5"),
        ("not q(X), p(X), r(X)", "p(X), not q(X), r(X)"),
        ("M = N + 1, M < K, p(N), q(K)", "p(N), M = N + 1, q(K), M < K"),
        ("N = count { X : q(P, X) }, N > 5, r(P), p(P)", "r(P), p(P), N = count { X : q(P, X) }, N > 5"),
        # `=` gives no value to what an atom, or an aggregate, binds: it compares then.
        ("p(X), Y = X, q(Y)", "p(X), q(Y), Y = X"),
        ("p(P, M), N = M, N = count { X : q(P, X) }", "p(P, M), N = count { X : q(P, X) }, N = M"),
        # Of two that could give a value the first one does.
        ("M = K, p(N), M = N, q(K)", "p(N), q(K), M = K, M = N"),
        ("M = K, K = N + 1, p(N), M = N", "p(N), K = N + 1, M = K, M = N"),
        ("M = K, M = N, K = M, p(N)", "p(N), M = N, M = K, K = M"),
        # What stands in one negated atom alone, and begins with `_`, may be anything.
        ("not edge(X, _), node(X)", "node(X), not edge(X, _1)"),
        ("node(X), N = count { Y : to(X, Y), not edge(Y, _) }", "node(X), N = count { Y : to(X, Y), not edge(Y, _1) }"),
        # What stands within two aggregates and nowhere else is each one's own.
        (
            "p(P), N = sum { D : q(P, D) }, M = max { D : q(P, D) }",
            "p(P), N = sum { D : q(P, D) }, M = max { D : q(P, D) }",
        ),
    ],
)
def test_the_order(body, order):
    (rule,) = parse(f":- {body}.", PLAIN).rules
    assert ", ".join(write(each, PLAIN) for each in bound_order(rule)) == order


def test_a_condition_that_stands_twice_is_kept_twice():
    each = Atom(Entity("urn:p"), (Variable("A"), Variable("B")))
    assert bound_order(Rule("r", None, (each, each))) == [each, each]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("p(X) :- q(Y).", "X"),
        ("p(X) :- q(X), not r(X, Y).", "Y"),
        ("p(X) :- q(X), not r(X, _y), not s(_y).", "_y"),
        ("p(X, _y) :- q(X), not r(X, _y).", "_y"),
        ("p(X) :- q(X), not r(X, _y), N = count { Z : s(Z, _y) }, N > 1.", "_y, N, Z"),
        ("p(X) :- q(X), Y > 3.", "Y"),
        ("p(X) :- q(X), Y = Z.", "Y, Z"),
        ("p(X) :- q(X), X = Y + 1.", "Y"),
        ("p(P, N) :- N = count { X : q(P, X) }.", "P, N, X"),
        ("p(P) :- q(P), N = count { X : r(P) }, N > 3.", "X"),
        ("p(P) :- q(P), N = sum { Y : r(P, X), Y > X }.", "Y"),
        ("p(P, D) :- q(P, D), N = sum { D : r(P) }.", "D"),
    ],
)
def test_what_nothing_binds_is_told(text, names):
    (rule,) = parse(text, PLAIN, "a.rules").rules
    with pytest.raises(RuleError) as caught:
        bound_order(rule)
    assert str(caught.value) == (
        f"a.rules:1:1: Nothing in the rule 'r1' binds {names}. Add a condition that does, such as an atom in which it "
        "stands."
    )


def test_an_aggregate_is_bound_within_with_what_is_bound_outside():
    (rule,) = parse("p(P, N) :- q(P, L), N = count { X : r(P, X, M), not s(X, L), Y = X * 2, Y > M }.", PLAIN).rules
    assert isinstance(bound_order(rule)[1], Aggregate)


@settings(max_examples=200)
@given(RULES)
def test_the_same_equations_give_values_as_for_the_checker(rule):
    """Which `=` gives a variable its value decides how the value is written."""
    try:
        order = bound_order(rule)
    except RuleError:
        return
    theirs = checker._order(rule.body, checker._names(rule.head), frozenset())
    assert makers(order, rule) == makers(theirs, rule)


def makers(order, rule):
    """By variable, the equation that gives it its value."""
    known = {name for atom in rule.atoms for name in mentioned(atom)}
    found = {}
    for each in order:
        if isinstance(each, Comparison) and not set(mentioned(each)) <= known:
            (name,) = set(mentioned(each)) - known
            found[name] = each
        if not isinstance(each, Not):
            known |= {each.result.name} if isinstance(each, Aggregate) else set(mentioned(each))
    return found


def test_a_circle_of_atoms_that_rule_text_has_not():
    one, other = Atom(Entity("urn:x:p"), (Variable("A"),)), Atom(Entity("urn:x:q"), (Variable("A"),))
    rules = [Rule("r1", one, (other, Not(one)))]
    with pytest.raises(RuleError, match=r"p\(A\) depends on not p\(A\)"):
        strata(rules)
