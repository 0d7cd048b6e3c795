"""Training a model that writes: `sibu run` against TRL's ``SFTTrainer``: same model, same rows, same adapter.

    python bench/training_speed.py DATA [--rows 400] [--rounds 2] [--work DIR] [--results DIR] [--limit N]

LoRA of rank 8 on SmolLM2 over the first rows of DialogSum, one epoch, on one machine in turn, each side in a process of
its own:

- ``trl``: ``SFTTrainer`` at the defaults of ``SFTConfig`` (batch 8, no packing, gradient checkpointing as its default
  says, float32 since no processor here computes bfloat16 faster), prompts and answers as its prompt-completion form.
- ``trl_plain``: the same without gradient checkpointing, which trades time for memory.
- ``sibu``: bench/recipes/dialogsum.yaml with that data; texts side by side without padding.

Pieces a second are real ones, padding not counted, of the training loop alone; the first 5 steps of TRL's side are not
counted, all of Sibu's are. One JSON: ``training-speed.json``. Needs ``pip install trl==1.16.0``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import plain
import prepare
import run

BAR, WARM, BATCH = 1.5, 5, 8
SIDES = ("trl", "trl_plain", "sibu")
INSTRUCTION = "Summarise the dialogue."


def trl_side(rows: list[dict[str, Any]], *, checkpointing: bool) -> dict[str, Any]:
    """``SFTTrainer`` over the rows."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from sibu.models.sources import packaged

    folder = packaged()["smollm2"].folder()
    data = Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": f"{INSTRUCTION}\n\n{row['dialogue']}"}],
                "completion": [{"role": "assistant", "content": row["summary"]}],
            }
            for row in rows
        ]
    )
    counts = {"real": 0, "padded": 0, "steps": 0}
    clock = {"began": 0.0, "ended": 0.0}

    class Clock(TrainerCallback):
        """When the warm-up ended, and when the last step."""

        def on_step_end(self, arguments: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            clock["ended"] = time.perf_counter()
            if state.global_step == WARM:
                clock["began"] = clock["ended"]
                counts.update(real=0, padded=0, steps=0)

    with tempfile.TemporaryDirectory() as scratch:
        options = SFTConfig(
            output_dir=scratch,
            num_train_epochs=1,
            per_device_train_batch_size=BATCH,
            bf16=False,
            report_to="none",
            save_strategy="no",
            seed=13,
            **({} if checkpointing else {"gradient_checkpointing": False}),
        )
        side = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            args=options,
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
            callbacks=[Clock()],
        )
        inner = side.compute_loss

        def counting(model: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
            counts["real"] += int(inputs["attention_mask"].sum())
            counts["padded"] += inputs["attention_mask"].numel()
            counts["steps"] += 1
            return inner(model, inputs, *arguments, **named)

        side.compute_loss = counting
        side.train()
        told = {name: getattr(options, name) for name in ("gradient_checkpointing", "packing", "max_length")}
    seconds = clock["ended"] - clock["began"]
    return {
        "pieces_per_second": round(counts["real"] / seconds, 1),
        "padding_share": round(1 - counts["real"] / counts["padded"], 4),
        "steps": counts["steps"],
        "seconds": round(seconds, 1),
        "trained_weights": sum(w.numel() for w in side.model.parameters() if w.requires_grad),
        "options": told,
    }


def sibu_side(place: Path, work: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """``sibu run`` over the same rows."""
    home = place / "training-speed"
    prepare.write(home / "train.jsonl", rows)
    prepare.write(home / "dev.jsonl", rows[:4])  # nothing is chosen by it: the speed alone is wanted
    overrides = [f"tasks.summary.data.train={home / 'train.jsonl'}", f"tasks.summary.data.dev={home / 'dev.jsonl'}"]
    overrides += [f"tasks.summary.data.test={home / 'dev.jsonl'}", "train.max_steps=null", "train.evaluate_every=null"]
    found = run.run("dialogsum", place, work / "training-speed", overrides)
    return {
        "pieces_per_second": found["tokens_per_second"],
        "padding_share": 0.0,
        "steps": found["steps"]["done"],
        "seconds": found["seconds"]["training"],
        "trained_weights": found["weights"]["encoder_trained"],
        "peak_memory_bytes": found["peak_memory_bytes"],
    }


def side(name: str, given: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One side in a process of its own."""
    if name == "sibu":
        return sibu_side(given.place, given.work, rows)
    words = [str(given.data), "--work", str(given.work), "--side", name, "--rows", str(len(rows))]
    _, memory, told = measure.child(measure.again(__file__, *words))
    return json.loads(told.splitlines()[-1]) | {"peak_memory_bytes": memory}


def main() -> None:
    """Measure all sides, or be one of them."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", choices=SIDES[:2], help="be this side (the program calls itself)")
    given = parser.parse_args()
    given.place = run.prepared(given.data, given.work)
    file = given.place / "dialogsum" / "train.jsonl"
    rows = plain.rows_of(file, given.limit or given.rows)
    if given.side:
        print(json.dumps(trl_side(rows, checkpointing=given.side == "trl")))
        return
    rounds = []
    for number in range(given.rounds):
        order = SIDES if number % 2 == 0 else SIDES[::-1]
        rounds.append({name: side(name, given, rows) for name in order})
        print(rounds[-1], file=sys.stderr)
    ratios = {
        name: measure.spread([each["sibu"]["pieces_per_second"] / each[name]["pieces_per_second"] for each in rounds])
        for name in SIDES[:2]
    }
    import trl

    measure.keep(
        {
            "name": "training-speed",
            "command": f"python bench/training_speed.py DATA --rows {len(rows)} --rounds {given.rounds}",
            "what": "real pieces a second of the training loop; ratio: Sibu over TRL's SFTTrainer",
            "bar": BAR,
            "ratios": ratios,
            "rounds": rounds,
            "trl": trl.__version__,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts([file]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
