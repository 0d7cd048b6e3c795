"""Training of links: the loss by hand, draws, the same bits twice, and which vectors are kept."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.metrics.ranking import Answers, both_ways
from sibu.scorers import SCORERS
from sibu.scorers._tables import Tables
from sibu.train.fit import NotFinite
from sibu.train.links import Asked, Epoch, Look, all_entities, drawn_entities, fit_links, keep_best
from sibu.train.optim import Rated, adagrad, adamw

ENTITIES, RELATIONS = 12, 3


def known(seed: int = 0, count: int = 40) -> Answers:
    draw = np.random.default_rng(seed)
    triples = np.stack([draw.integers(0, most, count) for most in (ENTITIES, RELATIONS, ENTITIES)], 1)
    return Answers(both_ways(triples, RELATIONS))


def triples_of(answers: Answers) -> Tensor:
    rows, objects = answers.of(np.arange(len(answers)))
    return torch.tensor(np.stack([answers.subjects[rows], answers.relations[rows], objects], 1))


def scorer_of(name: str = "complex", **options: object) -> Tables:
    spec = SCORERS.spec({"name": name, "width": 8, **options})
    found: Tables = SCORERS.of(spec).build(spec, entities=ENTITIES, relations=RELATIONS, seed=3)
    with torch.no_grad():
        for table in found.parameters():
            table.copy_(torch.randn(table.shape, generator=torch.Generator().manual_seed(len(table))))
    return found


def trained(loss: str, *, seed: int = 5, name: str = "complex", epochs: int = 4) -> tuple[Tables, list[Epoch]]:
    scorer, answers = scorer_of(name), known()
    way = all_entities() if loss == "softmax" else drawn_entities(answers, negatives=5, margin=3.0, temperature=1.0)
    optimizer = adagrad([Rated(list(scorer.parameters()), 0.1)])
    steps = fit_links(scorer, answers, loss=way, optimizer=optimizer, seed=seed, batch=7, epochs=epochs, penalty=0.01)
    return scorer, list(steps)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_an_epoch_is_cross_entropy_and_penalty_of_every_triple(smoothing: float) -> None:
    """One step over all questions moves the vectors as torch's own loss over all triples does, asked one by one."""
    scorer, other, answers = scorer_of(), scorer_of(), known()
    optimizer = torch.optim.SGD(scorer.parameters(), lr=0.5)
    epoch = next(
        fit_links(
            scorer, answers, loss=all_entities(smoothing=smoothing), optimizer=optimizer, seed=0,
            batch=len(answers), epochs=1, penalty=0.03,
        )
    )  # fmt: skip
    s, r, o = triples_of(answers).T
    loss = F.cross_entropy(other.against(s, r), o, label_smoothing=smoothing)
    assert epoch.loss == pytest.approx(float(loss.detach()), rel=1e-6)
    (loss + 0.03 * other.penalty(s, r, o) / len(s)).backward()
    for table, by_hand in zip(scorer.parameters(), other.parameters(), strict=True):
        assert by_hand.grad is not None
        assert torch.allclose(table.detach(), by_hand.detach() - 0.5 * by_hand.grad, atol=1e-6)


def test_every_question_is_asked_once_an_epoch_in_another_order() -> None:
    answers, seen = known(), []

    def loss(scorer: Tables, asked: Asked, draw: np.random.Generator) -> Tensor:
        seen.append(torch.stack(asked.triples, 1))
        return scorer.score(*asked.triples).sum() * 0

    scorer = scorer_of()
    optimizer = adagrad([Rated(list(scorer.parameters()), 0.1)])
    list(fit_links(scorer, answers, loss=loss, optimizer=optimizer, seed=0, batch=7, epochs=2))
    steps = -(-len(answers) // 7)
    assert len(seen) == 2 * steps
    epochs = [torch.cat(seen[:steps]), torch.cat(seen[steps:])]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == sorted(triples_of(answers).tolist())
    assert epochs[0].tolist() != epochs[1].tolist()


def test_what_is_drawn_and_right_is_no_wrong_answer() -> None:
    """With every entity drawn, the wrong ones of a question are all but its answers."""
    scorer, answers = scorer_of(), known()
    loss = drawn_entities(answers, negatives=1000, margin=1.0, temperature=0.0)
    rows, objects = (torch.from_numpy(each) for each in answers.of(np.arange(len(answers))))
    asked = Asked(torch.from_numpy(answers.subjects), torch.from_numpy(answers.relations), rows, objects)
    found = loss(scorer, asked, np.random.default_rng(0))
    scores = scorer.against(asked.subjects, asked.relations)
    wanted = 0.0
    for s, r, o in triples_of(answers).tolist():
        row = next(n for n in range(len(answers)) if (answers.subjects[n], answers.relations[n]) == (s, r))
        right = set(objects[rows == row].tolist())
        wrong = [scores[row, e] for e in range(ENTITIES) if e not in right]
        negative = sum(F.logsigmoid(-each - 1) for each in wrong) / len(wrong)
        wanted -= float((F.logsigmoid(scores[row, o] + 1) + negative).detach()) / 2
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
@pytest.mark.parametrize("name", list(SCORERS))
def test_the_same_bits_twice_whatever_was_drawn_before(name: str, loss: str) -> None:
    first, looks = trained(loss, name=name)
    torch.manual_seed(99)
    again, others = trained(loss, name=name)
    assert [look.loss for look in looks] == [look.loss for look in others]
    assert looks[-1].loss < looks[0].loss
    for one, two in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)
    different, _ = trained(loss, name=name, seed=6)
    assert not torch.equal(first.entities, different.entities)


def test_what_is_no_number_ends_training() -> None:
    scorer = scorer_of("distmult")
    optimizer = torch.optim.SGD(scorer.parameters(), lr=1e30)
    with pytest.raises(NotFinite, match=r"epoch \d is not a finite number. Give a smaller learning_rate or a larger"):
        list(fit_links(scorer, known(), loss=all_entities(), optimizer=optimizer, seed=0, batch=8, epochs=5))


class Counting(nn.Module):
    """Its weight is the number of epochs that it was trained for."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def epochs(self, count: int) -> Iterator[Epoch]:
        for number in range(1, count + 1):
            assert self.training
            with torch.no_grad():
                self.weight.fill_(number)
            yield Epoch(number, 10.0 - number, 0.5)


def kept(mrrs: dict[int, float], *, last: int, every: int, patience: int) -> tuple[float, list[Look], list[Look]]:
    scorer, told = Counting(), []

    def judge() -> float:
        assert not scorer.training
        return mrrs[int(scorer.weight)]

    looks = keep_best(scorer, scorer.epochs(last), judge, last=last, every=every, patience=patience, tell=told.append)
    assert not scorer.training
    return float(scorer.weight.detach()), looks, told


def test_the_best_vectors_are_kept() -> None:
    weight, looks, told = kept({2: 0.3, 4: 0.6, 6: 0.5, 8: 0.55, 10: 0.4}, last=10, every=2, patience=9)
    assert weight == 4
    assert [look.epoch for look in looks] == [2, 4, 6, 8, 10]
    assert looks == told
    assert looks[1] == Look(4, 6.0, 0.6, 2.0)


def test_it_stops_where_nothing_gets_better() -> None:
    weight, looks, _ = kept({1: 0.3, 2: 0.6, 3: 0.6, 4: 0.5, 5: 1.0}, last=5, every=1, patience=2)
    assert weight == 2  # the first of equals
    assert [look.epoch for look in looks] == [1, 2, 3, 4]


def test_the_last_epoch_is_looked_at() -> None:
    weight, looks, _ = kept({5: 0.3, 7: 0.4}, last=7, every=5, patience=3)
    assert weight == 7
    assert [look.epoch for look in looks] == [5, 7]
    weight, looks, _ = kept({3: 0.0}, last=3, every=5, patience=3)
    assert (weight, len(looks)) == (3, 1)


def test_adagrad_is_that_of_torch() -> None:
    ways = []
    for fused in (True, False):
        weight = nn.Parameter(torch.arange(5.0))
        plain = torch.optim.Adagrad([weight], lr=0.3)
        optimizer = adagrad([Rated([weight], 0.3)]) if fused else plain
        for step in range(3):
            optimizer.zero_grad()
            ((weight - step) ** 2).sum().backward()
            optimizer.step()
        ways.append(weight.detach())
    assert torch.allclose(*ways, atol=1e-6)
    assert isinstance(adamw([Rated([nn.Parameter(torch.zeros(1))], 0.1)], weight_decay=0.0), torch.optim.AdamW)


@pytest.mark.parametrize("name", ["complex", "distmult", "transe", "rotate"])
def test_products_of_half_precision_learn_the_same(name: str) -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        scorer, answers = scorer_of(name), known()
        optimizer = adagrad([Rated(list(scorer.parameters()), 0.1)])
        way = all_entities(precision=precision)
        done = fit_links(scorer, answers, loss=way, optimizer=optimizer, seed=1, batch=7, epochs=6, penalty=0.01)
        losses[precision] = [epoch.loss for epoch in done]
        assert all(each.dtype == torch.float32 for each in scorer.parameters()), "vectors stay of full precision"
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)
    assert (losses["bfloat16"] != losses["float32"]) == (name in ("complex", "distmult")), "others have no products"
