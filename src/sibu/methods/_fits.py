"""Whether an encoder has what a method puts its weights beside."""

from __future__ import annotations

from typing import Any

from sibu.core.errors import RecipeError


def check_fits(encoder: Any, *, places: bool = False, between: bool = False) -> None:
    """See that a method can adapt an encoder; those of texts say so themselves.

    Args:
        encoder: A text's encoder, or another modality's.
        places: Whether the method puts places before a text's.
        between: Whether it puts layers behind those of a transformer, not into them.

    Raises:
        RecipeError: When its weights are random, or it is no transformer.
    """
    from torch import nn

    if getattr(encoder, "embeds", True):
        return
    if not encoder.pretrained:
        mend = "Give its `model`, or choose `full`."
        raise RecipeError(f"This method adapts a pretrained model, and one encoder of the run is made anew. {mend}")
    if places:
        raise RecipeError(
            "This method puts trained places before a text's, and a model of another modality has no place for them. "
            "Choose `lora`, `bitfit`, `freeze` or `full`."
        )
    if between and encoder.uneven:
        raise RecipeError(
            "This method puts layers behind those of a transformer, and this model's layers give grids, or vectors of "
            "several widths. Choose `lora` (where it has linear layers), `freeze`, `bitfit` or `full`."
        )
    if not any(isinstance(module, nn.Linear) for module in encoder.model.modules()):
        raise RecipeError(
            "This method needs the linear layers of a transformer, and the model is convolutional. "
            "Choose `freeze`, `bitfit` or `full`."
        )
