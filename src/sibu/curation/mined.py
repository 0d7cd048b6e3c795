"""Rules that a knowledge base's facts suggest, as rule text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError, counted
from sibu.core.logic import Comparison
from sibu.core.names import Names
from sibu.curation.linked import Linked, check_some, links_of
from sibu.logic.mining.search import Findings, Mined, mine
from sibu.logic.written import write

if TYPE_CHECKING:
    from sibu.core.logic import Rule, Status
    from sibu.graph.reading import Reading

FIRST_LINE = "# Mined by `sibu kb mine`"
"""By it a file of mined rules is known, which may be replaced by the next."""
DIGITS, MOST_SURE = 4, 0.9999
"""Of a confidence as it is written."""
FEWEST, USUAL, SHARE = 3, 100, 1000
"""Least support, where none is given: one in ``SHARE`` facts, from ``FEWEST`` to ``USUAL``."""


@dataclass(frozen=True, slots=True, eq=False)
class MinedRules:
    """What was found, on what."""

    linked: Linked
    options: Mapping[str, Any]
    """By which it was looked for."""
    findings: Findings

    def text(self, names: Names, about: str) -> str:
        """As a file of rules.

        Args:
            names: The knowledge base's.
            about: What the rules were mined from.
        """
        options = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.options.items() if value)
        lines = [f"{FIRST_LINE} from {about}.", f"# Least {options}."]
        for each in self.findings:
            lines += ["", write(told(each), names)]
        return "\n".join(lines) + "\n"


def mine_rules(
    kb: Reading,
    *,
    support: int | None = None,
    statuses: Sequence[Status] = ("asserted", "derived"),
    constants: bool = False,
    **options: Any,
) -> MinedRules:
    """Find the rules that a knowledge base's facts support.

    Args:
        kb: The knowledge base.
        support: Least number of cases; None: one in 1,000 facts, from 3 to 100.
        statuses: Which facts are looked at.
        constants: Whether any thing or value may stand in a rule, or a class alone.
        options: Others of ``sibu.logic.mining.search.mine``.

    Raises:
        RecipeError: When an option is out of its range; tells all of them.
        DataError: When it has no facts between things.
    """
    linked = links_of(kb, statuses, values=constants)
    check_some(kb, linked, "to mine rules on")
    least = max(FEWEST, min(USUAL, len(linked.triples) // SHARE)) if support is None else support
    findings = mine(linked.graph(), terms=linked.terms, support=least, constants=constants, **options)
    told: dict[str, Any] = {
        "support": least,
        **{key: options[key] for key in ("head_coverage", "confidence") if key in options},
    }
    return MinedRules(linked, told, findings)


def told(mined: Mined) -> Rule:
    """The rule as it is written: with what speaks for it in words."""
    shares = f"head coverage {mined.head_coverage:.2g}, PCA confidence {mined.pca_confidence:.3g}"
    sure = min(round(mined.rule.confidence, DIGITS), MOST_SURE) or 10**-DIGITS
    body = mined.rule.body
    if mined.loops and mined.rule.head is not None:
        first, second = mined.rule.head.terms
        body = (*body, Comparison("!=", first, second))
    return replace(mined.rule, body=body, confidence=sure, about=f"support {mined.support}, {shares}")


def beyond(mined: Mined) -> int:
    """How many facts a rule gives that are not there yet."""
    return round(mined.support / mined.confidence) - mined.support


def check_file(out: Path, *, force: bool) -> None:
    """Refuse to lose a file.

    Raises:
        RecipeError: When it is there.
    """
    if out.exists() and not force:
        raise RecipeError(f"{out} is there already. Choose another place with --out, or replace it with --force.")


def check_name(kb: Reading, name: str, *, force: bool) -> None:
    """Refuse to replace rules that were not mined.

    Raises:
        RecipeError: When the knowledge base has such.
        DataError: When it is no name of rules.
    """
    kb.rules.place(name)  # says what a name may be
    before = kb.rules.all().get(name, FIRST_LINE)
    if not before.startswith(FIRST_LINE) and not force:
        raise RecipeError(
            f"{kb.folder} has rules named {name!r} that were not mined. Give another --name, or replace them with "
            "--force."
        )


def about(kb: Reading, linked: Linked) -> str:
    """What rules were mined from, in words."""
    things = counted(len(linked.terms), "thing")
    facts = f"{counted(len(linked.triples), 'fact')} of {things} by {counted(len(linked.relations), 'relation')}"
    return f"version {kb.version.number}: {facts}"
