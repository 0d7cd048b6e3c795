"""How fast answers are written: `sibu` with batched prompts against transformers' ``generate`` called one by one.

    python bench/writing_speed.py DATA BUNDLE [--prompts 100] [--rounds 2] [--work DIR] [--results DIR] [--limit N]

BUNDLE is one of bench/recipes/dialogsum.yaml. Two sides in turn, each in a process of its own, loading not counted:
the same merged weights, the same prompts (the first test dialogues, as the bundle prepares them), greedy, the same
limit and the same pieces that end an answer. ``one_by_one`` calls ``model.generate`` with the key-value cache (its
default) for each prompt; ``sibu`` is ``Predictor.predict`` over all. The answers must be the same texts; where float32
sums taken in another order flip a near tie, the two texts part there: those are counted. One JSON:
``writing-speed.json``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import measure
import plain
import run

BAR = 1.0
TASK = "summary"


def sibu_side(bundle: Path, rows: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """Seconds and answers."""
    import sibu

    predictor = sibu.load(bundle)
    predictor.predict(rows[:2])
    began = time.perf_counter()
    found = predictor.predict(rows)
    return time.perf_counter() - began, [each.value for each in found]


def one_by_one(bundle: Path, rows: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """The same from ``generate``, a prompt at a time."""
    import torch
    from transformers import AutoModelForCausalLM

    import sibu
    from sibu.models.trained import model_of

    opened = sibu.load(bundle)._opened
    task: Any = opened.tasks[TASK]
    text: Any = opened.text
    prompts = [windows[0].input_ids for windows in text.prepare([task.prompt({"text": row["text"]}) for row in rows])]
    ends = text.prompts.ends(task.template)
    del opened
    model = AutoModelForCausalLM.from_pretrained(model_of(bundle, bundle.name), dtype=torch.float32).eval()
    named = {
        "max_new_tokens": task.room,
        "do_sample": False,
        "eos_token_id": ends,
        "pad_token_id": text.vocabulary.pad_id,
    }

    def answer(prompt: list[int]) -> str:
        ids = torch.tensor([prompt])
        with torch.inference_mode():
            found = model.generate(ids, attention_mask=torch.ones_like(ids), **named)[0, len(prompt) :].tolist()
        return str(text.vocabulary.tokenizer.decode(found, skip_special_tokens=True))

    for prompt in prompts[:2]:
        answer(prompt)
    began = time.perf_counter()
    answers = [answer(prompt) for prompt in prompts]
    return time.perf_counter() - began, answers


SIDES = {"one_by_one": one_by_one, "sibu": sibu_side}


def main() -> None:
    """Measure both, or be one of them."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", choices=sorted(SIDES), help="be this side (the program calls itself)")
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    file = place / "dialogsum" / "test.jsonl"
    rows = [{"text": row["dialogue"]} for row in plain.rows_of(file, given.limit or given.prompts)]
    if given.side:
        seconds, answers = SIDES[given.side](given.bundle, rows)
        print(json.dumps({"seconds": seconds, "answers": answers}))
        return
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(given.bundle / "model" / "tokenizer.json"))
    rounds: list[dict[str, Any]] = []
    answers: dict[str, list[str]] = {}
    for number in range(given.rounds):
        rounds.append({})
        for name in sorted(SIDES, reverse=number % 2 == 1):
            words = [str(given.data), str(given.bundle), "--work", str(given.work), "--side", name]
            words += ["--prompts", str(given.prompts), *([] if given.limit is None else ["--limit", str(given.limit)])]
            _, memory, said = measure.child(measure.again(__file__, *words))
            told = json.loads(said.splitlines()[-1])
            answers[name] = told["answers"]
            pieces = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) + 1 for text in told["answers"])
            rounds[-1][name] = {
                "pieces_per_second": round(pieces / told["seconds"], 2),
                "seconds": round(told["seconds"], 2),
                "pieces": pieces,
                "peak_memory_bytes": memory,
            }
        print(rounds[-1], file=sys.stderr)
    same = sum(one == two for one, two in zip(answers["sibu"], answers["one_by_one"], strict=True))
    measure.keep(
        {
            "name": "writing-speed",
            "command": f"python bench/writing_speed.py DATA BUNDLE --prompts {len(rows)} --rounds {given.rounds}",
            "what": "pieces written a second, loading apart; ratio: Sibu over generate one by one",
            "ratio": measure.spread(
                [each["sibu"]["pieces_per_second"] / each["one_by_one"]["pieces_per_second"] for each in rounds]
            ),
            "same_answers": same,
            "answers": len(rows),
            "rounds": rounds,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts([file]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
