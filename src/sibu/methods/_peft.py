"""Where PEFT is called: its models in, our ``Adapted`` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sibu.core.errors import Unsupported
from sibu.core.protocols import Adapted, Group


class PeftAdapter:
    """Writes the ``adapter/`` folder in PEFT's layout."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def save(self, folder: Path) -> None:
        """Write ``adapter_config.json`` and ``adapter_model.safetensors``; the base is the bundle's ``model/``."""
        for config in self.model.peft_config.values():
            config.base_model_name_or_path = "../model"
        self.model.save_pretrained(str(folder))
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's card; the bundle has its own


def adapt(encoder: Any, config: Any, saved: Path | None, *, leading: int = 0) -> Adapted:
    """Wrap an encoder's model by PEFT.

    Args:
        encoder: Its ``model`` is replaced by PEFT's.
        config: A PEFT config.
        saved: A bundle's ``adapter/`` to load from; None: fresh weights.
        leading: Vectors that PEFT puts before the text's; they are taken off the answer.

    Raises:
        Unsupported: When PEFT does not know how to adapt this architecture.
    """
    from peft import PeftModel, TaskType, get_peft_model

    encoder.requires_grad_(False)
    config.task_type = TaskType.FEATURE_EXTRACTION
    try:
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
    encoder.needs_mask = config.is_prompt_learning
    trained = [weight for weight in encoder.model.parameters() if weight.requires_grad]
    added = encoder.added()
    for weight in added:
        weight.requires_grad_(True)
    return Adapted(encoder=encoder, groups=[Group([*trained, *added])], adapter=PeftAdapter(encoder.model))
