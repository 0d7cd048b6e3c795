"""The closure kept in a knowledge base, so that the next time only what has changed is looked at.

``closure/certain`` holds what follows for certain, ``closure/supposed`` what follows where uncertain rules are believed
too, and ``closure/mark.json`` of which version and by which rules, with the sha256 of each file: a closure of another
history, or one that was changed, is never used.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError
from sibu.curation.plan import Plan
from sibu.graph.journal import Version
from sibu.logic.closure import Closure
from sibu.store.atomic import new_folder
from sibu.store.hashes import hash_file, hash_json

FOLDER, CERTAIN, SUPPOSED, MARK = "closure", "certain", "supposed", "mark.json"
FORMAT = 2


@dataclass(slots=True)
class Conclusions:
    """What follows from the facts of a version."""

    plan: Plan
    certain: Closure
    """From what is asserted, by certain rules."""
    supposed: Closure | None
    """From what is certain, by all rules: what it has and the other has not are hypotheses; None: no rule is uncertain.
    """
    version: int
    """Number of the version whose asserted facts are in it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is told of a closure that is kept."""

    version: int
    digest: str
    """Of the plan."""
    options: list[dict[str, Any]]
    """Of the reasoners."""


class NoClosure(Exception):
    """There is none that can be used; the text says why. Empty: nothing was ever inferred."""


def save(home: Path, found: Conclusions, version: Version) -> None:
    """Keep conclusions as those of a version; kept ones are replaced.

    Raises:
        RunStopped: When the disk does not take them.
    """
    with new_folder(home / FOLDER) as place:
        found.certain.save(place / CERTAIN)
        if found.supposed is not None:
            found.supposed.save(place / SUPPOSED)
        files = {each.relative_to(place).as_posix(): hash_file(each) for each in sorted(place.rglob("*.*"))
                 if each.is_file()}  # fmt: skip
        told = {"format": FORMAT, **_history(version), "digest": found.plan.digest, "options": found.plan.options}
        told |= {"files": files}
        text = json.dumps(told | {"sha256": hash_json(told)}, ensure_ascii=False, indent=1)
        (place / MARK).write_text(text + "\n", encoding="utf-8")


def _history(version: Version) -> dict[str, Any]:
    """What tells one version from that of any other history."""
    return {"version": version.number, "changes": version.changes, "before": version.before}


def mark(home: Path, versions: dict[int, Version]) -> Mark:
    """What is kept, where it is whole and of this knowledge base.

    Args:
        home: The knowledge base.
        versions: Those there are, by number.

    Raises:
        NoClosure: When there is none that can be used.
    """
    folder = home / FOLDER
    if not folder.is_dir():
        raise NoClosure("")
    try:
        told = json.loads((folder / MARK).read_text(encoding="utf-8"))
        own = told.pop("sha256")
        if own != hash_json(told):
            raise NoClosure("its mark was changed (its sha256 differs)")
        if told["format"] != FORMAT:
            raise NoClosure(f"it has the format {told['format']!r}; this version of Sibu reads {FORMAT}")
        for name, digest in told["files"].items():
            if hash_file(folder / name) != digest:
                raise NoClosure(f"{name} was changed (its sha256 differs)")
        number = int(told["version"])
        if number not in versions or any(told[key] != own for key, own in _history(versions[number]).items()):
            raise NoClosure(f"it is of a version {number} that is none of this knowledge base")
        return Mark(number, told["digest"], told["options"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise NoClosure(f"it is damaged ({type(fault).__name__}: {fault})") from fault


def load(home: Path, plan: Plan, version: int) -> Conclusions:
    """The conclusions whose mark was read; where the plan is another one, they are stale and derived anew.

    Raises:
        NoClosure: When they cannot be read.
    """
    folder = home / FOLDER
    try:
        certain = Closure.load(folder / CERTAIN, plan.certain)
        supposed = None
        if plan.supposed and (folder / SUPPOSED).is_dir():
            supposed = Closure.load(folder / SUPPOSED, plan.supposed)
        return Conclusions(plan, certain, supposed, version)
    except DataError as fault:
        raise NoClosure(f"it is damaged ({fault})") from fault


def sweep(home: Path) -> None:
    """Remove what was left by one who was killed while it was kept; only the one writer may ask this."""
    for place in home.glob(f".{FOLDER}.*"):
        shutil.rmtree(place, ignore_errors=True)
