"""Recursion that makes numbers for ever is told, and what is not told comes to an end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.logic import Arithmetic, Comparison, Value, Variable
from sibu.core.names import Names
from sibu.logic.growth import endless
from sibu.logic.text import parse

PLAIN = Names("https://example.org/")


def told(text):
    return [(each.rule, each.variable, each.sources, each.way) for each in endless(parse(text, PLAIN).rules)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("n(M) :- n(N), M = N + 1.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), N + 1 = M.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), M = N - 1.", [(0, "M", ("N",), "down")]),
        ("n(M) :- n(N), M = N + -1.", [(0, "M", ("N",), "down")]),
        ("n(M) :- n(N), M = N * 2.", [(0, "M", ("N",), "any")]),
        ("n(M) :- n(N), K = N + 1, M = K + 1.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), n(K), M = N + K.", [(0, "M", ("N", "K"), "any")]),
        ("a(M) :- b(N), M = N + 1. b(N) :- a(N).", [(0, "M", ("N",), "up")]),
        ("steps(X, M) :- steps(Y, N), next(Y, X), M = N + 1.", [(0, "M", ("N",), "up")]),
        ("triple(X, P, M) :- triple(X, P, N), M = N + 1.", [(0, "M", ("N",), "up")]),
        ("triple(M, rdf:type, C) :- triple(N, rdf:type, C), M = N + 1.", [(0, "M", ("N",), "up")]),
        # A bound on the wrong side is none, nor is one that grows itself.
        ("n(M) :- n(N), M = N + 1, M > 5.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), M = N - 1, M < 5.", [(0, "M", ("N",), "down")]),
        ("n(M, K) :- n(N, L), M = N + 1, K = N + 10, M < L.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), M = N + 1, N != 10.", [(0, "M", ("N",), "up")]),
        ("n(M) :- n(N), M = N + 1, not last(N).", [(0, "M", ("N",), "up")]),
        # One bounded rule does not bound another.
        ("n(M) :- n(N), M = N + 1, M < 9. n(M) :- n(N), M = N + 2.", [(1, "M", ("N",), "up")]),
    ],
)
def test_what_never_ends(text, found):
    assert told(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "n(M) :- n(N), M = N + 1, M <= 1000.",
        "n(M) :- n(N), M = N + 1, 1000 > N.",
        "n(M) :- n(N), M = N - 1, M >= 0.",
        "n(M) :- n(N), M = N * 2, M < 1000.",
        "n(M) :- n(N), M = N + 1, limit(L), M < L.",
        "n(M, L) :- n(N, L), M = N + 1, M < L.",
        "n(M) :- n(N), M = N + 1, L = count { X : day(X) }, M < L.",
        "n(M) :- n(N), day(N), M = N + 1.",
        "n(M) :- n(N), day(M), M = N + 1.",
        "n(M) :- n(N), M = N + 1, M = 5.",
        "n(M) :- n(N), M = (N + 1) % 7.",
        "n(M) :- n(N), M = N // 2.",
        "n(M) :- n(N), K = N + 1, K < 9, M = K.",
        "n(N) :- n(N), M = N + 1, M < 3.",
        "n(M) :- n(N), M = N + 0.",
        "m(M) :- n(N), M = N + 1.",
        "a(M) :- b(N), M = N + 1. b(N) :- a(N), N < 100.",
        "a(M) :- b(N), M = N + 1. b(N) :- a(N), day(N).",
        # The number is not what the circle takes up again.
        "d(X, N, M) :- d(Y, N, _), next(Y, X), M = N + 1.",
        "p(X, M) :- p(Y, _), cost(Y, X, C), M = C * 2.",
    ],
)
def test_what_ends(text):
    assert told(text) == []


RELATIONS = st.sampled_from(["a", "b", "day"])
NUMBERS = st.integers(-2, 2)
MADE = st.one_of(
    st.builds(lambda sign, number: f"N {sign} {number}", st.sampled_from("+-"), NUMBERS),
    st.builds(lambda number: f"{number} + N", NUMBERS),
    st.builds(lambda number: f"(N + 1) % {number}", st.integers(2, 5)),
    st.sampled_from(["N // 2", "N // -2", "N"]),
)
BOUNDS = st.builds(
    lambda name, sign, number: f", {name} {sign} {number}",
    st.sampled_from("NM"), st.sampled_from(["<", "<=", ">", ">="]), st.integers(-9, 9),
)  # fmt: skip
BOUNDED = st.builds(
    lambda head, body, made, bounds, more: f"{head}(M) :- {body}(N), M = {made}{''.join(bounds)}{more}.",
    st.sampled_from("ab"),
    RELATIONS,
    MADE,
    st.lists(BOUNDS, max_size=2),
    st.sampled_from(["", "", ", day(N)", ", b(M)"]),
)


def worth(expression, binding):
    if isinstance(expression, Value):
        return expression.number
    if isinstance(expression, Variable):
        return binding[expression.name]
    left, right = worth(expression.left, binding), worth(expression.right, binding)
    return {"+": left + right, "-": left - right, "%": left % (right or 1), "//": left // (right or 1)}[
        expression.operator
    ]


def ends(rules, limit=2000):
    """Whether naive evaluation from some days and numbers comes to a fixed point."""
    facts = {("day", number) for number in range(-3, 4)} | {("a", 0), ("b", 1)}
    name = lambda atom: atom.terms[1].iri.rpartition("/")[2]  # noqa: E731
    while len(facts) < limit:
        new = set()
        for rule in rules:
            for _, number in [fact for fact in facts if fact[0] == name(rule.atoms[0])]:
                binding = {"N": number}
                binding["M"] = worth(rule.body[1].right, binding)
                checks = [each for each in rule.body[2:] if isinstance(each, Comparison)]
                if all(_holds(each, binding) for each in checks) and all(
                    (name(each), binding[each.terms[0].name]) in facts for each in rule.atoms[1:]
                ):
                    new.add((name(rule.head), binding["M"]))
        if new <= facts:
            return True
        facts |= new
    return False


def _holds(each, binding):
    left, right = worth(each.left, binding), worth(each.right, binding)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[each.operator]


@settings(max_examples=300)
@given(st.lists(BOUNDED, min_size=1, max_size=4))
def test_what_is_not_told_comes_to_an_end(lines):
    rules = parse("\n".join(lines), PLAIN).rules
    if not endless(rules):
        assert ends(rules)


def test_a_rule_that_grows_by_facts_alone_is_told_with_how():
    (found,) = endless(parse("total(Q, M) :- total(P, N), next(P, Q), price(Q, C), M = N + C.", PLAIN).rules)
    assert found.made == Comparison("=", Variable("M"), Arithmetic("+", Variable("N"), Variable("C")))
    assert (found.sources, found.way) == (("N",), "any")
