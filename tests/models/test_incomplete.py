"""A model folder whose weights are not all there is refused: what is missing would begin at random, unseen."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tests.command import sibu_here
from tests.conftest import write_recipe
from tests.tiny_tasks import tiny_model_for, tiny_recipe

import sibu
from sibu.core.errors import RecipeError
from sibu.curation.linking._hf import encode


@pytest.mark.parametrize("task", ["classify", "mask", "language", "generate, encoder-decoder"])
def test_a_weight_that_is_not_there_is_named(
    task: str, tiny_model: Path, tiny_writer: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    whole = tiny_model_for(task, tiny_model, tiny_writer, tiny_translator)
    folder = shutil.copytree(whole, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in sorted(weights) if "0" in name and name.endswith("weight"))
    save_file({name: each for name, each in weights.items() if name != gone}, folder / "model.safetensors")
    recipe = tiny_recipe(task, "full", folder, tmp_path)
    said = rf"are not those of its config\.json: \S*{gone.split('0', 1)[1]} is not there\. Copy the whole model anew"
    with pytest.raises(RecipeError, match=said):
        sibu.run(recipe, out=tmp_path / "out")
    shutil.copytree(whole, folder, dirs_exist_ok=True)  # the mend that it names
    assert sibu.run(recipe, out=tmp_path / "out").is_dir()


def test_weights_of_another_shape_are_told_by_the_command(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    there, wanted = config["intermediate_size"], config["intermediate_size"] + 1
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": wanted}))
    recipe = tiny_recipe("classify", "full", folder, tmp_path)
    write_recipe(tmp_path / "recipe.yaml", recipe)
    done = sibu_here("run", tmp_path / "recipe.yaml", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert f"encoder.layer.0.intermediate.dense.bias has the shape [{there}] and not [{wanted}], " in done.stderr
    assert " (and 3 more). Copy the whole model anew." in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("by", ["names", "copies"])
def test_models_beside_the_recipes_own_are_looked_at_too(by: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "beside")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": config["intermediate_size"] + 1}))
    with pytest.raises(RecipeError, match=r"encoder\.layer\.0\.\S* has the shape .*\. Copy the whole model anew"):
        if by == "names":
            encode(folder, ["paris"])
        else:
            recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
            recipe["tasks"]["it"]["data"]["augment"] = {"name": "neighbours", "model": str(folder)}
            sibu.run(recipe, out=tmp_path / "out")


def test_python_is_told_nothing_of_what_is_not_read(tiny_model: Path, tmp_path: Path, caplog) -> None:
    """Most folders hold more than an encoder; transformers tells of it as of a fault."""
    from transformers.utils import logging

    folder = shutil.copytree(tiny_model, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    some = next(iter(weights.values()))
    save_file(weights | {"cls.unread.weight": some.clone()}, folder / "model.safetensors")
    recipe = tiny_recipe("classify", "full", folder, tmp_path)
    before = logging.get_verbosity()
    logging.set_verbosity_warning()
    logging.add_handler(caplog.handler)
    try:
        sibu.load(sibu.run(recipe, out=tmp_path / "out"))
        assert logging.get_verbosity() == logging.WARNING  # as it was found
    finally:
        logging.remove_handler(caplog.handler)
        logging.set_verbosity(before)
    assert "UNEXPECTED" not in caplog.text
