"""The closure of facts under rules, over columns of numbers: what holds, why, and what changes.

A relation's facts are columns of numbers of terms; rules are run on what is new as joins of whole columns. Each derived
fact keeps the rule and the rows from which it first followed, which makes its proof, and tells what goes with a fact
that is withdrawn.
"""

from sibu.logic.closure.changes import Changes, Part
from sibu.logic.closure.closure import Closure, Count, Violation
from sibu.logic.closure.solve import OutOfTime
from sibu.logic.closure.terms import Terms

__all__ = ["Changes", "Closure", "Count", "OutOfTime", "Part", "Terms", "Violation"]
