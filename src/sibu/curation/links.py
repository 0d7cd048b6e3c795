"""Links that are missing: vectors learned from a graph say which new triples are likely.

Nothing here is a fact. What is proposed is a hypothesis with a score, and with a probability where facts were held out
that tell what a score is worth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sibu.catalog import Spec
from sibu.core.errors import BundleError, DataError, RecipeError, counted
from sibu.core.logic import Entity, Triple
from sibu.core.result import Score
from sibu.curation.hypotheses import NOTHING, search
from sibu.curation.numbered import Numbered, Triples, hold_out, others_of
from sibu.curation.odds import Odds, fit_odds
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.ranking import Answers, Numbers, Ranked, both_ways, ranks
from sibu.pipeline.progress import Advance, Progress, Silent
from sibu.scorers import SCORERS
from sibu.store.hashes import hash_json
from sibu.train.seed import derive, generator

if TYPE_CHECKING:
    from sibu.scorers.options import ScorerSpec
    from sibu.train.links import Epoch, Look

FORMAT = 1
VECTORS, ABOUT = "links.safetensors", "links.json"
MOST_HELD_OUT = 5000
LOOKED_AT = 2000
"""Most held-out triples that the MRR of early stopping is taken over."""
FEWEST_HELD_OUT = 10
"""Of fewer nothing is chosen and no probability told."""
SCORED = 1 << 14
"""Triples that are scored at a time."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A triple that the vectors speak for."""

    subject: str
    relation: str
    object: str
    score: float
    """Comparable among the triples of one model alone."""
    probability: float | None
    """See ``LinkModel.probability``; None where too few facts were held out."""

    @property
    def triple(self) -> Triple:
        """As the knowledge base speaks of it.

        Raises:
            ValueError: When the graph's names are no IRIs.
        """
        return Triple(Entity(self.subject), Entity(self.relation), Entity(self.object))


class LinkModel:
    """Vectors of a graph's entities and relations, and what can be asked of them.

    Args:
        graph: Its triples are the known facts: they are never proposed.
        spec: The scorer's options.
        scorer: The scorer with its vectors.
        odds: What a score is worth; None: not known.
        held_out: Scores on the facts that were held out, by metric; empty: none were.
        looks: The looks of training.
        seed: Of training.
    """

    def __init__(
        self,
        graph: Numbered,
        spec: ScorerSpec,
        scorer: Any,
        *,
        odds: Odds | None = None,
        held_out: Mapping[str, Score] | None = None,
        looks: Sequence[Look] = (),
        seed: int = 0,
    ) -> None:
        self.graph = graph
        self.spec = spec
        self.scorer = scorer
        self.odds = odds
        self.held_out = dict(held_out or {})
        self.looks = tuple(looks)
        self.seed = seed

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The entities' vectors, in the order of ``graph.entities``. Shape ``(E, D)``."""
        found: NDArray[np.float32] = self.scorer.entities.detach().cpu().numpy()
        return found

    @cached_property
    def digest(self) -> str:
        """Sha256 over what it knows and what it learned, in hex."""
        parts = {name: hashlib.sha256(each.detach().cpu().numpy().tobytes()).hexdigest()
                 for name, each in self.scorer.state_dict().items()}  # fmt: skip
        facts = hashlib.sha256(self.graph.triples.tobytes()).hexdigest()
        return hash_json([self.spec.model_dump(), parts, facts, self.graph.entities, self.graph.relations])

    @cached_property
    def known(self) -> Answers:
        """The known facts, without inverses."""
        return Answers(self.graph.triples)

    def score(self, triples: Triples) -> NDArray[np.float64]:
        """Scores of triples, more is likelier: the mean of what is said of the object and of the subject.

        Args:
            triples: Of known entities and relations, by name or by number. ``(N, 3)``.

        Returns:
            Shape ``(N,)``.

        Raises:
            DataError: When there is no such entity or relation.
        """
        import torch

        asked = self.graph.numbers_of(triples)
        parts = []
        with torch.inference_mode():
            for start in range(0, len(asked), SCORED):
                part = both_ways(asked[start : start + SCORED], len(self.graph.relations))
                numbers = (torch.from_numpy(column).to(self.scorer.entities.device) for column in part.T.copy())
                parts.append(self.scorer.score(*numbers).double().cpu().numpy().reshape(2, -1).mean(0))
        return np.concatenate([*parts, np.zeros(0)])

    def probability(self, triples: Triples) -> NDArray[np.float64]:
        """Probability of triples as a logistic curve over the score tells it, fitted to held-out facts.

        It is that of a triple drawn with even odds from the held-out facts and from such facts with one end replaced by
        another entity that stands in that place of the relation. Of all triples that might be proposed far fewer than
        half are facts: it is good for comparing and for thresholds, and too high as a share of what will prove true.

        Raises:
            DataError: When too few facts were held out to tell it, or a name is not known.
        """
        return self._odds().probability(self.score(triples))

    def propose(
        self,
        count: int = 100,
        *,
        relations: Iterable[str | Entity] | None = None,
        at_least: float = 0.0,
        most_of_one: int | None = None,
        typed: bool = True,
    ) -> list[Hypothesis]:
        """The new triples that the vectors speak for most, the best first.

        Args:
            count: At most so many.
            relations: Only of these; None: of all.
            at_least: Lowest probability, in [0, 1).
            most_of_one: At most so many of one relation; None: no bound.
            typed: Only entities that stand in the same place of a known triple of the relation. Without it every pair
                of entities is looked at: for large graphs name few relations.

        Raises:
            DataError: When a relation is not known, a number is out of its range, or a probability is asked for and
                none can be told.
        """
        if count < 0 or not 0 <= at_least < 1 or (most_of_one is not None and most_of_one < 0):
            raise DataError(
                "What is to be proposed: `count` and `most_of_one` at least 0, `at_least` from 0 to below 1. Given: "
                f"{count}, {most_of_one}, {at_least}."
            )
        every = range(len(self.graph.relations))
        asked = every if relations is None else sorted({self.graph.relation(name) for name in relations})
        least = self._odds().score(at_least) if at_least else -np.inf
        share = count if most_of_one is None else min(count, most_of_one)
        found = NOTHING
        for relation in asked if share else ():
            own = search(
                self._crossed, self.known, relation, entities=len(self.graph.entities), count=share, least=least,
                typed=typed,
            )  # fmt: skip
            found = (found + own).best(count)
        chances = [None] * len(found.scores) if self.odds is None else self.odds.probability(found.scores).tolist()
        return [
            Hypothesis(self.graph.entities[s], self.graph.relations[r], self.graph.entities[o], score, chance)
            for (s, r, o), score, chance in zip(found.triples.tolist(), found.scores.tolist(), chances, strict=True)
        ]

    def nearest(self, entity: str | Entity, count: int = 10) -> list[tuple[str, float]]:
        """The entities whose vectors point most where this one's does, with the cosine, in [-1, 1]; itself left out.

        Raises:
            DataError: When there is no such entity.
        """
        own = self.graph.entity(entity)
        sizes = np.maximum(np.linalg.norm(self.vectors, axis=1), 1e-30)
        cosines = (self.vectors @ self.vectors[own]) / sizes / sizes[own]
        order = np.lexsort((np.arange(len(cosines)), -cosines))
        return [(self.graph.entities[each], float(cosines[each])) for each in order.tolist() if each != own][:count]

    def judge(self, triples: Triples, known: Triples | None = None) -> Ranked:
        """The ranks of triples, asked from both sides, filtered and realistic.

        Args:
            triples: What is asked; of known entities and relations.
            known: More facts that do not count as wrong answers, beside the graph's and ``triples``.
        """
        asked = self.graph.numbers_of(triples)
        more = [] if known is None else [self.graph.numbers_of(known)]
        relations = len(self.graph.relations)
        right = Answers(both_ways(np.concatenate([self.graph.triples, asked, *more]), relations))
        return Ranked(ranks(asking(self.scorer), asked, right, relations=relations, entities=len(self.graph.entities)))

    def save(self, folder: Path | str) -> Path:
        """Write ``links.safetensors`` (vectors, known facts) and ``links.json`` (all else) to a folder.

        The folder is whole or not there; one of that name is replaced.
        """
        from safetensors.numpy import save_file

        from sibu.store.atomic import new_folder

        tables = {name: each.detach().cpu().numpy() for name, each in self.scorer.state_dict().items()}
        told = {
            "format": FORMAT,
            "scorer": self.spec.model_dump(),
            "seed": self.seed,
            "odds": None if self.odds is None else asdict(self.odds),
            "held_out": {name: each.as_json() for name, each in self.held_out.items()},
            "looks": [asdict(look) for look in self.looks],
            "left_out": self.graph.left_out,
            "relations": self.graph.relations,
            "entities": self.graph.entities,
        }
        with new_folder(Path(folder)) as place:
            save_file({**tables, "facts": self.graph.triples.astype(np.int32)}, place / VECTORS)
            text = json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)
            (place / ABOUT).write_text(text + "\n", encoding="utf-8")
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> LinkModel:
        """Read what ``save`` wrote.

        Raises:
            BundleError: When the folder holds no such model, a damaged one, or one of a later format.
        """
        place = Path(folder)
        try:
            told = json.loads((place / ABOUT).read_text(encoding="utf-8"))
            if told["format"] != FORMAT:
                raise BundleError(
                    f"{place / ABOUT} is of format {told['format']}, and this version reads {FORMAT}. Use the version "
                    "that wrote it, or learn the vectors again."
                )
            return _opened(cls, told, place / VECTORS)
        except BundleError:
            raise
        except Exception as fault:  # whatever a damaged file makes a reader say
            raise BundleError(
                f"{place} holds no vectors of links that can be read ({type(fault).__name__}: {fault}). It should hold "
                f"{ABOUT} and {VECTORS}, as `LinkModel.save` writes them; learn the vectors again."
            ) from fault

    def _odds(self) -> Odds:
        if self.odds is None:
            raise DataError(
                "No probability can be told: no facts were held out while the vectors were learned. Ask for scores, or "
                f"learn them from more triples (at least {FEWEST_HELD_OUT} are to be spared), or with `valid`."
            )
        return self.odds

    def _crossed(self, subjects: Numbers, relation: int, objects: Numbers) -> NDArray[np.float64]:
        """Scores of all pairs ``(S, O)``, as ``score`` gives them."""
        import torch

        device = self.scorer.entities.device
        one, other = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in (subjects, objects))
        with torch.inference_mode():
            there = self.scorer.against(one, torch.full_like(one, relation), other)
            back = self.scorer.against(other, torch.full_like(other, relation + len(self.graph.relations)), one)
            found: NDArray[np.float64] = ((there.double() + back.T) / 2).cpu().numpy()
        return found


def asking(scorer: Any) -> Callable[[Numbers, Numbers], NDArray[np.float32]]:
    """A scorer as ``ranks`` asks it."""
    import torch

    def scores(subjects: Numbers, relations: Numbers) -> NDArray[np.float32]:
        device = scorer.entities.device
        with torch.inference_mode():
            asked = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in (subjects, relations))
            found: NDArray[np.float32] = scorer.against(*asked).cpu().numpy()
        return found

    return scores


def embed(
    triples: Triples | Numbered,
    scorer: str | Mapping[str, Any] | Spec = "complex",
    *,
    valid: Triples | None = None,
    held_out: float = 0.1,
    seed: int = 13,
    progress: Progress | None = None,
) -> LinkModel:
    """Learn vectors of a graph's entities and relations.

    Args:
        triples: A knowledge base's triples, or whole numbers ``(N, 3)``: subject, relation, object. Triples whose
            object is a value are left out and counted.
        scorer: A part of the room ``scorers``: its name, or a mapping with ``name`` and options.
        valid: Facts to choose the best epoch by and to tell probabilities from. None: some of the triples are held out,
            of which every entity and relation keeps another; they stay known facts.
        held_out: Share of the triples that is held out, in [0, 1); at most 5,000. Of fewer than 10 (or with 0) every
            epoch is done, the last vectors are kept, and there are no probabilities.
        seed: Same seed, same machine, same number of threads: the same vectors.
        progress: Told of each look; None: nobody.

    Raises:
        RecipeError: When there is no such scorer or option.
        DataError: When there is nothing to learn from, or the triples are of another form.
    """
    spec: Any = scorer if isinstance(scorer, Spec) else SCORERS.spec(scorer)
    entry = SCORERS.of(spec)
    if not 0 <= held_out < 1:
        raise RecipeError(f"`held_out` is a share of the triples from 0 to below 1, given {held_out}.")
    graph = triples if isinstance(triples, Numbered) else Numbered.of(triples)
    if valid is None:
        learned, spared = hold_out(graph.triples, held_out, MOST_HELD_OUT, seed)
    else:
        learned, spared = graph.triples, graph.numbers_of(_links(valid))
        graph = replace(graph, triples=np.concatenate([learned, spared]))
    if not len(learned):
        values = f" ({counted(graph.left_out, 'triple')} with a value as object left out)" if graph.left_out else ""
        raise DataError(f"There are no triples between entities to learn from{values}.")
    if len(spared) < FEWEST_HELD_OUT and valid is None:
        learned, spared = graph.triples, graph.triples[:0]
    sizes = {"entities": len(graph.entities), "relations": len(graph.relations)}
    model = LinkModel(graph, spec, entry.build(spec, **sizes, seed=derive(seed, "tables")), seed=seed)
    _train(model, learned, spared, progress or Silent())
    return model


def _links(triples: Triples) -> Triples:
    """Those between entities."""
    if isinstance(triples, np.ndarray):
        return triples
    return [each for each in triples if not isinstance(each, Triple) or isinstance(each.object, Entity)]


def _train(model: LinkModel, learned: Numbers, spared: Numbers, progress: Progress) -> None:
    """Learn from some triples, choose the epoch by others, and tell by them what a score is worth."""
    from sibu.train.links import keep_best

    looked_at = generator(model.seed, "looked at").permutation(len(spared))[:LOOKED_AT]

    def tell(look: Look) -> None:
        progress.say(f"Epoch {look.epoch}: loss {look.loss:.3f}, MRR on held-out facts {look.mrr:.3f}")

    with progress.bar("Learning links", model.spec.epochs) as advance:
        epochs = _epochs(model, learned, advance)
        if not len(spared):
            for _ in epochs:
                pass
            model.scorer.eval()
            return
        model.looks = tuple(
            keep_best(
                model.scorer,
                epochs,
                lambda: values(model.judge(spared[looked_at]))["mrr"],
                last=model.spec.epochs,
                every=model.spec.every,
                patience=model.spec.patience,
                tell=tell,
            )
        )
    model.held_out = dict(bootstrap(model.judge(spared), seed=model.seed))
    if len(spared) >= FEWEST_HELD_OUT:
        model.odds = _odds_of(model, spared)


def _epochs(model: LinkModel, learned: Numbers, advance: Advance) -> Iterator[Epoch]:
    """The epochs of training, as the scorer's options have it."""
    from sibu.train.links import all_entities, drawn_entities, fit_links
    from sibu.train.optim import Rated, adagrad, adamw

    spec = model.spec
    known = Answers(both_ways(learned, len(model.graph.relations)))
    if spec.loss == "softmax":
        loss = all_entities(smoothing=spec.smoothing, precision=spec.precision)
    else:
        loss = drawn_entities(known, negatives=spec.negatives, margin=spec.margin, temperature=spec.temperature)
    rated = [Rated(list(model.scorer.parameters()), spec.learning_rate)]
    for epoch in fit_links(
        model.scorer,
        known,
        loss=loss,
        optimizer=adagrad(rated) if spec.optimizer == "adagrad" else adamw(rated, weight_decay=0.0),
        seed=model.seed,
        batch=spec.batch,
        epochs=spec.epochs,
        penalty=spec.penalty,
    ):
        yield epoch
        advance(1)


def _odds_of(model: LinkModel, facts: Numbers) -> Odds | None:
    """The curve over scores of held-out facts and of others; None where no others can be made."""
    others = others_of(model.graph, facts, generator(model.seed, "others"))
    return fit_odds(model.score(facts), model.score(others)) if len(others) else None


def _opened(kind: type[LinkModel], told: Mapping[str, Any], file: Path) -> LinkModel:
    import torch
    from safetensors.numpy import load_file

    from sibu.train.links import Look

    tables = load_file(file)
    facts = tables.pop("facts").astype(np.int64)
    graph = Numbered(tuple(told["entities"]), tuple(told["relations"]), facts, told["left_out"])
    spec: Any = SCORERS.spec(told["scorer"])
    scorer = SCORERS.of(spec).build(spec, entities=len(graph.entities), relations=len(graph.relations), seed=0)
    scorer.load_state_dict({name: torch.from_numpy(each) for name, each in tables.items()})
    return kind(
        graph,
        spec,
        scorer.eval(),
        odds=None if told["odds"] is None else Odds(**told["odds"]),
        held_out={name: Score(**each) for name, each in told["held_out"].items()},
        looks=[Look(**each) for each in told["looks"]],
        seed=told["seed"],
    )
