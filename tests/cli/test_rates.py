"""`sibu search --rates` at the command line."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.command import sibu_here
from tests.tiny_tasks import tiny_recipe


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    home = tmp_path_factory.mktemp("rates")
    (home / "recipe.yaml").write_text(yaml.safe_dump(tiny_recipe("tag", "full", tiny_model, home)))
    return home / "recipe.yaml"


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return sibu_here("search", *arguments)


def test_the_table_and_what_to_try_are_told(recipe: Path, tmp_path: Path) -> None:
    done = command(recipe, "--rates", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["train.learning_rate", "loss", "centred", "mean"]
    found = json.loads((tmp_path / "out/rates.json").read_text())
    for line, row in zip(lines[1:], found["table"], strict=False):
        mean = [] if row["centred"] is None else [f"{row['centred']:.4g}"]  # the ends are not looked at
        assert line.split() == [f"{row['rate']:.2e}", f"{row['loss']:.4g}", *mean]
    shown = [line.split() for line in lines[1 : len(found["table"]) + 1]]
    lowest = min((cells for cells in shown if len(cells) == 3), key=lambda cells: float(cells[2]))
    assert float(lowest[0]) == pytest.approx(found["lowest"], rel=0.5)  # as printed, neighbours may be equal
    assert "Stopped: the running mean of the loss was four times its lowest." in lines
    for name, values in found["suggestions"].items():
        assert (
            f"{name}\ttrain.learning_rate={values['train.learning_rate']:.1e} train.head_learning_rate=" in done.stdout
        )
    assert lines[-2] == found["reading"]
    assert lines[-1] == f"file\t{tmp_path / 'out/rates.json'}"


def test_json_and_overrides(recipe: Path, tmp_path: Path) -> None:
    own = ("train.learning_rate=2e-3", "--low", "1e-4", "--high", "1e-2", "--steps", "20")
    done = command(recipe, *own, "--rates", "--json", "--quiet", "--out", tmp_path / "out")
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert found["recipe"]["train.learning_rate"] == 2e-3
    assert (found["low"], found["high"], found["steps"], len(found["table"])) == (1e-4, 1e-2, 20, 20)


WRONG = {
    "resume": (["--rates", "--resume"], "--workers and --resume go with a study of trials"),
    "workers": (["--rates", "--workers", "2"], "--workers and --resume go with a study of trials"),
    "low": (["--low", "1e-5"], "--low, --high and --steps go with --rates"),
    "steps": (["--steps", "50"], "--low, --high and --steps go with --rates"),
    "few": (["--rates", "--steps", "5"], "greater than or equal to 20"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage(name: str, recipe: Path, tmp_path: Path) -> None:
    words, said = WRONG[name]
    done = command(recipe, *words, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train.epochs=0"], "sibu: train.epochs: is 0: nothing is trained, and no rate is used."),
        (["--low", "2"], "sibu: A sweep goes up from `low` to `high`, both above 0; given 2 and 1."),
    ],
)
def test_faults(words: list[str], said: str, recipe: Path, tmp_path: Path) -> None:
    done = command(recipe, "--rates", *words, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert said.removeprefix("sibu: ") in done.stderr
    assert done.stderr.startswith("sibu: ")
