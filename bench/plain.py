"""Plain fine-tuning with transformers, to hold Sibu against: the same model and the same files, without Sibu.

    python bench/plain.py DATA NAME [NAME ...] [--epochs 3] [--learning-rate 5e-5] [--work DIR] [--results DIR]

NAME is a recipe's name: banking77, sst2, mrpc, rte, semeval, conll2003, atis, cluener, chnsenticorp, cmrc, amazon.
Each is trained as a careful reader of the library's course would: ``AutoTokenizer``, ``AutoModelFor...``, ``Trainer``
at its defaults (AdamW 5e-5, linear schedule without warm-up, 3 epochs), batches of 16 of like length, padded to their
longest: the time is not compared here but in speed.py, where batches are drawn as the defaults say. The last
weights are judged; a dev file is not looked at, and where there is none nothing is held out. Only the metrics are
Sibu's, so that both sides are counted alike. One JSON a name: ``plain-<name>.json``; a setting other than the default
is in the file's name.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure
import numpy as np
import run

EPOCHS, RATE, BATCH, SEED = 3, 5e-5, 16, 42
"""The defaults of ``Trainer``, but for the batch (8)."""
WINDOW, STRIDE, ANSWER, BEST = 384, 128, 64, 20
"""Questions: pieces of a window, pieces two windows share, pieces of an answer, begins and ends looked at."""

Row = dict[str, Any]
Features = list[dict[str, Any]]


@dataclass
class Fit:
    """One model to train, and how its logits are judged."""

    task: str
    model: Any
    collator: Any
    train: Features
    tests: Mapping[str, Features]
    judge: Callable[[str, Any], Any]
    """Split and logits to a measure of ``sibu.metrics``."""
    files: list[Path]
    notes: list[str] = field(default_factory=list)


def rows_of(file: Path, limit: int | None) -> list[Row]:
    """The rows of a prepared file."""
    if file.suffix == ".jsonl":
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    elif file.suffix == ".conll":
        found = list(_sentences(file))
    else:
        found = list(_questions(file))
    return found[:limit]


def _sentences(file: Path) -> Iterator[Row]:
    tokens: list[str] = []
    tags: list[str] = []
    for line in [*file.read_text(encoding="utf-8").split("\n"), ""]:
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            tokens.append(columns[0])
            tags.append(columns[-1])
        elif tokens:
            yield {"tokens": tokens, "tags": tags}
            tokens, tags = [], []


def _questions(file: Path) -> Iterator[Row]:
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield {"question": asked["question"], "context": paragraph["context"], "answers": asked["answers"]}


def encoder(name: str, place: Path) -> str:
    """The folder of a model as the recipes name it."""
    from sibu.models.sources import find_model

    return str(find_model(name, home=place, allow_pickle=False).folder)


def load(auto: str, folder: str, labels: Sequence[str] | None, tokenizer: Any = None) -> Any:
    """A model with a fresh head, the same each time."""
    import transformers

    transformers.set_seed(SEED)
    named = {} if labels is None else {"id2label": dict(enumerate(labels)), "label2id": _numbers(labels)}
    model = getattr(transformers, auto).from_pretrained(folder, **named)
    if tokenizer is not None and len(tokenizer) > model.config.vocab_size:
        model.resize_token_embeddings(len(tokenizer))
    return model


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


# ---- one label a text ---------------------------------------------------------------------------------------------


def classify(
    task: str,
    model: str,
    train: str,
    tests: Mapping[str, str],
    *,
    prepare: Callable[[Row], Row] = lambda row: row,
    marks: Sequence[str] = (),
    judged: Callable[[Sequence[str], Sequence[str], Sequence[str]], Any] | None = None,
) -> Callable[[Path, int | None], Fit]:
    """``AutoModelForSequenceClassification`` on texts, or pairs of them.

    Args:
        task: The task's name in the result.
        model: As recipes name it.
        train: File below the prepared sets.
        tests: File of each split to judge.
        prepare: Row to a row of ``text``, ``text_pair`` and ``label``.
        marks: Tokens that the tokenizer gets.
        judged: Gold, guessed and known labels to a measure; None: accuracy and F1.
    """

    def made(place: Path, limit: int | None) -> Fit:
        from transformers import AutoTokenizer, DataCollatorWithPadding

        folder = encoder(model, place)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if marks:
            tokenizer.add_tokens(list(marks), special_tokens=True)
        read = {"train": train, **tests}
        rows = {split: [prepare(row) for row in rows_of(place / file, limit)] for split, file in read.items()}
        labels = sorted({row["label"] for row in rows["train"]})
        numbers = _numbers(labels)

        def features(split: str) -> Features:
            pairs = [row["text_pair"] for row in rows[split]] if "text_pair" in rows[split][0] else None
            encoded = tokenizer([row["text"] for row in rows[split]], pairs, truncation=True)
            found = [{key: encoded[key][number] for key in encoded} for number in range(len(rows[split]))]
            if split == "train":
                for each, row in zip(found, rows[split], strict=True):
                    each["label"] = numbers[row["label"]]
            return found

        def judge(split: str, logits: Any) -> Any:
            guesses = [labels[number] for number in logits.argmax(-1)]
            return (judged or _one_label)([row["label"] for row in rows[split]], guesses, labels)

        net = load("AutoModelForSequenceClassification", folder, labels, tokenizer)
        sets = {split: features(split) for split in tests}
        files = [place / file for file in read.values()]
        return Fit(task, net, DataCollatorWithPadding(tokenizer), features("train"), sets, judge, files)

    return made


def _one_label(gold: Sequence[str], guesses: Sequence[str], labels: Sequence[str]) -> Any:
    from sibu.metrics.classes import SingleLabel

    known = _numbers([*labels, *sorted(set(gold) - set(labels))])
    true, said = ([known[name] for name in names] for names in (gold, guesses))
    return SingleLabel(true, said, len(known), positive=1 if len(labels) == 2 else None)


MARKS = ("[E1]", "[/E1]", "[E2]", "[/E2]")


def marked(row: Row) -> Row:
    """A SemEval sentence with its entities marked by tokens, and its label with the direction."""
    text = row["text"]
    cuts = [(entity[edge], mark) for entity, mark in zip(row["entities"], (MARKS[:2], MARKS[2:]), strict=True)
            for edge, mark in zip(("start", "end"), mark, strict=True)]  # fmt: skip
    for place, mark in sorted(cuts, key=lambda cut: -cut[0]):
        text = f"{text[:place]} {mark} {text[place:]}"
    relation = row["relations"][0]
    order = "(e1,e2)" if relation["head"] == 0 else "(e2,e1)"
    return {"text": text, "label": relation["label"] + (order if relation["label"] != "Other" else "")}


def _official(gold: Sequence[str], guesses: Sequence[str], labels: Sequence[str]) -> Any:  # noqa: ARG001
    from sibu.metrics.relations import RelationMatch, undirected

    true, said = ([[(0, 1, name)] for name in names] for names in (gold, guesses))
    return RelationMatch(true, said, without={"Other"}, group=undirected)


# ---- a tag a word -------------------------------------------------------------------------------------------------


def tag(
    task: str,
    model: str,
    train: str,
    test: str,
    *,
    prepare: Callable[[Row], Row] = lambda row: row,
    speaks: int = 0,
    notes: Sequence[str] = (),
) -> Callable[[Path, int | None], Fit]:
    """``AutoModelForTokenClassification`` on words, one piece of each labelled.

    Args:
        task: The task's name in the result.
        model: As recipes name it.
        train: File below the prepared sets.
        test: File to judge.
        prepare: Row to a row of ``tokens`` and ``tags``.
        speaks: Which piece of a word carries its tag: 0 the first, -1 the last.
        notes: What the result should say.
    """

    def made(place: Path, limit: int | None) -> Fit:
        from transformers import AutoTokenizer, DataCollatorForTokenClassification

        from sibu.metrics.spans import SpanMatch, decode_tags

        folder = encoder(model, place)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        rows = {split: [prepare(row) for row in rows_of(place / file, limit)]
                for split, file in (("train", train), ("test", test))}  # fmt: skip
        labels = sorted({name for row in rows["train"] for name in row["tags"]})
        numbers = _numbers(labels)
        places: dict[str, list[list[int | None]]] = {}

        def features(split: str) -> Features:
            encoded = tokenizer([row["tokens"] for row in rows[split]], is_split_into_words=True, truncation=True)
            found, places[split] = [], []
            for number, row in enumerate(rows[split]):
                pieces: list[list[int]] = [[] for _ in row["tokens"]]
                for piece, word in enumerate(encoded.word_ids(number)):
                    if word is not None:
                        pieces[word].append(piece)
                chosen = [own[speaks] if own else None for own in pieces]
                places[split].append(chosen)
                found.append({key: encoded[key][number] for key in encoded})
                if split == "train":
                    target = [-100] * len(found[-1]["input_ids"])
                    for piece, name in zip(chosen, row["tags"], strict=True):
                        if piece is not None:
                            target[piece] = numbers[name]
                    found[-1]["labels"] = target
            return found

        def judge(split: str, logits: Any) -> Any:
            best = logits.argmax(-1)
            guesses = [
                _bridged([None if piece is None else labels[own[piece]] for piece in chosen])
                for own, chosen in zip(best, places[split], strict=True)
            ]
            gold = [row["tags"] for row in rows[split]]
            return SpanMatch(*([set(decode_tags(tags, "BIO")) for tags in side] for side in (gold, guesses)))

        net = load("AutoModelForTokenClassification", folder, labels)
        collator = DataCollatorForTokenClassification(tokenizer)
        files = [place / train, place / test]
        return Fit(task, net, collator, features("train"), {"test": features("test")}, judge, files, list(notes))

    return made


def _bridged(tags: Sequence[str | None]) -> list[str]:
    """Tags with those of words without a piece (a blank, what was cut off) filled in: inside what goes on behind."""
    found: list[str] = []
    behind = "O"
    for name in reversed(tags):
        behind = name if name is not None else (behind if behind.startswith("I-") else "O")
        found.append(behind)
    return found[::-1]


def characters(row: Row) -> Row:
    """A text with character spans as characters with BIO tags; of spans that overlap the longest is kept."""
    from sibu.metrics.spans import encode_tags

    spans: list[tuple[str, int, int]] = []
    for span in sorted(row["entities"], key=lambda span: (span["start"] - span["end"], span["start"])):
        if all(span["end"] <= start or span["start"] >= end for _, start, end in spans):
            spans.append((span["label"], span["start"], span["end"]))
    return {"tokens": list(row["text"]), "tags": encode_tags(spans, len(row["text"]), "BIO")}


# ---- an answer in a text ------------------------------------------------------------------------------------------


def extract(task: str, model: str, train: str, test: str) -> Callable[[Path, int | None], Fit]:
    """``AutoModelForQuestionAnswering`` over windows, as the course and ``run_qa.py`` do it."""

    def made(place: Path, limit: int | None) -> Fit:
        from transformers import AutoTokenizer, DataCollatorWithPadding

        from sibu.metrics.squad import Answers

        folder = encoder(model, place)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        rows = {split: rows_of(place / file, limit) for split, file in (("train", train), ("test", test))}
        windows: list[tuple[int, list[tuple[int, int] | None]]] = []

        def features(split: str) -> Features:
            encoded = tokenizer(
                [row["question"].strip() for row in rows[split]],
                [row["context"] for row in rows[split]],
                truncation="only_second",
                max_length=WINDOW,
                stride=STRIDE,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            )
            found = []
            for number, source in enumerate(encoded["overflow_to_sample_mapping"]):
                second = [which == 1 for which in encoded.sequence_ids(number)]
                offsets = [tuple(o) if own else None
                           for o, own in zip(encoded["offset_mapping"][number], second, strict=True)]  # fmt: skip
                each = {key: encoded[key][number] for key in tokenizer.model_input_names if key in encoded}
                if split == "train":
                    first, last = _target(rows[split][source], offsets)
                    each |= {"start_positions": first, "end_positions": last}
                else:
                    windows.append((source, offsets))
                found.append(each)
            return found

        def judge(split: str, logits: Any) -> Any:
            best: list[tuple[float, str]] = [(-np.inf, "") for _ in rows[split]]
            for (source, offsets), begins, ends in zip(windows, *logits, strict=True):
                score, start, end = _stretch(offsets, begins, ends)
                if score > best[source][0]:
                    best[source] = score, rows[split][source]["context"][start:end]
            golds = [[answer["text"] for answer in row["answers"]] for row in rows[split]]
            return Answers(golds, [text or None for _, text in best])

        net = load("AutoModelForQuestionAnswering", folder, None)
        notes = [
            f"windows of {WINDOW} pieces that share {STRIDE}; answers of at most {ANSWER} pieces",
            "an answer that is not at its `answer_start` is taken where its text stands nearest",
        ]
        sets = {"test": features("test")}
        files = [place / train, place / test]
        return Fit(task, net, DataCollatorWithPadding(tokenizer), features("train"), sets, judge, files, notes)

    return made


def _target(row: Row, offsets: Sequence[tuple[int, int] | None]) -> tuple[int, int]:
    """First and last piece of the first answer; 0 and 0 where the window does not hold all of it."""
    text, start = row["answers"][0]["text"], row["answers"][0]["answer_start"]
    context = row["context"]
    if context[start : start + len(text)] != text:
        places = [n for n in range(len(context)) if context.startswith(text, n)]
        if not places:
            return 0, 0
        start = min(places, key=lambda n: abs(n - start))
    end = start + len(text)
    inside = [n for n, place in enumerate(offsets) if place is not None and place[0] < end and place[1] > start]
    if not inside or offsets[inside[0]][0] > start or offsets[inside[-1]][1] < end:
        return 0, 0
    return inside[0], inside[-1]


def _stretch(offsets: Sequence[tuple[int, int] | None], begins: np.ndarray, ends: np.ndarray) -> tuple[float, int, int]:
    """The best score of a begin and an end in the text, with the first and last character (exclusive)."""
    inside = np.array([place is not None for place in offsets])
    firsts, lasts = (np.where(inside, each[: len(offsets)], -np.inf).argsort()[::-1][:BEST] for each in (begins, ends))
    found = (-np.inf, 0, 0)
    for first in firsts:
        for last in lasts:
            own, other = offsets[first], offsets[last]
            if own is not None and other is not None and 0 <= last - first < ANSWER:
                found = max(found, (float(begins[first] + ends[last]), own[0], other[1]))
    return found


# ---- the benchmarks -----------------------------------------------------------------------------------------------

_SMALL, _BOTH = "minilm", "me5-zh-en"
_DOMAINS = {
    "sources": "amazon/sources.test.jsonl",
    "books": "amazon/books.test.jsonl",
    "dvd": "amazon/dvd.test.jsonl",
    "electronics": "amazon/electronics.test.jsonl",
    "kitchen": "amazon/kitchen_housewares.test.jsonl",
}


def _texts(task: str, name: str, model: str = _SMALL, **more: Any) -> Callable[[Path, int | None], Fit]:
    return classify(task, model, f"{name}/train.jsonl", {"test": f"{name}/test.jsonl"}, **more)


BENCHMARKS: dict[str, tuple[Callable[[Path, int | None], Fit], ...]] = {
    "banking77": (_texts("intent", "banking77"),),
    "sst2": (_texts("sentiment", "sst2"),),
    "mrpc": (_texts("paraphrase", "mrpc"),),
    "rte": (_texts("entailment", "rte"),),
    "semeval": (_texts("relation", "semeval", prepare=marked, marks=MARKS, judged=_official),),
    "conll2003": (tag("entities", _SMALL, "conll2003/train.conll", "conll2003/test.conll"),),
    "atis": (_texts("intent", "atis"), tag("slots", _SMALL, "atis/train.jsonl", "atis/test.jsonl")),
    "cluener": (
        tag(
            "entities",
            _BOTH,
            "cluener/train.jsonl",
            "cluener/test.jsonl",
            prepare=characters,
            speaks=-1,
            notes=[
                "characters are the words; their last piece is labelled, since the first may be a bare word mark",
                "of training spans that overlap the longest is kept",
            ],
        ),
    ),
    "chnsenticorp": (_texts("sentiment", "chnsenticorp", _BOTH),),
    "cmrc": (extract("answer", _BOTH, "cmrc/train.json", "cmrc/test.json"),),
    "amazon": (classify("sentiment", _SMALL, "amazon/sources.train.jsonl", _DOMAINS),),
}
"""Each benchmark's models; two where the library has no model that does both tasks."""


def trainer(
    fit: Fit,
    *,
    epochs: float,
    rate: float,
    scratch: str,
    callbacks: Sequence[Any] = (),
    by_length: bool = False,
    save_every: int | None = None,
) -> Any:
    """``Trainer`` at its defaults; nothing is reported, and nothing saved but (where asked) every so many steps.

    ``by_length``: batches of like length.
    """
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=scratch,
        num_train_epochs=epochs,
        learning_rate=rate,
        per_device_train_batch_size=BATCH,
        per_device_eval_batch_size=BATCH,
        save_strategy="no" if save_every is None else "steps",
        save_steps=save_every or 500,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
        train_sampling_strategy="group_by_length" if by_length else "random",
    )
    return Trainer(fit.model, arguments, data_collator=fit.collator, train_dataset=fit.train, callbacks=list(callbacks))


def measured(fit: Fit, epochs: float, rate: float, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train and judge one model: metrics by split, and what it cost.

    A run that was stopped goes on from its last checkpoint at ``place``; its notes say so, and its time is not whole.
    """
    from transformers.trainer_utils import get_last_checkpoint

    from sibu.metrics.bootstrap import bootstrap

    place.mkdir(parents=True, exist_ok=True)
    known = get_last_checkpoint(str(place))
    if known is not None:
        fit.notes.append(f"was stopped and went on from step {known.rpartition('-')[2]}: the time is of what followed")
    side = trainer(fit, epochs=epochs, rate=rate, scratch=str(place), by_length=True, save_every=50)
    began = time.perf_counter()
    side.train(resume_from_checkpoint=known)
    seconds = time.perf_counter() - began
    side.args.train_sampling_strategy = "random"  # by length, predictions too would come in another order
    logits = {split: side.predict(features).predictions for split, features in fit.tests.items()}
    shutil.rmtree(place)
    scores = {split: bootstrap(fit.judge(split, found)) for split, found in logits.items()}
    metrics = {split: {name: score.as_json() for name, score in found.items()} for split, found in scores.items()}
    figures = {
        "training_seconds": round(seconds, 2),
        "examples_per_second": round(len(fit.train) * epochs / seconds, 2),
        "examples": len(fit.train),
        "steps": side.state.global_step,
        "weights": sum(weight.numel() for weight in fit.model.parameters()),
        "optimizer": side.args.optim.value,
        "schedule": side.args.lr_scheduler_type.value,
        "notes": fit.notes,
    }
    return metrics, figures


def run_one(name: str, place: Path, *, epochs: float, rate: float, limit: int | None) -> dict[str, Any]:
    """Everything of one benchmark as its result; what is unfinished is kept beside the prepared sets."""
    began = time.perf_counter()
    metrics, figures, files = {}, {}, dict[Path, None]()
    for make in BENCHMARKS[name]:
        fit = make(place, limit)
        unfinished = place.parent / "plain" / f"{name}-{fit.task}-e{epochs:g}-lr{rate:g}-{limit or 'all'}"
        metrics[fit.task], figures[fit.task] = measured(fit, epochs, rate, unfinished)
        files |= dict.fromkeys(fit.files)
    default = (epochs, rate) == (EPOCHS, RATE)
    has_dev = any(file.exists() for file in (place / name).glob("*dev*"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "name": f"plain-{name}" if default else f"plain-{name}-e{epochs:g}-lr{rate:g}",
        "command": f"python bench/plain.py DATA {name} --epochs {epochs:g} --learning-rate {rate:g}",
        "what": "transformers.Trainer at its defaults, same model and files as the recipe of that name",
        "setting": {
            "epochs": epochs,
            "learning_rate": rate,
            "batch": BATCH,
            "padding": "to the longest of the batch, batches of like length",
            "seed": SEED,
            "judged": "the weights after the last step",
            "held_out": "dev file there but not used"
            if has_dev
            else "nothing: no dev file, all of train is trained on",
        },
        "metrics": metrics,
        "seconds": {
            "total": round(time.perf_counter() - began, 2),
            "training": round(sum(each["training_seconds"] for each in figures.values()), 2),
        },
        "tasks": figures,
        "peak_memory_bytes": peak,
        **({} if limit is None else {"limit": limit}),
        **measure.facts(files),
    }


def main() -> None:
    """Train what is named."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("names", nargs="+", choices=sorted(BENCHMARKS), metavar="NAME")
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--learning-rate", type=float, default=RATE)
    given = parser.parse_args()
    if len(given.names) > 1:  # each in a process of its own: peak memory and randomness are its own then
        own = [word for word in sys.argv[1:] if word not in given.names]
        for name in given.names:
            subprocess.run([sys.executable, __file__, *own, name], check=True)
        return
    place = run.prepared(given.data, given.work)
    for name in given.names:
        found = run_one(name, place, epochs=given.epochs, rate=given.learning_rate, limit=given.limit)
        measure.keep(found, given.results)
        for task, splits in found["metrics"].items():
            for split, scores in splits.items():
                print(name, task, split, {metric: round(score["value"], 4) for metric, score in scores.items()})


if __name__ == "__main__":
    main()
