"""The policy gradient of several answers to each prompt."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from sibu.nn.likelihood import answer_losses


def policy_loss(logits: Tensor, targets: Mapping[str, Tensor], *, candidates: int, kl: float) -> Tensor:
    """REINFORCE with leave-one-out baseline; its gradient is that of the expected reward, less the cost of moving.

    Args:
        logits: Of the language head, ``(N, V)``.
        targets: ``labels`` or ``answer`` ``(B, T)``: B / candidates prompts, one after the other, with the answers to
            each; ``reward`` ``(B, 1)``; ``reference`` ``(B, 1)``: log probability of each answer before training,
            where ``kl`` is above 0.
        candidates: Answers to each prompt.
        kl: What it costs to be likelier than before.
    """
    labels = targets["answer"] if "answer" in targets else targets["labels"]
    found = answer_losses(logits, labels)
    total, pieces = -found[:, 0], found[:, 1]
    gained = targets["reward"].reshape(-1)
    if kl:
        gained = gained - kl * (total.detach() - targets["reference"].reshape(-1))
    by_prompt = gained.view(-1, candidates)
    others = (by_prompt.sum(1, keepdim=True) - by_prompt) / (candidates - 1)
    advantage = (by_prompt - others).reshape(-1)
    return -(advantage * total).sum() / pieces.sum().clamp(min=1)
