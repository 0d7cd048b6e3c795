"""A model with a larger vocabulary: words of the domain that it cuts into several pieces become one piece each.

A new piece begins with the mean of the vectors of the pieces it replaces, in the input and (where the model has one) in
the output layer, so that the model starts from what it knew of the word. Source of the mean: Hewitt, 2021,
"Initializing new word embeddings for pretrained language models"; words of a domain: Tai et al., 2020 (exBERT).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

from sibu.core.errors import Unsupported
from sibu.core.example import is_cjk
from sibu.core.units import units

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST = 3
"""Times that a word must occur to be worth a piece."""
ROUNDS = 5
"""Times that words are joined from what earlier merges left of them."""
UNKNOWN = ("[UNK]", "<unk>")
HINT = 0.1
"""How much likelier than its parts a new piece of a Unigram vocabulary is: enough to be taken."""


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A word that becomes a piece."""

    word: str
    parts: tuple[str, ...]
    """The pieces that it was cut into."""
    count: int


def find_words(tokenizer: Tokenizer, texts: Iterable[str], most: int) -> list[NewPiece]:
    """The words whose pieces take up most room in texts: occurrences times pieces saved, the best first.

    Words of Chinese are found by jieba, where it is installed and the vocabulary has pieces of several characters.

    Args:
        tokenizer: Of the library tokenizers.
        texts: Texts of the domain.
        most: Most words.
    """
    counts: Counter[str] = Counter()
    chinese = find_spec("jieba") is not None
    for text in texts:
        places = units(text)
        counts.update(text[start:end] for start, end in places if not is_cjk(text[start]))
        if chinese and any(map(is_cjk, text)):
            import jieba

            jieba.setLogLevel(60)
            counts.update(word for word in jieba.cut(text) if len(word) > 1 and all(map(is_cjk, word)))
    found: dict[str, NewPiece] = {}
    for word, count in counts.items():
        if count >= LEAST and word.isalpha() and len(parts := _parts(tokenizer, word)) > 1:
            whole = _joined(parts)
            known = found.get(whole)  # of a lower-casing vocabulary `Fever` and `fever` are one
            found[whole] = NewPiece(word, parts, count + (known.count if known else 0))
    ordered = sorted(found.values(), key=lambda each: (-each.count * (len(each.parts) - 1), each.word))
    return ordered[:most]


def _parts(tokenizer: Tokenizer, word: str) -> tuple[str, ...]:
    """The pieces of a word as it stands in the midst of a text; none where they cannot be told apart."""
    before = "。" if is_cjk(word[0]) else "a "
    encoded = tokenizer.encode(before + word, add_special_tokens=False)
    own = [place for place, (start, end) in enumerate(encoded.offsets) if end > len(before) or start >= len(before)]
    blank = len(before) - (0 if is_cjk(word[0]) else 1)
    if not own or encoded.offsets[own[0]][0] < blank:
        return ()
    pieces = [(encoded.ids[place], encoded.tokens[place]) for place in own]
    if any(token in UNKNOWN or tokenizer.id_to_token(number) != token for number, token in pieces):
        return ()
    return tuple(token for _, token in pieces)


def _joined(parts: Sequence[str]) -> str:
    """The piece that several make."""
    return parts[0] + "".join(part.removeprefix("##") for part in parts[1:])


def extend_vocabulary(source: Path, target: Path, pieces: Sequence[NewPiece]) -> None:
    """Write the model in ``source`` with more pieces to ``target``; of merges also those on the way to a word.

    Args:
        source: A model folder in Hugging Face layout with a ``tokenizer.json``.
        target: An empty folder.
        pieces: As ``find_words`` gives them.

    Raises:
        Unsupported: When the tokenizer is of no kind that can be extended, or the weights are a pickle.
    """
    for what, pattern in (("no tokenizer.json", "tokenizer.json"), ("no weights in safetensors", "*.safetensors")):
        if not any(source.glob(pattern)):
            raise Unsupported(f"{source} has {what}: its vocabulary cannot be extended. Leave `new_words` out.")
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    numbers = _numbers(tokenizer)
    if tokenizer["model"]["type"] == "BPE":
        wanted = _merged(tokenizer, numbers, pieces)
    else:
        wanted = {whole: each.parts for each in pieces if (whole := _joined(each.parts)) not in numbers}
    first = max(numbers.values()) + 1
    new = {piece: first + place for place, piece in enumerate(wanted)}
    _add(tokenizer, wanted, new, numbers)
    tokenizer["truncation"] = tokenizer["padding"] = None
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    _write_weights(
        source, target, {new[piece]: [numbers[part] for part in parts] for piece, parts in wanted.items()}, config
    )
    (target / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    for file in source.iterdir():
        if file.is_file() and not (target / file.name).exists() and ".safetensors" not in file.name:
            copyfile(file, target / file.name)


def _numbers(tokenizer: Mapping[str, Any]) -> dict[str, int]:
    """Number by piece."""
    model = tokenizer["model"]
    if model.get("type") == "Unigram":
        found = {entry[0]: number for number, entry in enumerate(model["vocab"])}
    elif model.get("type") in ("WordPiece", "BPE"):
        found = dict(model["vocab"])
    else:
        raise Unsupported(
            f"A tokenizer of kind {model.get('type')!r} cannot be extended. Leave the modality's `new_words` out."
        )
    return found | {token["content"]: token["id"] for token in tokenizer.get("added_tokens", [])}


def _merged(
    tokenizer: dict[str, Any], numbers: Mapping[str, int], pieces: Sequence[NewPiece]
) -> dict[str, tuple[str, ...]]:
    """New pieces with what they are made of; the merges that make them are added, from the left.

    A merge for one word may come before another's and leave it in other pieces: these are joined in further rounds.
    """
    from tokenizers import Tokenizer

    merges, vocabulary = tokenizer["model"]["merges"], dict(tokenizer["model"]["vocab"])
    wanted: dict[str, tuple[str, ...]] = {}
    waiting = [each.parts for each in pieces]
    for _ in range(ROUNDS):
        for parts in waiting:
            whole = parts[0]
            for part in parts[1:]:
                if whole + part not in numbers and whole + part not in wanted:
                    wanted[whole + part] = (*wanted.get(whole, (whole,)), *wanted.get(part, (part,)))
                if [whole, part] not in merges:
                    merges.append([whole, part])
                whole += part
        first = max(numbers.values()) + 1
        known = vocabulary | {piece: first + place for place, piece in enumerate(wanted)}
        tokenizer["model"]["vocab"] = known
        loaded = Tokenizer.from_str(json.dumps(tokenizer))
        waiting = [parts for each in pieces if len(parts := _parts(loaded, each.word)) > 1]
        if not waiting:
            break
    return wanted


def _add(
    tokenizer: dict[str, Any],
    wanted: Mapping[str, tuple[str, ...]],
    new: Mapping[str, int],
    numbers: Mapping[str, int],
) -> None:
    model = tokenizer["model"]
    if model["type"] != "Unigram":
        model["vocab"] |= new
        return
    vocabulary = model["vocab"]
    scores = {entry[0]: entry[1] for entry in vocabulary}
    names = {number: piece for piece, number in numbers.items()}
    for number in range(len(vocabulary), max(numbers.values()) + 1):  # special pieces behind the list
        vocabulary.append([names.get(number, f"<unused{number}>"), min(scores.values()) - 1000.0])
    for piece, parts in wanted.items():
        vocabulary.append([piece, sum(scores[part] for part in parts) + HINT])


def _write_weights(source: Path, target: Path, parts: Mapping[int, Sequence[int]], config: dict[str, Any]) -> None:
    """Every tensor as it is, those with a row a piece with more rows: the means of what each new piece is made of."""
    import torch
    from safetensors.torch import load_file, save_file

    size = int(config["vocab_size"])
    longer = max(size, max(parts, default=-1) + 1)
    tensors: dict[str, torch.Tensor] = {}
    for file in sorted(source.glob("*.safetensors")):
        tensors |= load_file(file)
    for name, tensor in tensors.items():
        if tensor.ndim < 1 or tensor.shape[0] != size:
            continue
        rows = torch.cat([tensor, tensor.new_zeros(longer - size, *tensor.shape[1:])])
        for number, own in parts.items():
            rows[number] = tensor[torch.tensor(list(own))].float().mean(0).to(tensor.dtype)
        tensors[name] = rows
    config["vocab_size"] = longer
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
