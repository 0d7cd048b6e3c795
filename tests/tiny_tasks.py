"""A small data set and recipe block for each task type, English and Chinese."""

from __future__ import annotations

import random
from pathlib import Path

from tests.conftest import CHARACTERS, WORDS, entity_rows, intent_rows, write_jsonl


def number_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Two texts and how many words of them are `good`."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        good = draw.randint(0, 4)
        words = ["good"] * good + ["bad"] * (4 - good)
        draw.shuffle(words)
        rows.append({"id": number, "text": " ".join(words) + f" {number}", "text_pair": "film", "number": good / 2})
    return rows


def question_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Where somebody works; some questions have no answer, some are Chinese, some texts are longer than the model."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        place = draw.choice(["paris", "london", "acme"])
        filler = " ".join(draw.choices(WORDS[:12], k=draw.choice([4, 60])))
        context = f"{number} {filler} john works at {place} . {filler}"
        question, answers = "where john works", [{"text": place, "start": context.index(place)}]
        if number % 5 == 0:
            context, question = f"{number}他在北京上海。", "他在哪"
            answers = [{"text": "北京", "start": context.index("北京")}]
        if number % 7 == 0:
            context, answers = f"{number} {filler}", []
        rows.append({"id": number, "question": question, "context": context, "answers": answers})
    return rows


def relation_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Two people; who works for whom follows from the verb."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        verb, head, tail = draw.choice([("works at", 0, 1), ("pay", 1, 0), ("and", None, None)])
        text = f"{number} john {verb} acme in paris"
        spans = [(text.index(word), text.index(word) + len(word)) for word in ("john", "acme", "paris")]
        entities = [{"start": start, "end": end, "label": "x"} for start, end in spans]
        relations = [] if head is None else [{"head": head, "tail": tail, "label": "employs"}]
        rows.append({"id": number, "text": text, "entities": entities, "relations": relations})
    return rows


def topic_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Several labels or none."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        labels = [label for label in ("pain", "fever", "cough") if draw.random() < 0.4]
        words = [*labels, *draw.choices(WORDS[:12], k=4), str(number)]
        draw.shuffle(words)
        rows.append({"id": number, "text": " ".join(words), "label": labels})
    return rows


def reply_rows(count: int, *, seed: int = 0) -> list[dict]:
    """What to write follows from one word; some rows are Chinese, some dialogues."""
    draw = random.Random(seed)
    rows: list[dict] = []
    for number in range(count):
        word, answer = draw.choice([("pain", "take aspirin"), ("bill", "pay the bill"), ("头痛", "吃药")])
        text = f"{number} my {word} {draw.choice(WORDS[:12])}"
        if number % 4 == 0:
            turns = [{"role": "user", "content": "good"}, {"role": "assistant", "content": "yes"}]
            turns += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
            rows.append({"id": number, "messages": turns})
        else:
            rows.append({"id": number, "text": text, "target": answer})
    return rows


def pair_rows(count: int, *, seed: int = 0) -> list[dict]:
    """The better answer follows from one word."""
    rows = []
    for row in reply_rows(count, seed=seed):
        answer = row.pop("target", None) or row["messages"].pop()["content"]
        others = [other for other in ("take aspirin", "pay the bill", "吃药") if other != answer]
        rows.append(row | {"chosen": answer, "rejected": others[row["id"] % 2]})
    return rows


def plain_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Texts alone; some are Chinese, some longer than the model."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        words = draw.choices(WORDS[:12], k=draw.choice([4, 9, 90]))
        rows.append(
            {"id": number, "text": f"{number} {' '.join(words)} 北京上海" if number % 3 else "我们在北京上海吃药"}
        )
    return rows


def twin_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Two texts that share their words, in another order; some are Chinese."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        words = [*draw.sample(WORDS, k=3), str(number)]
        if number % 4 == 0:
            words = draw.sample(CHARACTERS, k=6)
        rows.append({"id": number, "text": " ".join(words), "text_pair": " ".join(reversed(words))})
    return rows


TASKS = {
    "classify": ("classify", intent_rows),
    "classify, several labels": ("classify", topic_rows),
    "regress": ("regress", number_rows),
    "tag": ("tag", entity_rows),
    "extract": ("extract", question_rows),
    "relate": ("relate", relation_rows),
    "classify, written": ("classify", intent_rows),
    "classify, several labels, written": ("classify", topic_rows),
    "tag, written": ("tag", entity_rows),
    "extract, written": ("extract", question_rows),
    "relate, written": ("relate", relation_rows),
    "generate": ("generate", reply_rows),
    "generate, encoder-decoder": ("generate", reply_rows),
    "prefer": ("prefer", pair_rows),
    "prefer, encoder-decoder": ("prefer", pair_rows),
    "mask": ("mask", plain_rows),
    "language": ("language", plain_rows),
    "contrast": ("contrast", plain_rows),
    "contrast, pairs": ("contrast", twin_rows),
    "denoise": ("denoise", plain_rows),
    "reinforce": ("reinforce", reply_rows),
    "reinforce, encoder-decoder": ("reinforce", reply_rows),
}


def tiny_model_for(task: str, encoder: Path, writer: Path, translator: Path) -> Path:
    """The model that a task needs."""
    if task.endswith("encoder-decoder"):
        return translator
    return writer if task.endswith("written") or task in ("generate", "prefer", "reinforce", "language") else encoder


def tiny_recipe(task: str, method: object, model: Path, home: Path, **train: object) -> dict:
    """A recipe of one task on its tiny data."""
    kind, rows = TASKS[task]
    folder = home / task.replace(",", "").replace(" ", "-")
    files = {"train": str(folder / "train.jsonl"), "test": str(folder / "test.jsonl")}
    if not folder.exists():
        write_jsonl(folder / "train.jsonl", rows(40))
        write_jsonl(folder / "test.jsonl", rows(20, seed=1))
    more: dict[str, object] = {"max_new_tokens": 8} if kind in ("generate", "prefer", "reinforce", "language") else {}
    if kind == "reinforce":
        more["reward"] = [{"name": "overlap"}, {"name": "length", "at_most": 3, "weight": 0.5}]
    if task.endswith("written"):
        more = {"written": {"max_new_tokens": 60, "instruction": ""}}
    return {
        "name": "tiny",
        "model": str(model),
        "tasks": {"it": {"type": kind, "data": files, **more}},
        "method": method,
        "train": {"epochs": 1, "batch_tokens": 512, **train},
    }
