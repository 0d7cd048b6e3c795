"""The series modality: streams become patches, whatever is missing, and an encoder reads them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sibu.core.columns import Column
from sibu.core.errors import DataError, RecipeError
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.modalities.series import SeriesSpec, build
from sibu.modalities.series.prepare import SeriesPreparer
from sibu.pipeline.adapting import adapt
from sibu.recipe.load import load_recipe
from sibu.train.batches import stack


def stream(seed: int, length: int = 30, channels: int = 2, **also: Any) -> dict[str, Any]:
    """As a row gives it."""
    draw = np.random.default_rng(seed)
    values = draw.normal(5, 2, (length, channels)) * 10.0 ** np.arange(channels)
    return {"values": values.tolist()} | also


STREAMS = [stream(n, length=20 + n) for n in range(12)]


def learned(values: list[Any] | None = None, **options: Any) -> SeriesPreparer:
    preparer = build(SeriesSpec(**{"width": 16, "heads": 2, "patch": 4} | options))
    preparer.learn(STREAMS if values is None else values)
    return preparer


def batch(preparer: SeriesPreparer, values: list[Any]) -> dict[str, Tensor]:
    """As the pipeline stacks what was prepared."""
    made = [preparer.arrays(value) for value in values]
    first = preparer.features[0]
    lengths = [len(each["readings"]) // first.width for each in made]
    longest = max(lengths)
    found = {each.name: stack([part[each.name] for part in made], each, longest) for each in preparer.features}
    return found | {"mask": torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)}


def patches(preparer: SeriesPreparer, value: Any) -> np.ndarray:
    found: np.ndarray = preparer.arrays(value)["readings"].reshape(-1, preparer.features[0].width)
    return found


def test_channels_are_scaled_by_all_training_streams() -> None:
    preparer = learned()
    every = np.concatenate([np.asarray(each["values"]) for each in STREAMS])
    assert preparer.state["names"] == ["0", "1"]
    assert preparer.state["means"] == pytest.approx(every.mean(0).tolist(), rel=1e-6)
    assert preparer.state["deviations"] == pytest.approx(every.std(0).tolist(), rel=1e-6)
    found = patches(preparer, STREAMS[1])
    assert found.shape == (6, 4 * 3 + 1)  # 21 readings
    known = (np.asarray(STREAMS[1]["values"]) - every.mean(0)) / every.std(0)
    np.testing.assert_allclose(found[:, :8].reshape(-1, 2)[:21], known, atol=1e-5)
    assert np.isnan(found[:, :8].reshape(-1, 2)[21:]).all()
    assert (found[:, 8:12] == 0).all()
    assert found[:, 12].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_stream_can_be_scaled_by_itself() -> None:
    preparer = learned(normalise="example")
    values = np.asarray(STREAMS[0]["values"])
    raised = {"values": (values * 3 + 100).tolist()}
    np.testing.assert_allclose(patches(preparer, raised), patches(preparer, STREAMS[0]), atol=1e-4)
    still = {"values": [[4.0, row[1]] for row in STREAMS[0]["values"]]}
    assert (patches(preparer, still)[:, :8:2] == 0).all()


def test_readings_may_be_missing_and_uneven() -> None:
    values = [[1.0, None], [2.0, 5.0], [None, 6.0], [4.0, 7.0]]
    preparer = learned([{"values": values, "time": [0, 1, 2, 3]}])
    assert preparer.state["means"] == pytest.approx([7 / 3, 6])
    found = patches(preparer, {"values": values, "time": [10, 11, 11, 14]})[0]
    assert np.isnan(found[[1, 4]]).all()
    assert found[8:12].tolist() == pytest.approx([0, 0, -5, np.log(3)])
    late = patches(preparer, {"values": values * 2, "time": [0, 1, 2, 3, 20, 21, 22, 23]})
    assert late[:, 12].tolist() == [0, 5]


def test_streams_are_brought_to_a_rate() -> None:
    fast = {"values": [[float(n)] for n in range(41)], "time": [n / 20 for n in range(41)]}
    slow = {"values": [[float(n)] for n in range(0, 41, 2)], "time": [n / 10 for n in range(21)]}
    preparer = learned([fast, slow], rate=10)
    assert preparer.state["step"] == pytest.approx(0.1)
    assert patches(preparer, fast).shape == patches(preparer, slow).shape
    assert preparer.arrays(fast)["figures"].tolist() == [0, 0, pytest.approx(0.05)]


def test_what_is_too_long_is_cut_and_told() -> None:
    long = stream(3, length=50)
    for options in ({"longest": 20}, {"seconds": 19.0}):
        preparer = learned(**options)
        assert len(patches(preparer, long)) == 5
        told = list(preparer.check(long, preparer.arrays(long)))
        assert [(each[0], each[2]) for each in told] == [("cut", "30 readings at the end of the stream were cut.")]


def test_files_are_read(tmp_path: Path) -> None:
    for number in range(3):
        lines = [f"{n * 0.5},{n + number},{n % 3}" for n in range(12)]
        (tmp_path / f"{number}.csv").write_text("\n".join(["秒,心率,step", *lines]), encoding="utf-8")
    files = [str(tmp_path / f"{number}.csv") for number in range(3)]
    preparer = learned(files, time="秒")
    assert preparer.state["names"] == ["心率", "step"]
    assert preparer.state["step"] == 0.5
    turned = tmp_path / "turned.csv"
    turned.write_text("step,秒,心率\n" + "\n".join(f"{n % 3},{n * 0.5},{n}" for n in range(12)), encoding="utf-8")
    np.testing.assert_array_equal(patches(preparer, str(turned)), patches(preparer, files[0]))
    assert learned(files, channels=["心率"]).state["names"] == ["心率"]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    preparer = learned()
    with pytest.raises(DataError, match=r"`series` has 3 channels \('0', '1', '2'\) where the training streams have 2"):
        preparer.arrays(stream(1, channels=3))
    back = {"values": [[1, 2]] * 3, "time": [0, 2, 1]}
    with pytest.raises(DataError, match="the clock runs backwards at reading 3"):
        preparer.arrays(back)
    with pytest.raises(DataError, match="No file"):
        preparer.arrays(str(tmp_path / "missing.csv"))
    with pytest.raises(DataError, match="The stream has no reading; all are missing"):
        preparer.arrays({"values": [[None, None]] * 9})
    assert learned([back, *STREAMS]).state == preparer.state  # its row is told when it is asked for
    with pytest.raises(DataError, match="the clock runs backwards"):
        learned([back])
    with pytest.raises(DataError, match="no training row has a stream"):
        learned([])


def test_what_is_odd_is_told() -> None:
    preparer = learned()

    def told(value: Any) -> list[tuple[str, str]]:
        return [found[:2] for found in preparer.check(value, preparer.arrays(value))]

    assert told(STREAMS[0]) == []
    assert told({"values": [[None, n * 10.0] for n in range(9)]}) == [("empty channel", "warning")]
    assert told({"values": [[5.0, n * 10.0] for n in range(9)]}) == [("constant channel", "warning")]
    assert told({"values": [[1e6 + n, n * 10.0] for n in range(9)]}) == [
        ("constant channel", "warning"),
        ("far reading", "warning"),
    ]
    times = [0, 1, 2, 3, 60, 61, 62, 63, 64]
    assert told({"values": STREAMS[0]["values"][:9], "time": times}) == [("gap", "warning")]
    assert told({"values": [[5.0, 10.0]]}) == []
    quick = {"values": STREAMS[0]["values"][:9], "time": [n * 1e-9 for n in range(9)]}
    assert told(quick) == []
    rated = learned(rate=20)
    said = [found[:3] for found in rated.check(quick, rated.arrays(quick))]
    assert said == [
        ("short stream", "warning", "the stream is one reading at 20 a second (`rate`): it lasts no longer.")
    ]
    odd: list[Any] = [quick, {"values": [[None, 5.0]] * 9}, {"values": STREAMS[0]["values"][:9], "time": times}]
    every = [found for each in (preparer, rated) for value in odd for found in each.check(value, each.arrays(value))]
    assert {found[0] for found in every} >= {"gap", "empty channel"}
    assert all(found[3].strip() for found in every)
    still = learned([{"values": [[n, 3] for n in range(9)]}])
    assert [found[0] for found in still.remarks()] == ["constant channel"]
    assert list(still.check(None, still.arrays({"values": [[n, 3] for n in range(9)]}))) == []
    assert (patches(still, {"values": [[n, 77] for n in range(8)]})[:, 1:8:2] == 0).all()


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="`width` is 15; it must be even, and a multiple of `heads`"):
        SeriesSpec(width=15, heads=3)
    with pytest.raises(ValueError, match="`gap` goes with `rate`"):
        SeriesSpec(gap=3)
    with pytest.raises(ValueError, match="'t' is `time` and cannot be among `channels`"):
        SeriesSpec(time="t", channels=("t", "a"))


def test_state_goes_through_json() -> None:
    preparer = learned()
    again = build(SeriesSpec(width=16, heads=2, patch=4), state=json.loads(json.dumps(preparer.state)))
    assert (again.key, again.features) == (preparer.key, preparer.features)
    np.testing.assert_array_equal(patches(again, STREAMS[3]), patches(preparer, STREAMS[3]))
    assert learned(patch=8).key != preparer.key != learned(STREAMS[:5]).key


def test_what_a_column_cleans_is_read() -> None:
    preparer = learned()
    column = preparer.column
    assert isinstance(column, Column)
    rows = column.clean(json.dumps([[1, 2], [3, None]]))
    assert np.isnan(patches(preparer, rows)[0][3])


def test_noise_is_as_strong_as_what_it_hides() -> None:
    values = [[float(np.sin(n / 3)), None if n % 2 else 50.0] for n in range(4000)]
    preparer = learned([{"values": values}, *STREAMS])
    known = preparer.arrays({"values": values})
    noisy = preparer.noised(known, np.random.default_rng(0))
    width = preparer.features[0].width
    was, now = (each["readings"].reshape(-1, width) for each in (known, noisy))
    assert np.array_equal(was[:, 8:], now[:, 8:])
    for channel in range(2):
        signal, noise = was[:, channel:8:2], (now - was)[:, channel:8:2]
        there = ~np.isnan(signal)
        assert np.array_equal(np.isnan(noise), ~there)
        assert np.sqrt((noise[there] ** 2).mean() / (signal[there] ** 2).mean()) == pytest.approx(1, abs=0.06)


def test_the_encoder_reads_each_row_alone() -> None:
    preparer = learned()
    torch.manual_seed(1)
    encoder = preparer.encoder().eval()
    values: list[Any] = [*STREAMS[:5], stream(77, length=2), {"values": [[None, 1.0]] * 7}]
    found = encoder(batch(preparer, values))
    assert found.vectors.isfinite().all()
    for number, value in enumerate(values):
        alone = encoder(batch(preparer, [value])).vectors[0]
        torch.testing.assert_close(alone, found.vectors[number, : len(alone)], atol=1e-5, rtol=1e-5)
    hidden = encoder({"hidden": found.vectors, "mask": found.mask})
    assert torch.equal(hidden.vectors, found.vectors)
    gone = [list(each) for each in STREAMS[0]["values"]]
    gone[2][0] = None  # type: ignore[call-overload]
    zero = [list(each) for each in STREAMS[0]["values"]]
    zero[2][0] = preparer.state["means"][0]
    one, two, three = (
        encoder(batch(preparer, [{"values": each}])).vectors for each in (gone, zero, STREAMS[0]["values"])
    )
    assert min((one - two).abs().max(), (one - three).abs().max()) > 1e-3


def test_training_hides_patches_and_is_drawn_from_the_seed() -> None:
    preparer = learned(dropout=0.0, hide=0.5)
    encoder = preparer.encoder()
    inputs = batch(preparer, STREAMS[:6])
    torch.manual_seed(3)
    one, other = encoder(inputs).vectors, encoder(inputs).vectors
    torch.manual_seed(3)
    assert torch.equal(encoder(inputs).vectors, one)
    assert not torch.equal(one, other)
    (one * torch.randn_like(one)).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in encoder.parameters())


@pytest.mark.parametrize("method", ["full", "bitfit", "freeze", "probe"])
def test_methods_adapt_it(method: str) -> None:
    encoder = learned().encoder()
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


@pytest.mark.parametrize(("given", "rate"), [({}, 3.0), ({"learning_rate": None}, 1.0), ({"learning_rate": 0.5}, 0.5)])
def test_it_learns_faster_than_the_run(given: dict[str, Any], rate: float) -> None:
    tasks = {"kind": {"type": "classify", "data": {"train": "rows.jsonl"}}}
    recipe = load_recipe({"name": "rates", "modalities": {"name": "series", **given}, "tasks": tasks}).recipe
    groups = adapt(recipe, {"series": learned().encoder()})["series"].groups
    assert {group.scale for group in groups} == {rate}


def test_methods_for_pretrained_models_are_refused() -> None:
    spec = METHODS.spec("lora")
    with pytest.raises(RecipeError, match=r"one encoder of the run is made anew. Give its `model`, or choose `full`"):
        METHODS.of(spec).build(learned().encoder(), spec)


def test_it_learns() -> None:
    """Which of two channels is ahead of the other: no reading tells it alone, nor does any channel."""
    draw = np.random.default_rng(5)
    values, labels = [], []
    for _ in range(120):
        time, ahead = np.arange(24) * 0.7 + draw.uniform(0, 6), draw.random() < 0.5
        pair = np.stack([np.sin(time), np.sin(time + (1.2 if ahead else -1.2))], 1) + 0.1 * draw.normal(size=(24, 2))
        values.append({"values": pair.tolist()})
        labels.append(float(ahead))
    preparer = learned(values[:80], layers=1)
    torch.manual_seed(0)
    encoder, head = preparer.encoder(), torch.nn.Linear(16, 1)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=1e-2)
    inputs, wanted = batch(preparer, values[:80]), torch.tensor(labels[:80])
    for _ in range(40):
        said = head(encoder(inputs).vectors.mean(1)).squeeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(said, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    encoder.eval()
    said = head(encoder(batch(preparer, values[80:])).vectors.mean(1)).squeeze(-1) > 0
    assert (said == torch.tensor(labels[80:]).bool()).float().mean() > 0.9


def test_the_room_has_it() -> None:
    assert MODALITIES["series"].spec is SeriesSpec
