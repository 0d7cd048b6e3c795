"""Pretrained models of sound as encoders: those of transformers, whatever stands beside a recording in its batch."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.modalities.told import answer, learns, one_by_one, together
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    Data2VecAudioConfig,
    Data2VecAudioModel,
    HubertConfig,
    HubertModel,
    UniSpeechConfig,
    UniSpeechModel,
    UniSpeechSatConfig,
    UniSpeechSatModel,
    Wav2Vec2Config,
    Wav2Vec2ConformerConfig,
    Wav2Vec2ConformerModel,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

from sibu.core.errors import RecipeError
from sibu.methods import METHODS
from sibu.modalities.audio import AudioSpec, build

SMALL: dict[str, Any] = {
    "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip
WAVE = SMALL | {
    "conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 3), "conv_stride": (8, 4, 2), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "vocab_size": 12, "num_codevector_groups": 1,
}  # fmt: skip
LAYER = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
WAVES: dict[str, Callable[[], Any]] = {
    "wav2vec2, group": lambda: Wav2Vec2Model(Wav2Vec2Config(**WAVE)),
    "wav2vec2, layer": lambda: Wav2Vec2Model(Wav2Vec2Config(**WAVE, **LAYER)),
    "wav2vec2, adapter": lambda: Wav2Vec2Model(Wav2Vec2Config(**WAVE, add_adapter=True, output_hidden_size=24)),
    "hubert": lambda: HubertModel(HubertConfig(**WAVE)),
    "wavlm": lambda: WavLMModel(WavLMConfig(**WAVE)),
    "data2vec-audio": lambda: Data2VecAudioModel(
        Data2VecAudioConfig(**{k: v for k, v in WAVE.items() if k != "num_conv_pos_embeddings"}, conv_pos_kernel_size=3)
    ),
    "wav2vec2-conformer": lambda: Wav2Vec2ConformerModel(
        Wav2Vec2ConformerConfig(**WAVE, conv_depthwise_kernel_size=3, position_embeddings_type="rotary")
    ),
    "unispeech": lambda: UniSpeechModel(UniSpeechConfig(**WAVE)),
    "unispeech-sat": lambda: UniSpeechSatModel(UniSpeechSatConfig(**WAVE)),
}
RATE = 16_000


def ast() -> Any:
    sizes = {"num_mel_bins": 32, "max_length": 96, "patch_size": 16, "frequency_stride": 16, "time_stride": 16}
    return ASTModel(ASTConfig(**SMALL, **sizes))


def whisper() -> Any:
    sizes = {"d_model": 24, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    reading = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 60}
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
    heard = {"num_mel_bins": 16, "max_source_positions": 50, "max_target_positions": 8}
    return WhisperForConditionalGeneration(WhisperConfig(**sizes, **reading, **special, **heard))


def written(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    if kind in WAVES:
        model, extractor = WAVES[kind](), Wav2Vec2FeatureExtractor(do_normalize=True)
    elif kind == "ast":
        model, extractor = ast(), ASTFeatureExtractor(num_mel_bins=32, max_length=96)
    else:
        model, extractor = whisper(), WhisperFeatureExtractor(feature_size=16, chunk_length=1)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


def recordings(*seconds: float) -> list[tuple[np.ndarray, int]]:
    draw = np.random.default_rng(1)
    found = []
    for each in seconds:
        time = np.arange(round(each * RATE)) / RATE
        noise = 0.05 * draw.standard_normal(len(time))
        found.append(((0.3 * np.sin(2 * np.pi * 300 * time * (1 + time)) + noise).astype(np.float32), RATE))
    return found


@pytest.mark.parametrize("kind", list(WAVES))
def test_a_model_of_waves_is_an_encoder(kind: str, tmp_path: Path) -> None:
    modality = build(AudioSpec(), folder=written(kind, tmp_path))
    modality.learn(iter(()))
    assert (modality.rate, modality.stride, modality.state) == (RATE, 64, {})
    encoder = modality.encoder()
    assert (encoder.width, len(encoder.layers()), encoder.pretrained) == (24, 3, True)
    values = recordings(0.5, 0.2, 0.31, 0.2, 0.001)
    arrays = [modality.arrays(value) for value in values]
    assert one_by_one(encoder, arrays, modality.features) < 1e-5
    alone = answer(encoder, together(arrays[:1], modality.features)).vectors
    torch.manual_seed(0)
    model = WAVES[kind]().eval()
    model.adapter = None
    wave = torch.from_numpy(values[0][0]).unsqueeze(0)
    wave = (wave - wave.mean()) / torch.sqrt(wave.var(unbiased=False) + 1e-7)
    with torch.no_grad():
        wanted = model(wave).last_hidden_state
    assert alone.shape == wanted.shape
    assert torch.allclose(alone, wanted, atol=2e-3)  # 16 bits
    assert encoder.stem()


def test_waves_are_whole_numbers_of_16_bits(tmp_path: Path) -> None:
    modality = build(AudioSpec(), folder=written("wav2vec2, group", tmp_path))
    given = np.array([0, 1, -1, 32767, -32768] * 100, np.int16)
    assert np.array_equal(modality.arrays((given, RATE))["waves"], given)
    short = modality.arrays((given[:3], RATE))["waves"]
    assert short.tolist() == [0, 1, -1, *[0] * (len(short) - 3)]
    draw = np.random.default_rng(0)
    own = (1000 * draw.standard_normal(20_000)).astype(np.int16)
    noisy = modality.noised({"waves": own, "figures": np.zeros(4)}, np.random.default_rng(1))["waves"]
    assert noisy.dtype == np.int16
    assert (noisy.astype(float) - own).std() == pytest.approx(own.std(), rel=0.03)


def test_a_spectrogram_transformer_is_an_encoder(tmp_path: Path) -> None:
    modality = build(AudioSpec(mask=False), folder=written("ast", tmp_path))
    assert modality.seconds == pytest.approx(0.96)
    encoder = modality.encoder()
    values = recordings(0.9, 0.3, 0.01)
    arrays = [modality.arrays(value) for value in values]
    assert one_by_one(encoder, arrays, modality.features) < 1e-5
    encoded = answer(encoder, together(arrays, modality.features))
    assert encoded.vectors.shape == (3, 2 * 6 + 2, 24)
    extractor = ASTFeatureExtractor(num_mel_bins=32, max_length=96)
    wanted = extractor([value for value, _ in values[:2]], sampling_rate=RATE, return_tensors="pt")
    torch.manual_seed(0)
    with torch.no_grad():
        model = ast().eval()(**wanted).last_hidden_state
    assert torch.allclose(encoded.vectors[:2], model, atol=1e-2)  # frames are kept in 16 bits


def test_whispers_encoder_says_what_the_recording_lasts(tmp_path: Path) -> None:
    modality = build(AudioSpec(), folder=written("whisper", tmp_path))
    assert modality.seconds == pytest.approx(1.0)
    encoder = modality.encoder()
    values = recordings(1.0, 0.5, 0.02)
    arrays = [modality.arrays(value) for value in values]
    assert one_by_one(encoder, arrays, modality.features) < 1e-5
    encoded = answer(encoder, together(arrays, modality.features))
    assert encoded.mask.sum(1).tolist() == [50, 25, 1]
    torch.manual_seed(0)
    extractor = WhisperFeatureExtractor(feature_size=16, chunk_length=1)
    wanted = extractor([value for value, _ in values], sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        model = whisper().eval().model.encoder(wanted["input_features"]).last_hidden_state
    assert torch.allclose(encoded.vectors, model, atol=1e-2)
    [(kind, _, message, _)] = list(modality.check(None, modality.arrays(recordings(1.5)[0])))
    assert (kind, message) == ("cut", "the recording lasts 1.5 seconds; the first 1 are read.")


KINDS = ["wav2vec2, group", "wav2vec2, layer", "ast", "whisper"]


@pytest.mark.parametrize("kind", [*KINDS, "wav2vec2, adapter"])
def test_what_was_trained_is_saved_and_read_again(kind: str, tmp_path: Path) -> None:
    modality = build(AudioSpec(), folder=written(kind, tmp_path / "model"))
    encoder = modality.encoder()
    batch = together([modality.arrays(value) for value in recordings(0.3, 0.2)], modality.features)
    torch.manual_seed(1)
    state = np.random.get_state()[1].copy()
    assert learns(encoder, batch) > 0
    assert np.array_equal(np.random.get_state()[1], state)  # nothing is drawn where no seed reaches
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight.grad is not None:
                weight -= 0.1 * weight.grad.clamp(-1, 1)
    encoder.save(tmp_path / "saved")
    again = build(AudioSpec(), folder=tmp_path / "saved")
    assert again.key == modality.key
    assert torch.equal(answer(again.encoder(), batch).vectors, answer(encoder, batch).vectors)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("method", ["full", "freeze", "probe", "bitfit", "lora", "adapter", "prompt"])
def test_methods(kind: str, method: str, tmp_path: Path) -> None:
    modality = build(AudioSpec(), folder=written(kind, tmp_path))
    encoder = modality.encoder()
    entry = METHODS[method]
    spec = entry.spec(layers=1) if method == "freeze" else entry.spec()
    if method == "prompt":
        with pytest.raises(RecipeError, match="another modality has no place"):
            entry.build(encoder, spec)
        return
    batch = together([modality.arrays(value) for value in recordings(0.3, 0.2)], modality.features)
    before = answer(encoder, batch).vectors
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


def test_another_rate_than_the_models_is_refused(tmp_path: Path) -> None:
    folder = written("wav2vec2, group", tmp_path)
    with pytest.raises(RecipeError, match=r"`rate` is 8,000, and the model was made for 16,000\. Leave it out"):
        build(AudioSpec(rate=8000), folder=folder)
    modality = build(AudioSpec(rate=16_000), folder=folder)
    slow = (recordings(0.5)[0][0][::2].copy(), 8000)
    arrays = modality.arrays(slow)
    assert len(arrays["waves"]) == RATE // 2
    [(kind, _, message, _)] = list(modality.check(slow, arrays))
    assert (kind, message[:51]) == ("low rate", "8,000 Hz where the model was made for 16,000: what ")


def test_what_is_no_model_of_sound_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"kind 'bert' is not one of sound that is used here\. Take one of the kinds wav2"
    ):
        build(AudioSpec(), folder=tiny_model)
    folder = Path(shutil.copytree(written("ast", tmp_path / "ast"), tmp_path / "bare"))
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(RecipeError, match=r"it has no preprocessor_config\.json"):
        build(AudioSpec(), folder=folder)
    other = written("ast", tmp_path / "other")
    settings = json.loads((other / "preprocessor_config.json").read_text())
    (other / "preprocessor_config.json").write_text(json.dumps(settings | {"max_length": 50}))
    with pytest.raises(RecipeError, match=r"gives spectrograms of \(50, 32\), and the model reads \(96, 32\)"):
        build(AudioSpec(), folder=other).arrays(recordings(0.3)[0])
