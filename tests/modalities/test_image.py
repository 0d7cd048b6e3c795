"""Pictures to vectors: how they are prepared, and the encoder that is made anew."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.modalities.told import answer, learns, together

from sibu.core.errors import DataError, RecipeError
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.modalities.image import ImageSpec, build
from sibu.modalities.image.encoder import moved
from sibu.modalities.image.grid import grid_of


def pictures(count: int, height: int = 12, width: int = 12, seed: int = 0) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def made(values: list[np.ndarray], **options: object):
    modality = build(ImageSpec(**options))
    modality.learn(iter(values))
    torch.manual_seed(3)
    return modality, modality.encoder()


def as_png(pixels: np.ndarray) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_a_file_its_bytes_and_its_pixels_are_one_picture(tmp_path: Path) -> None:
    pixels = pictures(1)[0]
    file = tmp_path / "图.png"
    file.write_bytes(as_png(pixels))
    modality, _ = made([pixels])
    for value in (str(file), file, as_png(pixels), pixels):
        assert np.array_equal(modality.arrays(value)["pixels"], pixels.reshape(-1))
    grey = pixels[:, :, 0]
    assert np.array_equal(modality.arrays(grey)["pixels"].reshape(12, 12, 3)[:, :, 1], grey)


def test_pictures_that_are_alike_keep_their_size() -> None:
    modality, _ = made(pictures(3, 10, 12))
    assert modality.size == (10, 12)
    assert modality.state["size"] == [10, 12]
    other, _ = made([*pictures(1, 10, 12), *pictures(1, 12, 12)])
    assert other.size == (64, 64)
    large, _ = made(pictures(1, 10, 200))
    assert large.size == (64, 64)
    told, _ = made(pictures(2), size=(16, 24))
    assert told.size == (16, 24)
    assert told.arrays(pictures(1)[0])["pixels"].shape == (16 * 24 * 3,)


def test_it_learns_colours_and_keeps_them() -> None:
    values = pictures(5)
    modality, encoder = made([b"no picture", *values])
    pixels = np.concatenate([value.reshape(-1, 3) for value in values]) / 255
    assert np.allclose(modality.state["mean"], pixels.mean(0), atol=1e-3)
    assert np.allclose(modality.state["deviation"], pixels.std(0), atol=1e-3)
    assert json.loads(json.dumps(modality.state)) == modality.state
    again = build(ImageSpec(), state=modality.state)
    assert (again.size, again.key) == (modality.size, modality.key)
    torch.manual_seed(3)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert torch.equal(answer(encoder, batch).vectors, answer(again.encoder(), batch).vectors)


def test_the_key_tells_what_arrays_depend_on() -> None:
    values = pictures(2)
    keys = {made(values, **options)[0].key for options in ({}, {"size": 16}, {"size": 16, "fit": "pad"}, {"width": 64})}
    assert len(keys) == 3


@pytest.mark.parametrize(("fit", "bars"), [("stretch", False), ("pad", True), ("crop", False)])
def test_how_another_ratio_fits(fit: str, bars: bool) -> None:
    wide = np.full((10, 40, 3), 200, np.uint8)
    wide[:, :12] = 90
    modality = build(ImageSpec(size=16, fit=fit))
    found = modality.arrays(wide)["pixels"].reshape(16, 16, 3)
    assert (found[0] == 0).all() == bars
    assert (found[8, 0] < 150).all() == (fit != "crop")


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    modality = build(ImageSpec(most_pixels=100))
    with pytest.raises(DataError, match="No file"):
        modality.arrays(str(tmp_path / "none.png"))
    with pytest.raises(DataError, match="0 bytes"):
        modality.arrays(b"")
    with pytest.raises(DataError, match=r"looks like text \(\"头痛\"\)"):
        modality.arrays("头痛".encode())
    with pytest.raises(DataError, match="144 pixels; at most 100"):
        modality.arrays(as_png(pictures(1)[0]))
    with pytest.raises(DataError, match=r"uint8, \(H, W, 3\) in RGB or \(H, W\) in grey; given float64 of shape"):
        modality.arrays(np.zeros((4, 4, 3)))
    with pytest.raises(DataError, match=r"given int\."):
        modality.arrays(3)


def test_a_picture_of_one_colour_is_a_fault() -> None:
    modality = build(ImageSpec(size=8))
    blank = np.full((9, 9, 3), 7, np.uint8)
    assert [each[:2] for each in modality.check(blank, modality.arrays(blank))] == [("blank picture", "warning")]
    picture = pictures(1)[0]
    assert not list(modality.check(picture, modality.arrays(picture)))


def test_noise_is_as_strong_as_the_picture() -> None:
    picture = (pictures(1, 32, 32)[0] // 4 + 96).astype(np.uint8)  # far from the ends, where noise would be cut off
    modality = build(ImageSpec(size=32))
    own = modality.arrays(picture)["pixels"]
    noisy = modality.noised({"pixels": own}, np.random.default_rng(1))["pixels"]
    assert noisy.dtype == np.uint8
    assert np.array_equal(noisy, modality.noised({"pixels": own}, np.random.default_rng(1))["pixels"])
    noise = noisy.astype(float) - own
    assert noise.var() == pytest.approx((own.reshape(-1, 3) - own.reshape(-1, 3).mean(0)).var(), rel=0.1)


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (64, 64), (128, 128), (9, 70), (15, 33)])
def test_its_places_are_the_last_grid(size: tuple[int, int]) -> None:
    values = pictures(2, *size)
    modality, encoder = made(values, size=size, width=32)
    encoded = answer(encoder, together([modality.arrays(value) for value in values], modality.features))
    assert encoded.vectors.shape == (2, modality.places, 32)
    assert encoded.mask.all()
    assert all(4 <= side <= 8 for side in grid_of(size))


def test_a_picture_is_answered_as_alone() -> None:
    values = pictures(5)
    modality, encoder = made(values, width=32)
    whole = answer(encoder, together([modality.arrays(value) for value in values], modality.features))
    for row, value in enumerate(values):
        alone = answer(encoder, together([modality.arrays(value)], modality.features))
        assert (whole.vectors[row] - alone.vectors[0]).abs().max() < 1e-5


def test_vectors_that_were_computed_before_are_handed_on() -> None:
    _, encoder = made(pictures(2), width=32)
    hidden, mask = torch.randn(2, 3, 32), torch.tensor([[True, True, False], [True, True, True]])
    encoded = encoder({"hidden": hidden, "mask": mask})
    assert encoded.vectors is hidden
    assert encoded.mask is mask


def test_equal_seeds_make_equal_weights_and_a_state_brings_them_back() -> None:
    values = pictures(3)
    modality, encoder = made(values, width=32, depth=2)
    _, twin = made(values, width=32, depth=2)
    state = encoder.state_dict()
    assert all(torch.equal(weight, state[name]) for name, weight in twin.state_dict().items())
    torch.manual_seed(9)
    other = modality.encoder()
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert not torch.equal(answer(other, batch).vectors, answer(encoder, batch).vectors)
    other.load_state_dict(state)
    assert torch.equal(answer(other, batch).vectors, answer(encoder, batch).vectors)


def test_all_of_it_trains_and_pictures_move_in_training_alone() -> None:
    values = pictures(4)
    modality, encoder = made(values, width=32, shift=0.25, mirror=True)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert learns(encoder, batch) > 0
    assert all(weight.grad is not None for weight in encoder.parameters())
    encoder.train()
    torch.manual_seed(1)
    first = encoder(batch).vectors
    torch.manual_seed(1)
    assert torch.equal(first, encoder(batch).vectors)
    assert not torch.equal(first, encoder(batch).vectors)
    assert torch.equal(answer(encoder, batch).vectors, answer(encoder, batch).vectors)


def test_a_moved_picture_is_the_picture_elsewhere() -> None:
    picture = torch.arange(1 * 8 * 8 * 3, dtype=torch.uint8).view(1, 8, 8, 3)
    torch.manual_seed(0)
    found = moved(picture.expand(64, -1, -1, -1), shift=0.25, mirror=False)
    wide = torch.cat([picture[:, :1], picture[:, :1], picture, picture[:, -1:], picture[:, -1:]], 1)
    wide = torch.cat([wide[:, :, :1]] * 2 + [wide] + [wide[:, :, -1:]] * 2, 2)
    shifts = [wide[0, row : row + 8, column : column + 8] for row in range(5) for column in range(5)]
    assert all(any(torch.equal(each, shifted) for shifted in shifts) for each in found)
    assert len({bytes(each.numpy().tobytes()) for each in found}) > 15
    turned = moved(picture.expand(16, -1, -1, -1), shift=0.0, mirror=True)
    kinds = {bytes(each.numpy().tobytes()) for each in turned}
    assert kinds == {bytes(each.numpy().tobytes()) for each in (picture[0], picture[0].flip(1))}


@pytest.mark.parametrize(
    ("method", "options"), [("full", {}), ("freeze", {"layers": 1}), ("bitfit", {}), ("probe", {})]
)
def test_methods_find_its_parts(method: str, options: dict[str, object]) -> None:
    _, encoder = made(pictures(2), width=32)
    entry = METHODS[method]
    adapted = entry.build(encoder, entry.spec(**options))
    trained = [weight for group in adapted.groups for weight in group.parameters]
    assert len({id(weight) for weight in trained}) == len(trained)
    assert (len(trained) > 0) == (method != "probe")
    if method == "full":
        assert {id(weight) for weight in trained} == {id(weight) for weight in encoder.parameters()}
    if method == "freeze":
        assert not any(weight.requires_grad for weight in encoder.stem())
        assert adapted.frozen_layers == len(encoder.layers()) - 1


@pytest.mark.parametrize("method", ["lora", "ia3", "adapter", "prompt"])
def test_what_adapts_pretrained_weights_needs_some(method: str) -> None:
    _, encoder = made(pictures(2), width=32)
    entry = METHODS[method]
    with pytest.raises(RecipeError, match=r"made anew.*Give its `model`, or choose `full`"):
        entry.build(encoder, entry.spec())


def test_it_is_in_the_room() -> None:
    spec = MODALITIES.spec({"name": "image", "field": "照片", "size": [16, 24]})
    assert spec.size == (16, 24)
    assert MODALITIES.of(spec).build(spec).column.name == "照片"
    with pytest.raises(RecipeError, match=r"sise: .*Did you mean 'size'"):
        MODALITIES.spec({"name": "image", "sise": 3})
