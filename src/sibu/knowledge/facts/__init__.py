"""Facts: what a knowledge base says of the things named in a text, put into words and read beside the text.

For `classify` and `regress` they are the second text, or stand behind it; for `extract` they stand behind the question,
so that the places of answers in the context stay as they are; for `generate` they stand before what was said last.
Facts about two things that are both named come first, then those whose words the text has. They are chosen alike in
training and prediction, and told in the language of the text; a prediction's evidence holds those that were read, with
their sources. Source: Lewis et al., 2020, arXiv:2005.11401 (RAG), with a knowledge base in place of passages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sibu.core.knowing import ContextKnowledge
    from sibu.phrases import Lexicon


class FactsSpec(Spec):
    """Options of `facts`."""

    name: Literal["facts"] = "facts"
    predicates: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Properties whose facts are read, by name or label; null: all but those that say how things are called."""
    budget: PositiveInt = 48
    """Most pieces that the facts of one text take."""
    each: PositiveInt = 16
    """Most facts about one thing that are kept, of each direction."""


def build(spec: FactsSpec, lexicon: Lexicon, *, facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> ContextKnowledge:
    """What tells the facts of a text; ``facts`` are those about each thing, as ``gather`` words them."""
    from sibu.knowledge.facts.context import Facts

    return Facts(lexicon, facts, budget=spec.budget)


ENTRY = Entry(FactsSpec, build)
