"""Texts side by side are computed as each alone, in every kind of causal model."""

from pathlib import Path

import pytest
import torch
from tests.conftest import write_tiny_writer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from sibu.modalities.text.encoder import TextEncoder
from sibu.modalities.text.packing import can_pack

SIZES = {"vocab_size": 200, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
PLACED = {"num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}
MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, **PLACED)),
    "mistral, window": lambda: MistralForCausalLM(MistralConfig(**SIZES, **PLACED, sliding_window=4)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=200, n_embd=32, n_layer=2, n_head=4, n_positions=64)),
    "opt": lambda: OPTForCausalLM(
        OPTConfig(**SIZES, ffn_dim=64, max_position_embeddings=64, word_embed_proj_dim=32, dropout=0.0)
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_packed_is_alone(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = write_tiny_writer(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    MODELS[kind]().save_pretrained(folder)
    encoder = TextEncoder(folder, shapes=False, dropout=None, writes=True).eval()
    assert encoder.packs
    lengths = [9, 1, 14, 5]
    ids = torch.randint(3, 200, (4, 14))
    mask = torch.arange(14) < torch.tensor(lengths).unsqueeze(1)
    found = encoder({"input_ids": ids, "mask": mask}).vectors
    for row, length in enumerate(lengths):
        alone = encoder.inner()(input_ids=ids[row : row + 1, :length]).last_hidden_state[0]
        assert torch.allclose(found[row, :length], alone, atol=1e-5)
        assert not found[row, length:].any()


def test_gradients_are_those_of_each_alone(tiny_writer: Path) -> None:
    encoder = TextEncoder(tiny_writer, shapes=False, dropout=None, writes=True)
    ids = torch.randint(3, 200, (3, 12))
    mask = torch.arange(12) < torch.tensor([[12], [4], [7]])
    weight = encoder.inner().layers[0].self_attn.q_proj.weight
    encoder({"input_ids": ids, "mask": mask}).vectors.square().sum().backward()
    packed = weight.grad.clone()
    weight.grad = None
    for row, length in enumerate((12, 4, 7)):
        encoder.inner()(input_ids=ids[row : row + 1, :length]).last_hidden_state.square().sum().backward()
    assert torch.allclose(packed, weight.grad, rtol=1e-4, atol=1e-5)


def test_a_model_that_asks_for_more_is_not_packed() -> None:
    class Other(torch.nn.Module):
        device = torch.device("cpu")
        config = type("Config", (), {"_attn_implementation": "sdpa"})()

        def forward(self, input_ids: torch.Tensor, **_: object) -> object:
            return type("Found", (), {"last_hidden_state": torch.zeros(*input_ids.shape, 4)})()

    assert not can_pack(Other(), 2)
