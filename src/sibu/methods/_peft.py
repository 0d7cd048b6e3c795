"""Where PEFT is called: its models in, our ``Adapted`` out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

from sibu.core.errors import Unsupported
from sibu.core.protocols import Adapted, Group
from sibu.methods._fits import check_fits


@contextmanager
def _known_warnings() -> Iterator[None]:
    """Leaves out what PEFT 0.21 itself asks of transformers 5.23 in an outdated way; users cannot mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        # AdaLoRA's own rank pattern is read by another check as one for LoRA; it is applied all the same.
        warnings.filterwarnings("ignore", "The following rank_pattern keys did not match", RuntimeWarning)
        yield


class PeftAdapter:
    """Writes the ``adapter/`` folder in PEFT's layout."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def save(self, folder: Path) -> None:
        """Write ``adapter_config.json`` and ``adapter_model.safetensors``; the base is the bundle's ``model/``."""
        for config in self.model.peft_config.values():
            config.base_model_name_or_path = "../model"
        with _known_warnings():
            self.model.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's card; the bundle has its own
        file = folder / "adapter_config.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        for key in ("target_modules", "feedforward_modules"):  # PEFT writes sets, whose order changes from run to run
            if isinstance(known.get(key), list):
                known[key].sort()
        file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def adapt(encoder: Any, config: Any, saved: Path | None, *, leading: int = 0) -> Adapted:
    """Wrap an encoder's model by PEFT.

    Args:
        encoder: Its ``model`` is replaced by PEFT's.
        config: A PEFT config.
        saved: A bundle's ``adapter/`` to load from; None: fresh weights.
        leading: Vectors that PEFT puts before the text's; they are taken off the answer.

    Raises:
        Unsupported: When PEFT does not know how to adapt this architecture.
        RecipeError: When there is nothing to adapt in this way.
    """
    from peft import PeftModel, PeftType, TaskType, get_peft_model

    check_fits(encoder, places=bool(config.is_prompt_learning))
    if config.peft_type == PeftType.PREFIX_TUNING and not _takes_keys(encoder.model):
        kind = type(encoder.model).__name__
        raise Unsupported(
            f"`prefix` cannot be used with this model: {kind} takes no keys and values from outside. "
            "Choose `prompt`, `lora` or `adapter`."
        )
    encoder.requires_grad_(False)
    kinds = {"causal": TaskType.CAUSAL_LM, "encoder-decoder": TaskType.SEQ_2_SEQ_LM}
    config.task_type = kinds.get(encoder.writes, TaskType.FEATURE_EXTRACTION)
    try:
        with _known_warnings():
            if saved is None:
                encoder.model = get_peft_model(encoder.model, config)
            else:
                encoder.model = PeftModel.from_pretrained(encoder.model, str(saved), local_files_only=True)
    except ValueError as fault:
        kind = str(config.peft_type).rsplit(".", 1)[-1].lower()
        raise Unsupported(
            f"PEFT cannot use {kind!r} with this model: {fault}. Choose `full`, `adapter` or `bitfit`."
        ) from fault
    encoder.leading = leading
    encoder.prompted = bool(config.is_prompt_learning)
    encoder.prefixed = config.peft_type == PeftType.PREFIX_TUNING
    trained = [weight for weight in encoder.model.parameters() if weight.requires_grad]
    added = encoder.added()
    for weight in added:
        weight.requires_grad_(True)
    merge = None if config.is_prompt_learning else encoder.model.merge_adapter
    adapter = PeftAdapter(encoder.model)
    return Adapted(encoder=encoder, groups=[Group([*trained, *added])], adapter=adapter, merge=merge)


def _takes_keys(model: Any) -> bool:
    """Whether a model's forward pass takes keys and values that stand before the text's own."""
    return "past_key_values" in signature(model.forward).parameters
