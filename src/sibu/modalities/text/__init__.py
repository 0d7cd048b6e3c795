"""Text: a tokenizer and a pretrained transformer encoder; texts, pairs, windows over long texts.

Offsets are characters of the original text whatever the tokenizer does to it (lower-casing, NFKC, merged characters).
Source: Vaswani et al., 2017, arXiv:1706.03762; Devlin et al., 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.text.prepare import TextPreparer


class TextSpec(Spec):
    """Options of the text modality."""

    name: Literal["text"] = "text"
    max_length: PositiveInt | None = None
    """Most pieces a window may have, special pieces included; null: the model's own limit, at most 512
    (where a task writes 1,024, prompt and answer together)."""
    overlap: int = Field(default=64, ge=0)
    """Pieces that two neighbouring windows of a long text share (tasks `tag` and `extract`)."""
    shapes: bool | None = None
    """Add a trained vector for each word's shape (lower, Title, UPPER, digits, ...) to its input vector; gives back
    what a lower-casing tokenizer drops. null: yes where the tokenizer drops case and a task is `tag`."""
    trim_vocabulary: bool = False
    """Keep only the pieces that the training data needs, with the single characters that spell unknown words: smaller
    bundle, faster steps. Texts in another script than the training data's become unknown pieces."""
    new_words: NonNegativeInt = 0
    """So many words of the training data that the model cuts into several pieces get a piece of their own, begun as the
    mean of those pieces: those first that occur often and are cut small. Worth it before a task `mask` or `language` on
    many texts of the domain; with few rows nothing is learned of them."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Dropout inside the encoder; null: the model's own."""


def build(spec: TextSpec, *, folder: Path, shapes: bool, reserved: int = 0, writes: bool = False) -> TextPreparer:
    """The preparer of texts for the model in ``folder``; ``reserved`` of its positions are not the text's."""
    from sibu.modalities.text.prepare import TextPreparer

    return TextPreparer(
        folder,
        max_length=spec.max_length,
        overlap=spec.overlap,
        shapes=shapes,
        reserved=reserved,
        writes=writes,
    )


ENTRY = Entry(TextSpec, build, needs=("tokenizers", "transformers"))
