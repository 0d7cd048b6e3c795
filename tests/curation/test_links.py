"""Vectors of links: held-out facts, hypotheses, probabilities, what is saved and what is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from sibu.core.errors import BundleError, DataError, RecipeError
from sibu.core.logic import Entity, Triple, Value
from sibu.curation import links
from sibu.curation.links import Hypothesis, LinkModel, embed
from sibu.curation.numbered import Numbered
from sibu.metrics.bootstrap import values

BASE = "https://example.org/"
QUICK = {"name": "complex", "width": 32, "epochs": 40, "penalty": 0.02, "every": 5, "patience": 3, "batch": 64}


def families(count: int = 8) -> list[Triple]:
    """Parents and children; who is whose sibling follows. Names in two scripts."""
    found = []
    for number in range(count):
        parent, *children = (Entity(f"{BASE}{name}{number}") for name in ("Anna", "本", "Carl", "冬"))
        for child in children:
            found.append(Triple(parent, Entity(BASE + "parent"), child))
            found.append(Triple(child, Entity(BASE + "父母"), parent))
            found += [Triple(child, Entity(BASE + "sibling"), other) for other in children if other != child]
        found.append(Triple(parent, Entity(BASE + "name"), Value.of("安娜")))
    return found


@pytest.fixture(scope="module")
def model() -> LinkModel:
    return embed(families(), QUICK, held_out=0.2)


def links_of(triples: list[Triple]) -> list[Triple]:
    return [each for each in triples if isinstance(each.object, Entity)]


def test_it_learns_and_tells_how_well(model: LinkModel) -> None:
    assert model.graph.left_out == 8
    assert model.vectors.shape == (32, 32)
    assert set(model.held_out) == {"mrr", "hits_at_1", "hits_at_3", "hits_at_10"}
    assert model.held_out["mrr"].n == round(0.2 * len(links_of(families())))
    assert model.held_out["mrr"].value > 0.6
    assert model.held_out["mrr"].value == max(look.mrr for look in model.looks)
    assert model.looks[0].epoch == 5
    assert not model.scorer.training


def test_held_out_facts_are_known_and_not_proposed(model: LinkModel) -> None:
    facts = {(each.subject.iri, each.predicate.iri, each.object.iri) for each in links_of(families())}
    proposed = model.propose(10_000)
    assert not facts & {(each.subject, each.relation, each.object) for each in proposed}
    assert [each.score for each in proposed] == sorted((each.score for each in proposed), reverse=True)
    parents = {each.subject for each in proposed if each.relation == BASE + "parent"}
    assert parents <= {f"{BASE}Anna{number}" for number in range(8)}  # what no parent is, is not proposed as one
    assert not any(each.subject == each.object for each in proposed)
    everything = model.propose(10_000, typed=False)
    assert len(everything) == 32 * 32 * 3 - len(facts)


def test_a_hypothesis_is_scored_as_its_triple(model: LinkModel) -> None:
    proposed = model.propose(20)
    triples = [each.triple for each in proposed]
    assert model.score(triples).tolist() == pytest.approx([each.score for each in proposed], abs=1e-5)
    assert model.probability(triples).tolist() == pytest.approx([each.probability for each in proposed], abs=1e-5)
    assert model.score(model.graph.numbers_of(triples)).tolist() == model.score(triples).tolist()
    assert model.score([]).shape == (0,)


def test_scores_come_in_parts(model: LinkModel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.score(model.graph.triples)
    monkeypatch.setattr(links, "SCORED", 7)
    assert model.score(model.graph.triples) == pytest.approx(whole, abs=1e-5)


def test_proposals_can_be_narrowed(model: LinkModel) -> None:
    both = model.propose(10, relations=[BASE + "sibling", Entity(BASE + "parent")])
    assert {each.relation for each in both} <= {BASE + "sibling", BASE + "parent"}
    few = model.propose(10, most_of_one=2)
    assert max(sum(each.relation == relation for each in few) for relation in model.graph.relations) == 2
    least = sorted(each.probability or 0 for each in model.propose(10_000))[-7]
    assert len(model.propose(10_000, at_least=least - 1e-9)) == 7
    assert model.propose(0) == []
    assert model.propose(5, relations=[]) == []


def test_facts_are_likelier_than_others(model: LinkModel) -> None:
    assert model.odds is not None
    assert model.odds.facts == model.held_out["mrr"].n
    known = model.probability(links_of(families()))
    others = [each.probability for each in model.propose(10_000)]
    assert known.mean() > 0.75 > 0.4 > float(np.mean(others))


def test_nearest_by_cosine(model: LinkModel) -> None:
    vectors, own = model.vectors, model.graph.entity(BASE + "本3")
    cosines = vectors @ vectors[own] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[own])
    order = [each for each in np.argsort(-cosines).tolist() if each != own][:4]
    found = model.nearest(BASE + "本3", 4)
    assert [name for name, _ in found] == [model.graph.entities[each] for each in order]
    assert [each for _, each in found] == pytest.approx(cosines[order].tolist(), abs=1e-5)


def test_judging_takes_all_that_is_known_out(model: LinkModel) -> None:
    """A fact that is only told to the judge is no wrong answer."""
    asked = model.graph.numbers_of(links_of(families()))[:1]
    before = values(model.judge(asked))["mrr"]
    rivals = np.array([(asked[0, 0], asked[0, 1], other) for other in range(32)])
    rivals = np.concatenate([rivals, [(other, asked[0, 1], asked[0, 2]) for other in range(32)]])
    assert values(model.judge(asked, known=rivals))["mrr"] == 1
    assert before <= 1


def test_the_same_vectors_twice(model: LinkModel) -> None:
    again = embed(iter(families()), QUICK, held_out=0.2)
    assert np.array_equal(again.vectors, model.vectors)
    assert again.odds == model.odds
    assert again.held_out == model.held_out
    assert not np.array_equal(embed(families(), QUICK, held_out=0.2, seed=2).vectors, model.vectors)


def test_saved_and_opened(model: LinkModel, tmp_path: Path) -> None:
    opened = LinkModel.load(model.save(tmp_path / "家庭"))
    assert np.array_equal(opened.vectors, model.vectors)
    assert opened.graph.entities == model.graph.entities
    assert opened.graph.triples.tolist() == model.graph.triples.tolist()
    assert (opened.odds, opened.looks, opened.held_out) == (model.odds, model.looks, model.held_out)
    assert opened.propose(30) == model.propose(30)
    told = json.loads((tmp_path / "家庭" / "links.json").read_text(encoding="utf-8"))
    assert told["scorer"]["width"] == 32
    assert "本" in (tmp_path / "家庭" / "links.json").read_text(encoding="utf-8")
    model.save(tmp_path / "家庭")  # in place of what was there
    assert sorted(each.name for each in (tmp_path / "家庭").iterdir()) == ["links.json", "links.safetensors"]


def test_what_cannot_be_opened_is_told(model: LinkModel, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"holds no vectors of links that can be read \(FileNotFoundError"):
        LinkModel.load(tmp_path)
    folder = model.save(tmp_path / "links")
    told = json.loads((folder / "links.json").read_text(encoding="utf-8"))
    (folder / "links.json").write_text(json.dumps(told | {"format": 99}), encoding="utf-8")
    with pytest.raises(BundleError, match=r"is of format 99, and this version reads 1\. Use the version that wrote it"):
        LinkModel.load(folder)
    (folder / "links.json").write_text(json.dumps(told | {"entities": ["a"]}), encoding="utf-8")
    with pytest.raises(BundleError, match=r"can be read \(DataError: There is no"):
        LinkModel.load(folder)
    (folder / "links.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "links.safetensors").write_bytes(b"nothing")
    with pytest.raises(BundleError, match="can be read"):
        LinkModel.load(folder)


def test_with_facts_to_judge_by_none_are_held_out() -> None:
    triples = links_of(families())
    name = Triple(triples[0].subject, Entity(BASE + "name"), Value.of("安娜"))
    model = embed(triples[12:], QUICK, valid=[*triples[12:20], name])
    assert model.held_out["mrr"].n == 8
    assert model.looks
    assert model.odds is None  # of eight no probability is told
    by_number = Numbered.of(triples)
    same = embed(by_number, QUICK, valid=by_number.triples[:12])
    assert same.odds is not None
    assert len(same.graph.triples) == len(triples)


def test_from_few_triples_no_probability_is_told() -> None:
    model = embed(np.array([(0, 0, 1), (1, 0, 2), (2, 0, 0)]), QUICK)
    assert (model.odds, model.held_out, model.looks) == (None, {}, ())
    proposed = model.propose(2)
    assert proposed
    assert all(each.probability is None for each in proposed)
    said = "No probability can be told: no facts were held out"
    with pytest.raises(DataError, match=said):
        model.probability(np.array([(0, 0, 2)]))
    with pytest.raises(DataError, match=said):
        model.propose(2, at_least=0.5)
    with pytest.raises(ValueError, match="no absolute IRI"):
        _ = proposed[0].triple


def test_what_was_asked_wrongly_is_told(model: LinkModel) -> None:
    with pytest.raises(DataError, match=r"`at_least` from 0 to below 1. Given: 100, None, 1.5"):
        model.propose(at_least=1.5)
    with pytest.raises(DataError, match="know no relation 'siblings'"):
        model.propose(relations=["siblings"])
    with pytest.raises(DataError, match="know no entity"):
        model.nearest("Anna")
    with pytest.raises(RecipeError, match=r"No scorer is named 'compleks'. Did you mean 'complex'\?"):
        embed(families(), "compleks")
    with pytest.raises(RecipeError, match="`held_out` is a share of the triples from 0 to below 1, given 1"):
        embed(families(), held_out=1)
    only_values = [each for each in families() if not isinstance(each.object, Entity)]
    with pytest.raises(DataError, match=r"no triples between entities to learn from \(8 triples with a value"):
        embed(only_values)
    with pytest.raises(DataError, match="no triples between entities to learn from"):
        embed([])


def test_what_it_does_is_told() -> None:
    class Told:
        def __init__(self) -> None:
            self.said: list[str] = []
            self.done = 0

        def say(self, text: str) -> None:
            self.said.append(text)

        def bar(self, what: str, total: int | None):
            from contextlib import nullcontext

            assert (what, total) == ("Learning links", 10)

            def advance(count: int) -> None:
                self.done += count

            return nullcontext(advance)

    told = Told()
    embed(families(), QUICK | {"epochs": 10}, progress=told)
    assert told.done == 10
    assert len(told.said) == 2
    assert told.said[1].startswith("Epoch 10: loss ")


def test_a_hypothesis_is_a_triple() -> None:
    one = Hypothesis(BASE + "a", BASE + "r", BASE + "b", 1.0, None)
    assert one.triple == Triple(Entity(BASE + "a"), Entity(BASE + "r"), Entity(BASE + "b"))
