"""Comparison and arithmetic over columns, as ``sibu.core.logic`` says: exact, and nothing where there is no number.

Whole numbers of 64 bits and floats are reckoned as arrays where the outcome is what Python's would be; what might
overflow, and numbers of different types, are reckoned one by one by Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sibu.core.logic import Arithmetic, Expression, Value, Variable
from sibu.logic.closure.terms import REAL, TEXT, WHOLE, Ids, Terms

Mask = npt.NDArray[np.bool_]
Columns = Mapping[str, Ids]
OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
EXACT = 2**53
"""Whole numbers up to this are floats without loss."""


@dataclass(slots=True)
class Amounts:
    """Numbers: an array of int64, of float64, or of Python's own."""

    values: npt.NDArray[Any]
    there: Mask
    """Where there is one at all; elsewhere the value means nothing."""

    def listed(self) -> list[Any]:
        """As Python's numbers, None where there is none."""
        return [
            value if there else None for value, there in zip(self.values.tolist(), self.there.tolist(), strict=True)
        ]


def worth(ids: Ids, terms: Terms) -> Amounts:
    """What terms are worth."""
    kinds = terms.kinds(ids)
    there = kinds >= WHOLE
    if not there.any() or not np.any(there & (kinds != WHOLE)):
        return Amounts(terms.wholes(ids), there)
    if not np.any(there & (kinds != REAL)):
        return Amounts(terms.reals(ids), there)
    return _python(terms.numbers(ids))


def amounts(expression: Expression, columns: Columns, size: int, terms: Terms) -> Amounts:
    """What an expression is worth in each row."""
    if not isinstance(expression, Arithmetic):
        return worth(ids_of(expression, columns, size, terms), terms)
    left, right = (amounts(side, columns, size, terms) for side in (expression.left, expression.right))
    found = _quickly(expression.operator, left, right)
    return found if found is not None else _slowly(expression.operator, left, right)


def ids_of(expression: Expression, columns: Columns, size: int, terms: Terms) -> Ids:
    """The column of a variable, or of a term."""
    if isinstance(expression, Variable):
        return columns[expression.name]
    assert not isinstance(expression, Arithmetic)
    return np.full(size, terms.id(expression), np.int32)


def evaluated(expression: Expression, columns: Columns, size: int, terms: Terms) -> tuple[Ids, Mask]:
    """The terms that an expression comes to, new ones where need be, and where it comes to any."""
    if isinstance(expression, Arithmetic):
        return interned(amounts(expression, columns, size, terms), terms)
    return ids_of(expression, columns, size, terms), np.ones(size, bool)


def interned(numbers: Amounts, terms: Terms) -> tuple[Ids, Mask]:
    """The terms of numbers, and where there are any: a whole number of too many digits cannot be written."""
    places = np.flatnonzero(numbers.there)
    values = numbers.values[places]
    found = np.full(len(numbers.there), -1, np.int32)
    if values.dtype == object:
        found[places] = [_term(value, terms) for value in values]
    elif len(values):
        bits = values.view(np.int64)  # so that 0.0 and -0.0, which are written differently, stay two
        unique, inverse = np.unique(bits, return_inverse=True)
        made = [_term(value, terms) for value in unique.view(values.dtype).tolist()]
        found[places] = np.array(made, np.int32)[inverse]
    return found, found >= 0


def _term(value: int | float, terms: Terms) -> int:
    try:
        return terms.id(Value.of(value))
    except ValueError:
        return -1


def _quickly(sign: str, left: Amounts, right: Amounts) -> Amounts | None:
    """Arithmetic over arrays; None where Python's outcome might differ."""
    pair = _alike(left.values, right.values)
    if pair is None:
        return None
    one, two = pair
    there = left.there & right.there
    real = one.dtype == np.float64
    if sign in ("//", "%") and real:
        return None
    if sign == "/" and not real:
        if _largest(one) > EXACT or _largest(two) > EXACT:
            return None
        one, two = one.astype(np.float64), two.astype(np.float64)
    if not real and sign in "+-*" and not _fits(sign, one, two):
        return None
    if sign in ("/", "//", "%"):
        there = there & (two != 0)
        two = np.where(two == 0, 1, two)
    if not real and sign == "//" and _largest(one) > 2**62:
        return None
    with np.errstate(all="ignore"):
        return Amounts(OPERATIONS[sign](one, two), there)


def _slowly(sign: str, left: Amounts, right: Amounts) -> Amounts:
    """Arithmetic one by one."""
    function = OPERATIONS[sign]
    found: list[int | float | None] = []
    for one, two in zip(left.listed(), right.listed(), strict=True):
        try:
            found.append(None if one is None or two is None else _written(function(one, two)))
        except (ArithmeticError, ValueError):  # by zero, or too large for a float; of too many digits
            found.append(None)
    return _python(found)


def _written(number: int | float) -> int | float:
    """The number, if it has no more digits than Python writes."""
    if isinstance(number, int) and number.bit_length() > 2**11:
        str(number)
    return number


def _python(numbers: list[int | float | None]) -> Amounts:
    """Numbers of any size and type."""
    values = np.empty(len(numbers), object)
    values[:] = numbers
    return Amounts(values, np.array([number is not None for number in numbers], bool))


def _alike(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """Both of one type, where nothing is lost by it."""
    if object in (one.dtype, two.dtype):
        return None
    if one.dtype == two.dtype:
        return one, two
    whole = one if one.dtype == np.int64 else two
    return (one.astype(np.float64), two.astype(np.float64)) if _largest(whole) <= EXACT else None


def _largest(values: npt.NDArray[np.int64]) -> int:
    """The greatest distance from 0."""
    return max(int(values.max()), -int(values.min())) if len(values) else 0


def _fits(sign: str, one: npt.NDArray[np.int64], two: npt.NDArray[np.int64]) -> bool:
    """Whether no outcome can be beyond 64 bits."""
    size = _largest(one) * _largest(two) if sign == "*" else _largest(one) + _largest(two)
    return size < 2**63


def compared(sign: str, left: Expression, right: Expression, columns: Columns, size: int, terms: Terms) -> Mask:
    """Where a comparison holds."""
    if isinstance(left, Arithmetic) or isinstance(right, Arithmetic):
        return _reckoned(sign, left, right, columns, size, terms)
    one, two = (ids_of(side, columns, size, terms) for side in (left, right))
    return compared_terms(sign, one, two, terms)


def compared_terms(sign: str, one: Ids, two: Ids, terms: Terms) -> Mask:
    """Where two columns of terms compare so."""
    kinds = terms.kinds(one), terms.kinds(two)
    numeric = (kinds[0] >= WHOLE) & (kinds[1] >= WHOLE)
    if sign in ("=", "!="):
        found = OPERATIONS[sign](one, two)
    else:
        orders = terms.orders(one), terms.orders(two)
        texts = (kinds[0] == TEXT) & (kinds[1] == TEXT) & (orders[0] == orders[1]) & (orders[0] >= 0)
        found = np.zeros(len(one), bool)
        places = np.flatnonzero(texts)
        found[places] = _ordered(sign, one[places], two[places], terms)
    places = np.flatnonzero(numeric)
    if len(places):
        found[places] = _held(sign, worth(one[places], terms), worth(two[places], terms))
    return np.asarray(found, bool)


def _reckoned(sign: str, left: Expression, right: Expression, columns: Columns, size: int, terms: Terms) -> Mask:
    """A comparison of which a side at least is arithmetic: what is no number equals none."""
    sides = [amounts(side, columns, size, terms) for side in (left, right)]
    there = sides[0].there & sides[1].there
    found = np.zeros(size, bool)
    if sign == "!=":  # a term that is no number differs from any; a sum that comes to nothing differs from none
        found = np.ones(size, bool)
        for side, numbers in zip((left, right), sides, strict=True):
            found &= numbers.there if isinstance(side, Arithmetic) else True
    places = np.flatnonzero(there)
    if len(places):
        found[places] = _held(sign, *(Amounts(side.values[places], side.there[places]) for side in sides))
    return found


def _held(sign: str, left: Amounts, right: Amounts) -> Mask:
    """Where numbers, all of which are there, compare so."""
    pair = _alike(left.values, right.values)
    if pair is not None:
        return np.asarray(OPERATIONS[sign](*pair), bool)
    function = OPERATIONS[sign]
    pairs = zip(left.values.tolist(), right.values.tolist(), strict=True)
    return np.array([function(one, two) for one, two in pairs], bool)


def _ordered(sign: str, one: Ids, two: Ids, terms: Terms) -> Mask:
    """Where values of one kind, no numbers, compare so: texts by their code points, dates by their moments."""
    unique, inverse = np.unique(np.concatenate((one, two)), return_inverse=True)
    keys = [term.order or ("", "") if isinstance(term, Value) else ("", "") for term in terms.of(unique)]
    place = {key: number for number, key in enumerate(sorted(set(keys)))}  # keys of one kind are of one type
    ranks = np.array([place[key] for key in keys], np.int64)[inverse]
    return np.asarray(OPERATIONS[sign](ranks[: len(one)], ranks[len(one) :]), bool)
