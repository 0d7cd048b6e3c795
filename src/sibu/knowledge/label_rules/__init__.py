"""Rules over labels: what labels may stand together, learned as a penalty and kept to when predicting.

A rule speaks of the labels of tasks `classify` and `tag`: `intent = cancel -> not topic = billing`,
`entities has drug -> intent in (prescription, question)`. With `not`, `and`, `or`, `->`, `<->` (且, 或, 非, →) and
parentheses; a name with blanks or signs stands in quotes. `=` and `has` mean the same: the label holds, a stretch of
the class is there; `!=` and `lacks` that it does not. While training, what the model thinks likely of answers that
break a rule is a term of the loss; when predicting, the likeliest answers of all tasks together that break none are
given, and the evidence says what a rule changed. Source: Xu et al., 2018, arXiv:1711.11157 (semantic loss).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from sibu.catalog import Entry, Spec
from sibu.knowledge.label_rules.text import NoRule, parse

if TYPE_CHECKING:
    from sibu.core.knowing import LabelKnowledge


def _sound(text: str) -> str:
    try:
        parse(text)
    except NoRule as fault:
        raise ValueError(str(fault)) from None
    return text


def _lines(given: object) -> object:
    """Rules in one text, a line each; what stands behind a # is a comment."""
    if not isinstance(given, str):
        return given
    return tuple(line for each in given.splitlines() if (line := each.partition("#")[0].strip()))


RuleText = Annotated[str, AfterValidator(_sound)]


class LabelRulesSpec(Spec):
    """Options of `label_rules`."""

    name: Literal["label_rules"] = "label_rules"
    rules: Annotated[tuple[RuleText, ...], BeforeValidator(_lines), Field(min_length=1)]
    """What must hold of every input: a list of rules, or a text with one a line."""
    weight: float = Field(default=0.5, ge=0)
    """Weight of the penalty in the loss; 0: nothing is learned of the rules."""
    enforce: bool = True
    """Whether predictions keep to the rules."""


def build(spec: LabelRulesSpec, labels: Mapping[str, Sequence[str]], exclusive: Mapping[str, bool]) -> LabelKnowledge:
    """The rules, made ready.

    Args:
        spec: Options.
        labels: The labels of each task that rules can speak of.
        exclusive: Of each such task whether exactly one label holds.

    Raises:
        RecipeError: For all rules that speak of what is not there, that no answer can keep, or that say nothing; and
            for labels that could never be given.
    """
    from sibu.knowledge.label_rules.rules import LabelRules

    return LabelRules.made(spec.rules, labels, exclusive)


ENTRY = Entry(LabelRulesSpec, build)
