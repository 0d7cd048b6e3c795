"""The table modality: what cells say, what is learned of columns, and an encoder that reads them."""

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sibu.core.errors import DataError, RecipeError
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.modalities.table import TableSpec, build
from sibu.modalities.table.cells import category, date, number
from sibu.modalities.table.encoder import TableEncoder
from sibu.modalities.table.prepare import TablePreparer
from sibu.modalities.table.suspects import suspects
from sibu.train.batches import stack

ROWS: list[dict[str, Any]] = [
    {
        "age": str(20 + n % 50),
        "体温": 36.0 + (n * 7 % 40) / 10,
        "city": "北京" if n % 3 else "Paris",
        "ward": None if n % 5 == 0 else n % 2,
        "seen": f"2024-{1 + n % 12:02}-{1 + n % 28:02}T{n % 24:02}:30",
        "id": f"p{n}",
    }
    for n in range(200)
]


def learned(rows: list[dict[str, Any]] = ROWS, **options: Any) -> TablePreparer:
    preparer = build(TableSpec(**{"layers": 2, **options}))
    preparer.learn(rows)
    return preparer


def batch(preparer: TablePreparer, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """As the pipeline stacks what was prepared."""
    made = [preparer.arrays(row) for row in rows]
    found = {each.name: stack([part[each.name] for part in made], each, 1) for each in preparer.features}
    return found | {"mask": torch.ones(len(rows), 1, dtype=torch.bool)}


@pytest.mark.parametrize(
    ("cell", "said"),
    [("3", 3), (" 3.5e2 ", 350), (7, 7), ("-1", -1), ("１２", 12), ("12%", None), ("1_000", None), (True, None),
     ("inf", None), (10**400, None), ("abc", None), ("", math.nan), (None, math.nan), ("NA", math.nan), ("-", math.nan),
     (float("nan"), math.nan)],
)  # fmt: skip
def test_numbers_are_read(cell: Any, said: float | None) -> None:
    assert number(cell, {"NA", "-"}) == pytest.approx(said, nan_ok=True)


def test_dates_are_read_alike_however_written() -> None:
    known = date("2024-05-01T08:30")
    assert known == date("2024/5/1 8:30") == date("2024年5月1日 08:30:00") == date("2024-05-01T08:30:00+08:00")
    assert known is not None
    assert known[0] == pytest.approx(2024 + (121 + 8.5 / 24) / 366)
    assert known[3:] == pytest.approx([math.sin(4 * math.pi / 7), math.cos(4 * math.pi / 7),
                                       math.sin(math.pi * 8.5 / 12), math.cos(math.pi * 8.5 / 12)])  # fmt: skip
    assert date("2024-05-01") == date("2024年5月1日")
    for wrong in ("2024-13-01", "2024-02-30", "01.05.2024", "soon", 2024, "2024-05-01T25:00"):
        assert date(wrong) is None
    assert all(math.isnan(part) for part in date("") or [0])


def test_a_category_is_one_name_however_it_is_written() -> None:
    assert category(3) == category("3") == category(3.0) == category(" 3 ") == "3"
    assert (category(True), category("北京"), category(""), category(None)) == ("true", "北京", None, None)


def test_kinds_are_found() -> None:
    columns = {each["name"]: each for each in learned().state["columns"]}
    kinds = {name: each["kind"] for name, each in columns.items()}
    assert kinds == {
        "age": "number", "体温": "number", "city": "category", "ward": "number", "seen": "date", "id": "category"
    }  # fmt: skip
    assert columns["city"]["names"] == ["北京", "Paris"]
    assert columns["city"]["counts"] == [0, 0, 133, 67]
    assert columns["id"]["names"] == []
    assert columns["age"]["mean"] == pytest.approx(np.mean([20 + n % 50 for n in range(200)]))
    assert columns["age"]["deviation"] == pytest.approx(np.std([20 + n % 50 for n in range(200)]))
    assert columns["ward"]["missing"] == 40
    assert columns["ward"]["edges"] == sorted(set(columns["ward"]["edges"]))


def test_kinds_can_be_given() -> None:
    preparer = learned(columns=["ward", "age"], categories=["ward"])
    columns = preparer.state["columns"]
    assert [(each["name"], each["kind"]) for each in columns] == [("ward", "category"), ("age", "number")]
    assert columns[0]["counts"] == [40, 0, 80, 80]
    assert preparer.column.parts == ("ward", "age")
    with pytest.raises(ValueError, match="'x' is given a kind but is not among `columns`"):
        TableSpec(columns=("age",), numbers=("x",))
    with pytest.raises(ValueError, match="'age' stands twice; a column has one kind"):
        TableSpec(numbers=("age",), dates=("age",))
    with pytest.raises(ValueError, match="`width` is 30, which is no multiple of `heads`"):
        TableSpec(width=30)
    with pytest.raises(RecipeError, match=r"gives 'agee' a kind, but no training row has such a column. Did you mean"):
        learned(numbers=["agee"])
    with pytest.raises(DataError, match="no training row has a column"):
        learned([])


def test_arrays_are_deviations_and_numbers_of_categories() -> None:
    preparer = learned()
    assert [feature.name for feature in preparer.features] == ["numbers", "categories"]
    arrays = preparer.arrays({"age": "44", "体温": None, "city": "Lima", "ward": "", "seen": "NA"})
    numbers, columns = arrays["numbers"], preparer.state["columns"]
    assert (numbers.dtype, arrays["categories"].dtype) == (np.float32, np.int64)
    assert numbers[0] == pytest.approx((44 - columns[0]["mean"]) / columns[0]["deviation"], abs=1e-6)
    assert np.isnan(numbers[1:]).all()
    assert len(numbers) == 3 + 7
    assert arrays["categories"].tolist() == [1, 0]
    assert preparer.arrays({"age": 1e30})["numbers"][0] == 10
    own = learned([{"数": 1.7e9 + n} for n in range(100)])
    assert own.arrays({"数": 1.7e9 + 1})["numbers"] - own.arrays({"数": 1.7e9})["numbers"] == pytest.approx(
        1 / own.state["columns"][0]["deviation"], rel=1e-4
    )


def test_what_cannot_be_read_is_told() -> None:
    preparer = learned()
    with pytest.raises(DataError, match=r"'age' is a column of numbers and must hold a finite number, given 'old'"):
        preparer.arrays({"age": "old"})
    with pytest.raises(DataError, match=r"'seen' is a column of dates and must hold a date such as 2024-05-01"):
        preparer.arrays({"seen": "昨天"})
    with pytest.raises(DataError, match=r"given a whole number of many digits\. Correct it, or leave it empty\.$"):
        preparer.arrays({"age": 10**400})


def test_the_gate_goes_on_without_a_cell_that_cannot_be_read() -> None:
    preparer = learned()
    row = {"age": "o" * 99, "city": "Paris", "seen": "昨天"}
    assert preparer.readable(row) == {"city": "Paris"}
    arrays = preparer.arrays(preparer.readable(row))
    assert np.isnan(arrays["numbers"]).all()
    assert arrays["categories"][0] > 1
    assert [(found[0], found[2]) for found in preparer.check(row, arrays)] == [
        ("unread cell", f"'age' is a column of numbers and must hold a finite number, given '{'o' * 56}...; it is read "
         "as missing."),
        ("unread cell", "'seen' is a column of dates and must hold a date such as 2024-05-01 or 2024-05-01T08:30, "
         "given '昨天'; it is read as missing."),
    ]  # fmt: skip
    assert preparer.readable({"age": "old", "city": ""}) == {"age": "old", "city": ""}  # refused as a whole
    assert preparer.readable(ROWS[0]) is ROWS[0]


@pytest.mark.parametrize(("strays", "nearly"), [(0, None), (1, "number"), (11, "number"), (12, None)])
def test_a_column_is_nearly_of_numbers_from_nine_tenths_on(strays: int, nearly: str | None) -> None:
    rows = [{"a": f"x{n}" if n < strays else n + 0.5} for n in range(110)]
    preparer = learned(rows)
    about = preparer.state["columns"][0]
    assert (about["kind"], about.get("nearly")) == ("category" if strays else "number", nearly)
    assert list(preparer.check({"a": 7.25}, preparer.arrays({"a": 7.25}))) == []
    named = ((f"line {n}", row) for n, row in enumerate(rows, 1))
    assert [(row, found[0]) for row, found in preparer.strays(named)] == ([(0, "mixed column")] if nearly else [])
    assert learned(rows, categories=["a"]).state["columns"][0].get("nearly") is None


def test_what_is_odd_is_told() -> None:
    preparer = learned()

    def told(row: dict[str, Any]) -> list[tuple[str, str]]:
        return [found[:2] for found in preparer.check(row, preparer.arrays(row))]

    assert told({"age": 30, "city": "Paris"}) == []
    assert told({"age": 3000, "city": "Lima"}) == [("far number", "warning"), ("rare category", "warning")]
    assert told({"age": 30, "agge": 1}) == [("unknown column", "warning")]
    assert told({"x": 1}) == [("unknown column", "warning"), ("no column", "error")]
    assert [found[0] for found in preparer.remarks()] == ["column of names"]
    rows = [{"a": 1, "b": None, "c": "x", "d": n} for n in range(5)]
    said = [(found[0], found[2]) for found in learned(rows).remarks()]
    assert said == [
        ("constant column", "'a' has one value in all training rows."),
        ("empty column", "'b' has no value in any training row."),
        ("constant column", "'c' has one value in all training rows."),
    ]
    other = learned(rows)
    assert other.arrays({"a": 5})["numbers"][0] == 0  # nothing is known of another value of a constant column


def test_state_goes_through_json() -> None:
    preparer = learned()
    again = build(TableSpec(), state=json.loads(json.dumps(preparer.state)))
    assert (again.key, again.state, again.features) == (preparer.key, preparer.state, preparer.features)
    assert learned(ROWS[:100]).key != preparer.key
    for row in ROWS[:5]:
        for name, array in preparer.arrays(row).items():
            np.testing.assert_array_equal(array, again.arrays(row)[name])


def test_a_long_column_is_sampled() -> None:
    rows = [{"a": math.sin(n) ** 3} for n in range(60_000)]
    one, two = learned(rows).state, learned(rows).state
    assert one == two
    inner = np.quantile([row["a"] for row in rows], np.linspace(0, 1, 9))[1:-1]
    about = one["columns"][0]
    found = np.asarray(about["edges"])[1:-1] * about["deviation"] + about["mean"]
    assert np.abs(found - inner).max() < 0.02


def test_noise_is_as_strong_as_what_it_hides() -> None:
    preparer = learned()
    draw = np.random.default_rng(0)
    row = {"age": 44, "体温": 37, "city": "Paris", "ward": None, "seen": "2024-05-01"}
    made = [preparer.noised(preparer.arrays(row), draw) for _ in range(500)]
    numbers = np.stack([each["numbers"] for each in made])
    assert np.isnan(numbers[:, 2]).all()
    assert numbers[:, 0].std() == pytest.approx(1, abs=0.15)
    paris = np.mean([each["categories"][0] == 3 for each in made])
    assert paris == pytest.approx(0.5 + 0.5 * 67 / 200, abs=0.08)


@pytest.mark.parametrize("encoding", ["piecewise", "periodic", "plain"])
def test_the_encoder_reads_each_row_alone(encoding: str) -> None:
    preparer = learned(encoding=encoding, width=16)
    torch.manual_seed(1)
    encoder = preparer.encoder().eval()
    inputs = batch(preparer, ROWS[:8])
    found = encoder(inputs)
    assert found.vectors.shape == (8, 7, encoder.width)
    assert found.mask.all()
    alone = torch.cat([encoder(batch(preparer, [row])).vectors for row in ROWS[:8]])
    torch.testing.assert_close(alone, found.vectors, atol=1e-5, rtol=1e-5)
    changed = batch(preparer, [ROWS[0] | {"体温": None}, ROWS[0] | {"体温": 39.5}, ROWS[0]])
    one, two, three = encoder(changed).vectors
    assert min((one - two).abs().max(), (one - three).abs().max(), (two - three).abs().max()) > 1e-3
    hidden = encoder({"hidden": found.vectors, "mask": found.mask})
    assert torch.equal(hidden.vectors, found.vectors)


def test_piecewise_shares_are_those_of_the_paper() -> None:
    """A bin below the value is full, one above it empty, and its own filled in part."""
    rows = [{"a": float(n)} for n in range(101)]
    encoder = learned(rows, bins=4).encoder()
    about = learned(rows, bins=4).state["columns"][0]
    value = torch.tensor([[(60 - about["mean"]) / about["deviation"]]])
    shares = encoder.model.columns.of_numbers.curve.bins(value)
    assert shares.flatten().tolist() == pytest.approx([1, 1, 0.4, 0], abs=1e-5)


def test_training_hides_values_and_is_drawn_from_the_seed() -> None:
    preparer = learned(width=16, dropout=0.0, hide=0.5)
    torch.manual_seed(1)
    encoder = preparer.encoder()
    torch.manual_seed(1)
    again = preparer.encoder()
    again.load_state_dict(encoder.state_dict())
    inputs = batch(preparer, ROWS[:8])
    torch.manual_seed(3)
    one, other = encoder(inputs).vectors, encoder(inputs).vectors
    torch.manual_seed(3)
    assert torch.equal(again(inputs).vectors, one)
    assert not torch.equal(one, other)
    one.sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in encoder.parameters())


def test_numbers_alone_and_one_category_alone() -> None:
    for columns in (["age"], ["city"], ["seen"]):
        preparer = learned(columns=columns, width=8, heads=2)
        vectors = preparer.encoder().eval()(batch(preparer, ROWS[:3])).vectors
        assert vectors.shape == (3, 2, 8)
        assert (vectors[0] - vectors[1]).abs().max() > 1e-4


@pytest.mark.parametrize("method", ["full", "bitfit", "freeze", "probe"])
def test_methods_adapt_it(method: str) -> None:
    encoder = learned(width=16).encoder()
    assert encoder.added() == list(encoder.parameters())
    spec = METHODS.spec({"name": method} | ({"layers": 1} if method == "freeze" else {}))
    adapted = METHODS.of(spec).build(encoder, spec)
    trained = {id(weight) for group in adapted.groups for weight in group.parameters}
    stem, top = {id(weight) for weight in encoder.stem()}, {id(weight) for weight in encoder.layers()[-1].parameters()}
    assert stem
    assert len(encoder.layers()) == 2
    if method in ("full", "bitfit"):
        assert trained == {id(weight) for weight in encoder.parameters()}
    elif method == "freeze":
        assert top <= trained
        assert not stem & trained
    else:
        assert not trained


def test_methods_for_pretrained_models_are_refused() -> None:
    spec = METHODS.spec("lora")
    with pytest.raises(RecipeError, match=r"one encoder of the run is made anew. Give its `model`, or choose `full`"):
        METHODS.of(spec).build(learned(width=16).encoder(), spec)


def test_it_learns() -> None:
    """An answer that needs two columns together, one of them a category."""
    draw = np.random.default_rng(5)
    rows = [{"x": draw.normal(), "side": "左" if draw.random() < 0.5 else "右", "z": draw.normal()} for _ in range(300)]
    labels = torch.tensor([float((row["x"] > 0) == (row["side"] == "左")) for row in rows])
    preparer = learned(rows, width=16, layers=1)
    torch.manual_seed(0)
    encoder: TableEncoder = preparer.encoder()
    head = torch.nn.Linear(16, 1)
    weights = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-2)
    inputs = batch(preparer, rows)
    for _ in range(60):
        said = head(encoder(inputs).vectors.mean(1)).squeeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(said, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    encoder.eval()
    said = head(encoder(inputs).vectors.mean(1)).squeeze(-1) > 0
    assert (said == labels.bool()).float().mean() > 0.95


def test_columns_that_tell_the_label_are_suspect() -> None:
    draw = np.random.default_rng(2)
    labels = [("sick", "well", "unknown")[n] for n in draw.integers(0, 3, 400)]
    rows = [
        {
            "code": {"sick": 7, "well": 1, "unknown": 9}[label],
            "诊断": "病" if label == "sick" else "其他",
            "noise": draw.normal(),
            "treated_at": None if label != "sick" else "x",
            "said": label + " ",
            "id": f"{n}",
        }
        for n, label in enumerate(labels)
    ]
    assert suspects(rows, labels) == [("code", 1.0), ("said", 1.0)]
    twofold = ["sick" if label == "sick" else "not" for label in labels]
    assert [name for name, _ in suspects(rows, twofold)] == ["code", "said", "treated_at", "诊断"]
    often = ["a"] * 398 + ["b"] * 2
    assert suspects([{"n": str(n % 7)} for n in range(400)], often) == []  # right as often as always 'a'
    assert suspects(rows[:10], labels[:10]) == []


def test_columns_that_tell_the_number_are_suspect() -> None:
    draw = np.random.default_rng(2)
    targets = draw.normal(size=500).tolist()
    rows = [{"euros": target * 1.1, "near": target + draw.normal(), "group": str(target > 0)} for target in targets]
    assert [name for name, _ in suspects(rows, targets)] == ["euros"]


def test_the_room_has_it() -> None:
    assert MODALITIES["table"].spec is TableSpec


def test_it_can_be_asked_before_it_learns() -> None:
    preparer = build(TableSpec())
    assert (preparer.features, preparer.places) == ((), 1)
    assert learned().places == 7


def test_few_rows_get_a_line_alone() -> None:
    rows = [{"a": n} for n in range(999)]
    assert [learned(own, layers=None).layers for own in (rows, [*rows, {"a": 1}])] == [0, 2]
    few = learned(rows, layers=None)
    assert few.places == 1
    assert build(TableSpec(), state=few.state).layers == 0
    assert learned(rows, layers=3).layers == 3
    assert learned(rows, layers=None, encoding="periodic").layers == 2
    with pytest.raises(ValueError, match="`periodic` is for columns that read each other: give `layers` above 0"):
        TableSpec(layers=0, encoding="periodic")


@pytest.mark.parametrize("encoding", ["piecewise", "plain"])
def test_the_line_is_a_linear_map_of_the_columns_side_by_side(encoding: str) -> None:
    preparer = learned(layers=0, width=16, encoding=encoding, bins=4)
    encoder = preparer.encoder().eval()
    assert len(encoder.layers()) == 0
    row = {"age": "44", "体温": None, "city": "Lima", "ward": 1, "seen": "2024-05-01T08:30"}
    found = encoder(batch(preparer, [row, ROWS[0]])).vectors
    assert found.shape == (2, 1, 16)
    arrays, columns = preparer.arrays(row), preparer.state["columns"]
    numbers = [float(value) for value in np.nan_to_num(arrays["numbers"][:3])]
    reads = [*numbers, 0, 1, 0]
    if encoding == "piecewise":
        for value, each, there in zip(numbers, [columns[0], columns[1], columns[3]], (1, 0, 1), strict=True):
            edges = each["edges"]
            shares = [(value - low) / (high - low) for low, high in pairwise(edges)]
            reads += [there * min(max(share, 0), 1) for share in shares] + [0.0] * (4 - len(shares))
    reads += [*arrays["numbers"][3:].tolist(), 0]
    reads += [0, 1, 0, 0, 1, 0]  # `Lima` is `other`; there is no `id`
    line = encoder.model.line
    wanted = 3 * torch.tensor(reads) @ line.weight
    torch.testing.assert_close(found[0, 0], wanted, atol=1e-5, rtol=1e-5)


def test_a_line_learns_what_is_one() -> None:
    """It comes near least squares within few steps, at the rate of the layers."""
    draw = np.random.default_rng(5)
    rows: list[dict[str, Any]] = [{f"c{n}": draw.normal() for n in range(5)} for _ in range(200)]
    target = torch.tensor([row["c0"] - 2 * row["c1"] + 0.5 * row["c4"] for row in rows], dtype=torch.float32)
    preparer = learned(rows, layers=0)
    torch.manual_seed(0)
    encoder, head = preparer.encoder(), torch.nn.Linear(64, 1)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=1e-3)
    inputs = batch(preparer, rows)
    for _ in range(150):
        loss = (head(encoder(inputs).vectors[:, 0]).squeeze(-1) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    said = head(encoder.eval()(inputs).vectors[:, 0]).squeeze(-1).detach()
    assert np.corrcoef(said, target)[0, 1] > 0.98
