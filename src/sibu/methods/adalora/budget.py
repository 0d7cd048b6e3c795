"""AdaLoRA's ranks over the steps of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError
from sibu.core.protocols import Adapted
from sibu.methods._peft import adapt

if TYPE_CHECKING:
    from torch import Tensor


def add_adalora(
    encoder: Any,
    saved: Path | None,
    *,
    rank: int,
    start_rank: int,
    alpha: float,
    dropout: float,
    warmup: float,
    final: float,
    orthogonal: float,
) -> Adapted:
    """AdaLoRA layers whose ranks begin to fall once the run's length is known."""
    from peft import AdaLoraConfig

    config = AdaLoraConfig(
        target_r=rank,
        init_r=start_rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules="all-linear",
        total_step=1_000_000_000,  # settled by `begin`: PEFT asks for it before the data's size is known
        orth_reg_weight=max(orthogonal, 1e-12),
    )
    adapted = adapt(encoder, config, saved)
    budget = _Budget(adapted.encoder.model, warmup=warmup, final=final, orthogonal=orthogonal)
    adapted.begin = budget.begin
    adapted.after_step = budget.after_step
    adapted.penalty = budget.penalty
    adapted.state = budget.state
    adapted.restore = budget.restore
    return adapted


FEWEST_STEPS = 10
"""Below this, ranks would be dealt out before any importance was measured."""


class _Budget:
    """Deals out ranks by each direction's importance."""

    def __init__(self, model: Any, *, warmup: float, final: float, orthogonal: float) -> None:
        self.tuner = model.base_model
        self.warmup, self.final, self.orthogonal = warmup, final, orthogonal

    @property
    def _allocator(self) -> Any:
        return self.tuner.rankallocator

    def begin(self, steps: int) -> None:
        """Fit the budget's schedule to the run.

        Raises:
            RecipeError: When the run is too short for ranks to be dealt out.
        """
        if steps < FEWEST_STEPS:
            raise RecipeError(
                f"adalora deals out ranks over the steps of a run; this one has {steps}, at least {FEWEST_STEPS} are "
                "needed. Raise train.epochs, lower train.batch_tokens, or choose `lora`."
            )
        config = self.tuner.peft_config[self.tuner.trainable_adapter_name]
        config.total_step, config.tinit, config.tfinal = (
            steps,
            max(int(steps * self.warmup), 1),
            int(steps * self.final),
        )
        config.deltaT = max(1, (steps - config.tinit - config.tfinal) // 100)
        self._allocator.set_total_step(steps)

    def after_step(self, step: int) -> None:
        """Re-deal ranks; called while the step's gradients are still there."""
        self.tuner.update_and_allocate(step)

    def penalty(self) -> Tensor:
        """How far the update's vectors are from orthogonal, weighted."""
        import torch

        terms = []
        for name, weight in self.tuner.model.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                square = weight @ weight.T if "lora_A" in name else weight.T @ weight
                terms.append(torch.norm(square - torch.eye(len(square), device=square.device)))
        return self.orthogonal * torch.stack(terms).mean()

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint needs beyond the weights: the importance averages."""
        allocator = self._allocator
        kinds = {"ipt": allocator.ipt, "exp_avg_ipt": allocator.exp_avg_ipt, "exp_avg_unc": allocator.exp_avg_unc}
        return {f"{kind}|{name}": tensor for kind, table in kinds.items() for name, tensor in table.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put the importance averages back."""
        for key, tensor in tensors.items():
            kind, name = key.split("|", 1)
            getattr(self._allocator, kind)[name] = tensor
