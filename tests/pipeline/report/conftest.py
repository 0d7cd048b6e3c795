"""What a run could have left: rich, bare, and large."""

import math
import random

import pytest

from sibu.core.result import Report, Score

HOSTILE = "</script><img src=x onerror=alert(1)>"
LABELS = ["balance: low", "card | lost", "投诉：退款", HOSTILE, "{{ 7 * 7 }}", "🙂 thanks"]


def score(value, width=0.02, n=100):
    return Score(value, max(value - width, -1.0), value + width, n)


def survey(rows, labels, lengths, longer=0, cut=0):
    return {
        "rows": rows,
        "inputs": rows,
        "windows": rows,
        "longer_than_model": longer,
        "tokens": rows * 20,
        "tokens_cut": cut,
        "length": {"p50": 18, "p95": 40, "max": max(lengths, default=0)},
        "lengths": {str(length): number for length, number in lengths.items()},
        "labels": labels,
    }


def by_label(names):
    return {
        name: {
            "precision": 0.9 - place / 500,
            "recall": 0.8,
            "f1": 0.85 - place / 400,
            "support": 9 + place,
            "predicted": 11,
        }
        for place, name in enumerate(names)
    }


def classify_report(split, labels, shift=0.0):
    size = len(labels)
    table = [[90 if row == column else (row * 7 + column) % 5 for column in range(size)] for row in range(size)]
    texts = [
        f"Where is my card? It is not here, and the app is of no use to me. {HOSTILE}",
        "我的卡在哪里？已经过了两个星期，{{ config }} 还没有到。",
        "a | b `c` **d** [e](javascript:x) &amp; 🙂",
    ]
    errors = [
        {
            "row": {"text": text, "label": labels[place % size]},
            "prediction": {"value": labels[(place + 1) % size], "score": 0.97 - place / 100},
        }
        for place, text in enumerate(texts)
    ]
    scores = {
        name: score(value + shift, n=600)
        for name, value in (("accuracy", 0.91), ("macro_f1", 0.88), ("weighted_f1", 0.9), ("mcc", 0.87))
    }
    details = {"labels": labels, "confusion": table, "by_label": by_label(labels), "errors": errors}
    return Report("intent", split, scores, details)


def tag_report(split):
    errors = [
        {
            "row": {
                "tokens": ["John", "Smith", "visited", "北", "京", "in", "May"],
                "tags": ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "O"],
            },
            "prediction": {
                "value": [
                    {"start": 0, "end": 10, "label": "PER", "text": "John Smith", "token_start": 0, "token_end": 2},
                    {"start": 18, "end": 19, "label": "LOC", "text": "北", "token_start": 3, "token_end": 4},
                ],
                "score": 0.88,
            },
        },
        {
            "row": {"text": f"彭小军在台湾。{HOSTILE}", "entities": [{"start": 0, "end": 3, "label": "name"}]},
            "prediction": {"value": [], "score": None},
        },
    ]
    details = {"by_label": by_label(["LOC", "PER", "机构"]), "errors": errors}
    return Report("实体", split, {"f1": score(0.8), "precision": score(0.82), "recall": score(0.78)}, details)


def other_reports():
    context = "x" * 900 + " The treaty was signed in Paris in 1783. " + "y" * 900
    start = context.index("Paris")
    extract = {
        "row": {"question": "Where?", "context": context, "answers": [{"text": "Paris", "start": start}]},
        "prediction": {"value": {"text": "Paris in 1783", "start": start, "end": start + 13}, "score": 0.7},
    }
    nothing = {"row": {"question": "谁？", "context": "没有人。", "answers": []}, "prediction": {"value": None}}
    relate = {
        "row": {
            "text": "Ann works for Acme.",
            "entities": [{"start": 0, "end": 3, "label": "PER"}, {"start": 14, "end": 18, "label": None}],
            "relations": [{"head": 0, "tail": 1, "label": "works_for"}],
        },
        "prediction": {"value": [{"head": 1, "tail": 0, "label": "owns", "score": 0.6}], "score": 0.6},
    }
    regress = {"row": {"text": "fine", "text_pair": "good", "number": 4.5}, "prediction": {"value": 1.25}}
    odd = {"row": {"picture": HOSTILE, "size": [1, 2]}, "prediction": {"value": {"a": 1}}}
    return [
        Report("answers", "test", {"exact_match": score(0.5), "f1": score(0.6)}, {"errors": [extract, nothing]}),
        Report(
            "facts",
            "test",
            {"f1": score(0.7), "macro_f1": score(0.65)},
            {"by_label": by_label(["works_for"]), "errors": [relate]},
        ),
        Report("likeness", "test", {"pearson": score(-0.1), "mse": score(3.5)}, {"errors": [regress]}),
        Report("novel", "test", {"hits_at_3": score(0.4)}, {"errors": [odd]}),
    ]


def train_log(tasks, steps):
    noise = random.Random(7)
    lines = []
    for step in range(1, steps + 1):
        task = tasks[step % len(tasks)]
        loss = 2.0 * math.exp(-3 * step / steps) + noise.random() * 0.4
        rate = 3e-4 * min(step / (steps * 0.1), (steps - step) / (steps * 0.9))
        line = {
            "step": step,
            "loss": loss,
            "losses": {task: loss},
            "learning_rate": rate,
            "seconds": 0.1,
            "tokens": 2000,
        }
        lines.append(line)
    return lines


def faults(files):
    examples = [
        {
            "kind": "duplicate",
            "severity": "warning",
            "file": files[0],
            "row": row,
            "mend": "Remove one.",
            "message": f"the same row as {files[1]}:{row} ({HOSTILE}).",
        }
        for row in range(1, 15)
    ]
    examples.append(
        {
            "kind": "rare label",
            "severity": "warning",
            "file": files[1],
            "row": None,
            "message": "少见的标签 | few rows.",
            "mend": "Add rows.",
        }
    )
    counts = [
        {"kind": "duplicate", "severity": "warning", "file": files[0], "count": 31},
        {"kind": "rare label", "severity": "warning", "file": files[1], "count": 1},
    ]
    return examples, counts


RECORD = {
    "seed": 13,
    "dev_split_from_train": {"intent": False, "实体": True},
    "versions": {"python": "3.11.7", "sibu": "0.1.0", "torch": "2.9.0"},
    "machine": {"system": "Linux x86_64", "processor": "Some CPU @ 2 GHz", "cores": 2, "threads": 2, "gpus": []},
    "started": "2026-01-02T03:04:05Z",
    "seconds": {"total": 222.5, "training": 200.25},
    "steps": {"planned": 500, "done": 400, "best": 300, "per_epoch": 100},
    "stopped_early": True,
    "examples_per_second": 123.45,
    "tokens_per_second": 4567.8,
    "weights": {"encoder": 22_700_000, "encoder_trained": 22_700_000, "heads": 30_000},
    "peak_memory_bytes": 1_234_567_890,
}


@pytest.fixture
def inputs():
    """Six tasks of every kind, English and Chinese, hostile strings everywhere a user's text can stand."""
    files = ["/home/ann/data/intent.train.jsonl", "/home/ann/data/books/test.jsonl", "/home/ann/data/dvd/test.jsonl"]
    examples, counts = faults(files)
    tasks = {
        "intent": {
            "type": "classify",
            "data": {
                "train": files[0],
                "dev": "d.jsonl",
                "test": {"books": files[1], "dvd | 影碟": files[2]},
                "in_domain": "books",
            },
            "fields": {"text": "text"},
        },
        "实体": {"type": "tag", "data": {"train": "ner.jsonl", "test": "ner.test.jsonl"}},
        "answers": {"type": "extract", "data": {"train": "qa.json", "test": "datasets:squad"}},
        "facts": {"type": "relate", "data": {"train": "re.jsonl", "test": "re.test.jsonl"}},
        "likeness": {
            "type": "regress",
            "data": {"train": "sts.tsv", "test": "sts.test.tsv"},
            "fields": {"text_pair": "b"},
        },
        "novel": {"type": "brand_new", "data": {"train": "n.jsonl", "test": "n.test.jsonl"}},
    }
    lengths = {5: 10, 18: 60, 40: 25, 300: 5}
    return {
        "recipe": {
            "name": f"clinic {HOSTILE}",
            "model": "minilm",
            "method": {"name": "lora", "rank": 8},
            "modalities": [{"name": "text", "max_length": 256}],
            "tasks": tasks,
            "train": {"epochs": 5, "learning_rate": 3e-4, "head_learning_rate": 1e-3, "batch_tokens": 2048, "seed": 13},
            "release": {
                "intent.accuracy": {"at_least": 0.9, "at_most": None},
                "intent.books.macro_f1": {"at_least": 0.95, "at_most": None},
                "实体.nonsense": {"at_least": 0.5, "at_most": None},
            },
        },
        "reports": [
            classify_report("dev", LABELS),
            classify_report("books", LABELS),
            classify_report("dvd | 影碟", LABELS, -0.15),
            tag_report("dev"),
            tag_report("test"),
            *other_reports(),
        ],
        "record": {**RECORD, "data": {file: f"{number}" * 64 for number, file in enumerate(files)}},
        "gate": {
            "tasks": {
                "intent": {
                    "train": survey(100, {label: 50 - place for place, label in enumerate(LABELS)}, lengths, 5, 60),
                    "dev": survey(10, {LABELS[0]: 10}, {18: 10}),
                    "books": survey(20, {LABELS[2]: 20}, {18: 20}),
                    "dvd | 影碟": survey(20, {LABELS[1]: 20}, {}),
                },
                "实体": {
                    "train": survey(9, {"O": 50, "B-PER": 4, "I-PER": 6, "B-机构": 3}, {9: 9}),
                    "test": survey(2, {}, {7: 2}),
                },
            },
            "errors": 0,
            "warnings": 32,
            "counts": counts,
            "skipped_rows": {files[0]: 3},
            "faults": examples,
        },
        "steps": train_log(["intent", "实体"], 400),
        "evaluations": [
            {
                "step": step,
                "score": 0.5,
                "scores": {"intent": {"accuracy": step / 500}, "likeness": {"pearson": 0.1, "mse": 2.0}},
            }
            for step in (100, 200, 300, 400)
        ],
        "missed": [
            "intent.accuracy on dvd | 影碟: 0.7600 is less than 0.9",
            "intent.books.macro_f1 on books: 0.8800 is less than 0.95",
            "实体.nonsense: there is no such figure. Allowed: 实体.test.f1.",
        ],
    }


@pytest.fixture
def bare():
    """The least that a run can leave: no test split, no steps, no faults, no details."""
    return {
        "recipe": {
            "name": "bare",
            "model": "./models/own",
            "tasks": {"intent": {"type": "classify", "data": {"train": "a.csv"}}},
        },
        "reports": [Report("intent", "dev", {"accuracy": Score(0.5, 0.5, 0.5, 4)})],
        "record": {},
        "gate": {},
        "steps": [],
        "evaluations": [],
        "missed": [],
    }


@pytest.fixture
def large():
    """A function to a task of so many labels with a long log."""

    def made(labels, steps):
        names = [f"一个相当长的标签 number {place} of many" for place in range(labels)]
        report = [classify_report(split, names) for split in ("dev", "test")]
        errors = [
            {"row": {"text": "词" * 3000, "label": names[0]}, "prediction": {"value": names[1], "score": 0.9}}
            for _ in range(20)
        ]
        reports = [Report(each.task, each.split, each.scores, {**each.details, "errors": errors}) for each in report]
        counts = {name: 100 + place for place, name in enumerate(names)}
        lengths = dict.fromkeys(range(3, 900), 50)
        surveys = {split: survey(labels * 100, counts, lengths, 40, 900) for split in ("train", "dev", "test")}
        examples, faulty = faults(["/d/a.jsonl", "/d/b.jsonl"])
        return {
            "recipe": {
                "name": "large",
                "model": "me5",
                "method": {"name": "full"},
                "tasks": {"intent": {"type": "classify", "data": {"train": "/d/a.jsonl", "test": "/d/b.jsonl"}}},
            },
            "reports": reports,
            "record": {**RECORD, "data": {"/d/a.jsonl": "0" * 64, "/d/b.jsonl": "1" * 64}},
            "gate": {
                "tasks": {"intent": surveys},
                "errors": 0,
                "warnings": 32,
                "counts": faulty,
                "skipped_rows": {},
                "faults": examples,
            },
            "steps": train_log(["intent"], steps),
            "evaluations": [
                {"step": step, "score": 0.5, "scores": {"intent": {"accuracy": 0.5, "macro_f1": 0.4}}}
                for step in range(100, steps + 1, 100)
            ],
            "missed": [],
        }

    return made
