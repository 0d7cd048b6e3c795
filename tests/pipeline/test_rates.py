"""A sweep over learning rates: it trains as a run does, and says what it found."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import sibu
import sibu.train.fit as loop
from sibu.core.errors import DataError, RecipeError
from sibu.pipeline.rates import short
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import tiny_model_for, tiny_recipe

QUICK = {"steps": 20, "low": 1e-5, "high": 1e-1}


def sweep(recipe: Mapping[str, Any], out: Path, *overrides: str, **options: Any) -> dict[str, Any]:
    return sibu.find_rate(recipe, overrides, out=out, **{**QUICK, **options})


def losses_of_a_run(
    recipe: Mapping[str, Any], out: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str
) -> list[Any]:
    """The losses of a run's steps, as its loop yields them."""
    import sibu.pipeline.loop as steps

    seen, through = [], steps._count
    with monkeypatch.context() as patched:
        patched.setattr(steps, "_count", lambda *words: (seen.append(words[1].loss), through(*words)))
        sibu.run(recipe, overrides, out=out)
    return seen


@pytest.mark.parametrize("task", ["classify", "tag"])  # English, and Chinese among it
def test_a_rate_is_found(task: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(task, "full", tiny_model, tmp_path)
    found = sibu.find_rate(recipe, out=tmp_path / "out")
    table = found["table"]
    assert found["key"] == "train.learning_rate"
    assert [row["step"] for row in table] == list(range(1, len(table) + 1))
    assert table[0]["rate"] == 1e-7
    assert [two["rate"] / one["rate"] for one, two in pairwise(table)] == pytest.approx(
        [10 ** (7 / 99)] * (len(table) - 1)
    )
    valley, steepest = (found["suggestions"][name]["train.learning_rate"] for name in ("valley", "steepest"))
    assert 1e-4 < valley < found["lowest"] < 1e-1
    assert 1e-4 < steepest <= found["lowest"]
    means = {row["rate"]: row["centred"] for row in table if row["centred"] is not None}
    assert min(means, key=means.__getitem__) == found["lowest"]  # the column shows what is chosen by
    assert [row["centred"] for row in (*table[:5], *table[-5:])] == [None] * 10
    for place, row in enumerate(table[5:-5], 5):
        around = [each["loss"] for each in table[place - 5 : place + 6]]
        assert row["centred"] == pytest.approx(sum(around) / 11)
    assert found["suggestions"]["lowest / 10"]["train.learning_rate"] == float(f"{found['lowest'] / 10:.2g}")
    assert found["reading"].startswith(f"Try train.learning_rate={short(valley)} train.head_learning_rate=")
    assert f"falling fastest at {short(steepest)}, and rose from {short(found['lowest'])}." in found["reading"]
    assert found["file"] == str(tmp_path / "out/rates.json")
    assert json.loads((tmp_path / "out/rates.json").read_text()) | {"file": found["file"]} == found
    page = (tmp_path / "out/rates.html").read_text()
    assert "<svg" in page
    assert "log10 of train.learning_rate" in page
    assert f">{short(valley)}<" in page
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"rates.json", "rates.html"}


def test_what_is_suggested_learns_faster(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_recipe("tag", "full", tiny_model, tmp_path, epochs=20, max_steps=20, evaluate_every=20)
    tried = sibu.find_rate(recipe, out=tmp_path / "rates")["suggestions"]["valley"]
    values = [f"{key}={value}" for key, value in tried.items()]
    own = losses_of_a_run(recipe, tmp_path / "own", monkeypatch)
    suggested = losses_of_a_run(recipe, tmp_path / "suggested", monkeypatch, *values)
    assert sum(suggested[-5:]) < 0.5 * sum(own[-5:])


def test_the_same_recipe_gives_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    for name in ("one", "two"):
        sweep(recipe, tmp_path / name)
    for file in ("rates.json", "rates.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    other = sweep(recipe, tmp_path / "other", "train.seed=14")
    assert other["table"] != json.loads((tmp_path / "one/rates.json").read_text())["table"]


@pytest.mark.parametrize("method", ["full", "lora", "freeze"])
def test_it_trains_as_a_run_does(
    method: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At rates that hardly grow: the losses of a run with that rate, step by step, over several epochs."""
    own = {"learning_rate": 1e-3, "head_learning_rate": 2e-3, "schedule": "constant", "warmup": 0.0}
    own |= {"epochs": 10, "evaluate_every": 20}
    recipe = tiny_recipe("classify", method, tiny_model, tmp_path, **own, batch_tokens=128, accumulate=2)
    wanted = losses_of_a_run(recipe, tmp_path / "run", monkeypatch)
    assert len(wanted) >= 20
    found = sweep(recipe, tmp_path / "rates", low=1e-3, high=1e-3 * (1 + 1e-12))
    assert [row["loss"] for row in found["table"]] == pytest.approx(wanted[:20], abs=1e-6)


def test_epochs_go_on_as_long_as_the_steps(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, max_steps=1)
    assert len(sweep(recipe, tmp_path / "out", high=1e-4)["table"]) == 20


def test_groups_keep_the_recipes_ratios(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def set_rate(optimizer: Any, factor: float) -> None:
        through(optimizer, factor)
        seen.append(sorted({group["lr"] for group in optimizer.param_groups}))

    through = loop.set_rate
    monkeypatch.setattr(loop, "set_rate", set_rate)
    own = {"learning_rate": 2e-4, "head_learning_rate": 3e-3}
    found = sweep(tiny_recipe("classify", "full", tiny_model, tmp_path, **own), tmp_path / "out", high=1e-2)
    assert found["recipe"] == {"train.learning_rate": 2e-4, "train.head_learning_rate": 3e-3}
    for row, rates in zip(found["table"], seen, strict=False):
        assert rates == pytest.approx([row["rate"], row["rate"] * 15])
    for values in found["suggestions"].values():
        assert values["train.head_learning_rate"] == pytest.approx(values["train.learning_rate"] * 15, rel=0.06)


def test_of_a_frozen_encoder_the_rate_is_the_heads(tiny_model: Path, tmp_path: Path) -> None:
    found = sibu.find_rate(tiny_recipe("tag", "probe", tiny_model, tmp_path), out=tmp_path / "out", high=10.0)
    assert found["key"] == "train.head_learning_rate"
    assert found["recipe"] == {"train.head_learning_rate": 1e-3}
    assert set(found["suggestions"]["valley"]) == {"train.head_learning_rate"}
    assert found["reading"].startswith("Try train.head_learning_rate=")


def test_of_a_writer_there_is_one_rate(tiny_writer: Path, tmp_path: Path) -> None:
    found = sweep(tiny_recipe("generate", "lora", tiny_writer, tmp_path), tmp_path / "out")
    assert set(found["recipe"]) == {"train.learning_rate"}


def test_several_tasks_with_learned_weights(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, weighting="uncertainty", batch_tokens=256)
    recipe["tasks"]["other"] = tiny_recipe("tag", "full", tiny_model, tmp_path)["tasks"]["it"]
    found = sibu.find_rate(recipe, out=tmp_path / "out")
    assert len(found["table"]) > 40  # losses of unlike height did not end it
    assert found["suggestions"]


def test_a_loss_that_is_no_number_ends_it(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    found = sweep(recipe, tmp_path / "out", low=1e30, high=1e38)
    assert (found["stopped"], found["suggestions"]) == ("not finite", {})
    assert len(found["table"]) < 5
    assert "Nothing to suggest: the loss rose after 1 step already, and 13 are needed" in found["reading"]
    assert (tmp_path / "out/rates.html").is_file()


def test_a_loss_that_is_no_number_at_once(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "backward", lambda *_: (float("inf"), {"it": float("inf")}))
    found = sweep(tiny_recipe("classify", "full", tiny_model, tmp_path), tmp_path / "out")
    assert (found["stopped"], found["table"], found["lowest"]) == ("not finite", [], None)
    assert "not a finite number at the first step already" in found["reading"]


def test_rates_too_low_to_move_anything(tiny_model: Path, tmp_path: Path) -> None:
    found = sweep(tiny_recipe("classify", "full", tiny_model, tmp_path), tmp_path / "out", low=1e-12, high=1e-9)
    assert (found["stopped"], found["suggestions"]) == ("end", {})
    assert "never fell by more than it varies" in found["reading"]
    assert "nor did it rise. Go higher with --high" in found["reading"]


def test_rates_too_high_from_the_start(tiny_model: Path, tmp_path: Path) -> None:
    found = sweep(tiny_recipe("tag", "full", tiny_model, tmp_path), tmp_path / "out", low=1.0, high=100.0, steps=40)
    assert (found["stopped"], found["suggestions"]) == ("rise", {})
    assert "Begin lower with --low" in found["reading"]


FAULTS = {
    "no epochs": ({}, ["train.epochs=0"], r"train\.epochs: is 0: nothing is trained.*Sweep with train\.epochs=1"),
    "fitted": ({}, ["method=probe", "tasks.it.head=logistic"], "method: nothing trains by steps: the encoder stays"),
    "order": ({"low": 1e-2, "high": 1e-3}, [], "goes up from `low` to `high`, both above 0; given 0.01 and 0.001"),
    "zero": ({"low": 0.0}, [], "both above 0; given 0 and"),
    "nan": ({"high": float("nan")}, [], "both above 0; given 1e-05 and nan"),
    "steps": ({"steps": 19}, [], "needs at least 20 steps, given 19"),
    "reptile": (
        {},
        ["tasks.it.head=prototypes", "train.reptile={}"],
        r"train\.reptile: keeps a share.*Sweep with train\.reptile=null",
    ),
    "recipe": ({}, ["train.epoch=1"], "Did you mean 'epochs'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_is_told(name: str, tiny_model: Path, tmp_path: Path) -> None:
    options, overrides, said = FAULTS[name]
    with pytest.raises(RecipeError, match=said):
        sweep(tiny_recipe("classify", "full", tiny_model, tmp_path), tmp_path / "out", *overrides, **options)
    assert not (tmp_path / "out").exists()


def test_rewards_are_no_loss(tiny_writer: Path, tmp_path: Path) -> None:
    model = tiny_model_for("reinforce", tiny_writer, tiny_writer, tiny_writer)
    with pytest.raises(RecipeError, match=r"tasks\.it: learns by reward: its loss does not fall"):
        sweep(tiny_recipe("reinforce", "lora", model, tmp_path), tmp_path / "out")


def test_a_fitted_head_on_an_encoder_that_trains_has_a_rate(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["head"] = "logistic"
    assert set(sweep(recipe, tmp_path / "out")["recipe"]) == {"train.learning_rate"}


def test_the_gate_comes_first(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    rows = [*intent_rows(40), {"text": "我头痛", "label": ""}]
    recipe["tasks"]["it"]["data"] = {"train": str(write_jsonl(tmp_path / "bad.jsonl", rows))}
    with pytest.raises(DataError, match=r"bad\.jsonl"):
        sweep(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_place_is_not_lost(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x")
    for place in (tmp_path / "mine", tmp_path / "mine/notes.txt"):
        with pytest.raises(RecipeError, match=r"holds something that is no sweep\. Choose another place with --out"):
            sweep(recipe, place, force=True)
    monkeypatch.chdir(tmp_path)
    found = sibu.find_rate(recipe, **QUICK)
    assert found["file"] == str(Path("searches/tiny-rates/rates.json"))
    with pytest.raises(RecipeError, match=r"A sweep stands at searches/tiny-rates\..*replace it with --force"):
        sibu.find_rate(recipe, **QUICK)
    again = sibu.find_rate(recipe, **(QUICK | {"steps": 25}), force=True)
    assert len(again["table"]) > 20


def test_folds_and_repeats_sweep_their_first_model(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    plain = sweep(recipe, tmp_path / "plain")
    assert sweep(recipe | {"repeats": 3}, tmp_path / "repeats")["table"] == plain["table"]
    folds = sweep(recipe | {"folds": 3}, tmp_path / "folds")["table"]
    assert folds != plain["table"]  # a third is held out, not a tenth


def consistent(recipe: dict[str, Any], folder: Path, **options: Any) -> dict[str, Any]:
    """The recipe, its task `it` learning by consistency too."""
    texts = write_jsonl(folder / "texts.jsonl", [{"text": row["text"]} for row in intent_rows(30, seed=7)])
    task = recipe["tasks"]["it"]
    more = {"data": task["data"] | {"unlabelled": str(texts)}, "consistency": {"threshold": 0.0} | options}
    return recipe | {"tasks": recipe["tasks"] | {"it": task | more}}


@pytest.mark.parametrize("method", ["full", "lora", "probe"])
def test_consistency_is_no_sign_of_a_rate(method: str, tiny_model: Path, tmp_path: Path) -> None:
    """Its loss is nothing until answers are sure: the sweep is that of the labelled rows."""
    recipe = tiny_recipe("classify", method, tiny_model, tmp_path)
    found = sweep(consistent(recipe, tmp_path, augment=["swap", "delete"]), tmp_path / "out")
    assert found["table"] == sweep(recipe, tmp_path / "plain")["table"]
    assert found["key"] == ("train.head_learning_rate" if method == "probe" else "train.learning_rate")


def test_consistency_beside_another_task(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, batch_tokens=256)
    recipe["tasks"]["other"] = tiny_recipe("tag", "full", tiny_model, tmp_path)["tasks"]["it"]
    found = sweep(consistent(recipe, tmp_path), tmp_path / "out")
    assert found["table"] == sweep(recipe, tmp_path / "plain")["table"]


def test_consistency_without_a_pair_is_told(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    with pytest.raises(RecipeError, match=r"tasks\.it\.consistency: of 30 texts without labels none gives a pair"):
        sweep(consistent(recipe, tmp_path, augment=["entities"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sweep(consistent(recipe, tmp_path), tmp_path / "out")["table"]


@pytest.mark.parametrize(("rate", "said"), [(3e-4, "3.0e-4"), (0.0123, "1.2e-2"), (1.0, "1.0e0"), (25.0, "2.5e1")])
def test_rates_are_said_as_a_recipe_has_them(rate: float, said: str) -> None:
    from sibu.recipe import yaml

    assert short(rate) == said
    assert yaml.parse(f"rate: {said}", "x")[0]["rate"] == pytest.approx(rate, rel=0.05)
