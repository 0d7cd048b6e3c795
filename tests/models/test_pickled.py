"""A model whose weights are a pickle learns as the same one in safetensors, once the recipe says that it may."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny_tasks import tiny_recipe

import sibu
from sibu.core.errors import RecipeError
from sibu.models.sources import find_model


def pickled(model: Path, folder: Path, *, parts: int = 1) -> Path:
    """The same model with its weights in a pickle, or in several."""
    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    for part in range(parts):
        own = {name: weights[name] for name in names[part::parts]}
        ending = "" if parts == 1 else f"-{part + 1:05}-of-{parts:05}"
        torch.save(own, folder / f"pytorch_model{ending}.bin")
    if parts > 1:
        (folder / "pytorch_model.bin.index.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(
    "text", [{}, {"trim_vocabulary": True}, {"new_words": 2}], ids=["as it is", "trimmed", "extended"]
)
@pytest.mark.parametrize("method", ["full", "probe"])
def test_it_learns_the_same(method: str, text: dict, parts: int, tiny_model: Path, tmp_path: Path) -> None:
    folder = pickled(tiny_model, tmp_path / "pickled", parts=parts)
    recipe = tiny_recipe("classify", method, tiny_model, tmp_path)
    recipe |= {"modalities": [{"name": "text", **text}]} if text else {}
    found = [
        sibu.run(recipe | own, out=tmp_path / name)
        for name, own in (("a", {}), ("b", {"model": str(folder), "allow_pickle": True}))
    ]
    for file in sorted(path.relative_to(found[0]) for path in found[0].rglob("*.safetensors")):
        one, other = (load_file(each / file) for each in found)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one), file


def test_other_weights_under_the_same_name_are_other_weights(tiny_model: Path, tmp_path: Path) -> None:
    folder = pickled(tiny_model, tmp_path / "pickled")
    before = find_model("pickled", home=tmp_path, allow_pickle=True).folder
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save({name: each + 1 for name, each in weights.items()}, folder / "pytorch_model.bin")
    after = find_model("pickled", home=tmp_path, allow_pickle=True).folder
    one, other = (load_file(each / "model.safetensors") for each in (before, after))
    assert all(torch.equal(one[name] + 1, other[name]) for name in weights)


def test_weights_that_share_their_memory_come_apart(tiny_model: Path, tmp_path: Path) -> None:
    folder = pickled(tiny_model, tmp_path / "pickled")
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    first = next(iter(weights))
    torch.save(weights | {"tied": weights[first], "turned": torch.ones(2, 3).T}, folder / "pytorch_model.bin")
    found = load_file(find_model("pickled", home=tmp_path, allow_pickle=True).folder / "model.safetensors")
    assert torch.equal(found["tied"], weights[first])
    assert found["turned"].shape == (3, 2)


def test_it_must_be_allowed(tiny_model: Path, tmp_path: Path) -> None:
    folder = pickled(tiny_model, tmp_path / "pickled")
    recipe = tiny_recipe("classify", "full", folder, tmp_path)
    with pytest.raises(RecipeError, match=r"a pickle \(pytorch_model.bin\).*say `allow_pickle: true`"):
        sibu.check(recipe)
    (folder / "pytorch_model.bin").rename(folder / "training_args.bin")
    with pytest.raises(RecipeError, match="no weights in safetensors: it has none"):
        sibu.check(recipe | {"allow_pickle": True})


class Harm:
    """Makes a folder when it is read."""

    def __reduce__(self) -> tuple:
        return (Path.mkdir, (Path("harmed"),))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"weight": Harm()}, "cannot be read as tensors alone"),
        ([torch.ones(2)], "something else than tensors by name"),
        ({"state_dict": {"a": torch.ones(2)}}, "something else than tensors by name"),
        (None, "cannot be read as tensors alone"),
    ],
    ids=["code", "list", "nested", "cut off"],
)
def test_what_is_not_weights_is_refused(
    content: object, said: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = pickled(tiny_model, tmp_path / "pickled")
    file = folder / "pytorch_model.bin"
    if content is None:
        file.write_bytes(file.read_bytes()[:100])
    else:
        torch.save(content, file)
    recipe = tiny_recipe("classify", "full", folder, tmp_path) | {"allow_pickle": True}
    with pytest.raises(RecipeError, match=said) as caught:
        sibu.check(recipe)
    assert "`model.save_pretrained(folder)`" in str(caught.value)
    assert json.loads((folder / "config.json").read_text())
    assert not (tmp_path / "harmed").exists()
