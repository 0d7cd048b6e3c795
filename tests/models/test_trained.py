"""A bundle as the model of another run: with what was trained in it."""

from pathlib import Path

import pytest
import torch
from tests.tiny_tasks import tiny_recipe

import sibu
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
