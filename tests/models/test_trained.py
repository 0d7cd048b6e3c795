"""A bundle as the model of another run: with what was trained in it."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.pipeline.test_resume import Stop, stop_at
from tests.tiny_tasks import tiny_recipe
from tests.tiny_values import tiny_mixed
from transformers import ViTConfig, ViTModel
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.errors import RecipeError
from sibu.modalities.text.encoder import TextEncoder
from sibu.models.sources import find_model


@pytest.mark.parametrize("method", ["full", "lora", "ia3"])
def test_it_begins_where_the_other_ended(method: str, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", method, tiny_writer, tmp_path, epochs=3, learning_rate=1e-2)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    source = find_model("out", home=tmp_path)
    assert (source.kind, source.name) == ("bundle", "out")
    fresh = TextEncoder(source.folder, shapes=False, dropout=None, writes=True).eval()
    trained = sibu.load(bundle)._opened.model.encoders["text"]
    ids = torch.randint(3, 200, (1, 9))
    found = [model.language_model()(input_ids=ids).logits for model in (fresh, trained)]
    assert torch.allclose(*found, atol=1e-5)
    base = TextEncoder(tiny_writer, shapes=False, dropout=None, writes=True).eval()
    assert not torch.allclose(base.language_model()(input_ids=ids).logits, found[0], atol=1e-3)
    again = sibu.run(recipe | {"model": str(bundle)}, out=tmp_path / "next")
    assert sibu.show(again)["model"] == {"name": "out", "kind": "bundle"}


def test_what_cannot_be_merged_is_refused(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "prompt", tiny_writer, tmp_path)
    sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"'out' was trained by `prompt`, .* Train it by `full`, `lora`"):
        find_model("out", home=tmp_path)


def write_vision(folder: Path) -> Path:
    """A ViT of two layers and width 16 for pictures of 8 by 8, and how they are prepared."""
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    ViTModel(ViTConfig(**shape, image_size=8, patch_size=4)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 8, "width": 8}}))
    return folder


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_of_pictures_begins_where_the_other_ended(
    method: str, beside: bool, tiny_model: Path, tmp_path: Path
) -> None:
    names = ("text", "image") if beside else ("image",)
    recipe = tiny_mixed("classify", names, tiny_model if beside else None, tmp_path) | {"method": method}
    part = {"name": "image", "model": str(write_vision(tmp_path / "vit"))}
    recipe["modalities"][names.index("image")] = part
    recipe["train"] |= {"epochs": 2, "learning_rate": 1e-2}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    part["model"] = str(bundle)
    sibu.run(recipe | {"train": {"epochs": 1, "learning_rate": 1e-12}}, out=tmp_path / "next", force=True)
    pictures = torch.rand(3, 3, 8, 8)
    found = [
        sibu.load(each)._opened.model.encoders["image"].model(pixel_values=pictures).last_hidden_state
        for each in (bundle, tmp_path / "next")
    ]
    assert torch.allclose(*found, atol=1e-4)
    base = ViTModel.from_pretrained(tmp_path / "vit").eval()
    assert not torch.allclose(base(pixel_values=pictures).last_hidden_state, found[0], atol=1e-3)


def test_a_stopped_run_does_not_go_on_from_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = {"name": "image", "model": str(write_vision(tmp_path / "vit"))}
    recipe = tiny_mixed("classify", ("image",), None, tmp_path) | {"modalities": [part]}
    recipe["train"] |= {"checkpoint_every": 1}
    stop_at(1, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    file = tmp_path / "vit" / "model.safetensors"
    weights = load_file(file)
    save_file({name: each + 1 for name, each in weights.items()}, file, metadata={"format": "pt"})
    with pytest.raises(RecipeError, match="the data or the model changed since"):
        sibu.run(recipe, out=tmp_path / "out", resume=True)
    save_file(weights, file, metadata={"format": "pt"})
    assert sibu.run(recipe, out=tmp_path / "out", resume=True)


def test_a_bundle_without_such_a_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_mixed("classify", ("text", "image"), tiny_model, tmp_path)
    sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"no pretrained model of the kind `image`: its 'image' was made anew"):
        find_model("out", home=tmp_path, kind="image")
    with pytest.raises(RecipeError, match=r"of the kind `audio`: it reads 'text', 'image'\. Name a bundle whose run"):
        find_model("out", home=tmp_path, kind="audio")
    assert find_model("out", home=tmp_path).folder == tmp_path / "out" / "model"


def test_check_and_show_say_what_a_modality_begins_from(tmp_path: Path) -> None:
    recipe = tiny_mixed("classify", ("image",), None, tmp_path)
    recipe["modalities"] = [{"name": "image", "model": str(write_vision(tmp_path / "vit"))}]
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    told = CliRunner().invoke(app, ["check", str(tmp_path / "recipe.yaml"), "--quiet"]).stdout.replace("\n", "")
    assert f"image (from {tmp_path / 'vit'})" in told and "from nothing" not in told
    bundle = sibu.run(tmp_path / "recipe.yaml", out=tmp_path / "out")
    told = CliRunner().invoke(app, ["show", str(bundle)]).stdout.replace("\n", "")
    assert f"image (from {tmp_path / 'vit'})" in told and "from nothing" not in told
