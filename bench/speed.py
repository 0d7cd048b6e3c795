"""Training speed on CoNLL-2003 against the loop of the tutorials and against ``Trainer``: same model, same machine.

    python bench/speed.py DATA [--rounds 2] [--steps 150] [--sentences 3000] [--work DIR] [--results DIR]

Three sides, one after the other, each in a process of its own, the order turned round every second round:

- ``tutorial``: every sentence padded to 128 pieces, batches of 16 in random order, AdamW as torch gives it (5e-5, not
  fused), linear schedule, clipping left out as the tutorials do. Its cost per step is constant: STEPS are timed.
- ``trainer``: ``plain.py conll2003`` itself over SENTENCES sentences drawn once.
- ``sibu``: ``sibu run`` on the recipe with ``train.epochs=3``, whole.

Speed is training sentences per second of the training loop alone (the first 10 steps of the first two sides are warm-up
and not counted; Sibu's are counted). Wall seconds are of the whole process, start to end. The F1 of the other two sides
is that of ``plain-conll2003.json``, the same training in full; Sibu's is that of this run. One JSON:
``speed-conll2003.json``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import measure
import numpy as np
import plain
import run

EPOCHS, LENGTH, WARM = 3, 128, 10
SIDES = ("tutorial", "trainer", "sibu")
BARS = {"tutorial": 5.0, "trainer": 1.5}
CLOSE = 0.005
"""How far Sibu's F1 may be below the other's for the speeds to be compared."""


def tutorial(place: Path, steps: int) -> dict[str, Any]:
    """Steps of the loop as the tutorials write it."""
    import torch
    from torch.utils.data import DataLoader
    from transformers import get_scheduler

    torch.manual_seed(plain.SEED)
    fit = plain.BENCHMARKS["conll2003"][0](place, None)
    fixed = {"input_ids": 0, "token_type_ids": 0, "attention_mask": 0, "labels": -100}
    rows = [
        {name: torch.tensor((row[name] + [fill] * LENGTH)[:LENGTH]) for name, fill in fixed.items()}
        for row in fit.train
    ]
    batches = DataLoader(rows, batch_size=plain.BATCH, shuffle=True)
    optimizer = torch.optim.AdamW(fit.model.parameters(), lr=plain.RATE)
    schedule = get_scheduler("linear", optimizer, num_warmup_steps=0, num_training_steps=EPOCHS * len(batches))
    fit.model.train()
    began, examples = 0.0, 0
    for number, batch in enumerate(batches):
        if number == WARM:
            began, examples = time.perf_counter(), 0
        if number == WARM + steps:
            break
        fit.model(**batch).loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        examples += len(batch["labels"])
    return {"seconds": time.perf_counter() - began, "examples": examples}


def trained(place: Path, sentences: int | None) -> dict[str, Any]:
    """``Trainer`` as in ``plain.py``, over some of the sentences."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """When the warm-up ended, and when the last step."""

        began = ended = 0.0

        def on_step_end(self, arguments: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            self.ended = time.perf_counter()
            if state.global_step == WARM:
                self.began = self.ended

    fit = plain.BENCHMARKS["conll2003"][0](place, None)
    chosen = np.random.default_rng(13).permutation(len(fit.train))[:sentences]
    fit.train = [fit.train[number] for number in chosen]
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        plain.trainer(fit, epochs=1, rate=plain.RATE, scratch=scratch, callbacks=[clock]).train()
    return {"seconds": clock.ended - clock.began, "examples": len(fit.train) - WARM * plain.BATCH}


def sibu(place: Path, work: Path, limit: int | None) -> dict[str, Any]:
    """``sibu run`` through the command line."""
    overrides = [f"train.epochs={EPOCHS}", *([] if limit is None else [f"train.max_steps={limit}"])]
    found = run.run("conll2003", place, work / "speed", overrides)
    return {
        "seconds": found["seconds"]["training"],
        "examples_per_second": found["examples_per_second"],
        "f1": found["metrics"]["entities"]["test"]["f1"],
        "command": found["command"],
    }


def side(name: str, given: Any) -> dict[str, Any]:
    """One side in a process of its own."""
    if name == "sibu":
        began = time.perf_counter()
        found = sibu(given.place, given.work, given.limit)
        return found | {"wall_seconds": round(time.perf_counter() - began, 1)}
    words = [str(given.data), "--work", str(given.work), "--side", name]
    words += ["--steps", str(given.steps), "--sentences", str(given.sentences)]
    seconds, memory, told = measure.child(measure.again(__file__, *words))
    found = json.loads(told.splitlines()[-1])
    found["examples_per_second"] = round(found["examples"] / found["seconds"], 2)
    return found | {"wall_seconds": round(seconds, 1), "peak_memory_bytes": memory}


def compared(rounds: list[dict[str, Any]], results: Path) -> dict[str, Any]:
    """Ratios over the rounds, with F1 beside them."""
    ratios = {
        name: measure.spread(
            [each["sibu"]["examples_per_second"] / each[name]["examples_per_second"] for each in rounds]
        )
        for name in BARS
    }
    f1 = {"sibu": median(each["sibu"]["f1"]["value"] for each in rounds)}
    file = results / "plain-conll2003.json"
    if file.is_file():
        f1["plain"] = json.loads(file.read_text(encoding="utf-8"))["metrics"]["entities"]["test"]["f1"]["value"]
    same = f1["sibu"] >= f1["plain"] - CLOSE if "plain" in f1 else None
    return {"ratios": ratios, "bars": BARS, "f1": f1, "f1_as_good": same}


def main() -> None:
    """Measure all sides, or be one of them."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=150, help="timed steps of the tutorial's loop")
    parser.add_argument("--sentences", type=int, default=3000, help="sentences for Trainer; 0: all")
    parser.add_argument("--side", choices=SIDES[:2], help="be this side (the program calls itself)")
    given = parser.parse_args()
    given.place = run.prepared(given.data, given.work)
    if given.side:
        if given.side == "tutorial":
            found = tutorial(given.place, given.steps)
        else:
            found = trained(given.place, given.sentences or None)
        print(json.dumps(found))
        return
    rounds = []
    for number in range(given.rounds):
        order = SIDES if number % 2 == 0 else SIDES[::-1]
        rounds.append({name: side(name, given) for name in order})
        print({name: found["examples_per_second"] for name, found in rounds[-1].items()}, file=sys.stderr)
    found = {
        "name": "speed-conll2003",
        "command": "python bench/speed.py DATA "
        + " ".join(f"--{name} {getattr(given, name)}" for name in ("rounds", "steps", "sentences")),
        "what": "training sentences per second of the training loop; ratio: Sibu over the other side",
        **compared(rounds, given.results),
        "rounds": rounds,
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts(sorted((given.place / "conll2003").glob("*.conll"))),
    }
    measure.keep(found, given.results)
    for name, ratio in found["ratios"].items():
        print(f"sibu / {name}: {ratio['median']} ({ratio['min']} to {ratio['max']}), bar {BARS[name]}")
    print(f"F1 {found['f1']}")


if __name__ == "__main__":
    main()
