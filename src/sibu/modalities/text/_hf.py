"""Where tokenizer files in Hugging Face layout are read: ``tokenizer.json`` and the special pieces around a text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Literal

from sibu.store.hashes import hash_file, hash_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CJK = (
    r"[\x{2E80}-\x{2FDF}\x{3001}-\x{303F}\x{3040}-\x{30FF}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}"
    r"\x{F900}-\x{FAFF}\x{FF66}-\x{FF9D}\x{20000}-\x{323AF}]"
)
"""The characters of ``core.example.is_cjk``, and the marks of Chinese and Japanese (``《`` to ``〿``), as a regular
expression of the tokenizers library."""
_ALONE = rf"{_CJK}|(?<={_CJK})[\p{{P}}\p{{S}}]|[\p{{P}}\p{{S}}](?={_CJK})"
"""What gets pieces of its own: those, and any mark beside one. Vocabularies have pieces such as ``》,``, in which no
span could end."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer and what surrounds its pieces."""

    tokenizer: Tokenizer
    split_tokenizer: Tokenizer
    """The same with each Chinese or Japanese character, and each mark beside one, split from its neighbours."""
    single: list[list[int]]
    """Special pieces before and after one text."""
    pair: list[list[int]]
    """Special pieces before, between and after two texts."""
    pair_types: bool
    """Whether the model tells the second text by segment number 1."""
    pad_id: int
    unknown_id: int | None
    """The piece for characters that the vocabulary lacks; None where there is none."""
    space_id: int | None
    """The piece of a space alone, in vocabularies that mark spaces (``▁``)."""
    max_length: int | None
    size: int
    """Pieces that the model has vectors for."""
    lowercases: bool
    """Whether ``A`` and ``a`` become the same piece."""
    mask: str | None = None
    """How the piece that stands for what is hidden is written; None where there is none."""

    def specials(self, *, pair: bool) -> int:
        """How many special pieces a window has."""
        return sum(map(len, self.pair if pair else self.single))


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the tokenizer of a model folder; one with no ``tokenizer.json`` is converted by transformers."""
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file)) if file.exists() else _converted(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    pad_id = _pad_id(folder, tokenizer, config)
    positions = config.get("max_position_embeddings")
    # RoBERTa's family numbers positions from pad_id + 1, so that many of its 514 are never used.
    offset = pad_id + 1 if config.get("model_type") in {"roberta", "xlm-roberta", "camembert"} else 0
    marker = "sibu"
    single, _ = _frame(tokenizer, marker, None)
    pair, types = _frame(tokenizer, marker, marker)
    return Vocabulary(
        tokenizer=tokenizer,
        split_tokenizer=_splitting(tokenizer),
        single=single,
        pair=pair,
        pair_types=types and config.get("type_vocab_size", 1) > 1,
        pad_id=pad_id,
        unknown_id=next((n for n in map(tokenizer.token_to_id, ("[UNK]", "<unk>")) if n is not None), None),
        space_id=tokenizer.token_to_id("▁"),
        max_length=positions - offset if positions else None,
        size=int(config.get("vocab_size") or tokenizer.get_vocab_size()),
        lowercases=_ids(tokenizer, "Paris US") == _ids(tokenizer, "paris us"),
        mask=next((name for name in ("[MASK]", "<mask>") if tokenizer.token_to_id(name) is not None), None),
    )


WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel")
"""How the names of architectures with a language head end."""


DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout", "dropout_rate",
    "hidden_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "embedding_dropout", "mlp_dropout",
)  # fmt: skip
"""What configs call the dropout inside a model."""


def own_dropout(folder: Path) -> float | None:
    """The largest dropout that a model's config names; None where it names none."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return max((config[name] for name in DROPOUTS if isinstance(config.get(name), int | float)), default=None)


def writing_kind(folder: Path) -> Literal["causal", "encoder-decoder"] | None:
    """How the model in a folder writes; None where it has no language head."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not any(name.endswith(WRITERS) for name in config.get("architectures") or ()):
        return None
    return "encoder-decoder" if config.get("is_encoder_decoder") else "causal"


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def _converted(folder: Path) -> Tokenizer:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    if not loaded.is_fast:
        raise ValueError(f"{folder} has no tokenizer.json and its tokenizer has no fast form: offsets cannot be had")
    converted: Tokenizer = loaded.backend_tokenizer
    return converted


def _pad_id(folder: Path, tokenizer: Tokenizer, config: dict[str, object]) -> int:
    if isinstance(config.get("pad_token_id"), int):
        return int(str(config["pad_token_id"]))
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    token = settings.get("pad_token") or settings.get("eos_token")
    name = token.get("content") if isinstance(token, dict) else token
    found = tokenizer.token_to_id(name) if name else None
    return found if found is not None else 0


def _frame(tokenizer: Tokenizer, text: str, pair: str | None) -> tuple[list[list[int]], bool]:
    """The special pieces around the texts, found by encoding a known text; and whether the second has its own type."""
    encoded = tokenizer.encode(text, pair) if pair is not None else tokenizer.encode(text)
    parts: list[list[int]] = [[]]
    inside = False
    for number, special in zip(encoded.ids, encoded.special_tokens_mask, strict=True):
        if special:
            parts[-1].append(number)
            inside = False
        elif not inside:
            parts.append([])
            inside = True
    if pair is not None and len(parts) == 2:  # no separator between the two: the model has no pair form of its own
        parts.insert(1, [])
    return parts, max(encoded.type_ids, default=0) > 0


def _splitting(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that gives each Chinese or Japanese character, and each mark beside one, its own pieces."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.pre_tokenizers import Sequence, Split

    copy = Tokenizer.from_str(tokenizer.to_str())
    split = Split(Regex(_ALONE), "isolated")
    present = json.loads(tokenizer.to_str()).get("pre_tokenizer")
    if present is None:
        copy.pre_tokenizer = split
    elif "Metaspace" in json.dumps(present):  # it marks word beginnings: must see the text before it is split
        copy.pre_tokenizer = Sequence([copy.pre_tokenizer, split])
    else:
        copy.pre_tokenizer = Sequence([split, copy.pre_tokenizer])
    return copy


TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
    "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "chat_template.jinja",
)  # fmt: skip


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a tokenizer's files from one model folder to another."""
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            copyfile(source / name, target / name)


def hash_tokenizer(folder: Path) -> str:
    """Sha256 over all that says how a model folder's texts are cut into pieces."""
    files = [folder / name for name in (*TOKENIZER_FILES, "config.json")]
    return hash_json([[file.name, hash_file(file)] for file in files if file.is_file()])
