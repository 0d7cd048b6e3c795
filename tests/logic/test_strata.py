"""What is denied or counted is known in full before it is, and where that cannot be, the circle is shown."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sibu.core.errors import RuleError
from sibu.core.logic import TYPE, Aggregate, Atom, Entity, Not, Rule, Variable
from sibu.core.names import RDF, Names
from sibu.logic.strata import components, key_of, strata
from sibu.logic.text import parse

PLAIN = Names("https://example.org/")
X, Y = Variable("X"), Variable("Y")
KEYS = [Entity(f"urn:x:{name}") for name in "abcde"] + [(TYPE, Entity(f"urn:x:{name}")) for name in "abc"]


def atom_of(key):
    return Atom(TYPE, (X, key[1])) if isinstance(key, tuple) else Atom(key, (X, Y))


ATOMS = st.sampled_from(KEYS).map(atom_of)
PARTS = st.one_of(
    ATOMS,
    ATOMS,
    ATOMS.map(Not),
    st.builds(lambda atom, wrap: Aggregate(Variable("N"), "count", (Y,), (wrap(atom),)), ATOMS,
              st.sampled_from([Not, lambda atom: atom])),
)  # fmt: skip
RULES = st.builds(
    lambda head, body: Rule("r", head, tuple(body)), ATOMS | ATOMS | st.none(), st.lists(PARTS, max_size=3)
).filter(lambda rule: rule.head or rule.body)
PROGRAMS = st.lists(RULES, max_size=7).map(
    lambda rules: [Rule(f"r{number}", rule.head, rule.body) for number, rule in enumerate(rules)]
)
EDGES = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=3)


def rests_on(rule):
    """Keys of a body, and by how much the head lies above them."""
    for each in rule.body:
        if isinstance(each, Aggregate):
            inner = each.body[0]
            yield key_of(inner.atom if isinstance(inner, Not) else inner), 1
        else:
            yield key_of(each.atom if isinstance(each, Not) else each), int(isinstance(each, Not))


def plainly(rules, edges):
    """Levels by raising each head until nothing changes; None: it never does."""
    levels = dict.fromkeys(KEYS, 0)
    for _ in range(len(KEYS) + 2):
        before = dict(levels)
        for rule in rules:
            if rule.head:
                head = key_of(rule.head)
                levels[head] = max([levels[head], *(levels[key] + above for key, above in rests_on(rule))])
        for source, target in edges:
            levels[target] = max(levels[target], levels[source])
        if levels == before:
            return levels
    return None


@settings(max_examples=400)
@given(PROGRAMS, EDGES)
@example([Rule("r0", atom_of(KEYS[0]), (Not(atom_of(KEYS[0])),))], [])
def test_levels_are_those_of_plain_iteration(rules, edges):
    levels = plainly(rules, edges)
    if levels is None:
        with pytest.raises(RuleError):
            strata(rules, edges)
        return
    found = strata(rules, edges)
    assert found.generic == ()
    assert all(level == levels[key] for key, level in found.levels.items())
    placed = {rule.id: level for level, layer in enumerate(found.layers) for rule in layer}
    assert placed == {
        rule.id: levels[key_of(rule.head)]
        if rule.head
        else max([0, *(levels[key] + above for key, above in rests_on(rule))])
        for rule in rules
    }
    assert all(list(layer) == [rule for rule in rules if rule in layer] for layer in found.layers)


def layers(text, edges=()):
    found = strata(parse(text, PLAIN).rules, edges)
    return [[rule.id for rule in layer] for layer in found.layers], [rule.id for rule in found.generic]


def test_the_order_of_a_program():
    text = """free(X) :- patient(X), not treated(X).
treated(X) :- takes(X, D).
takes(anna, ibuprofen).
few(N) :- N = count { X : free(X) }.
:- treated(X), free(X).
:- not few(0)."""
    assert layers(text) == ([["r2", "r3"], ["r1", "r5"], ["r4"], ["r6"]], [])


def test_what_no_rule_concludes_is_known_below():
    assert layers("p(X) :- q(X), not r(X).") == ([[], ["r1"]], [])
    assert layers("") == ([[]], [])


def test_an_edge_lifts_what_it_makes():
    parent, mother = Entity(PLAIN.base + "parent"), Entity(PLAIN.base + "mother")
    text = "mother(X, Y) :- a(X, Y), not b(X, Y).\norphan(X) :- child(X), not parent(X, X)."
    assert layers(text)[0] == [[], ["r1", "r2"]]
    assert layers(text, [(mother, parent)])[0] == [[], ["r1"], ["r2"]]
    found = strata(parse(text, PLAIN).rules, [(mother, parent)])
    assert found.levels[parent] == found.levels[mother] == 1


def test_open_rules_belong_to_every_stratum():
    text = """triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).
triple(X, rdf:type, D) :- triple(X, rdf:type, C), rdfs:subClassOf(C, D).
linked(X, Y) :- triple(X, P, Y), strong(P).
lonely(X) :- patient(X), not linked(X, X).
:- triple(X, P, X), irreflexive(P)."""
    found = strata(parse(text, PLAIN).rules)
    assert [[rule.id for rule in layer] for layer in found.layers] == [[], ["r4"]]
    assert [rule.id for rule in found.generic] == ["r1", "r2", "r3", "r5"]
    assert [rule.id for rule in found.at(0)] == ["r1", "r2", "r3", "r5"]
    assert [rule.id for rule in found.at(1)] == ["r4", "r1", "r2", "r3", "r5"]


def test_an_open_rule_that_denies_waits_for_what_it_denies():
    text = """linked(X, Y) :- triple(X, P, Y), not weak(P).
weak(P) :- rare(P), not known(P).
triple(X, rdf:type, C) :- default(X, C), not excluded(X, C).
excluded(X, C) :- told(X, C)."""
    found = strata(parse(text, PLAIN).rules)
    # r3 may conclude any class: `known` too, which `weak` denies, which r1 denies.
    assert found.since == {"r1": 3, "r3": 1}
    assert [[rule.id for rule in found.at(level)] for level in range(4)] == [["r4"], ["r3"], ["r2", "r3"], ["r1", "r3"]]


def test_relations_of_three_terms_may_count_all_that_is_open():
    text = "degree(X, N, all) :- thing(X), N = count { P, Y : triple(X, P, Y) }.\np(X, Y) :- q(X, Y), not r(X, Y)."
    found = strata(parse(text, PLAIN).rules)
    assert found.since == {"r1": 2}
    assert [rule.id for rule in found.generic] == ["r1"]
    assert found.levels[Entity(PLAIN.base + "degree")] == found.levels[Entity(PLAIN.base + "p")] + 1


CIRCLES = [
    (
        "p(X) :- r(X), not q(X).\nq(X) :- p(X).",
        "a.rules:1:1: A rule denies what rests on it in turn, so the rules can be run in no order: a.rules:1: "
        "p(X) depends "
        "on not q(X), a.rules:2: q(X) depends on p(X). Let one of them rest on something else, or do without `not`.",
        "p(X) :- r(X), not q(X).\nq(X) :- r(X), s(X).",
    ),
    (
        "win(X) :- move(X, Y), not win(Y).",
        "a.rules:1:1: A rule denies what rests on it in turn, so the rules can be run in no order: a.rules:1: win(X) "
        "depends on not win(Y). Let one of them rest on something else, or do without `not`.",
        "win(X) :- move(X, Y), not move(Y, X).",
    ),
    (
        "价(?药, ?数) :- ?数 = sum { ?价 : 同(?药, ?药二), 价(?药二, ?价) }, 药(?药).",
        "a.rules:1:1: A rule counts what rests on it in turn, so the rules can be run in no order: "
        "a.rules:1: 价(?药, ?数) "
        "depends on sum over 价(?药二, ?价). Let one of them rest on something else, or do without `sum`.",
        "价(?药, ?数) :- ?数 = sum { ?价 : 同(?药, ?药二), 原价(?药二, ?价) }, 药(?药).",
    ),
    (
        "degree(X, N) :- thing(X), N = count { P, Y : triple(X, P, Y) }.",
        "a.rules:1:1: A rule counts what rests on it in turn, so the rules can be run in no order: a.rules:1: "
        "degree(X, N) "
        "depends on count over triple(X, P, Y). Name the relations that are meant instead of leaving them open.",
        "degree(X, N) :- thing(X), N = count { Y : linked(X, Y) }.",
    ),
    (
        "triple(X, Q, Y) :- triple(X, P, Y), under(P, Q), not blocked(P).",
        "a.rules:1:1: A rule denies what rests on it in turn, so the rules can be run in no order: a.rules:1: "
        "triple(X, Q, "
        "Y) depends on not blocked(P), a.rules:1: triple(X, Q, Y) may conclude any relation. Name the "
        "relations that are meant instead of leaving them open.",
        "parent(X, Y) :- triple(X, P, Y), under(P, parent), not blocked(P).",
    ),
]


@pytest.mark.parametrize(("wrong", "told", "right"), CIRCLES)
def test_a_circle_is_shown_and_its_mend_works(wrong, told, right):
    with pytest.raises(RuleError) as caught:
        strata(parse(wrong, PLAIN, "a.rules").rules)
    assert str(caught.value) == told
    assert strata(parse(right, PLAIN, "a.rules").rules).layers


def test_every_circle_is_told():
    text = "a(X) :- b(X), not a(X).\nc(X) :- d(X), not e(X).\ne(X) :- c(X).\nf(X) :- not_a(X), not a(X)."
    with pytest.raises(RuleError) as caught:
        strata(parse(text, PLAIN).rules)
    assert str(caught.value) == (
        "The rules have 2 faults:\n"
        "1:1: A rule denies what rests on it in turn, so the rules can be run in no order: line 1: a(X) depends on not "
        "a(X). Let one of them rest on something else, or do without `not`.\n"
        "2:1: A rule denies what rests on it in turn, so the rules can be run in no order: line 2: c(X) depends on not "
        "e(X), line 3: e(X) depends on c(X). Let one of them rest on something else, or do without `not`."
    )


def test_an_edge_in_a_circle_and_names_of_ones_own():
    rules = parse("p(X, Y) :- r(X, Y), not q(X, Y).", PLAIN, "a.rules").rules
    with pytest.raises(RuleError) as caught:
        strata(rules, [(rules[0].head.predicate, rules[0].body[1].atom.predicate)], names=Names("urn:x:"))
    shown = "<https://example.org/p>(X, Y) depends on not <https://example.org/q>(X, Y)"
    assert shown in str(caught.value)
    assert "by the schema <https://example.org/q> depends on <https://example.org/p>" in str(caught.value)


def test_a_rule_without_a_place_is_told_by_its_id():
    rule = Rule("mined-3", atom_of(KEYS[0]), (Not(atom_of(KEYS[0])),))
    with pytest.raises(RuleError) as caught:
        strata([rule])
    assert "rule mined-3: a(X, Y) depends on not a(X, Y)" in str(caught.value)


def test_keys():
    (rule,) = parse("p(a, b) :- q(X), triple(X, P, Y), triple(X, rdf:type, C), r(a, b, c), triple(a, rdf:type, b).",
                    PLAIN).rules  # fmt: skip
    base = PLAIN.base
    assert [key_of(each) for each in (rule.head, *rule.body)] == [
        Entity(base + "p"), (TYPE, Entity(base + "q")), None, None, Entity(base + "r"), (TYPE, Entity(base + "b"))
    ]  # fmt: skip
    assert key_of(Atom(Entity(RDF + "type"), (X, X, X))) == TYPE


def test_ten_thousand_rules_in_a_row_and_in_a_circle():
    count = 10_000
    heads = [Atom(Entity(f"urn:x:p{number}"), (X, Y)) for number in range(count + 1)]
    row = [Rule(f"r{number}", heads[number + 1], (heads[number],)) for number in range(count)]
    above = Rule("above", Atom(Entity("urn:x:q"), (X, Y)), (Not(heads[count]),))
    assert [len(layer) for layer in strata([*row, above]).layers] == [count, 1]
    stairs = [Rule(f"r{number}", heads[number + 1], (Not(heads[number]),)) for number in range(count)]
    assert len(strata(stairs).layers) == count + 1
    with pytest.raises(RuleError) as caught:
        strata([*row, Rule("last", heads[0], (Not(heads[count]),), "a.rules:9:1")])
    assert "a.rules:9: p0(X, Y) depends on not p10000(X, Y), " in str(caught.value)
    assert ", (9989 more rules), " in str(caught.value)
    assert len(str(caught.value)) < 1200


@given(st.lists(st.lists(st.integers(0, 6), max_size=4), min_size=7, max_size=7))
def test_components_are_the_sets_that_reach_each_other(targets):
    reach = [{node} for node in range(7)]
    for _ in range(7):
        reach = [one.union(*(reach[on] for on in targets[node])) for node, one in enumerate(reach)]
    found = components(targets)
    assert sorted(node for group in found for node in group) == list(range(7))
    for place, group in enumerate(found):
        for node in group:
            assert set(group) == {other for other in reach[node] if node in reach[other]}
            assert all(any(on in before for before in found[: place + 1]) for on in targets[node])
