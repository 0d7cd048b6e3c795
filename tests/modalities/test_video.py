"""Videos to vectors: pictures and sound on one scale of time."""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from tests.modalities.told import answer, learns, one_by_one, together
from transformers import ViTConfig, ViTModel

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.media.sound import Sound
from sibu.media.video import Video
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.modalities.video import VideoSpec, build

RATE = 8000
SMALL: dict[str, Any] = {"size": 16, "width": 32, "mels": 16, "rate": RATE, "frames": 4}


def film(pictures: int, seconds: float, *, hertz: float = 400.0, sound: bool = True, seed: int = 0) -> Video:
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * hertz * time) + 0.01 * draw.standard_normal(len(time))).astype(np.float32)
    return Video(
        draw.integers(0, 256, (pictures, 16, 16, 3), np.uint8),
        np.arange(pictures) * seconds / max(pictures, 1),
        seconds,
        Sound(samples, RATE, RATE, 1, 0.0, seconds) if sound else None,
    )


def filmed(shade: int = 200, *, sound: bool = True) -> bytes:
    """A film of a second: ten pictures that become brighter, and a tone."""
    stream = BytesIO()
    with av.open(stream, "w", format="matroska") as container:
        shown = container.add_stream("ffv1", rate=10)
        shown.width, shown.height, shown.pix_fmt = 32, 24, "bgr0"
        heard = container.add_stream("pcm_s16le", rate=RATE, layout="mono") if sound else None
        for number in range(10):
            pixels = np.full((24, 32, 3), shade * number // 10, np.uint8)
            pixels[:12] //= 2
            container.mux(shown.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(shown.encode(None))
        if heard is not None:
            tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
            frame.sample_rate = RATE
            container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
    return stream.getvalue()


def made(values: Sequence[Any], **options: Any):
    modality = build(VideoSpec(**{**SMALL, **options}))
    modality.learn(iter(values))
    torch.manual_seed(3)
    return modality, modality.encoder()


def test_a_file_is_pictures_and_sound(tmp_path: Path) -> None:
    file = tmp_path / "影片.mkv"
    file.write_bytes(filmed())
    modality, _ = made([b"no film", str(file)])
    arrays = modality.arrays(str(file))
    pictures = arrays["pixels"].reshape(4, 16, 16, 3)
    assert np.array_equal(arrays["pixels"], modality.arrays(file.read_bytes())["pixels"])
    assert pictures[:, 12, 8, 0].tolist() == [20, 60, 120, 160]
    assert arrays["frames"].shape == (101 * 16,)
    assert arrays["figures"].tolist() == pytest.approx([1.0, 1.0, RATE, 0.0, 8000 / 32768], abs=0.01)
    assert modality.cost(arrays) == 4 * 16 + 101 // 4
    silent = modality.arrays(filmed(sound=False))
    assert len(silent["frames"]) == 0
    assert silent["figures"].tolist() == pytest.approx([1.0, 0, 0, 0, 0])
    blind, _ = made([str(file)], sound=False)
    assert blind.arrays(str(file)).keys() == {"pixels", "figures"}
    assert {each.name for each in blind.features} == {"pixels", "figures"}


def test_pictures_are_a_video_too() -> None:
    pictures = film(9, 1.0).pictures
    modality, _ = made([pictures])
    found = modality.arrays(pictures)["pixels"].reshape(4, 16, 16, 3)
    assert np.array_equal(found, pictures[[1, 3, 5, 7]])
    few = modality.arrays(pictures[:2])["pixels"]
    assert np.array_equal(few.reshape(2, 16, 16, 3), pictures[:2])


def test_it_learns_colours_and_bands_and_keeps_them() -> None:
    values = [film(4, 0.5, seed=1), film(4, 0.3, seed=2, sound=False)]
    modality, encoder = made(values)
    assert set(modality.state) == {"pictures", "sound"}
    assert len(modality.state["sound"]["mean"]) == 16
    assert json.loads(json.dumps(modality.state)) == modality.state
    again = build(VideoSpec(**SMALL), state=modality.state)
    assert again.key == modality.key
    torch.manual_seed(3)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert torch.equal(answer(encoder, batch).vectors, answer(again.encoder(), batch).vectors)
    assert made(values, frames=5)[0].key != modality.key
    assert made(values, sound=False)[0].key != modality.key


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    modality, _ = made([film(4, 0.5)])
    with pytest.raises(DataError, match="No file"):
        modality.arrays(str(tmp_path / "none.mp4"))
    with pytest.raises(DataError, match=r"looks like text \(\"头痛\"\)"):
        modality.arrays("头痛".encode())
    with pytest.raises(DataError, match=r"uint8, \(T, H, W, 3\); given uint8 of shape \(4, 4, 3\)"):
        modality.arrays(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match=r"given int\."):
        modality.arrays(3)
    with pytest.raises(DataError, match="768 pixels; at most 100"):
        build(VideoSpec(**SMALL, most_pixels=100)).arrays(filmed())


def told(value: Any) -> list[str]:
    modality, _ = made([film(4, 0.5)], seconds=1)
    return [kind for kind, *_ in modality.check(value, modality.arrays(value))]


def test_faults_of_videos_that_can_be_read() -> None:
    good = film(4, 0.5)
    assert told(good) == []
    blank = np.zeros((4, 16, 16, 3), np.uint8)
    assert told(blank) == ["blank video"]
    still = np.repeat(good.pictures[:1], 4, axis=0)
    assert told(still) == ["still video"]
    assert told(Video(good.pictures, good.times, 0.5, Sound(np.zeros(4000, np.float32), RATE, RATE, 1, 0.0, 0.5))) == [
        "silent recording"
    ]
    assert told(film(4, 1.5)) == ["cut"]


def test_padding_and_missing_sound_change_nothing() -> None:
    values = [film(4, 0.5, seed=1), film(2, 0.21, seed=2), film(3, 0.4, seed=3, sound=False), film(1, 0.3, seed=4)]
    modality, encoder = made(values)
    arrays = [modality.arrays(value) for value in values]
    assert one_by_one(encoder, arrays, modality.features) < 1e-5
    encoded = answer(encoder, together(arrays, modality.features))
    stretches = [-(-(len(own["frames"]) // 16) // 4) for own in arrays]
    assert encoded.mask.sum(1).tolist() == [4 + stretches[0], 2 + stretches[1], 3, 1 + stretches[3]]
    assert encoded.vectors.shape[2] == encoder.width == 32
    silent = answer(encoder, together(arrays[2:3], modality.features))
    assert silent.vectors.shape == (1, 3, 32)


def test_sound_is_told_when_it_is() -> None:
    modality, encoder = made([film(4, 1.0)])
    when = encoder._when(25, torch.tensor([[1.0]]))
    table = encoder.times.weight
    assert torch.allclose(when[0, 3], table[0] + (table[1] - table[0]) * (0.14 * 4 - 0.5), atol=1e-6)
    assert torch.equal(when[0, 0], table[0])
    assert torch.equal(when[0, 24], table[3])
    assert modality.frames == len(table)


def test_noise_is_on_both() -> None:
    value = film(4, 0.5)
    modality, _ = made([value])
    own = modality.arrays(value)
    noisy = modality.noised(own, np.random.default_rng(1))
    again = modality.noised(own, np.random.default_rng(1))
    assert {name: array.dtype for name, array in noisy.items()} == {name: array.dtype for name, array in own.items()}
    for name in ("pixels", "frames"):
        assert np.array_equal(noisy[name], again[name])
        assert not np.array_equal(noisy[name], own[name])


def test_all_of_it_trains_and_comes_back() -> None:
    values = [film(4, 0.5), film(3, 0.4, seed=1)]
    modality, encoder = made(values)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert learns(encoder, batch) > 0
    assert all(weight.grad is not None for weight in encoder.parameters())
    torch.manual_seed(9)
    other = modality.encoder()
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(answer(other, batch).vectors, answer(encoder, batch).vectors)
    hidden, mask = torch.randn(2, 3, 32), torch.ones(2, 3, dtype=torch.bool)
    assert encoder({"hidden": hidden, "mask": mask}).vectors is hidden


@pytest.fixture
def seeing(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    sizes = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    ViTModel(ViTConfig(**sizes, image_size=16, patch_size=8)).save_pretrained(tmp_path / "vit")
    (tmp_path / "vit" / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 16, "width": 16}}))
    return tmp_path / "vit"


@pytest.mark.parametrize("method", ["full", "freeze", "probe", "bitfit", "lora", "adapter", "prompt"])
def test_methods_with_a_pretrained_model(method: str, seeing: Path, tmp_path: Path) -> None:
    values = [film(4, 0.5), film(3, 0.4, seed=1)]
    modality = build(VideoSpec(**SMALL | {"size": None}), folder=seeing)
    modality.learn(iter(values))
    torch.manual_seed(3)
    encoder = modality.encoder()
    assert encoder.pretrained
    assert len(encoder.layers()) == 3
    entry = METHODS[method]
    spec = entry.spec(layers=1) if method == "freeze" else entry.spec()
    if method == "prompt":
        with pytest.raises(RecipeError, match="another modality has no place"):
            entry.build(encoder, spec)
        return
    batch = together([modality.arrays(value) for value in values], modality.features)
    before = answer(encoder, batch).vectors
    adapted = entry.build(encoder, spec)
    assert torch.allclose(answer(adapted.encoder, batch).vectors, before, atol=1e-6)
    trained = [weight for group in adapted.groups for weight in group.parameters]
    assert len({id(weight) for weight in trained}) == len(trained)
    added = {id(weight) for weight in encoder.added()}
    assert added
    assert not added & {id(weight) for weight in encoder.model.parameters()}
    if method != "probe":
        assert added <= {id(weight) for weight in trained}
    if method == "full":
        learns(encoder, batch)
        state = {name: weight for name, weight in encoder.state_dict().items() if not name.startswith("model.")}
        encoder.save(tmp_path / "saved")
        again = build(VideoSpec(**SMALL | {"size": None}), folder=tmp_path / "saved", state=modality.state).encoder()
        left = again.load_state_dict(state, strict=False)
        assert all(name.startswith("model.") for name in left.missing_keys)
        assert torch.equal(answer(again, batch).vectors, before)


def test_a_run_trains_what_is_beside_the_pretrained_model(seeing: Path, tmp_path: Path) -> None:
    rows = []
    for number in range(8):
        (tmp_path / f"{number}.mkv").write_bytes(filmed(100 + 15 * number, sound=number % 4 > 0))
        rows.append({"video": f"{number}.mkv", "label": "明" if number % 2 else "暗"})
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "test")}
    recipe = {
        "name": "films",
        "modalities": {"name": "video", "model": str(seeing), "frames": 2, "rate": RATE, "mels": 16, "width": 16},
        "tasks": {"it": {"type": "classify", "data": data | {"dev": data["test"]}}},
        "method": "probe",
        "train": {"epochs": 1},
    }
    bundle = sibu.run(recipe, out=tmp_path / "out")
    from safetensors.torch import load_file

    heads = load_file(bundle / "heads.safetensors")
    names = {name for name in heads if name.startswith("encoders.video.")}
    assert any(name.startswith("encoders.video.sound.model.blocks") for name in names)
    assert not any(name.startswith("encoders.video.model.") for name in names)
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    opened = sibu.load(bundle)
    report = opened.evaluate(data["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known
    weights = json.loads((bundle / "record.json").read_text())["weights"]
    assert weights["encoder_trained"] == sum(heads[name].numel() for name in names)


def test_it_is_in_the_room() -> None:
    spec = MODALITIES.spec({"name": "video", "field": "影片", "frames": 3})
    assert MODALITIES.of(spec).build(spec).column.name == "影片"
    with pytest.raises(RecipeError, match=r"frame: .*Did you mean 'frames'"):
        MODALITIES.spec({"name": "video", "frame": 3})
