"""A model with a smaller vocabulary: the pieces that some texts need, and single characters to spell the rest.

Texts whose pieces are all kept are cut into the same pieces as before, and get the same vectors (the tests hold both
against the whole model). Other words are spelled in smaller pieces, down to single characters.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from sibu.core.errors import Unsupported

MARKERS = ("##", "▁", "Ġ")
"""What vocabularies put before a piece to say that it goes on a word, or begins one."""


def trim_vocabulary(source: Path, target: Path, used: Collection[int]) -> None:
    """Write the model in ``source`` with fewer pieces to ``target``.

    Kept are: the pieces ``used``, every special piece, and each piece of one character in a script that the used pieces
    are written in (in byte-level vocabularies, every byte).

    Args:
        source: A model folder in Hugging Face layout with a ``tokenizer.json``.
        target: An empty folder.
        used: Vocabulary numbers that some texts need.

    Raises:
        Unsupported: When the tokenizer is of no kind that can be trimmed, or the weights are a pickle.
    """
    for what, pattern in (("no tokenizer.json", "tokenizer.json"), ("no weights in safetensors", "*.safetensors")):
        if not any(source.glob(pattern)):
            raise Unsupported(f"{source} has {what} and cannot be trimmed; set trim_vocabulary: false for this model.")
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    settings_file = source / "tokenizer_config.json"
    settings = json.loads(settings_file.read_text(encoding="utf-8")) if settings_file.is_file() else None
    pieces = _pieces(tokenizer)
    keep = _kept(tokenizer, pieces, set(used) | _special(tokenizer, config, settings or {}, pieces))
    numbers = {old: new for new, old in enumerate(sorted(keep))}
    _write_tokenizer(tokenizer, settings, pieces, numbers, target)
    _write_weights(source, target, numbers, int(config["vocab_size"]))
    for key, value in config.items():
        if key.endswith("_token_id") and isinstance(value, int) and not isinstance(value, bool):
            config[key] = numbers.get(value)
    config["vocab_size"] = len(numbers)
    (target / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def _pieces(tokenizer: Mapping[str, Any]) -> dict[int, str]:
    """Piece by vocabulary number."""
    model = tokenizer["model"]
    if model.get("type") == "Unigram":
        pieces = {number: entry[0] for number, entry in enumerate(model["vocab"])}
    elif model.get("type") in ("WordPiece", "BPE"):
        pieces = {number: piece for piece, number in model["vocab"].items()}
    else:
        raise Unsupported(
            f"A tokenizer of kind {model.get('type')!r} cannot be trimmed; set trim_vocabulary: false for this model."
        )
    return pieces | {token["id"]: token["content"] for token in tokenizer.get("added_tokens", [])}


def _special(
    tokenizer: Mapping[str, Any], config: Mapping[str, Any], settings: Mapping[str, Any], pieces: Mapping[int, str]
) -> set[int]:
    """Every piece that a tokenizer, its settings or the model's config call by name or number."""
    found = {token["id"] for token in tokenizer.get("added_tokens", [])}
    found |= _template_numbers(tokenizer.get("post_processor"))
    found |= {value for key, value in config.items() if key.endswith("_token_id") and type(value) is int}
    tokens = [value for key, value in settings.items() if key.endswith("_token")]
    names = {token.get("content") if isinstance(token, dict) else token for token in tokens}
    return found | {number for number, piece in pieces.items() if piece in names}


def _template_numbers(part: Any) -> set[int]:
    """The pieces that the post-processor puts around texts."""
    if not isinstance(part, dict):
        return set()
    found = {number for inner in part.get("processors", []) for number in _template_numbers(inner)}
    special = part.get("special_tokens")
    if isinstance(special, dict):
        found |= {number for token in special.values() for number in token["ids"]}
    return found | {part[name][1] for name in ("sep", "cls") if isinstance(part.get(name), list)}


def _kept(tokenizer: Mapping[str, Any], pieces: Mapping[int, str], used: set[int]) -> set[int]:
    model = tokenizer["model"]
    keep = {number for number in used if number in pieces}
    if model["type"] == "BPE":
        return _with_merges(model, keep)
    scripts = {script for number in keep for script in _scripts(pieces[number])}
    keep |= {n for n, piece in pieces.items() if len(bare := _bare(piece)) <= 1 and _scripts(bare) <= scripts}
    if model["type"] == "Unigram":
        keep.add(int(model["unk_id"]))
    else:
        keep |= {number for number, piece in pieces.items() if piece == model.get("unk_token")}
    return keep


def _bare(piece: str) -> str:
    """A piece without its marker."""
    for marker in MARKERS:
        if piece.startswith(marker) and len(piece) > len(marker):
            return piece[len(marker) :]
    return piece


def _scripts(text: str) -> set[str]:
    """The scripts of a text's letters; digits and signs belong to every script."""
    return {unicodedata.name(letter, "?").split()[0] for letter in text if unicodedata.category(letter)[0] == "L"}


def _with_merges(model: Mapping[str, Any], keep: set[int]) -> set[int]:
    """All pieces of one sign, and those that the kept ones are merged from, down to single signs."""
    vocabulary: Mapping[str, int] = model["vocab"]
    made: dict[str, tuple[str, str]] = {}
    for first, second in _merges(model):
        made.setdefault(first + second, (first, second))
    names = {number: piece for piece, number in vocabulary.items()}
    waiting = [names[number] for number in keep if number in names]
    kept = set(keep) | {number for piece, number in vocabulary.items() if len(piece) == 1}
    while waiting:
        for part in made.get(waiting.pop(), ()):
            if part in vocabulary and vocabulary[part] not in kept:
                kept.add(vocabulary[part])
                waiting.append(part)
    return kept


def _merges(model: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for merge in model["merges"]:
        first, second = merge.split(" ") if isinstance(merge, str) else merge
        yield first, second


def _write_tokenizer(
    tokenizer: dict[str, Any],
    settings: dict[str, Any] | None,
    pieces: Mapping[int, str],
    numbers: Mapping[int, int],
    target: Path,
) -> None:
    model = tokenizer["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in numbers if old < len(model["vocab"])]
        model["unk_id"] = numbers[int(model["unk_id"])]
    else:
        model["vocab"] = {pieces[old]: new for old, new in numbers.items() if pieces[old] in model["vocab"]}
    if model["type"] == "BPE":
        vocabulary = model["vocab"]
        model["merges"] = [[a, b] for a, b in _merges(model) if {a, b, a + b} <= vocabulary.keys()]
    for token in tokenizer.get("added_tokens", []):
        token["id"] = numbers[token["id"]]
    _renumber_template(tokenizer.get("post_processor"), numbers)
    tokenizer["truncation"] = tokenizer["padding"] = None
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    if settings is not None:
        if known := settings.get("added_tokens_decoder"):
            settings["added_tokens_decoder"] = {str(numbers[int(old)]): token for old, token in known.items()}
        (target / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def _renumber_template(part: Any, numbers: Mapping[int, int]) -> None:
    """Special pieces have their numbers in the post-processor too (those that ``_template_numbers`` finds)."""
    if not isinstance(part, dict):
        return
    for inner in part.get("processors", []):
        _renumber_template(inner, numbers)
    special = part.get("special_tokens")
    if isinstance(special, dict):
        for token in special.values():
            token["ids"] = [numbers[old] for old in token["ids"]]
    for name in ("sep", "cls"):
        if isinstance(part.get(name), list):
            part[name][1] = numbers[part[name][1]]


def _write_weights(source: Path, target: Path, numbers: Mapping[int, int], size: int) -> None:
    """Every tensor as it is, but the rows of dropped pieces."""
    import torch
    from safetensors.torch import load_file, save_file

    tensors: dict[str, torch.Tensor] = {}
    for file in sorted(source.glob("*.safetensors")):
        tensors |= load_file(file)
    rows = torch.tensor(list(numbers), dtype=torch.long)
    trimmed = {
        # A tensor with a row for each piece is an embedding or an output layer over the vocabulary.
        name: (tensor[rows].contiguous() if tensor.ndim >= 1 and tensor.shape[0] == size else tensor)
        for name, tensor in tensors.items()
    }
    save_file(trimmed, target / "model.safetensors", metadata={"format": "pt"})
