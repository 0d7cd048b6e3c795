"""Every scorer by every way to learn: a graph is learned, saved, opened, and answers as before.

The graph is a circle of towns: each has a next one, one that is two further, one before and one opposite.
"""

from pathlib import Path

import numpy as np
import pytest

from sibu.core.logic import Entity, Triple
from sibu.curation.links import LinkModel, embed
from sibu.metrics.bootstrap import values
from sibu.scorers import SCORERS

BASE = "https://example.org/"
TOWNS = [f"{BASE}城{number}" for number in range(12)]
STEPS = {"next": 1, "two_further": 2, "before": -1, "opposite": 6}
HELD = {("two_further", 1), ("two_further", 6), ("two_further", 9), ("before", 2), ("before", 7), ("opposite", 4),
        ("opposite", 8), ("opposite", 1)}  # fmt: skip
"""What follows from the rest: by two steps, as an inverse, from the other side."""
OPTIONS = {
    "complex": {"width": 64, "penalty": 0.03, "learning_rate": 0.3},
    "distmult": {"width": 64, "penalty": 0.03, "learning_rate": 0.3},
    "transe": {"width": 32, "learning_rate": 0.03, "penalty": 0.0},
    "rotate": {"width": 32, "learning_rate": 0.1, "penalty": 0.0},
}


def circle(*, held: bool) -> list[Triple]:
    found = []
    for relation, step in STEPS.items():
        for town in range(12):
            if ((relation, town) in HELD) == held:
                ends = Entity(TOWNS[town]), Entity(TOWNS[(town + step) % 12])
                found.append(Triple(ends[0], Entity(BASE + relation), ends[1]))
    return found


def learned(name: str, loss: str, **options: object) -> LinkModel:
    own = {"name": name, "loss": loss, "batch": 16, "epochs": 60, **OPTIONS[name], **options}
    return embed(circle(held=False), own, held_out=0)


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
@pytest.mark.parametrize("name", list(SCORERS))
def test_it_learns_and_answers_the_same_when_opened(name: str, loss: str, tmp_path: Path) -> None:
    model = learned(name, loss)
    known = circle(held=False)
    untrained = learned(name, loss, epochs=1, learning_rate=1e-9)
    mrr = [values(each.judge(known))["mrr"] for each in (untrained, model)]
    assert mrr[1] > mrr[0] + 0.2
    opened = LinkModel.load(model.save(tmp_path / "links"))
    assert opened.score(known).tolist() == model.score(known).tolist()
    assert opened.propose(5) == model.propose(5)
    assert opened.spec == model.spec


@pytest.mark.parametrize("name", ["complex", "rotate"])
def test_patterns_are_learned(name: str) -> None:
    """Inverse, one after another, and both ways: what was held out follows from what was not."""
    model = learned(name, "softmax", epochs=150)
    assert values(model.judge(circle(held=True)))["mrr"] > (0.95 if name == "rotate" else 0.6)
    there = [each for each in circle(held=False) if each.predicate.iri.endswith("next")]
    back = [Triple(each.object, each.predicate, each.subject) for each in there]  # type: ignore[arg-type]
    assert (model.score(there) > model.score(back) + 0.5).all()


def test_distmult_cannot_learn_what_holds_one_way() -> None:
    """It gives the next town and the one before the same score, so neither can be first."""
    model = learned("distmult", "softmax", epochs=150)
    there = [each for each in circle(held=False) if each.predicate.iri.endswith("next")]
    back = [Triple(each.object, each.predicate, each.subject) for each in there]  # type: ignore[arg-type]
    assert np.allclose(model.score(there), model.score(back), atol=1e-4)
    assert values(model.judge(there))["mrr"] < 0.75
    assert values(learned("complex", "softmax", epochs=150).judge(there))["mrr"] > 0.95
