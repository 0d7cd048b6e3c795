"""Training rows whose own labels break the recipe's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sibu.core.example import DataFault, Faults

if TYPE_CHECKING:
    from sibu.core.knowing import LabelKnowledge
    from sibu.pipeline.plan import TaskPlan


def rows_that_break(rules: LabelKnowledge, plans: Mapping[str, TaskPlan]) -> Faults:
    """A warning for each row of a split whose labels break a rule; tasks that read one file are looked at together."""
    faults = Faults()
    for split in dict.fromkeys(split for name in rules.tasks for split in plans[name].splits):
        held: dict[tuple[str, int], dict[str, frozenset[str]]] = {}
        for name in rules.tasks:
            plan = plans[name]
            if split not in plan.splits or (split == "dev" and plan.dev_is_train):
                continue
            task: Any = plan.task
            for chunk in plan.splits[split].chunks():
                for file, line, row in chunk:
                    held.setdefault((file, line), {})[name] = task.held(row)
        for (file, line), own in held.items():
            for rule in rules.broken(own):
                said = f"the labels break the rule `{rule}`."
                mend = "Mend the labels, or the rule; as it is the row teaches against it."
                faults.add(DataFault("label rule", "warning", file, line, said, mend))
    return faults
