"""New facts that vectors speak for, as hypotheses of a knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.errors import DataError, RecipeError, counted
from sibu.core.logic import Source, Triple
from sibu.curation.linked import links_of
from sibu.curation.links import ABOUT, Hypothesis, LinkModel

if TYPE_CHECKING:
    from sibu.core.logic import Entity
    from sibu.graph import KnowledgeBase
    from sibu.graph.reading import Reading

EXTRACTOR, DOCUMENT = "sibu embed", "links"
"""By these the hypotheses are known that vectors gave."""
MOST_SURE = 0.9999


def check_place(out: Path, *, force: bool) -> None:
    """Refuse to lose what stands where vectors are to be written.

    Raises:
        RecipeError: When something is there; with ``force``: something other than vectors.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    vectors = (out / ABOUT).is_file()
    if vectors and force:
        return
    what = "vectors" if vectors else "something that is no vectors of links"
    mend = ", replace them with --force, or use them with --from" if vectors else ""
    raise RecipeError(f"{out} already holds {what}. Choose another place with --out{mend}.")


def propose(
    kb: Reading,
    model: LinkModel,
    count: int,
    *,
    relations: Sequence[Entity] | None = None,
    at_least: float = 0.0,
    most_of_one: int | None = None,
) -> list[Hypothesis]:
    """The new facts that vectors speak for most: what holds now or was retracted is not new.

    Args:
        kb: The knowledge base.
        model: Vectors of its facts, or of those that it had.
        count: At most so many.
        relations: Only of these; None: of all.
        at_least: Lowest probability, in [0, 1).
        most_of_one: At most so many of one relation.

    Raises:
        DataError: When the vectors are those of another graph, or as ``LinkModel.propose`` says.
    """
    known = links_of(kb, ("asserted", "derived", "retracted")).known_to(model.graph)
    if not len(known):
        raise DataError(f"The vectors are those of another graph: they know no fact of {kb.folder}. Learn them anew.")
    graph = replace(model.graph, triples=np.concatenate([model.graph.triples, known]))
    wider = LinkModel(graph, model.spec, model.scorer, odds=model.odds)
    return wider.propose(count, relations=relations, at_least=at_least, most_of_one=most_of_one)


def source_of(digest: str, probability: float) -> Source:
    """The source of a hypothesis by the vectors of a digest."""
    sure = min(round(probability, 4), MOST_SURE)
    return Source(DOCUMENT, extractor=EXTRACTOR, version=digest[:16], confidence=sure, status="hypothesis")


def write(kb: KnowledgeBase, model: LinkModel, proposed: Sequence[Hypothesis]) -> tuple[int, int]:
    """Have proposals be the hypotheses of a knowledge base, in place of those that vectors gave before; one version.

    Args:
        kb: The knowledge base, open for writing.
        model: Vectors that tell probabilities.
        proposed: What they propose.

    Returns:
        How many hypotheses came, and how many went.

    Raises:
        DataError: When a probability is not known.
    """
    check_odds(model)
    wanted = {(each.triple, source_of(model.digest, each.probability or 0.0)) for each in proposed}
    stated = set(kb.said_by(lambda source: source.extractor == EXTRACTOR and source.status == "hypothesis"))
    came, went = wanted - stated, stated - wanted
    if came or went:
        name = model.spec.model_dump()["name"]
        message = f"proposed by vectors ({name}): {len(came):,} came, {len(went):,} went"
        with kb.change(message) as change:
            for triple, source in sorted(went, key=_order):
                change.drop([triple], source)
            change.state(sorted(came, key=_order))
    return len(came), len(went)


def check_odds(model: LinkModel) -> None:
    """Refuse vectors that tell no probability: a hypothesis is written with how sure it is.

    Raises:
        DataError: When they do not.
    """
    if model.odds is None:
        raise DataError(
            f"Nothing can be written: of {counted(len(model.graph.triples), 'fact')} too few could be held out to tell "
            "how sure a hypothesis is. Add more facts, or hold out more of them (--held-out)."
        )


def _order(stated: tuple[Triple, Source]) -> str:
    return repr(stated)
