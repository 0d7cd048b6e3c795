"""A model folder with random weights and a tokenizer of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.models.spec import NewModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VERSION = 2
"""Counts up when the same spec and texts give another folder."""
PAD, BEGIN, END = "<pad>", "<s>", "</s>"


def make_model(spec: NewModel, texts: Iterable[str], folder: Path) -> None:
    """Write a new model into ``folder``: tokenizer, config, weights.

    Args:
        spec: Its kind and sizes.
        texts: What the tokenizer learns from; gone through once.
        folder: Made if missing.
    """
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = _learned(spec, texts)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": PAD, "bos_token": BEGIN, "eos_token": END, "model_max_length": spec.longest}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        model = _translator(spec, tokenizer) if spec.new == "encoder-decoder" else _causal(spec, tokenizer)
    model.save_pretrained(str(folder))


def _learned(spec: NewModel, texts: Iterable[str]) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=spec.vocabulary,
        min_frequency=2,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if spec.new == "encoder-decoder":
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
        )
    return tokenizer


def _numbers(tokenizer: Tokenizer) -> dict[str, Any]:
    names = {"pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END}
    return {"vocab_size": tokenizer.get_vocab_size(), **{key: tokenizer.token_to_id(n) for key, n in names.items()}}


def _translator(spec: NewModel, tokenizer: Tokenizer) -> Any:
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    halves = {
        f"{half}_{name}": value
        for half in ("encoder", "decoder")
        for name, value in (
            ("layers", spec.layers),
            ("attention_heads", spec.heads),
            ("ffn_dim", spec.inside),
            ("layerdrop", 0.0),
        )
    }
    config = M2M100Config(
        **_numbers(tokenizer),
        **halves,
        d_model=spec.width,
        max_position_embeddings=spec.longest,
        dropout=spec.dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        scale_embedding=True,
        activation_function="relu",
        decoder_start_token_id=tokenizer.token_to_id(BEGIN),
        init_std=spec.width**-0.5,  # with their scale, vectors of size one; the default is for pretrained sizes
    )
    return M2M100ForConditionalGeneration(config)


def _causal(spec: NewModel, tokenizer: Tokenizer) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        **_numbers(tokenizer),
        hidden_size=spec.width,
        intermediate_size=spec.inside,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        max_position_embeddings=spec.longest,
        attention_dropout=spec.dropout,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)
