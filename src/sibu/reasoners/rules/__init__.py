"""The rule files of the knowledge base: what `sibu kb rules` keeps in it, in the language of rules.

A rule is named by its file and its id in it, such as `clinic:contra`, and so it stands in proofs. What a rule with a
confidence below 1 concludes is a hypothesis. Source: Datalog with stratified negation and aggregates (Ullman,
Principles of Database and Knowledge-Base Systems, 1988).
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Reasoner


class RulesSpec(Spec):
    """Options of `rules`."""

    name: Literal["rules"] = "rules"
    files: tuple[str, ...] = ()
    """Names of the rule files to use, as `sibu kb rules` lists them; none: all."""


def build(spec: RulesSpec) -> Reasoner:
    """The reasoner."""
    from sibu.reasoners.rules.kept import Kept

    return Kept(spec.files)


ENTRY = Entry(RulesSpec, build)
