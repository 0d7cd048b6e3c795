"""Links that are missing: by vectors that are learned from the facts, and by rules that the facts suggest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError
from sibu.core.logic import Entity
from sibu.kb._opened import Folder, open, outside  # noqa: A004
from sibu.pipeline.progress import Progress

if TYPE_CHECKING:
    from sibu.core.logic import Status
    from sibu.curation.links import Hypothesis, LinkModel
    from sibu.curation.mined import MinedRules
    from sibu.graph.reading import Reading


def embed(
    folder: Folder,
    scorer: str | Mapping[str, Any] = "complex",
    *,
    out: str | Path | None = None,
    vectors: str | Path | None = None,
    held_out: float = 0.1,
    seed: int = 13,
    propose: int = 10,
    at_least: float = 0.0,
    relations: Sequence[str] = (),
    most_of_one: int | None = None,
    asserted: bool = False,
    write: bool = False,
    force: bool = False,
    language: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Learn vectors from the facts between things that hold, and propose the facts that they speak for most.

    What is said of classes and properties (RDFS, OWL, SHACL) and facts with a value as object are left out. A proposal
    is a hypothesis: where it is written it is kept with its probability, but does not hold.

    Args:
        folder: The knowledge base.
        scorer: A scorer (``sibu list scorers``), or a mapping with its ``name`` and options.
        out: Folder to save the vectors in; None: they are not kept.
        vectors: Folder of vectors that were saved before, instead of learning.
        held_out: Share of the facts that is held out, to end training by and to tell probabilities from.
        seed: Same facts, same seed, same machine: the same vectors.
        propose: How many new facts to propose at most.
        at_least: Lowest probability of a proposal, from 0 to below 1.
        relations: Only of these, by name or label; empty: of all.
        most_of_one: At most so many of one relation; None: no bound.
        asserted: Learn only from what is asserted, not from what rules derived.
        write: Have the proposals be hypotheses of the knowledge base, in place of those of former vectors.
        force: Replace vectors that stand at ``out``.
        language: In which things are shown.
        progress: Where to tell how far it is; None: silent.

    Returns:
        ``{"scorer", "facts", "left_out", "held_out", "epochs", "seconds", "out", "proposed", "written", ...}``.

    Raises:
        SibuError: For every fault that the user can mend. The knowledge base was not changed then.
    """
    from sibu.curation import proposals
    from sibu.curation.links import LinkModel

    if out is not None:
        proposals.check_place(Path(out), force=force)
    with open(folder) as kb:
        wanted = [kb.resolve(each) for each in relations] or None
        known = None if vectors is None else LinkModel.load(vectors)
        model = known or _learned(kb, scorer, held_out, seed, asserted, progress)
        if write:
            proposals.check_odds(model)
        if out is not None:
            model.save(out)
        own: dict[str, Any] = {"relations": wanted, "at_least": at_least, "most_of_one": most_of_one}
        found = proposals.propose(kb, model, propose, **own)
        told = _told(kb, model, found, language) | {"out": None if out is None else str(out)}
    if not write:
        return told | {"written": None}
    with open(folder, write=True) as kb:
        before = kb.version.number
        came, went = proposals.write(kb, model, found)
        version = kb.version
        return told | {"written": {"version": version.to_json(), "new": version.number > before, "came": came,
                                   "went": went}}  # fmt: skip


def _learned(
    kb: Reading, scorer: str | Mapping[str, Any], held_out: float, seed: int, asserted: bool, progress: Progress | None
) -> LinkModel:
    from sibu.curation.linked import check_some, links_of
    from sibu.curation.links import embed as learn
    from sibu.scorers import SCORERS

    spec = SCORERS.spec(scorer)
    linked = links_of(kb, _statuses(asserted=asserted))
    check_some(kb, linked, "to learn from")
    return learn(linked.numbered(), spec, held_out=held_out, seed=seed, progress=progress)


def _statuses(*, asserted: bool) -> tuple[Status, ...]:
    from sibu.curation.linked import HOLD

    return ("asserted",) if asserted else HOLD


def _told(kb: Reading, model: LinkModel, found: Sequence[Hypothesis], language: str) -> dict[str, Any]:
    best = max(model.looks, key=lambda look: look.mrr, default=None)
    return {
        "scorer": model.spec.model_dump(),
        "seed": model.seed,
        "sha256": model.digest,
        "facts": len(model.graph.triples),
        "entities": len(model.graph.entities),
        "relations": len(model.graph.relations),
        "left_out": model.graph.left_out,
        "held_out": {name: each.as_json() for name, each in model.held_out.items()},
        "epochs": {"best": best.epoch, "done": model.looks[-1].epoch} if best else None,
        "seconds": round(model.looks[-1].seconds, 2) if best else None,
        "proposed": [_proposed(kb, each, language) for each in found],
    }


def _proposed(kb: Reading, each: Hypothesis, language: str) -> dict[str, Any]:
    said = [kb.label(Entity(name), language) for name in (each.subject, each.relation, each.object)]
    own = {"subject": each.subject, "predicate": each.relation, "object": each.object}
    return own | {"said": said, "score": each.score, "probability": each.probability}


def mine(
    folder: Folder,
    *,
    support: int | None = None,
    head_coverage: float = 0.01,
    confidence: float = 0.1,
    longest: int = 3,
    constants: bool = False,
    most: int | None = 100,
    seconds: float | None = None,
    asserted: bool = False,
    out: str | Path | None = None,
    write: bool = False,
    name: str = "mined",
    force: bool = False,
) -> dict[str, Any]:
    """Find rules that the facts that hold suggest: closed Horn rules, in the manner of AMIE.

    What they conclude beyond the facts is a guess: taken up, they are uncertain rules, and ``infer`` makes hypotheses
    of them with proofs.

    Args:
        folder: The knowledge base.
        support: Least number of facts that a rule gives and that hold; None: one in 1,000 facts, from 3 to 100.
        head_coverage: Least share of all facts of the head's property that it gives, from 0 to 1.
        confidence: Least PCA confidence, from 0 to 1: the share of what it gives that holds, where only what it gives
            of a thing of which the property is known counts.
        longest: Most atoms of a rule with its head, 2 to 4.
        constants: Whether any thing or value may stand in a rule, or a class alone.
        most: Most rules, the best; None: all.
        seconds: When to end with what was found; None: when through.
        asserted: Look only at what is asserted, not at what rules derived.
        out: File of rules to write; None: none.
        write: Take the rules up as a rule file of the knowledge base, in place of those that were mined before.
        name: The rule file's name there.
        force: Replace the file, or rules of this name that were not mined.

    Returns:
        ``{"facts", "things", "relations", "support", "rules", "stopped", "out", "written"}``; each rule with its text,
        ``support``, ``head_coverage``, ``confidence``, ``pca_confidence``, and how many ``new`` facts it gives.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    from sibu.curation import mined

    own: dict[str, Any] = {"head_coverage": head_coverage, "confidence": confidence, "longest": longest, "most": most,
           "seconds": seconds}  # fmt: skip
    if out is not None:
        outside(Path(folder), out)
        mined.check_file(Path(out), force=force)
    with open(folder) as kb:
        if write:
            mined.check_name(kb, name, force=force)
        statuses = _statuses(asserted=asserted)
        found = mined.mine_rules(kb, support=support, statuses=statuses, constants=constants, **own)
        told, text = _rules(kb, found), found.text(kb.names, mined.about(kb, found.linked))
    if out is not None:
        _write_text(Path(out), text)
    told |= {"out": None if out is None else str(out), "written": None}
    if write:
        told["written"] = _taken_up(folder, name, text if found.findings else None)
    return told


def _rules(kb: Reading, found: MinedRules) -> dict[str, Any]:
    from sibu.curation.mined import beyond, told
    from sibu.logic.written import write

    rules = [
        {
            "id": each.rule.id,
            "rule": write(told(each), kb.names).splitlines()[-1],
            "support": each.support,
            "head_coverage": each.head_coverage,
            "confidence": each.confidence,
            "pca_confidence": each.pca_confidence,
            "new": beyond(each),
        }
        for each in found.findings
    ]
    sizes = {"facts": len(found.linked.triples), "things": len(found.linked.terms)}
    sizes |= {"relations": len(found.linked.relations), "support": found.options["support"]}
    return {**sizes, "rules": rules, "stopped": found.findings.stopped}


def _write_text(file: Path, text: str) -> None:
    from sibu.store.atomic import new_file

    with new_file(file) as place:
        place.write_text(text, encoding="utf-8")


def _taken_up(folder: Folder, name: str, text: str | None) -> dict[str, Any]:
    """Take rules up; where none were found, those that were mined before go."""
    from sibu.curation import rule_files
    from sibu.curation.answers import as_dict

    if text is None:
        raise DataError("No rules were found, so none were taken up. Look for less: --support, --confidence.")
    with open(folder, write=True) as kb:
        return {"name": name} | as_dict(rule_files.take_texts(kb, {name: text}))
