"""The parts of the closure against plain Python: sorted runs, relations, terms, numbers, aggregates."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.logic import Arithmetic, Entity, Term, Value, Variable
from sibu.core.names import RDF, XSD
from sibu.logic.closure import relation as relations
from sibu.logic.closure.aggregate import groups, reduced
from sibu.logic.closure.growing import Growing
from sibu.logic.closure.numbers import amounts, compared_terms, evaluated
from sibu.logic.closure.relation import Relation, distinct, expanded
from sibu.logic.closure.runs import Run, merged, ordered, pack, sorted_run, tidied
from sibu.logic.closure.terms import HUGE, REAL, TEXT, WHOLE, Terms
from tests.logic import naive

SMALL = st.integers(0, 6)
PAIRS = st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=40)
WHOLES = st.integers(-(2**70), 2**70) | st.integers(-5, 5) | st.sampled_from((2**53, 2**53 + 1, 2**62, 2**63 - 1))
REALS = st.floats() | st.sampled_from((0.0, -0.0, 1.0, 2.0**53, 2.0**62, math.inf, math.nan))
VALUES = st.one_of(
    WHOLES.map(Value.of), REALS.map(Value.of), st.sampled_from("ab一").map(Value.of),
    st.sampled_from((Value("01", XSD + "integer"), Value("x", XSD + "integer"), Value("1", XSD + "decimal"),
                     Value("2020-01-01", XSD + "date"), Value("a", RDF + "langString", "en"))),
)  # fmt: skip
TERMS = VALUES | st.sampled_from((Entity("urn:a"), Entity("urn:b")))


def ids(values: list[int]) -> np.ndarray:
    return np.array(values, np.int32)


# Runs and relations.


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=20), min_size=1, max_size=6), st.booleans())
def test_runs_merge_into_what_one_sort_gives(batches: list[list[int]], rows: bool) -> None:
    runs: list[Run] = []
    for batch in batches:
        first = runs[-1].end if runs else 0
        runs = tidied([*runs, sorted_run(np.array(batch, np.int64), first, rows)])
    whole = [key for batch in batches for key in batch]
    assert (runs[0].first, runs[-1].end) == (0, len(whole))
    one = merged(runs)
    assert one.keys.tolist() == sorted(whole)
    assert (one.rows is not None) == rows
    if one.rows is not None:
        assert sorted(one.rows.tolist()) == list(range(len(whole)))
        assert [whole[row] for row in one.rows.tolist()] == one.keys.tolist()


@given(PAIRS, st.lists(SMALL, min_size=1, max_size=10), st.booleans())
def test_a_run_tells_where_keys_stand(pairs: list[tuple[int, int]], asked: list[int], often: bool) -> None:
    run = sorted_run(pack(ids([a for a, _ in pairs]), ids([b for _, b in pairs])), 0, True)
    for _ in range(99 if often else 1):  # when much is looked for a table of starts is made
        left, right = run.under(ids([*asked, 9]))
    in_order = sorted(pairs)
    for high, begin, end in zip([*asked, 9], left.tolist(), right.tolist(), strict=True):
        assert in_order[begin:end] == [pair for pair in in_order if pair[0] == high]
    keys = pack(ids(asked), ids(asked))
    left, right = run.exact(keys, unique=False)
    assert [in_order[begin:end] for begin, end in zip(left.tolist(), right.tolist(), strict=True)] == [
        [pair for pair in in_order if pair == (each, each)] for each in asked
    ]
    assert run.holds(np.sort(keys)).tolist() == [(each, each) in pairs for each in sorted(asked)]


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=200) | st.lists(SMALL, min_size=65, max_size=200))
def test_the_order_of_keys_is_stable(keys: list[int]) -> None:
    expected = sorted(range(len(keys)), key=lambda place: keys[place])
    assert ordered(np.array(keys, np.int64)).tolist() == expected


@given(st.integers(1, 4), st.data(), st.booleans())
def test_distinct_rows_even_where_hashes_are_alike(width: int, data: st.DataObject, alike: bool) -> None:
    rows = data.draw(st.lists(st.tuples(*[SMALL] * width), min_size=1, max_size=40))
    columns = [ids([row[place] for row in rows]) for place in range(width)]
    keys = Relation(0, width, True).keys(columns, len(rows))
    if width > 2 and alike:
        keys &= 1
    places = distinct(keys, columns).tolist()
    assert sorted(rows[place] for place in places) == sorted(set(rows))
    assert all(rows.index(rows[place]) == place for place in places)


@settings(max_examples=60)
@given(st.integers(0, 4), st.data(), st.booleans(), st.sampled_from((1, 4, 2_000_000)), st.booleans())
def test_a_relation_finds_what_plain_python_finds(
    width: int, data: st.DataObject, proofs: bool, chunk: int, alike: bool
) -> None:
    rows = st.lists(st.tuples(*[st.integers(0, 3)] * width), max_size=12, unique=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "CHUNK", chunk)
        real = relations.hashed
        if alike:
            patch.setattr(relations, "hashed", lambda columns: real(columns) & 1)
        relation, held, dead = Relation(0, width, proofs), list[tuple[int, ...]](), set[int]()
        for _ in range(data.draw(st.integers(1, 3))):
            relation.first = relation.count
            fresh = [row for row in data.draw(rows) if row not in held]
            relation.append([ids([row[place] for row in fresh]) for place in range(width)], len(fresh), asserted=True)
            held += fresh
            check(relation, held, dead, data)
            if proofs and held and data.draw(st.booleans()):
                gone = data.draw(st.sets(st.integers(0, len(held) - 1), max_size=3)) - dead
                relation.kill(ids(sorted(gone)))
                dead |= gone
                check(relation, held, dead, data)


def check(relation: Relation, held: list[tuple[int, ...]], dead: set[int], data: st.DataObject) -> None:
    given_columns = sorted(data.draw(st.sets(st.integers(0, 4), max_size=4)) & set(range(relation.arity)))
    asked = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * len(given_columns)), min_size=1, max_size=5))
    once = data.draw(st.booleans())
    for window, first, end in (("old", 0, relation.first), ("new", relation.first, len(held)), ("all", 0, len(held))):
        needles = {column: ids([each[place] for each in asked]) for place, column in enumerate(given_columns)}
        got: list[list[tuple[int, ...]]] = [[] for _ in asked]
        for found in relation.look(needles, len(asked), window, once):
            for place, left in enumerate(found.left.tolist()):
                own = {column: int(terms[place]) for column, terms in found.columns.items()}
                own |= dict(zip(given_columns, asked[left], strict=True))
                got[left].append(tuple(own[column] for column in range(relation.arity)))
                if found.rows is not None:
                    assert held[found.rows[place]] == got[left][-1]
        for each, own in zip(asked, got, strict=True):
            alive = [row for number, row in enumerate(held[first:end], first) if number not in dead]
            fits = [row for row in alive if tuple(row[column] for column in given_columns) == each]
            assert (len(own) == min(len(fits), 1) and set(own) <= set(fits)) if once else sorted(own) == sorted(fits)
    columns = [ids([row[place] for row in held]) for place in range(relation.arity)]
    where = relation.find(columns, relation.keys(columns, len(held)))
    assert where.tolist() == [-1 if row in dead else row for row in range(len(held))]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=20))
def test_stretches_are_expanded(stretches: list[tuple[int, int]]) -> None:
    left = np.array([begin for begin, _ in stretches], np.intp)
    who, places = expanded(left, left + np.array([size for _, size in stretches], np.intp))
    expected = [(number, begin + step) for number, (begin, size) in enumerate(stretches) for step in range(size)]
    assert list(zip(who.tolist(), places.tolist(), strict=True)) == expected


def test_a_column_that_grows_leaves_earlier_views_as_they_were() -> None:
    column = Growing(np.int32)
    column.extend(ids([1, 2]))
    view = column.view
    for _ in range(20):
        column.fill(7, 3)
    assert view.tolist() == [1, 2]
    assert column.view.tolist() == [1, 2, *[7] * 60]


# Terms and numbers.


def test_what_sort_of_number_a_term_is() -> None:
    terms = Terms()
    values = [Value.of(5), Value.of(2**63), Value.of(2.5), Value("x", XSD + "integer"), Value.of(-(2**63))]
    numbers = terms.ids(values)
    assert terms.kinds(numbers).tolist() == [WHOLE, HUGE, REAL, TEXT, WHOLE]
    assert terms.numbers(numbers) == [5, 2**63, 2.5, None, -(2**63)]
    assert terms.find(Value.of(6)) == -1


@given(st.lists(st.tuples(TERMS, TERMS), min_size=1, max_size=8), st.sampled_from(("=", "!=", "<", "<=", ">", ">=")))
def test_columns_compare_as_terms_do(pairs: list[tuple[Term, Term]], sign: str) -> None:
    terms = Terms()
    one, two = (terms.ids([pair[side] for pair in pairs]) for side in (0, 1))
    assert compared_terms(sign, one, two, terms).tolist() == [naive._holds(sign, *pair) for pair in pairs]


@given(
    st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=6)
    | st.lists(st.tuples(*[WHOLES.map(Value.of)] * 3), min_size=1, max_size=6)
    | st.lists(st.tuples(*[REALS.map(Value.of)] * 3), min_size=1, max_size=6),
    st.sampled_from(("+", "-", "*", "/", "//", "%")), st.sampled_from(("+", "-", "*", "/", "//", "%")),
)  # fmt: skip
def test_columns_reckon_as_python_does(rows: list[tuple[Value, ...]], first: str, second: str) -> None:
    terms = Terms()
    columns = {name: terms.ids([row[place] for row in rows]) for place, name in enumerate("XYZ")}
    x, y, z = (Variable(name) for name in "XYZ")
    expression = Arithmetic(first, Arithmetic(second, x, y), z)  # type: ignore[arg-type]
    found, there = evaluated(expression, columns, len(rows), terms)
    expected = [naive._value(expression, dict(zip("XYZ", row, strict=True))) for row in rows]
    assert [
        terms[number] if fits else None for number, fits in zip(found.tolist(), there.tolist(), strict=True)
    ] == expected


def test_many_whole_numbers_are_reckoned_as_arrays() -> None:
    terms = Terms()
    columns = {"X": terms.ids([Value.of(number) for number in range(100)])}
    found = amounts(Arithmetic("*", Variable("X"), Value.of(3)), columns, 100, terms)
    assert found.values.dtype == np.int64
    assert found.values.tolist() == [3 * number for number in range(100)]


# Aggregates.


@given(
    st.sampled_from(("count", "sum", "min", "max", "mean")),
    st.lists(st.tuples(st.integers(0, 3), TERMS, SMALL), max_size=12)
    | st.lists(st.tuples(st.integers(0, 3), WHOLES.map(Value.of), SMALL), max_size=12),
)
def test_groups_come_to_what_plain_python_reckons(how: str, rows: list[tuple[int, Term, int]]) -> None:
    terms = Terms()
    second = terms.ids([Value.of(number) for number in range(7)])
    parts = [[ids([group]), terms.ids([term]), second[other : other + 1]] for group, term, other in [*rows, *rows[:2]]]
    found, there = reduced(how, parts, 2, 4, terms)
    got = [terms[number] if fits else None for number, fits in zip(found.tolist(), there.tolist(), strict=True)]
    for group, outcome in enumerate(got):
        own = [term for number, term, _ in sorted({row for row in rows if row[0] == group}, key=str)]
        assert outcome == outcome_of(how, own)


def outcome_of(how: str, own: list[Term]) -> Term | None:
    """As ``sibu.core.logic`` has it."""
    if how == "count":
        return Value.of(len(own))
    if how in ("min", "max"):
        best = operator.le if how == "min" else operator.ge
        sign = "<=" if best is operator.le else ">="
        fits = [one for one in own if all(naive._holds(sign, one, other) for other in own)]
        return min(fits, key=str, default=None)
    numbers = [term.number if isinstance(term, Value) else None for term in own]
    if None in numbers or (how == "mean" and not numbers):
        return None
    try:
        total = sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)
        return Value.of(total if how == "sum" else total / len(numbers))
    except (ArithmeticError, ValueError):
        return None


@given(st.integers(1, 4), st.data())
def test_alike_rows_are_one_group(width: int, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*[SMALL] * width), max_size=20))
    columns = [ids([row[place] for row in rows]) for place in range(width)]
    first, group = groups(columns, len(rows))
    assert len(first) == len(set(rows))
    assert [rows[first[number]] for number in group] == rows
