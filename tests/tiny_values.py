"""A small value of each modality for each row, and recipes that read them alone, beside a text, or joined."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.tiny_tasks import TASKS, tiny_recipe

VALUES: dict[str, dict[str, Any]] = {
    "image": {"name": "image", "size": 8, "width": 8, "depth": 1},
    "audio": {"name": "audio", "width": 8, "depth": 1, "mels": 8},
    "video": {"name": "video", "frames": 2, "size": 8, "width": 8, "depth": 1, "sound": False},
    "table": {"name": "table", "columns": ["age", "ward"], "width": 8, "heads": 2, "layers": 1},
    "series": {"name": "series", "width": 8, "heads": 2, "layers": 1},
}
"""The block of each modality beside texts."""
ALONE = ("classify", "classify, several labels", "regress")
"""Tasks that need no text."""
BESIDE = ("tag", "extract", "relate")
"""Tasks that find places in a text, and read the rest beside it."""
MATCH = "match"


def value_of(modality: str, number: int, folder: Path) -> dict[str, Any]:
    """The columns of a row's value; files are written once."""
    draw = np.random.default_rng(number)
    if modality == "table":
        return {"age": float(draw.integers(20, 90)), "ward": str(draw.choice(["north", "南"]))}
    if modality == "series":
        return {"series": draw.standard_normal((12 + number % 5, 2)).round(3).tolist()}
    return {modality: str(_FILES[modality](folder / f"{modality}-{number}", draw))}


def _image(place: Path, draw: np.random.Generator) -> Path:
    from PIL import Image

    file = place.with_suffix(".png")
    if not file.exists():
        Image.fromarray(draw.integers(0, 255, (8, 8, 3)).astype(np.uint8)).save(file)
    return file


def _audio(place: Path, draw: np.random.Generator) -> Path:
    import soundfile

    file = place.with_suffix(".wav")
    if not file.exists():
        soundfile.write(file, draw.uniform(-0.5, 0.5, 2000).astype(np.float32), 4000)
    return file


def _video(place: Path, draw: np.random.Generator) -> Path:
    """A video as a folder of pictures."""
    for frame in range(2):
        place.mkdir(exist_ok=True)
        _image(place / f"{frame}", draw)
    return place


_FILES: dict[str, Callable[[Path, np.random.Generator], Path]] = {"image": _image, "audio": _audio, "video": _video}


def tiny_mixed(task: str, modalities: tuple[str, ...], model: Path | None, home: Path, **more: Any) -> dict[str, Any]:
    """A recipe of a task whose rows have values; ``text`` may be among the modalities.

    Args:
        task: Of ``TASKS``, or ``MATCH``.
        modalities: Their names; of two that `match` joins both.
        model: The text's; None: there is none.
        home: Where files are written.
        more: Further keys of the recipe.
    """
    kind = "classify" if task == MATCH else task
    recipe = tiny_recipe(kind, "full", model or home, home)
    data = recipe["tasks"]["it"]["data"]
    with_text = "text" in modalities
    for split, file in dict(data).items():
        name = "-".join([Path(file).stem, *modalities]) + ".jsonl"
        rows = []
        for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines()):
            row = json.loads(line)
            if not with_text:
                row = {key: value for key, value in row.items() if not key.startswith("text")}
            for modality in modalities:
                row |= {} if modality == "text" else value_of(modality, number, home)
            rows.append(row)
        (home / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        data[split] = str(home / name)
    if task == MATCH:
        recipe["tasks"]["it"] = {"type": "match", "of": list(modalities), "width": 8, "data": data}
    recipe["modalities"] = ["text" if name == "text" else VALUES[name] for name in modalities]
    if not with_text:
        recipe.pop("model")
    return recipe | more


__all__ = ["ALONE", "BESIDE", "MATCH", "TASKS", "VALUES", "tiny_mixed"]
