"""What ran, on what, with which result."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sibu.core.errors import counted
from sibu.core.result import Report
from sibu.store.hashes import hash_file, hash_folder

PACKAGES = ("sibu", "torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft", "numpy", "pyarrow")


def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What the run ran on."""
    import torch

    gpus = (
        [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def peak_memory() -> int:
    """Most bytes of memory that this process held at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def data_hashes(files: Sequence[str]) -> dict[str, str]:
    """Sha256 of each data file by its name."""
    found = {}
    for file in dict.fromkeys(files):
        path = Path(file)
        found[file] = hash_folder(path) if path.is_dir() else hash_file(path) if path.is_file() else "not a local file"
    return found


def metrics_json(reports: Sequence[Report]) -> dict[str, dict[str, dict[str, Any]]]:
    """``{task: {split: {metric: {value, low, high, n}}}}``."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for report in reports:
        scores = {metric: score.as_json() for metric, score in report.scores.items()}
        table.setdefault(report.task, {})[report.split] = scores
    return table


def made_of(record: Mapping[str, Any]) -> str | None:
    """Of which runs a bundle is made, and how, in words; None where it is one run's."""
    found = record.get("ensemble")
    if not found:
        return None
    key = "seed" if "seed" in found["members"][0] else "fold"
    numbers = ", ".join(str(member[key]) for member in found["members"])
    count, which = len(found["members"]), f"({key}{'s' if len(found['members']) > 1 else ''} {numbers})"
    if found["by"] == "weights":
        of = f"{count} of {counted(len(record['repeats']['runs']), 'run')}"
        return f"a soup: one model, whose weights are the mean of those of {of} {which}"
    return f"an ensemble of {counted(count, 'run')} {which}, which answers by the mean of its members' answers"


def release_misses(conditions: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Each release condition that is missed, in words. Where no split is named, ``test`` counts, else ``dev``."""
    missed = []
    for key, condition in conditions.items():
        task, *split, metric = key.split(".")
        splits = metrics.get(task, {})
        named = split or [name for name in splits if name not in ("train", "dev")] or ["dev"]
        for name in named:
            scores = splits.get(name, {})
            if metric not in scores:
                allowed = ", ".join(f"{task}.{s}.{m}" for s, found in splits.items() for m in found)
                missed.append(f"{key}: there is no such figure. Allowed: {allowed}.")
                continue
            value = scores[metric]["value"]
            if condition.at_least is not None and value < condition.at_least:
                missed.append(f"{key} on {name}: {value:.4f} is less than {condition.at_least}")
            if condition.at_most is not None and value > condition.at_most:
                missed.append(f"{key} on {name}: {value:.4f} is more than {condition.at_most}")
    return missed
