"""The method of a run on each of its encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.protocols import Adapted, Group
from sibu.methods import METHODS
from sibu.methods.full import FullSpec

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.recipe.schema import Recipe


def adapt(
    recipe: Recipe, encoders: Mapping[str, Any], *, raised: float = 1.0, saved: Mapping[str, Path] | None = None
) -> dict[str, Adapted]:
    """What trains of each encoder: of pretrained ones what the method says, of those from nothing all.

    Args:
        recipe: The recipe.
        encoders: By modality; a text's is always pretrained.
        raised: Rate of weights from nothing relative to the run's.
        saved: The ``adapter/`` folder of each that has one, of a bundle.
    """
    found = {}
    for name, encoder in encoders.items():
        pretrained = getattr(encoder, "pretrained", True)
        spec = recipe.method if pretrained else FullSpec()
        own: Adapted = METHODS.of(spec).build(encoder, spec, (saved or {}).get(name))
        rate = getattr(recipe.valued.get(name), "learning_rate", None) or 1.0
        scale = rate if pretrained else rate * raised
        own.groups = [Group(group.parameters, group.scale * scale) for group in own.groups]
        if pretrained and name != "text":
            own.groups = _with_added(own.groups, encoder.added(), rate * raised)
        found[name] = own
    return found


def _with_added(groups: Sequence[Group], added: Sequence[Any], scale: float) -> list[Group]:
    """Weights beside a pretrained model train with every method, at the rate of what begins from nothing."""
    own = {id(weight) for weight in added}
    kept = [Group([w for w in group.parameters if id(w) not in own], group.scale) for group in groups]
    for weight in added:
        weight.requires_grad_(True)
    return [group for group in (*kept, Group(added, scale)) if group.parameters]


def joint(parts: Mapping[str, Adapted]) -> Adapted:
    """What trains of all encoders as one; of one encoder alone it is that one's."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    first = next(iter(parts.values()))
    found = Adapted(first.encoder, [group for each in parts.values() for group in each.groups])
    found.merge = _all(each.merge for each in parts.values())
    found.begin = _all(each.begin for each in parts.values())
    found.after_step = _all(each.after_step for each in parts.values())
    penalties = [each.penalty for each in parts.values() if each.penalty is not None]
    if penalties:
        found.penalty = lambda: sum((penalty() for penalty in penalties[1:]), penalties[0]())
    states = {name: each for name, each in parts.items() if each.state is not None}
    if states:
        found.state = lambda: {f"{n} {k}": v for n, own in states.items() for k, v in (own.state or dict)().items()}
        found.restore = lambda kept: _restore(states, kept)
    return found


def _all(calls: Any) -> Callable[..., None] | None:
    there: Sequence[Any] = [call for call in calls if call is not None]
    if not there:
        return None

    def every(*arguments: Any) -> None:
        for call in there:
            call(*arguments)

    return every


def _restore(parts: Mapping[str, Adapted], kept: Mapping[str, Tensor]) -> None:
    for name, own in parts.items():
        if own.restore is not None:
            own.restore({key.split(" ", 1)[1]: value for key, value in kept.items() if key.split(" ", 1)[0] == name})
