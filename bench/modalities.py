"""Each modality alone against a well-known simple model on the same rows.

    python bench/modalities.py DATA [--sets NAME ...] [--series DIR] [--work DIR] [--results DIR] [--limit N]

Sets: `wine`, `breast_cancer`, `diabetes` and `digits`, which scikit-learn ships (tables; written digits as pictures of
8 x 8: the first half trains, the second tests, as in its own example); `spoken` (FSDD: indices 5 to 14 train, 0 to 4
test); `basic_motions` and `japanese_vowels`, which aeon and sktime ship (``--series``: the folder of their ``.ts``
files; else that of an installed sktime or aeon); `pictures` (NLVR: which of nine kinds of object a picture shows).
Tables are split twenty times, 60 to 40; the others have one split and three seeds. Every option is the default, or in
``OPTIONS`` and chosen on a part of the training rows. The simple models: of tables the better on test of logistic (or
ridge) regression and gradient boosting; of digits the support vector machine of scikit-learn's example; of sounds one
on mean and deviation of log-mel frames over time; of series the nearest neighbour by dynamic time warping; of pictures
logistic regression on counts of colours. One JSON a set: ``alone-<set>.json``.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import numpy as np
import prepare

Rows = list[dict[str, Any]]
SHAPES = ("circle", "square", "triangle")
COLOURS = {"Yellow": "yellow", "Black": "black", "#0099ff": "blue"}
LEVELS = (32, 128, 224)
"""Where the colours' bins end."""


@dataclass(frozen=True)
class Split:
    """Rows to learn from and to judge, with what the simple model reads of each."""

    train: Rows
    test: Rows
    simple: Callable[[Split], dict[str, float]]
    """What the simple models score on test, by name."""


@dataclass(frozen=True)
class Set:
    """A set with how it is learned."""

    splits: Callable[[Path, Path], Sequence[Split]]
    modality: dict[str, Any]
    task: str = "classify"
    metric: str = "accuracy"
    train: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    """More of the task's `data`."""
    head: dict[str, Any] | None = None
    method: str = "full"


WHOLE = {"dev_share": 0}
"""Of some hundred rows all are trained on; how long was chosen on parts of the training rows (docs/log.md)."""
LINE = {"name": "table", "layers": 0, "width": 512, "heads": 1}
FITTED = {"name": "logistic", "unit": False, "penalty": 30.0}
"""Regression that is solved to its end over columns that are not learned: nearly all of their bins, in 512 numbers."""


# ---- tables ----------------------------------------------------------------------------------------------------------


def table(name: str) -> Callable[[Path, Path], Sequence[Split]]:
    """Twenty splits of one of scikit-learn's tables."""

    def splits(data: Path, home: Path) -> Sequence[Split]:  # noqa: ARG001
        from sklearn import datasets
        from sklearn.model_selection import train_test_split

        found = getattr(datasets, f"load_{name}")()
        numbers = name == "diabetes"
        columns = [column.replace("/", " ") for column in found.feature_names]
        names = [] if numbers else list(map(str, found.target_names))
        rows = [
            dict(zip(columns, map(float, own), strict=True))
            | ({"number": float(y)} if numbers else {"label": names[y]})
            for own, y in zip(found.data, found.target, strict=True)
        ]
        parts = []
        for seed in range(20):
            kept = None if numbers else found.target
            train, test = train_test_split(range(len(rows)), test_size=0.4, random_state=seed, stratify=kept)
            parts.append(Split([rows[n] for n in train], [rows[n] for n in test], simple_table))
        return parts

    return splits


def simple_table(split: Split) -> dict[str, float]:
    """Regression and gradient boosting, at scikit-learn's defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    target = "number" if "number" in split.train[0] else "label"
    columns = [name for name in split.train[0] if name != target]
    x, z = (np.array([[row[c] for c in columns] for row in part]) for part in (split.train, split.test))
    y, truth = ([row[target] for row in part] for part in (split.train, split.test))
    if target == "number":
        models: dict[str, Any] = {"ridge": make_pipeline(StandardScaler(), Ridge())}
        models["gradient boosting"] = HistGradientBoostingRegressor(random_state=0)
        return {name: float(np.corrcoef(m.fit(x, y).predict(z), truth)[0, 1]) for name, m in models.items()}
    models = {"logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))}
    models["gradient boosting"] = HistGradientBoostingClassifier(random_state=0)
    return {name: float(m.fit(x, y).score(z, truth)) for name, m in models.items()}


# ---- written and spoken digits ---------------------------------------------------------------------------------------


def digits(data: Path, home: Path) -> Sequence[Split]:  # noqa: ARG001
    """Written digits as PNG."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    (home / "written").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (pixels, label) in enumerate(zip(found.images, found.target, strict=True)):
        file = home / "written" / f"{number}.png"
        Image.fromarray((pixels * 255 / 16).round().astype(np.uint8)).save(file)
        rows.append({"image": f"written/{number}.png", "label": str(label), "pixels": pixels.ravel().tolist()})
    half = len(rows) // 2

    def simple(split: Split) -> dict[str, float]:
        from sklearn.svm import SVC

        model = SVC(gamma=0.001)
        model.fit([row["pixels"] for row in split.train], [row["label"] for row in split.train])
        score = model.score([row["pixels"] for row in split.test], [row["label"] for row in split.test])
        return {"support vector machine": float(score)}

    return [Split(rows[:half], rows[half:], simple)]


def spoken(data: Path, home: Path) -> Sequence[Split]:  # noqa: ARG001
    """Spoken digits, by the set's own split: the first five of each speaker and digit test."""
    parts: tuple[Rows, Rows] = ([], [])
    for file in sorted((data / "mm_fsdd_audio" / "recordings").glob("*.wav")):
        label, _, index = file.stem.split("_")
        parts[int(index) < 5].append({"audio": str(file.resolve()), "label": label})

    def simple(split: Split) -> dict[str, float]:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        from sibu.media.sound import log_mel, read_sound

        def features(row: dict[str, Any]) -> np.ndarray:
            sound = read_sound(row["audio"])
            frames = log_mel(sound.samples, sound.rate)
            return np.concatenate([frames.mean(0), frames.std(0)])

        x, z = (np.stack([features(row) for row in part]) for part in (split.train, split.test))
        model = make_pipeline(StandardScaler(), SVC(C=10))
        model.fit(x, [row["label"] for row in split.train])
        return {"support vector machine": float(model.score(z, [row["label"] for row in split.test]))}

    return [Split(*parts, simple)]


# ---- series ----------------------------------------------------------------------------------------------------------

SERIES: list[Path] = []
"""The folder of the series, where it was given."""


def series(name: str) -> Callable[[Path, Path], Sequence[Split]]:
    """A set of the time-series archive, by its own split."""

    def splits(data: Path, home: Path) -> Sequence[Split]:  # noqa: ARG001
        place = _series_home() / name
        train, test = (_read_ts(place / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
        return [Split(train, test, nearest)]

    return splits


def _series_home() -> Path:
    if SERIES:
        return SERIES[0]
    for package in ("sktime", "aeon"):
        if (found := find_spec(package)) is not None and found.submodule_search_locations:
            return Path(next(iter(found.submodule_search_locations))) / "datasets" / "data"
    raise SystemExit(
        "Give --series DIR: the folder of the .ts files that sktime and aeon ship, or install one of them."
    )


def _read_ts(file: Path) -> Rows:
    """Channels are divided by colons, readings by commas; the last part is the label."""
    rows, data = [], False
    for line in file.read_text(encoding="utf-8").splitlines():
        if data and line.strip():
            *channels, label = line.strip().split(":")
            values = [[None if v in ("?", "NaN") else float(v) for v in each.split(",")] for each in channels]
            rows.append({"series": [list(each) for each in zip(*values, strict=True)], "label": label})
        data = data or line.strip().lower() == "@data"
    return rows


def nearest(split: Split) -> dict[str, float]:
    """The nearest neighbour by dynamic time warping over all channels at once."""
    train = [(np.array(row["series"], float), row["label"]) for row in split.train]
    right = 0
    for row in split.test:
        own = np.array(row["series"], float)
        right += min(train, key=lambda each: warped(own, each[0]))[1] == row["label"]
    return {"nearest neighbour by DTW": right / len(split.test)}


def warped(a: np.ndarray, b: np.ndarray) -> float:
    """The cost of the cheapest path, by squared distances, of series ``(N, C)`` and ``(M, C)``."""
    costs = ((a[:, None] - b[None]) ** 2).sum(2)
    n, m = costs.shape
    before = last = np.full(n + 1, np.inf)
    rows = np.arange(n)
    for diagonal in range(n + m - 1):
        own = rows[(diagonal - rows >= 0) & (diagonal - rows < m)]
        steps = np.minimum(np.minimum(last[own], last[own + 1]), before[own]) if diagonal else 0.0
        now = np.full(n + 1, np.inf)
        now[own + 1] = costs[own, diagonal - own] + steps
        before, last = last, now
    return float(last[n])


# ---- pictures --------------------------------------------------------------------------------------------------------


def pictures(data: Path, home: Path) -> Sequence[Split]:  # noqa: ARG001
    """Which kinds of object (three shapes in three colours) an NLVR picture shows; a label a kind."""
    parts = []
    for split in ("dev", "test"):
        rows: Rows = []
        seen = set()
        for line in prepare.lines_of(data / "mm_nlvr_en" / f"{split}.json"):
            each = json.loads(line)
            file = data / "mm_nlvr_en" / split / f"{split}-{each['identifier']}-0.png"
            if file in seen or not file.is_file():
                continue
            seen.add(file)
            things = [thing for box in each["structured_rep"] for thing in box]
            kinds = sorted({f"{COLOURS[thing['color']]} {thing['type']}" for thing in things})
            rows.append({"image": str(file.resolve()), "label": kinds})
        parts.append(rows)
    return [Split(*parts, simple_pictures)]


def simple_pictures(split: Split) -> dict[str, float]:
    """Logistic regression, a label at a time, on how many pixels have each of some colours."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from sibu.media.pictures import read_picture

    def features(row: dict[str, Any]) -> np.ndarray:
        levels = np.digitize(read_picture(row["image"]), LEVELS)
        size = len(LEVELS) + 1
        codes = (levels[..., 0] * size + levels[..., 1]) * size + levels[..., 2]
        return np.log1p(np.bincount(codes.ravel(), minlength=size**3))

    x, z = (np.stack([features(row) for row in part]) for part in (split.train, split.test))
    kinds = [f"{colour} {shape}" for colour in COLOURS.values() for shape in SHAPES]
    truth = np.array([[kind in row["label"] for kind in kinds] for row in split.test])
    said = np.zeros_like(truth)
    for place, kind in enumerate(kinds):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        said[:, place] = model.fit(x, [kind in row["label"] for row in split.train]).predict(z)
    return {"logistic regression on colours": float(f1_score(truth, said, average="micro"))}


# ---- runs ------------------------------------------------------------------------------------------------------------

SETS = {
    "wine": Set(table("wine"), LINE, train={"epochs": 1}, data=WHOLE, head=FITTED, method="probe"),
    "breast_cancer": Set(table("breast_cancer"), LINE, train={"epochs": 1}, data=WHOLE, head=FITTED, method="probe"),
    "diabetes": Set(table("diabetes"), {"name": "table"}, "regress", "pearson", {"epochs": 30}, WHOLE),
    "digits": Set(digits, {"name": "image", "size": 8, "shift": 0.13}, train={"epochs": 30}),
    "spoken": Set(spoken, {"name": "audio"}, train={"epochs": 30}),
    "basic_motions": Set(series("BasicMotions"), {"name": "series"}, train={"epochs": 40}),
    "japanese_vowels": Set(series("JapaneseVowels"), {"name": "series", "patch": 2}, train={"epochs": 30}),
    "pictures": Set(
        pictures,
        {"name": "image", "size": [50, 200], "shift": 0.1},
        "classify",
        "micro_f1",
        {"epochs": 30, "learning_rate": 3e-3},
    ),
}
SEEDS = 3


def measured(name: str, options: Any) -> dict[str, Any]:
    """One set: every split (or seed) by Sibu, and the simple models."""
    own, home = SETS[name], options.work / "alone" / name
    home.mkdir(parents=True, exist_ok=True)
    splits = own.splits(options.data, home)
    scores: list[float] = []
    seconds: list[float] = []
    simple: list[dict[str, float]] = []
    for number, split in enumerate(splits):
        limit = options.limit or len(split.train) + len(split.test)
        split = Split(split.train[:limit], split.test[:limit], split.simple)
        for part, rows in (("train", split.train), ("test", split.test)):
            prepare.write(home / f"{number}.{part}.jsonl", rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            simple.append(split.simple(split))
        for seed in range(SEEDS if len(splits) == 1 else 1):
            found, took = trained(own, home, number, seed, split)
            scores.append(found)
            seconds.append(took)
    means = {kind: fmean(each[kind] for each in simple) for kind in simple[0]}
    return {
        "name": f"alone-{name}",
        "metric": own.metric,
        "modality": own.modality,
        "train": own.train,
        **({"data": own.data} if own.data else {}),
        **({"head": own.head, "method": own.method} if own.head else {}),
        "rows": {"train": len(splits[0].train), "test": len(splits[0].test)},
        "splits": len(splits),
        "sibu": {"mean": fmean(scores), "scores": scores, "training_seconds": measure.spread(seconds, 1)},
        "simple": {"means": means, "scores": simple},
        **({"limit": options.limit} if options.limit else {}),
        **measure.facts(sorted(home.glob("*.jsonl"))),
    }


def trained(own: Set, home: Path, number: int, seed: int, split: Split) -> tuple[float, float]:
    """A run's score on test, and its training seconds."""
    target = "number" if own.task == "regress" else "label"
    modality = dict(own.modality)
    if modality["name"] == "table":
        modality["columns"] = [column for column in split.train[0] if column != target]
    files = {part: f"{number}.{part}.jsonl" for part in ("train", "test")}
    recipe = {
        "name": "alone",
        "modalities": modality,
        "method": own.method,
        "tasks": {
            "one": {"type": own.task, "data": files | (own.data or {})} | ({"head": own.head} if own.head else {})
        },
        "train": (own.train or {}) | {"seed": 13 + seed},
    }
    found = measure.trained(recipe, home)
    return found["metrics"]["one"]["test"][own.metric]["value"], found["record"]["seconds"]["training"]


def main() -> None:
    """See the module's docstring."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--series", type=Path, help="folder with one sub-folder a set of .ts files")
    options = parser.parse_args()
    if options.series is not None:
        SERIES.append(options.series)
    for name in options.sets:
        found = measured(name, options)
        print(name, found["metric"], round(found["sibu"]["mean"], 4), found["simple"]["means"], file=sys.stderr)
        measure.keep(found, options.results)


if __name__ == "__main__":
    main()
