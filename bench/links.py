"""Links that are missing: vectors of a graph learned by each scorer, judged on test, and beside PyKEEN's.

    python bench/links.py DATA [--sets umls kinships nations] [--scorers complex ...] [--peer] [--seed 13] [--limit N]
                          [--try KEY=VALUE ...]

A scorer learns from train by the recipe below (its defaults where there is none), its epoch is chosen on valid with the
filter of train and valid alone, and test is judged once. Each runs in a process of its own. Told are

- ``test``: filtered, realistic ranks, both sides, with 95 % bootstrap intervals; all three files filter;
- ``seconds``: of training (without the looks at valid), of all until the vectors are there, of judging test; memory;
- ``top_100``: precision of the hundred best hypotheses, ``test`` (valid's are left out of the list, test's are true)
  and ``valid_and_test`` (both are true); of ``all``, and of those alone whose two things are ``unlinked`` in train,
  with the way that is better on valid (FB15k-237 was made so that no pair of test is joined in train);
- ``chances``: mean probability of test facts and of such with one end replaced, and the Brier score, even odds.

``--peer``: the same scorer, width, loss, rates and patience in PyKEEN (which must be importable), in the same go. Its
cross entropy weighs questions alike and not triples; its penalty counts every entity alike. ``mrr_by_our_ranks`` judges
its vectors by our code. ``--limit``: triples of each file, one epoch. ``--try KEY=VALUE ...``: options in place of the
recipe's, to be judged on valid; test is not looked at then, and nothing is kept. One JSON a set, ``links-<name>.json``,
in which scorers that are not asked for stay as they were measured.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

import graphs
import measure
import numpy as np
from numpy.typing import NDArray

from sibu.curation.links import LinkModel, embed
from sibu.curation.numbered import Numbered, others_of
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.ranking import Answers, Ranked, both_ways, ranks
from sibu.scorers import SCORERS

LARGE = {"learning_rate": 0.1, "batch": 512, "every": 3, "patience": 3, "precision": "bfloat16"}
RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    ("wn18rr", "complex"): LARGE | {"penalty": 0.1, "epochs": 36},
    ("fb15k237", "complex"): LARGE | {"penalty": 0.05, "epochs": 60},
}
"""Where a set is not learned by a scorer's defaults."""
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
"""Both sides: large arrays that go and come again at every step are not given back to the system in between."""
PUBLISHED = {
    "umls": "ConvE 0.94 (its repository; the split may differ)",
    "kinships": "ConvE 0.83 (its repository; the split may differ)",
    "nations": "ConvE 0.82 (its repository; the split may differ)",
    "wn18rr": "ComplEx-N3 0.47 at rank 100 and 0.49 at 500 (kbc), ComplEx 0.475 (LibKGE), RotatE 0.477 (its own)",
    "fb15k237": "ComplEx-N3 0.35 at rank 100 and 0.36 at 500 (kbc), ComplEx 0.348 (LibKGE), RotatE 0.337 (its own)",
}
"""MRR, filtered, as the repositories named tell it."""
BARS = {"umls": 0.93, "kinships": 0.83, "wn18rr": 0.47}


def spec_of(name: str, scorer: str, given: Any) -> Any:
    """The options of a scorer for a set."""
    own = RECIPES.get((name, scorer), {}) | ({"epochs": 1, "every": 1} if given.limit else {})
    tried = dict(each.split("=", 1) for each in given.tried or [])
    return SCORERS.spec({"name": scorer, **own, **tried})


def files(given: Any, name: str) -> tuple[graphs.Set, dict[str, NDArray[np.int64]]]:
    """A set and its triples by split."""
    own = graphs.read(given.data, name)
    return own, {split: each[: given.limit] for split, each in own.triples.items()}


def learned(given: Any, name: str, scorer: str) -> dict[str, Any]:
    """Our side."""
    own, parts = files(given, name)
    names = (tuple(each.iri for each in group) for group in (own.things, own.relations))
    graph = Numbered(*names, parts["train"])
    spec, told = spec_of(name, scorer, given), Told()
    began, worked = time.perf_counter(), time.process_time()
    model = embed(graph, spec, valid=parts["valid"], seed=given.seed, progress=told)
    whole, cpu = time.perf_counter() - began, time.process_time() - worked
    if given.tried:
        return {"valid": model.held_out["mrr"].as_json(), "epochs": len(model.looks), "cpu": round(cpu, 1)}
    began = time.perf_counter()
    measured = model.judge(parts["test"])
    judging = time.perf_counter() - began
    best = max(model.looks, key=lambda look: look.mrr)
    return {
        "options": spec.model_dump(),
        "valid": model.held_out["mrr"].as_json(),
        "test": {metric: score.as_json() for metric, score in bootstrap(measured).items()},
        "epochs": {"best": best.epoch, "done": model.looks[-1].epoch},
        "seconds": {
            "training": round(model.looks[-1].seconds, 1),
            "an_epoch": round(model.looks[-1].seconds / model.looks[-1].epoch, 2),
            "until_learned": round(whole, 1),
            "cpu_until_learned": round(cpu, 1),
            "judging_test": round(judging, 2),
        },
        "questions": len(Answers(both_ways(parts["train"], len(own.relations)))),
        "top_100": top(model, graph, parts),
        "chances": chances(model, parts["test"], given.seed),
    }


class Told:
    """Says on stderr what training says."""

    def say(self, text: str) -> None:
        """A line."""
        print(text, file=sys.stderr)

    def bar(self, what: str, total: int | None) -> Any:  # noqa: ARG002
        """No bar."""
        from contextlib import nullcontext

        return nullcontext(lambda count: None)  # noqa: ARG005


def top(model: LinkModel, graph: Numbered, parts: dict[str, NDArray[np.int64]]) -> dict[str, Any]:
    """Precision of the hundred best hypotheses, with and without pairs that train joins already."""
    told: dict[str, Any] = {"all": {}, "unlinked": {}}
    joined = graphs.linked(parts["train"])
    for known, judged in ((("train",), (("valid",), ("valid", "test"))), (("train", "valid"), (("test",),))):
        proposed = best_of(model, graph, np.concatenate([parts[each] for each in known]))
        for way in told:
            hundred = graphs.first(proposed, joined if way == "unlinked" else set())
            for true in judged:
                right = {tuple(row) for part in true for row in parts[part].tolist()}
                told[way]["_and_".join(true)] = {"precision": graphs.precision(hundred, right), "of": len(hundred)}
    better = told["unlinked"]["valid"]["precision"] > told["all"]["valid"]["precision"]
    return {**told, "chosen_on_valid": "unlinked" if better else "all"}


def best_of(model: LinkModel, graph: Numbered, known: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """The best hypotheses beyond what is known, as numbers."""
    whole = Numbered(graph.entities, graph.relations, known)
    proposed = LinkModel(whole, model.spec, model.scorer).propose(graphs.AHEAD)
    return [(whole.entity(each.subject), whole.relation(each.relation), whole.entity(each.object))
            for each in proposed]  # fmt: skip


def chances(model: LinkModel, test: NDArray[np.int64], seed: int) -> dict[str, float] | None:
    """What probabilities are worth on test."""
    if model.odds is None:
        return None
    known = np.concatenate([model.graph.triples, test])
    others = others_of(Numbered(model.graph.entities, model.graph.relations, known), test, np.random.default_rng(seed))
    facts, wrong = model.probability(test), model.probability(others)
    brier = (((1 - facts) ** 2).mean() + (wrong**2).mean()) / 2
    found = {"facts": facts.mean(), "others": wrong.mean(), "brier": brier}
    return {name: round(float(each), 4) for name, each in found.items()}


AT_ONCE = 256
"""Questions that PyKEEN judges at a time; left to itself it takes 32."""
PEERS: dict[str, Any] = {
    "complex": lambda spec: ("ComplEx", {"embedding_dim": spec.width // 2, **_normal(), **_penalty(spec)}),
    "distmult": lambda spec: ("DistMult", {"embedding_dim": spec.width, "entity_constrainer": None, **_penalty(spec)}),
    "transe": lambda spec: ("TransE", {"embedding_dim": spec.width, "scoring_fct_norm": spec.norm, **_penalty(spec)}),
    "rotate": lambda spec: ("RotatE", {"embedding_dim": spec.width // 2, **_penalty(spec)}),
}
"""PyKEEN's names and options of the same scorer."""


def _normal() -> dict[str, Any]:
    from torch.nn.init import normal_

    return dict.fromkeys(("entity_initializer", "relation_initializer"), partial(normal_, std=1e-3))


def _penalty(spec: Any) -> dict[str, Any]:
    if not spec.penalty:
        return {"regularizer": None}
    return {"regularizer": "PowerSum", "regularizer_kwargs": {"weight": spec.penalty, "p": 3.0}}


def peer(given: Any, name: str, scorer: str) -> dict[str, Any]:
    """PyKEEN's side."""
    import torch
    from pykeen.pipeline import pipeline
    from pykeen.triples import CoreTriplesFactory

    own, parts = files(given, name)
    spec = spec_of(name, scorer, given)
    model, options = PEERS[scorer](spec)
    factories = {
        split: CoreTriplesFactory(
            torch.from_numpy(part.copy()), num_entities=len(own.things), num_relations=len(own.relations),
            create_inverse_triples=split == "train",
        )
        for split, part in parts.items()
    }  # fmt: skip
    began, worked = time.perf_counter(), time.process_time()
    done = pipeline(
        training=factories["train"], validation=factories["valid"], testing=factories["test"],
        model=model, model_kwargs=options, **_way(spec, parts["train"], len(own.relations)),
        optimizer="Adagrad" if spec.optimizer == "adagrad" else "AdamW", optimizer_kwargs={"lr": spec.learning_rate},
        epochs=spec.epochs, stopper="early", random_seed=given.seed, device="cpu", use_tqdm=False,
        stopper_kwargs={"frequency": spec.every, "patience": spec.patience, "relative_delta": 0.0,
                        "evaluation_batch_size": AT_ONCE,
                        "metric": "both.realistic.inverse_harmonic_mean_rank"},
        evaluator_kwargs={"filtered": True}, evaluation_kwargs={"batch_size": AT_ONCE, "use_tqdm": False},
    )  # fmt: skip
    seconds = {"whole": time.perf_counter() - began, "cpu": time.process_time() - worked,
               "training_and_looks": done.train_seconds, "judging_test": done.evaluate_seconds}  # fmt: skip
    names = {"mrr": "inverse_harmonic_mean_rank", **{f"hits_at_{most}": f"hits_at_{most}" for most in (1, 3, 10)}}
    return {
        "model": model,
        "test": {ours: round(done.get_metric(f"both.realistic.{its}"), 4) for ours, its in names.items()},
        "mrr_by_our_ranks": round(values(by_our_ranks(done.model, own, parts))["mrr"], 4),
        "epochs": {"best": int(done.stopper.best_epoch), "done": len(done.losses)},
        "seconds": {what: round(each, 1) for what, each in seconds.items()},
    }


def _way(spec: Any, train: NDArray[np.int64], relations: int) -> dict[str, Any]:
    """How PyKEEN learns the same way: questions with all entities, or as many triples with some that are drawn."""
    if spec.loss == "softmax":
        settings = {"batch_size": spec.batch, "label_smoothing": spec.smoothing, "use_tqdm": False}
        return {"training_loop": "lcwa", "loss": "CrossEntropy", "training_kwargs": settings}
    answers = Answers(both_ways(train, relations))
    batch = round(spec.batch * len(answers.objects) / len(answers))
    return {
        "training_loop": "slcwa",
        "loss": "NSSALoss",
        "loss_kwargs": {"margin": spec.margin, "adversarial_temperature": spec.temperature or 1.0},
        "negative_sampler": "basic",
        "negative_sampler_kwargs": {"num_negs_per_pos": min(spec.negatives, 64), "filtered": True},
        "training_kwargs": {"batch_size": batch, "use_tqdm": False},
    }


def by_our_ranks(model: Any, own: graphs.Set, parts: dict[str, NDArray[np.int64]]) -> Ranked:
    """PyKEEN's vectors judged by our ranks."""
    import torch

    relations = len(own.relations)

    def scoring(subjects: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.empty((len(subjects), len(own.things)), np.float32)
        with torch.inference_mode():
            for inverse in (False, True):
                rows = np.flatnonzero((asked >= relations) == inverse)
                pairs = torch.from_numpy(np.stack([subjects, asked % relations], 1)[rows])
                if len(rows):
                    scores = model.predict_h(pairs[:, [1, 0]]) if inverse else model.predict_t(pairs)
                    found[rows] = scores.numpy()
        return found

    right = Answers(both_ways(np.concatenate(list(parts.values())), relations))
    return Ranked(ranks(scoring, parts["test"], right, relations=relations, entities=len(own.things)))


def measured(given: Any, name: str, scorer: str) -> dict[str, Any]:
    """One scorer on one set, each side in a process of its own."""
    found = {}
    for side in ("ours", "peer") if given.peer else ("ours",):
        words = [str(given.data), "--sets", name, "--scorers", scorer, "--alone", side, "--seed", str(given.seed)]
        words += ["--limit", str(given.limit)] if given.limit else []
        words += ["--try", *given.tried] if given.tried else []
        _, memory, told = measure.child(measure.again(__file__, *words), **MEMORY)
        found[side] = {**json.loads(told.splitlines()[-1]), "peak_memory_bytes": memory}
        shown = found[side] if given.tried else (found[side]["test"]["mrr"], found[side]["seconds"])
        print(name, scorer, side, shown, file=sys.stderr)
    return found


def others(given: Any, own: dict[str, Any]) -> dict[str, Any]:
    """What was measured before of other scorers, on the same data with the same seed."""
    file = given.results / f"{own['name']}.json"
    if given.limit or not file.is_file():
        return {}
    before = json.loads(file.read_text(encoding="utf-8"))
    same = all(before.get(key) == own[key] for key in ("data_sha256", "seed", "limit") if key in own)
    return before["scorers"] if same else {}


def main() -> None:
    """Measure each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=list(graphs.SETS[:3]), choices=graphs.SETS)
    parser.add_argument("--scorers", nargs="+", default=["complex"], choices=list(SCORERS))
    parser.add_argument("--peer", action="store_true", help="PyKEEN beside it, which must be importable")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--try", dest="tried", nargs="+", metavar="KEY=VALUE", help="other options, judged on valid")
    parser.add_argument("--alone", choices=("ours", "peer"), help="one side alone, told as JSON")
    given = parser.parse_args()
    if given.alone:
        side = learned if given.alone == "ours" else peer
        print(json.dumps(side(given, given.sets[0], given.scorers[0])))
        return
    for name in given.sets:
        found = {scorer: measured(given, name, scorer) for scorer in given.scorers}
        if given.tried:
            continue
        own = {
            "name": f"links-{name}",
            "command": f"python bench/links.py DATA --sets {name} --scorers ... [--peer]",
            "what": "vectors learned on train, chosen on valid, judged on test: filtered, realistic, both sides",
            "published_mrr": PUBLISHED[name],
            "bar_mrr": BARS.get(name),
            "seed": given.seed,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts(graphs.read(given.data, name).files),
        }
        measure.keep({**own, "scorers": {**others(given, own), **found}}, given.results)


if __name__ == "__main__":
    main()
