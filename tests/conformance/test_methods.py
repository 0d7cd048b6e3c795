"""Every method with every task type: it trains, only what should changes, the bundle answers as the run did."""

import json
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import SibuError
from sibu.methods import METHODS
from sibu.models.trained import BESIDE
from tests.tiny_tasks import TASKS, tiny_model_for, tiny_recipe

WRITE = ("generate", "language", "prefer", "reinforce")
WRITING = [task for task in TASKS if task.startswith(WRITE) or task.endswith("written")]
PRETRAINING = [task for task in TASKS if task.startswith(("contrast", "denoise"))]
UNSUPPORTED = {
    **{("probe", task): "trains heads alone, and a task that writes has none" for task in WRITING},
    **{("probe", task): "leaves the encoder as it is" for task in PRETRAINING},
    **{(m, task): "could not be the model of another run" for m in BESIDE for task in PRETRAINING},
    **{(method, "mask"): "leaves weights as they are" for method in METHODS if method != "full"},
    ("bitfit", "generate, encoder-decoder"): "has no biases",
    ("bitfit", "prefer, encoder-decoder"): "has no biases",
    ("bitfit", "reinforce, encoder-decoder"): "has no biases",
}
"""What cannot be, and what is said of it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("method", list(METHODS))
def test_it_trains_and_answers(
    method: str, task: str, tiny_model: Path, tiny_writer: Path, tiny_translator: Path, home: Path, tmp_path: Path
) -> None:
    train = {"epochs": 6, "batch_tokens": 256} if method == "adalora" else {}
    model = tiny_model_for(task, tiny_model, tiny_writer, tiny_translator)
    recipe = tiny_recipe(task, {"name": method}, model, home, **train)
    if why := UNSUPPORTED.get((method, task)):
        with pytest.raises(SibuError, match=why):
            sibu.run(recipe, out=tmp_path / "out")
        return
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    weights = record["weights"]
    assert record["steps"]["done"] > 0
    assert (weights["encoder_trained"] == 0) == (method == "probe")
    assert (weights["encoder_trained"] == weights["encoder"]) == (method == "full")
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    opened = sibu.load(bundle)
    assert set(known) <= set(opened._opened.tasks["it"].metrics)
    report = opened.evaluate(recipe["tasks"]["it"]["data"]["test"])
    found = {name: score.as_json() for name, score in report.scores.items()}
    if method == "adalora":  # ranks that were taken away are not saved: sums of other lengths, in another order
        assert found.keys() == known.keys()
        assert all(found[name] == pytest.approx(known[name], rel=1e-4, abs=1e-4) for name in known)
    else:
        assert found == known
