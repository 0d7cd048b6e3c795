"""Where the models behind augmenters are read, by transformers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import RecipeError
from sibu.models.whole import quiet, require_whole

if TYPE_CHECKING:
    from sibu.models.sources import Source

LONGEST = 512
"""Most pieces that are read at once, whatever the model could."""
SPACES = ("▁", "Ġ")
"""Pieces that stand for a space alone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, ready to answer."""

    name: str
    """As the recipe calls it."""
    tokenizer: Any
    model: Any
    lacking: tuple[str, ...]
    """Weights that its folder does not have, which are random."""

    @property
    def longest(self) -> int:
        """Most pieces of a text, special pieces included."""
        config = self.model.config
        places = int(getattr(config, "max_position_embeddings", None) or LONGEST)
        if config.model_type in {"roberta", "xlm-roberta", "camembert"}:  # they count places from behind the padding
            places -= int(config.pad_token_id) + 1
        return min(places, int(self.tokenizer.model_max_length), LONGEST)


def architectures(source: Source) -> tuple[list[str], bool]:
    """What kinds a model folder says that it is of, and whether it is an encoder-decoder."""
    config = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
    return list(config.get("architectures") or ()), bool(config.get("is_encoder_decoder"))


def load(source: Source, kind: Literal["vectors", "masked", "translator"]) -> Loaded:
    """Read a model and its tokenizer.

    Args:
        source: Where it lies.
        kind: Whether its vectors are wanted, its masked-language head, or its language head.

    Raises:
        RecipeError: When transformers has no such form of it, or cannot read its tokenizer, or a weight has another
            shape than its config says.
    """
    import torch
    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto

    table = {
        "vectors": modeling_auto.MODEL_MAPPING,
        "masked": modeling_auto.MODEL_FOR_MASKED_LM_MAPPING,
        "translator": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    }[kind]
    folder = str(source.folder)
    with quiet(), torch.random.fork_rng(devices=[]):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if type(config) not in table:
            raise RecipeError(f"The model {source.name!r} is of the kind {config.model_type!r}, which cannot do this.")
        architecture = table[type(config)]
        own: dict[str, Any] = {"use_safetensors": True, "output_loading_info": True, "ignore_mismatched_sizes": True}
        if "add_pooling_layer" in signature(architecture.__init__).parameters:
            own["add_pooling_layer"] = False  # many folders lack its weights
        model, about = architecture.from_pretrained(
            folder, config=config, local_files_only=True, dtype=torch.float32, **own
        )
        require_whole(source.folder, about, lambda _: False)  # of weights that are not there each way tells by itself
        tokenizer = _tokenizer(source)
    place = torch.accelerator.current_accelerator(check_available=True) or "cpu"
    return Loaded(source.name, tokenizer, model.eval().to(place), tuple(sorted(about["missing_keys"])))


def _tokenizer(source: Source) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(source.folder), local_files_only=True)
    except (ImportError, OSError, ValueError) as fault:  # transformers' own words for what a tokenizer lacks
        reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        raise RecipeError(
            f"The tokenizer of the model {source.name!r} cannot be read: {reason} Install what it names, or save it "
            "as `tokenizer.json`."
        ) from fault
