"""A run that is killed goes on where it was: the same bits as an unbroken one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.core.errors import RecipeError, RunStopped
from sibu.pipeline import loop
from tests.conftest import intent_rows
from tests.tiny_tasks import tiny_recipe, write_jsonl

FILES = ("model/model.safetensors", "heads.safetensors", "labels.json", "metrics.json")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict:
    home = tmp_path_factory.mktemp("resume")
    made = tiny_recipe("classify", "full", tiny_model, home)
    write_jsonl(Path(made["tasks"]["it"]["data"]["train"]), intent_rows(200))
    made["train"] = {"epochs": 50, "max_steps": 100, "batch_tokens": 128, "checkpoint_every": 25, "evaluate_every": 40}
    made["modalities"] = [{"name": "text", "dropout": 0.2}]
    return made


@pytest.fixture(scope="module")
def unbroken(recipe: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sibu.run(recipe, out=tmp_path_factory.mktemp("unbroken") / "out")


def command(recipe: dict, home: Path, *more: str) -> list[str]:
    file = home / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe))
    return [sys.executable, "-m", "sibu", "run", str(file), "--out", str(home / "out"), "--quiet", *more]


def test_a_killed_run_resumes_to_the_same_bits(recipe: dict, unbroken: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(recipe, tmp_path))
    mark = tmp_path / "out.working" / "checkpoints" / "step-00000050"
    while not (mark / "progress.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    done = json.loads((mark / "progress.json").read_text())["step"]
    assert done == 50
    subprocess.run(command(recipe, tmp_path, "--resume"), check=True, stdout=subprocess.DEVNULL)
    for file in FILES:
        assert (tmp_path / "out" / file).read_bytes() == (unbroken / file).read_bytes(), file
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    known = json.loads((unbroken / "record.json").read_text())
    assert record["steps"] == known["steps"]
    assert record["evaluations"] == known["evaluations"]


@pytest.mark.parametrize("method", [{"name": "lora"}, {"name": "adalora"}, {"name": "probe"}])
def test_other_methods_resume_too(method: dict, recipe: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe | {"method": method, "train": recipe["train"] | {"max_steps": 30, "checkpoint_every": 10}}
    same_bits(recipe, tmp_path, 20, monkeypatch)


@pytest.mark.parametrize("task", ["mask", "contrast", "contrast, pairs", "denoise"])
def test_tasks_without_labels_resume_too(
    task: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe(task, "full", tiny_model, tmp_path, epochs=50, max_steps=12, checkpoint_every=4)
    same_bits(recipe, tmp_path, 8, monkeypatch)


def test_a_run_resumes_where_epochs_differ_in_their_batches(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=9, batch_tokens=96, checkpoint_every=1)
    recipe["tasks"]["it"]["head"] = "prototypes"
    rows = [{"text": f"my {word} {n} {'is late ' * (n % 4)}", "label": f"l{n % 7}"} for n, word in enumerate("ab" * 20)]
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), rows)
    recipe["tasks"]["it"]["data"] |= {"dev_share": 0, "test": None}
    seen = []
    plain = loop.work_from
    monkeypatch.setattr(loop, "work_from", lambda own, *rest, **named: seen.append(own) or plain(own, *rest, **named))
    sibu.run(recipe, ["train.max_steps=1"], out=tmp_path / "one")
    monkeypatch.undo()
    (schedule,) = seen
    counts = [len(list(schedule.epoch(number))) for number in range(9)]
    assert counts == [schedule.batches(number) for number in range(9)]
    assert len(set(counts)) > 1
    last = next(n for n, count in enumerate(counts) if count != counts[0])
    same_bits(recipe, tmp_path, sum(counts[: last + 1]) + 1, monkeypatch)


def same_bits(recipe: dict, home: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped behind a checkpoint and goes on has the weights and figures of one that is not."""
    whole = sibu.run(recipe, out=home / "whole")
    stop_at(step, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=home / "broken")
    monkeypatch.undo()
    again = sibu.run(recipe, out=home / "broken", resume=True)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*.safetensors"))
    assert files
    for file in [*files, *map(Path, ("labels.json", "metrics.json"))]:
        assert (again / file).read_bytes() == (whole / file).read_bytes(), file


class Stop(Exception):
    pass


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from sibu.train import checkpoint

    save = checkpoint.save_checkpoint

    def save_then_stop(*arguments: object, **named: object) -> None:
        save(*arguments, **named)  # type: ignore[arg-type]
        if named["step"] == step:
            raise Stop

    monkeypatch.setattr(checkpoint, "save_checkpoint", save_then_stop)


def whole_and_stopped(recipe: dict, step: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The bundle of a recipe, and that of the same run stopped after a step's checkpoint and gone on with."""
    whole = sibu.run(recipe, out=home / "whole")
    stop_at(step, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=home / "out")
    monkeypatch.undo()
    return whole, sibu.run(recipe, out=home / "out", resume=True)


def test_an_unfinished_run_is_not_lost(recipe: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_at(25, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(RecipeError, match=r"An unfinished run stands at .* \(step 25\)\. Go on with --resume"):
        sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"recipe \(train.head_learning_rate, train.learning_rate.*\) changed"):
        sibu.run(recipe, ["train.learning_rate=0.1"], out=tmp_path / "out", resume=True)


@pytest.mark.parametrize(("apart", "expected"), [(0.0, [1, 2, 3]), (3600.0, [])])
def test_checkpoints_are_so_far_apart(
    apart: float, expected: list[int], recipe: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `checkpoint_every` they come with evaluations, but not one upon the other."""
    from sibu.pipeline import loop
    from sibu.train import checkpoint

    steps, save = [], checkpoint.save_checkpoint

    def told(*arguments: object, **named: object) -> None:
        steps.append(named["step"])
        save(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoint, "save_checkpoint", told)
    monkeypatch.setattr(loop, "APART", apart)
    train = recipe["train"] | {"max_steps": 3, "evaluate_every": 1}
    del train["checkpoint_every"]
    sibu.run(recipe | {"train": train}, out=tmp_path / "out")
    assert steps == expected


def test_a_bundle_is_not_overwritten(recipe: dict, unbroken: Path) -> None:
    with pytest.raises(RecipeError, match=r"already holds a bundle\. Choose another place with --out, or replace it"):
        sibu.run(recipe, out=unbroken)


def test_a_loss_that_is_no_number_stops_the_run(recipe: dict, tmp_path: Path) -> None:
    with pytest.raises(RunStopped, match=r"The loss is not a finite number at step \d+.*Lower train.learning_rate"):
        sibu.run(
            recipe, ["train.learning_rate=1e20", "train.clip=null", "train.schedule=constant"], out=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()
