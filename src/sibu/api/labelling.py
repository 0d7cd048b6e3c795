"""What to label next, and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sibu.api.answering import load
from sibu.api.running import RecipeLike, load_recipe
from sibu.pipeline.progress import Progress, Silent


def label(
    bundle: str | Path,
    file: str | Path,
    output: str | Path,
    *,
    count: int = 20,
    by: str | Mapping[str, Any] = "margin",
    desk: str = "jsonl",
    task: str | None = None,
    known: Sequence[str] | None = None,
    seed: int = 13,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Choose rows of an unlabelled file that are worth a label, and write them as a desk has them.

    Args:
        bundle: Folder of a bundle that knows something of the task.
        file: The unlabelled rows.
        output: File to be labelled; the list of what went out is put beside it.
        count: How many rows.
        by: A picker's name, or ``{"name": ..., options}``.
        desk: The form of the file.
        task: Which task; None: the only one.
        known: Files of rows that have a label; None: what the bundle was trained on.
        seed: Of what is drawn.
        progress: Where to tell how far it is; None: silent.

    Returns:
        How many rows the file has, how many were left out and why, how many were chosen.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.desks import DESKS
    from sibu.pickers import PICKERS
    from sibu.pipeline.labelling import choose, send

    predictor = load(bundle)
    name = predictor.task_named(task)
    opened, picker = predictor._opened, PICKERS.spec(by)
    named: dict[str, Any] = {"known": known, "seed": seed, "progress": progress or Silent()}
    chosen = choose(opened, name, str(file), picker, count, **named)
    send(chosen, opened, name, DESKS.spec(desk), Path(output))
    return chosen.told | {"chosen": len(chosen.rows)}


def ask_labels(
    bundle: str | Path,
    file: str | Path,
    output: str | Path,
    asked: Callable[[str, str, list[str]], str | None],
    *,
    count: int = 20,
    by: str | Mapping[str, Any] = "margin",
    task: str | None = None,
    known: Sequence[str] | None = None,
    seed: int = 13,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """As ``label``, where each label is asked for at once and the rows to train on are written.

    Args:
        bundle: As in ``label``, of a task that gives a text one label.
        file: The unlabelled rows.
        output: JSON Lines that a recipe names beside its other training files.
        asked: Given a text, what the bundle would say, and the labels: the label; None: none for this row. Raises
            EOFError when no more is to be asked.
        count: How many rows.
        by: A picker's name, or ``{"name": ..., options}``.
        task: Which task; None: the only one.
        known: Files of rows that have a label; None: what the bundle was trained on.
        seed: Of what is drawn.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pickers import PICKERS
    from sibu.pipeline.labelling import ask

    predictor = load(bundle)
    name = predictor.task_named(task)
    named: dict[str, Any] = {"known": known, "seed": seed, "progress": progress or Silent()}
    return ask(predictor._opened, name, str(file), PICKERS.spec(by), count, Path(output), asked, **named)


def take_labels(
    file: str | Path, output: str | Path, *, sent: str | Path | None = None, desk: str | None = None
) -> dict[str, Any]:
    """Labels that came back from a desk as rows to train on (JSON Lines).

    Args:
        file: What the desk exported.
        output: Where the rows go; a recipe names it beside its other training files.
        sent: The list that ``label`` wrote beside what it sent; None: beside ``file``.
        desk: The file's form; None: that in which the rows were sent.

    Returns:
        How many rows have a label, how many have none, and labels that the bundle did not know.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.desks import DESKS
    from sibu.pipeline.labelling import LEDGER, take_back

    ledger = Path(sent) if sent is not None else Path(f"{file}{LEDGER}")
    return take_back(Path(file), ledger, Path(output), desk=None if desk is None else DESKS.spec(desk))


def simulate_labels(
    recipe: RecipeLike,
    output: str | Path,
    overrides: Sequence[str] = (),
    *,
    by: Sequence[str | Mapping[str, Any]] = ("margin", "random"),
    start: int = 20,
    count: int = 20,
    rounds: int = 5,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What choosing rows would have gained where all labels are known: a learning curve for each picker.

    Args:
        recipe: A recipe of one task with ``train`` and one ``test`` file.
        output: JSON with the curves; a picture (``.html``) goes beside it. A stopped simulation goes on.
        overrides: ``KEY=VALUE`` with dotted keys.
        by: Pickers to compare.
        start: Rows to begin with.
        count: Rows that each round adds.
        rounds: Rounds after the first.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pickers import PICKERS
    from sibu.pipeline.simulate import simulate

    ways = [PICKERS.spec(each) for each in by]
    named: dict[str, Any] = {"output": Path(output), "progress": progress or Silent()}
    return simulate(load_recipe(recipe, overrides), ways, start=start, count=count, rounds=rounds, **named)
