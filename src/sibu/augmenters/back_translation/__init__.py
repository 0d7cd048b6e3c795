"""Back translation: a text is translated into another language and back, and says the same in other words.

The best copies where translation models for the language are at hand, and the slowest: whole texts are written twice.
Of rows with spans, tags or answers none is changed, since these would not be found again; for those take `entities` or
`masked`. Source: Sennrich et al., 2016, arXiv:1511.06709; of training rows: Xie et al., 2020, arXiv:1904.12848.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class BackTranslationSpec(Spec):
    """Options of `back_translation`."""

    models: ClassVar[tuple[str, ...]] = ("there", "back")
    name: Literal["back_translation"] = "back_translation"
    there: str
    """What translates the rows' language into another: an encoder-decoder by its folder or Hub id, or a bundle with
    one task `generate`, whose `instruction` is said before each text."""
    back: str
    """What translates back; a model of many languages may stand in both places."""
    languages: tuple[str, str] | None = None
    """The rows' language and the other as a model of many languages calls them (NLLB: `eng_Latn`, `zho_Hans`; M2M100:
    `en`, `zh`); null: each model knows one way alone."""
    prefixes: tuple[str, str] = ("", "")
    """What stands before each text, on the way there and back (T5: `translate English to German: `)."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """Pieces are drawn with their probabilities, flattened above 1, sharpened below, so that copies differ; 0: the
    likeliest translation by beam search, the same each time: for `copies: 1`."""
    beams: PositiveInt = 4
    """Unfinished translations that are kept where `temperature` is 0."""
    max_new_tokens: PositiveInt = 256
    """Most pieces of a translation; a text whose translation does not end within them is left alone."""
    allow_pickle: bool = False
    """Accept models whose weights are a pickle, which can run code when read; many translation models on the Hub have
    no other."""


def build(spec: BackTranslationSpec) -> Augmenter:
    """The augmenter.

    Raises:
        RecipeError: When a model is not there, or does not translate.
    """
    from sibu.augmenters.back_translation.trip import RoundTrip
    from sibu.augmenters.back_translation.way import Way, way_of
    from sibu.models.sources import find_model

    ways: list[Way] = []
    for place, name in enumerate((spec.there, spec.back)):
        source = find_model(name, home=Path(), allow_pickle=spec.allow_pickle)
        languages = None if spec.languages is None else (spec.languages[place], spec.languages[1 - place])
        ways.append(way_of(source, prefix=spec.prefixes[place], languages=languages))
    beams = spec.beams if spec.temperature == 0 else 1
    return RoundTrip(*ways, temperature=spec.temperature, beams=beams, limit=spec.max_new_tokens)


ENTRY = Entry(BackTranslationSpec, build, needs=("transformers",))
