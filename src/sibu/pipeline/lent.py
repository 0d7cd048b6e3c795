"""Heads of one bundle that answer for a task of another run: its weights, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import Fault, RecipeError
from sibu.models.sources import Source

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model
    from sibu.pipeline.plan import Plan


def lend(task: Any, source: Source, name: str) -> None:
    """Tell a task that answers by another's head what that one says.

    Args:
        task: The task; one that borrows nothing is left alone.
        source: The run's model, whose bundle lends.
        name: The task's name in the recipe.

    Raises:
        RecipeError: When the model is no bundle with a head that fits.
    """
    if not getattr(task, "borrows", False):
        return
    where, wanted = f"tasks.{name}.entailed", task.spec.task
    mend = "Train a task `classify` on pairs of texts (premise, hypothesis) by `sibu run`, and name its bundle."
    if source.bundle is None:
        what = f"it needs a bundle that was trained on entailment, and the model {source.name!r} is none."
        raise RecipeError(Fault(where, what, mend))
    fitting = _fitting(source.bundle)
    if not fitting or (wanted is not None and wanted not in fitting):
        named = "" if wanted is None else f" {wanted!r}"
        what = f"the bundle {source.name!r} has no task{named} that gives pairs of texts a label by a linear head."
        said = f"It has: {', '.join(fitting)}." if fitting else mend
        raise RecipeError(Fault(where, what, said))
    if wanted is None and len(fitting) > 1:
        what = f"the bundle {source.name!r} has several tasks on pairs of texts."
        raise RecipeError(Fault(where, what, f"Name one as `task`: {', '.join(fitting)}."))
    lender = wanted or next(iter(fitting))
    try:
        task.borrow(lender, *fitting[lender])
    except RecipeError as fault:
        raise RecipeError(Fault(where, str(fault))) from None


def _fitting(bundle: Path) -> dict[str, tuple[list[str], str]]:
    """The tasks of a bundle that judge pairs: their labels and pooling."""
    import json

    from sibu.pipeline.bundle import open_recipe, verify

    verify(bundle)
    states = json.loads((bundle / "labels.json").read_text(encoding="utf-8"))
    found = {}
    for name, block in open_recipe(bundle).tasks.items():
        state, spec = states[name], block.task
        pairs = state.get("pairs") in ("all", "some") and not state.get("multi_label")
        if spec.type == "classify" and pairs and not spec.writes and block.head.name == "linear":  # type: ignore[attr-defined]
            found[name] = (state["labels"], spec.pooling)  # type: ignore[attr-defined]
    return found


def borrow_heads(model: Model, plan: Plan) -> None:
    """Put the lent weights into the heads that borrow."""
    from safetensors.torch import load_file

    for name, each in plan.tasks.items():
        task: Any = each.task
        if getattr(task, "borrows", False) and plan.source.bundle is not None:
            prefix = f"heads.{task.lent['task']}."
            weights = load_file(plan.source.bundle / "heads.safetensors")
            own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
            model.heads[name].load_state_dict(own)
