"""The biases train."""

from __future__ import annotations

from typing import Any

from sibu.core.errors import Unsupported
from sibu.core.protocols import Adapted, Group


def train_biases(encoder: Any) -> Adapted:
    """Let every weight whose name ends in ``bias`` train.

    Raises:
        Unsupported: When the model has none (some recent architectures).
    """
    encoder.requires_grad_(False)
    biases = [weight for name, weight in encoder.named_parameters() if name.endswith("bias")]
    if not biases:
        raise Unsupported("This model has no biases, so `bitfit` has nothing to train. Choose `lora` or `ia3`.")
    trained = list(dict.fromkeys([*biases, *encoder.added()]))  # what was added has biases too
    for weight in trained:
        weight.requires_grad_(True)
    return Adapted(encoder=encoder, groups=[Group(trained)])
