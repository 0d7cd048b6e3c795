"""Each scorer against its formula, written out number by number."""

import cmath
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sibu.core.errors import RecipeError
from sibu.scorers import SCORERS
from sibu.scorers._tables import Tables
from sibu.scorers.rotate import module as rotating

ENTITIES, RELATIONS, WIDTH = 9, 3, 6


def made(name: str, seed: int = 4, **options: object) -> Tables:
    spec = SCORERS.spec({"name": name, "width": WIDTH, **options})
    found: Tables = SCORERS.of(spec).build(spec, entities=ENTITIES, relations=RELATIONS, seed=seed)
    with torch.no_grad():  # as large as trained ones
        for table in found.parameters():
            table.copy_(torch.randn(table.shape, generator=torch.Generator().manual_seed(seed + len(table))))
    return found


def numbers(vector: np.ndarray) -> list[complex]:
    half = len(vector) // 2
    return [complex(float(a), float(b)) for a, b in zip(vector[:half], vector[half:], strict=True)]


def transe(norm: int):
    def score(s: np.ndarray, r: np.ndarray, o: np.ndarray) -> float:
        parts = [abs(float(a + b - c)) for a, b, c in zip(s, r, o, strict=True)]
        return -sum(parts) if norm == 1 else -math.sqrt(sum(part**2 for part in parts))

    return score


def distmult(s: np.ndarray, r: np.ndarray, o: np.ndarray) -> float:
    return sum(float(a) * float(b) * float(c) for a, b, c in zip(s, r, o, strict=True))


def complex_(s: np.ndarray, r: np.ndarray, o: np.ndarray) -> float:
    terms = zip(numbers(s), numbers(r), numbers(o), strict=True)
    return sum((a * b * c.conjugate()).real for a, b, c in terms)


def rotate(s: np.ndarray, r: np.ndarray, o: np.ndarray) -> float:
    terms = zip(numbers(s), r, numbers(o), strict=True)
    return -sum(abs(a * cmath.exp(1j * float(angle)) - c) for a, angle, c in terms)


CASES = {
    "transe, L1": ("transe", {"norm": 1}, transe(1)),
    "transe, L2": ("transe", {"norm": 2}, transe(2)),
    "distmult": ("distmult", {}, distmult),
    "complex": ("complex", {}, complex_),
    "rotate": ("rotate", {}, rotate),
}


def every_triple() -> tuple[Tensor, Tensor, Tensor]:
    ends, ways = torch.arange(ENTITIES), torch.arange(2 * RELATIONS)
    s, r, o = torch.cartesian_prod(ends, ways, ends).T
    return s, r, o


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_the_formula(case: str) -> None:
    name, options, formula = CASES[case]
    scorer = made(name, **options)
    entities, relations = (table.detach().numpy() for table in (scorer.entities, scorer.relations))
    s, r, o = every_triple()
    wanted = [formula(entities[a], relations[b], entities[c]) for a, b, c in torch.stack([s, r, o], 1).tolist()]
    assert scorer.score(s, r, o).tolist() == pytest.approx(wanted, abs=2e-5)
    crossed = scorer.against(s, r)
    assert crossed.shape == (len(s), ENTITIES)
    assert crossed[torch.arange(len(s)), o].tolist() == pytest.approx(wanted, abs=5e-4)  # a root of a product of tables
    some = torch.tensor([5, 0, 5])
    assert torch.allclose(scorer.against(s, r, some), crossed[:, some], atol=5e-4)


def inverted(name: str, relations: Tensor) -> Tensor:
    """The vectors that make the same triples likely, asked from the other side."""
    if name == "distmult":
        return relations
    if name == "complex":
        return torch.cat([relations[:, : WIDTH // 2], -relations[:, WIDTH // 2 :]], 1)
    return -relations


@pytest.mark.parametrize("case", CASES)
def test_an_inverse_can_say_the_same_from_the_other_side(case: str) -> None:
    """So asking for objects alone, of relations and their inverses, loses nothing."""
    name, options, _ = CASES[case]
    scorer = made(name, **options)
    with torch.no_grad():
        scorer.relations[RELATIONS:] = inverted(name, scorer.relations[:RELATIONS])
    s, r, o = (part[every_triple()[1] < RELATIONS] for part in every_triple())
    assert torch.allclose(scorer.score(s, r, o), scorer.score(o, r + RELATIONS, s), atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_penalty_is_the_sum_of_cubes_over_triples(case: str) -> None:
    name, options, _ = CASES[case]
    scorer = made(name, **options)
    s, r, o = torch.tensor([1, 1, 8]), torch.tensor([0, 5, 0]), torch.tensor([1, 2, 0])

    def cubes(table: Tensor, rows: Tensor) -> float:
        plain = name in ("transe", "distmult")
        vectors = table.detach().numpy()[rows.numpy()]
        return sum(abs(number) ** 3 for vector in vectors for number in (vector if plain else numbers(vector)))

    wanted = cubes(scorer.entities, torch.cat([s, o])) + (0 if name == "rotate" else cubes(scorer.relations, r))
    found = scorer.penalty(s, r, o)
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-5)
    found.backward()
    assert scorer.entities.grad is not None
    assert (scorer.entities.grad[[3, 4]] == 0).all()


def test_distmult_cannot_tell_the_sides_apart_and_the_others_can() -> None:
    s, r, o = every_triple()
    for case, (name, options, _) in CASES.items():
        scorer = made(name, **options)
        same = torch.allclose(scorer.score(s, r, o), scorer.score(o, r, s), atol=1e-5)
        assert same == (name == "distmult"), case


@pytest.mark.parametrize("cells", [1, 40, 1 << 18])
def test_distances_in_parts_are_those_at_once_with_their_gradients(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "CELLS", cells)
    draw = torch.Generator().manual_seed(0)
    ways = []
    for way in ("parts", "once"):
        queries = torch.randn(4, 6, generator=draw.manual_seed(0), dtype=torch.float64, requires_grad=True)
        objects = torch.randn(5, 6, generator=draw.manual_seed(1), dtype=torch.float64, requires_grad=True)
        if way == "parts":
            found = rotating._Distances.apply(queries, objects)
        else:
            apart = (queries[:, None] - objects[None]).reshape(4, 5, 2, 3)
            found = apart.square().sum(2).sqrt().sum(-1)
        (found * torch.arange(20).reshape(4, 5)).sum().backward()
        ways.append((found.detach(), queries.grad, objects.grad))
    for one, other in zip(*ways, strict=True):
        assert torch.allclose(one, other, rtol=1e-10)


def test_where_a_point_is_met_nothing_pulls() -> None:
    scorer = made("rotate")
    with torch.no_grad():
        scorer.relations.zero_()
    here = torch.tensor([3])
    scorer.against(here, torch.tensor([0]), here).sum().backward()
    scorer.score(here, torch.tensor([0]), here).sum().backward()
    assert scorer.entities.grad is not None
    assert scorer.entities.grad.isfinite().all()


@pytest.mark.parametrize("name", list(SCORERS))
def test_the_same_seed_gives_the_same_tables(name: str) -> None:
    spec = SCORERS.spec(name)
    build = SCORERS.of(spec).build
    one, two, other = (build(spec, entities=5, relations=2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.entities, two.entities)
    assert torch.equal(one.relations, two.relations)
    assert not torch.equal(one.entities, other.entities)
    assert len(one.relations) == 4


@pytest.mark.parametrize("name", ["complex", "rotate"])
def test_complex_numbers_have_two_halves(name: str) -> None:
    with pytest.raises(RecipeError, match=rf"The scorer '{name}': width: Input should be a multiple of 2"):
        SCORERS.spec({"name": name, "width": 7})


def test_an_unknown_option_is_told() -> None:
    with pytest.raises(RecipeError, match=r"The scorer 'transe': norm: Input should be 1 or 2; weight: Extra inputs"):
        SCORERS.spec({"name": "transe", "norm": 3, "weight": 1})
