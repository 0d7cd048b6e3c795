"""From text to facts: what a bundle finds end to end, and what of it a knowledge base asserts.

    python bench/extraction.py DATA conll04 --bundle DIR [--work DIR]
    python bench/extraction.py DATA bc5cdr --bundle DIR [--work DIR]
    python bench/extraction.py DATA ncbi --bundle DIR [--work DIR]
    python bench/extraction.py DATA names [--work DIR]

DATA is the folder with one sub-folder a set, DIR what `bench/run.py DATA conll04` left in `WORK/runs/conll04`.
Of CoNLL04: entities and relations by the bundle alone, strictly (boundaries and types of both ends, relation and
direction), then the test sentences read by `sibu kb extract` with the thresholds at 0, and the precision and recall of
its facts by the confidence of their sources. Of BC5CDR and NCBI: the classes of what is named, by a gazetteer of the
training names, by the bundle, and by both. `names`: 100,000 names over a megabyte of text. One JSON each in `results/`.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import prepare

import sibu
from sibu import kb
from sibu.core.logic import TYPE, Entity
from sibu.graph.labels import normal
from sibu.store.hashes import hash_file

HERE = Path(__file__).parent
THRESHOLDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
BASE = "https://example.org/bench/"
ENDS = {
    "Work_For": ("Peop", "Org"),
    "Live_In": ("Peop", "Loc"),
    "Located_In": ("Loc", "Loc"),
    "OrgBased_In": ("Org", "Loc"),
    "Kill": ("Peop", "Peop"),
}
PUBLISHED = [
    {
        "system": "SpERT (Eberts and Ulges, 2020), BERT base cased",
        "average": "micro",
        "entities": 88.94,
        "relations": 71.47,
    },
    {"system": "Multi-head (Bekoulis et al., 2018)", "average": "macro", "entities": 83.9, "relations": 62.04},
]
"""As their papers have it, on the same test sentences."""
Facts = set[tuple[str, ...]]


# ---- figures ---------------------------------------------------------------------------------------------------------


def scored(golds: list[Facts], guesses: list[Facts]) -> dict[str, Any]:
    """Micro and macro F1 of labelled things (the last of each tuple is its label), with 95 % bootstrap intervals."""
    counts = [_counts(gold, guess) for gold, guess in zip(golds, guesses, strict=True)]
    draw = random.Random(13)
    drawn = [_figures(draw.choices(counts, k=len(counts))) for _ in range(1000)]
    found = {}
    for name, value in _figures(counts).items():
        values = sorted(each[name] for each in drawn)
        found[name] = {"value": round(value, 4), "low": round(values[25], 4), "high": round(values[974], 4)}
    by_label: Counter[str] = Counter()
    for gold in golds:
        by_label.update(each[-1] for each in gold)
    return {"n": len(golds), "gold": dict(by_label)} | found


def _counts(gold: Facts, guess: Facts) -> dict[str, tuple[int, int, int]]:
    labels = {each[-1] for each in gold | guess}
    found = {}
    for label in labels:
        one, other = ({each for each in own if each[-1] == label} for own in (gold, guess))
        found[label] = (len(one & other), len(other), len(one))
    return found


def _figures(counts: Iterable[Mapping[str, tuple[int, int, int]]]) -> dict[str, float]:
    total: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in counts:
        for label, numbers in each.items():
            for place, number in enumerate(numbers):
                total[label][place] += number
    right, said, gold = (sum(each[place] for each in total.values()) for place in range(3))
    own = [_f1(*each) for each in total.values() if each[2]]
    return {
        "precision": right / said if said else 0.0,
        "recall": right / gold if gold else 0.0,
        "f1": _f1(right, said, gold),
        "macro_f1": sum(own) / len(own) if own else 0.0,
    }


def _f1(right: int, said: int, gold: int) -> float:
    return 2 * right / (said + gold) if said + gold else 0.0


def by_threshold(gold: Facts, found: Mapping[tuple[str, ...], float]) -> list[dict[str, Any]]:
    """Precision and recall of the facts whose confidence is at least each threshold."""
    rows = []
    for least in THRESHOLDS:
        said = {fact for fact, score in found.items() if score >= least}
        right = len(said & gold)
        precision, recall = right / len(said) if said else None, right / len(gold)
        row = {
            "from": least,
            "facts": len(said),
            "precision": precision,
            "recall": recall,
            "f1": _f1(right, len(said), len(gold)),
        }
        rows.append({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    return rows


# ---- the bundle alone ------------------------------------------------------------------------------------------------


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of a prepared file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def end_to_end(bundle: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Entities from the text, relations between the entities that were found."""
    model = sibu.load(bundle)
    began = time.time()
    named = [each.value for each in model.predict([{"text": row["text"]} for row in rows], task="entities")]
    asked = [
        {"text": row["text"], "entities": [{key: each[key] for key in ("start", "end", "label")} for each in own]}
        for row, own in zip(rows, named, strict=True)
    ]
    told = [each.value for each in model.predict(asked, task="relations")]
    seconds = time.time() - began
    golds, guesses = [_spans(row["entities"]) for row in rows], [_spans(own) for own in named]
    tied = [_ties(row["entities"], row["relations"]) for row in rows]
    guessed = [_ties(own, ties) for own, ties in zip(named, told, strict=True)]
    known = [
        each.value
        for each in model.predict([{"text": r["text"], "entities": r["entities"]} for r in rows], task="relations")
    ]
    given = [_ties(row["entities"], ties) for row, ties in zip(rows, known, strict=True)]
    return {
        "entities": scored(golds, guesses),
        "relations": scored(tied, guessed),
        "relations_of_given_entities": scored(tied, given),
        "seconds": round(seconds, 1),
        "published": PUBLISHED,
    }


def _spans(entities: Iterable[Mapping[str, Any]]) -> Facts:
    return {(each["start"], each["end"], each["label"]) for each in entities}


def _ties(entities: list[dict[str, Any]], relations: Iterable[Mapping[str, Any]]) -> Facts:
    def end(place: int) -> tuple[Any, ...]:
        return entities[place]["start"], entities[place]["end"], entities[place]["label"]

    return {(end(each["head"]), end(each["tail"]), each["label"]) for each in relations}


# ---- the graph -------------------------------------------------------------------------------------------------------


def ontology(classes: Iterable[str], ends: Mapping[str, tuple[str, str]]) -> str:
    """Classes, and properties with the classes of their ends."""
    lines = [f"@prefix : <{BASE}> .", "@prefix owl: <http://www.w3.org/2002/07/owl#> ."]
    lines.append("@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .")
    lines += [f":{name} a owl:Class ." for name in classes]
    for name, (head, tail) in ends.items():
        lines.append(f":{name} a owl:ObjectProperty ; rdfs:domain :{head} ; rdfs:range :{tail} .")
    return "\n".join(lines) + "\n"


def read(place: Path, schema: str, texts: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """A new knowledge base into which documents are read; what it says, and how long it took."""
    shutil.rmtree(place, ignore_errors=True)
    kb.create(place, base=BASE)
    file = place.parent / "ontology.ttl"
    file.write_text(schema, encoding="utf-8")
    kb.add(place, file)
    began = time.time()
    told = kb.extract(place, texts, plan)
    seconds = time.time() - began
    began = time.time()
    again = kb.extract(place, texts, plan)
    assert again["documents"]["skipped"] == sum(told["documents"].values()) and not again["new"]
    own = {key: told[key] for key in ("documents", "facts", "things", "refused", "extractors")}
    for each in own["refused"]:
        del each["such_as"]
    return own | {"seconds": round(seconds, 1), "seconds_again": round(time.time() - began, 1)}


def stated(place: Path) -> tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]:
    """Classes and relations that documents state, by name, each with its highest confidence."""
    classes: dict[tuple[str, ...], float] = {}
    relations: dict[tuple[str, ...], float] = {}
    with kb.open(place) as base:
        for fact, source in base.said_by(lambda each: each.extractor.startswith("extract:")):
            if "rdf-schema" in fact.predicate.iri or not isinstance(fact.object, Entity):
                continue
            head, what = normal(base.label(fact.subject)), base.names.short(fact.object.iri)
            if fact.predicate == TYPE:
                into, key = classes, (source.document, head, what)
            else:
                into, key = (
                    relations,
                    (source.document, head, normal(base.label(fact.object)), base.names.short(fact.predicate.iri)),
                )
            into[key] = max(into.get(key, 0.0), source.confidence)
    return classes, relations


def gold_of(rows: Iterable[dict[str, Any]]) -> tuple[Facts, Facts]:
    """Classes and relations as they should be stated, by document and name."""
    classes: Facts = set()
    relations: Facts = set()
    for row in rows:
        names = [normal(row["text"][each["start"] : each["end"]]) for each in row["entities"]]
        for name, each in zip(names, row["entities"], strict=True):
            classes.add((row["id"], name, each["label"]))
        for each in row.get("relations", ()):
            relations.add((row["id"], names[each["head"]], names[each["tail"]], each["label"]))
    return classes, relations


def conll04(data: Path, bundle: Path, work: Path) -> dict[str, Any]:
    """Both measurements of CoNLL04."""
    rows = rows_of(data / "test.jsonl")
    found: dict[str, Any] = {"end_to_end": end_to_end(bundle, rows)}
    extractor = {"name": "bundle", "bundle": str(bundle.resolve()), "within": "document"}
    labels = sorted({end for ends in ENDS.values() for end in ends} | {"Other"})
    gold = gold_of(rows)
    for name, ends in (("with_ontology", ENDS), ("without_domains", {})):
        schema = ontology(labels, ends) + "".join(f":{each} a owl:ObjectProperty .\n" for each in ENDS if not ends)
        plan = {"extractors": [extractor], "assert": 0.0, "review": 0.0}
        told = read(work / "kb", schema, data / "test.jsonl", plan)
        classes, relations = stated(work / "kb")
        found[name] = told | {"classes": by_threshold(gold[0], classes), "relations": by_threshold(gold[1], relations)}
    found["with_default_thresholds"] = read(
        work / "kb", ontology(labels, ENDS), data / "test.jsonl", {"extractors": [extractor]}
    )
    return found


def medical(data: Path, bundle: Path, work: Path) -> dict[str, Any]:
    """Classes of what is named, by names of the training data, by a bundle, by both."""
    rows, known = rows_of(data / "test.jsonl"), rows_of(data / "train.jsonl")
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for row in known:
        for each in row["entities"]:
            labels[row["text"][each["start"] : each["end"]]][each["label"]] += 1
    names = work / "names.tsv"
    lines = [f"{name}\t{own.most_common(1)[0][0]}\n" for name, own in labels.items() if "\t" not in name]
    names.write_text("".join(lines), encoding="utf-8")
    gazetteer = {"name": "gazetteer", "file": str(names.resolve()), "least": 3}
    model = {"name": "bundle", "bundle": str(bundle.resolve()), "within": "document"}
    gold = gold_of(rows)[0]
    schema = ontology(sorted({label for own in labels.values() for label in own}), {})
    found: dict[str, Any] = {"training_names": len(lines)}
    ways = {"gazetteer": [gazetteer], "bundle": [model], "both": [gazetteer | {"trust": 0.9}, model]}
    for way, extractors in ways.items():
        plan = {"extractors": extractors, "assert": 0.0, "review": 0.0}
        told = read(work / "kb", schema, data / "test.jsonl", plan)
        found[way] = told | {"classes": by_threshold(gold, stated(work / "kb")[0])}
    return found


def names(data: Path) -> dict[str, Any]:
    """How fast many names are found: English names made of the training names' words, Chinese ones of characters."""
    from sibu.extractors.gazetteer.names import NameTable

    texts = {
        "en": " ".join(row["text"] for row in rows_of(data / "bc5cdr" / "train.jsonl")),
        "zh": "".join(row["text"] for row in rows_of(data / "cluener" / "train.jsonl")),
    }
    found: dict[str, Any] = {}
    for tongue, text in texts.items():
        million = (text * (1_000_000 // len(text.encode()) + 1)).encode()[:1_000_000].decode("utf-8", "ignore")
        draw = random.Random(13)
        words = text.split() if tongue == "en" else list(text)
        table = NameTable()
        began = time.process_time()
        while len(table) < 100_000:
            start, length = draw.randrange(len(words) - 6), draw.choice((1, 2, 3, 4))
            table.add((" " if tongue == "en" else "").join(words[start : start + length]))
        made = time.process_time() - began
        began = time.process_time()
        count = sum(1 for _ in table.find(million))
        seconds = time.process_time() - began
        own = {"names": len(table), "bytes": len(million.encode()), "found": count}
        found[tongue] = own | {"seconds_to_make": round(made, 2), "seconds_to_find": round(seconds, 2)}
    return found


def main() -> None:
    """Measure what is named."""
    words = sys.argv[1:]
    options = {}
    for option in ("--bundle", "--work"):
        if option in words:
            place = words.index(option)
            options[option] = Path(words[place + 1])
            del words[place : place + 2]
    data, what = Path(words[0]), words[1]
    work = options.get("--work", Path(tempfile.gettempdir()) / "sibu-bench")
    own = work / "extraction" / what
    own.mkdir(parents=True, exist_ok=True)
    for name in ("bc5cdr", "cluener") if what == "names" else (what,):
        if not (work / "data" / name).is_dir():
            prepare.BENCHMARKS[name](data, work / "data" / name)
    if what == "names":
        found = names(work / "data")
    else:
        bundle = options["--bundle"]
        found = (conll04 if what == "conll04" else medical)(work / "data" / what, bundle, own)
        found["data_sha256"] = {"test.jsonl": hash_file(work / "data" / what / "test.jsonl")}
        found["bundle_recipe"] = f"bench/recipes/{what}.yaml"
    found = {"name": f"extraction-{what}", **found}
    found |= {
        "versions": {each: version(each) for each in ("sibu", "torch", "pyoxigraph")},
        "date": time.strftime("%Y-%m-%d"),
    }
    file = HERE / "results" / f"extraction-{what}.json"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
