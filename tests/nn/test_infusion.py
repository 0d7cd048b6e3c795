"""What is known of pieces, joined with their vectors."""

import torch

from sibu.core.tensors import Encoded
from sibu.nn.infusion import Entities, Infusion, Marks


def encoded() -> Encoded:
    return Encoded(torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool))


def test_it_begins_as_what_came() -> None:
    whole = Infusion(width=8, inner=4, parts={"gazetteer": Marks(classes=3, width=4, dropout=0.0)})
    before = encoded()
    after = whole(before, {"gazetteer": torch.randint(0, 3, (2, 5, 3))})
    assert torch.equal(after.vectors, before.vectors)
    assert after.mask is before.mask


def test_a_mark_is_the_sum_of_its_classes_and_nothing_is_zero() -> None:
    marks = Marks(classes=2, width=4, dropout=0.0)
    found = marks(torch.tensor([[[0, 0], [1, 0], [0, 2], [1, 2]]]))
    table = marks.vectors.weight
    assert torch.equal(found[0], torch.stack([torch.zeros(4), table[1], table[4], table[1] + table[4]]))
    one = Marks(classes=1, width=4, dropout=0.0)
    assert one(torch.tensor([[0, 1, 2]])).shape == (1, 3, 4)


def test_dropout_silences_whole_texts_and_only_while_training() -> None:
    marks = Marks(classes=1, width=4, dropout=0.5)
    numbers = torch.ones(400, 3, dtype=torch.long)
    silent = marks(numbers).abs().sum(-1) == 0
    assert bool((silent.all(1) | ~silent.any(1)).all())
    assert 100 < int(silent.all(1).sum()) < 300
    assert not bool((marks.eval()(numbers).abs().sum(-1) == 0).any())


def test_the_vectors_of_things_do_not_train_and_are_no_part_of_the_weights() -> None:
    table = torch.randn(3, 6)
    things = Entities(table, width=4, dropout=0.0)
    assert set(things.state_dict()) == {"project.weight", "project.bias"}
    found = things(torch.tensor([[0, 2]]))
    assert torch.equal(found[0, 0], torch.zeros(4))
    assert torch.allclose(found[0, 1], things.project(table[1]))
