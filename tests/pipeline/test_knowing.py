"""Runs with knowledge on tiny models: names, vectors, facts and rules, in English and Chinese."""

import json
import random
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import RecipeError
from sibu.core.logic import TYPE, Entity, Source, Triple, Value
from sibu.core.names import RDFS
from sibu.graph import KnowledgeBase
from tests.conftest import WORDS, entity_rows, intent_rows, write_jsonl

BASE = "https://example.org/clinic/"
CHARACTERS = "北京上海头痛发烧咳嗽药吃医生好坏电影"


def made_up(count: int, seed: int) -> list[str]:
    """Names that no piece of the vocabulary tells of: letters and Chinese characters, drawn."""
    draw = random.Random(seed)
    names = {"".join(draw.choices("bcdfgklmnprst", k=5)) for _ in range(count)}
    return sorted(names | {"".join(draw.sample(CHARACTERS, k=3)) for _ in range(count // 2)})


NAMES = {"drug": made_up(40, 1), "symptom": made_up(40, 2)}


def named_rows(count: int, half: int, *, seed: int = 0) -> list[dict]:
    """A text names a drug or a symptom, and nothing but the list of names tells which; half of the names are drawn."""
    draw, rows = random.Random(seed), []
    for number in range(count):
        kind = draw.choice(sorted(NAMES))
        name = draw.choice(NAMES[kind][half::2])
        before, behind = (" ".join(draw.choices(WORDS[:12], k=draw.randint(1, 4))) for _ in range(2))
        text = f"{number} {before} {name} {behind}"
        start = text.index(f" {name} ") + 1
        rows.append(
            {"text": text, "label": kind, "entities": [{"start": start, "end": start + len(name), "label": kind}]}
        )
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("names")
    write_jsonl(home / "train.jsonl", named_rows(240, 0))
    write_jsonl(home / "test.jsonl", named_rows(40, 1, seed=1))
    lines = [f"{name}\t{kind}" for kind, names in NAMES.items() for name in names]
    (home / "names.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kb") / "clinic.kb"

    def of(name: str) -> Entity:
        return Entity(BASE + name)

    label = Entity(RDFS + "label")
    source = Source("list.csv", row=3)
    facts = [(Triple(of(kind), label, Value(kind)), source) for kind in NAMES]
    for kind, names in NAMES.items():
        for number, name in enumerate(names):
            thing = of(f"{kind}{number}")
            facts += [(Triple(thing, TYPE, of(kind)), source), (Triple(thing, label, Value(name)), source)]
            facts.append((Triple(thing, of("kept_in"), of(f"{kind}_shelf")), source))
    facts += [(Triple(of(f"{kind}_shelf"), label, Value(said)), source) for kind, said in SHELVES.items()]
    with KnowledgeBase.create(folder, base=BASE) as opened:
        opened.add(facts)
    return folder


SHELVES = {"drug": "aspirin", "symptom": "fever"}


def recipe_of(data: Path, model: Path, knowledge: dict | None, *tasks: str) -> dict:
    files = {split: str(data / f"{split}.jsonl") for split in ("train", "test")}
    return {
        "name": "known",
        "model": str(model),
        "tasks": {task: {"type": task, "data": files} for task in tasks},
        "train": {"epochs": 8, "learning_rate": 1e-3, "head_learning_rate": 3e-2, "batch_tokens": 512, "seed": 5},
        **({} if knowledge is None else {"knowledge": knowledge}),
    }


def metric(bundle: Path, task: str, name: str) -> float:
    return float(json.loads((bundle / "metrics.json").read_text())[task]["test"][name]["value"])


def test_a_gazetteer_tells_names_that_training_never_saw(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    plain = sibu.run(recipe_of(data, tiny_model, None, "classify", "tag"), out=tmp_path / "plain")
    knowledge = {"names": str(data / "names.txt"), "use": "gazetteer"}
    known = sibu.run(recipe_of(data, tiny_model, knowledge, "classify", "tag"), out=tmp_path / "known")
    assert metric(plain, "classify", "accuracy") < 0.75
    assert metric(known, "classify", "accuracy") > 0.9
    assert metric(known, "tag", "f1") > 0.9 > metric(plain, "tag", "f1")
    (data / "names.txt").rename(data / "names.away")  # the bundle works alone
    try:
        found = sibu.load(known)
        assert found.evaluate(data / "test.jsonl", task="tag").scores["f1"].value == metric(known, "tag", "f1")
        name = next(each for each in NAMES["drug"] if not each.isascii())
        (span,) = found.predict(f"5 the of {name} and", task="tag").value
        assert (span["text"], span["label"]) == (name, "drug")
    finally:
        (data / "names.away").rename(data / "names.txt")
    record = json.loads((known / "record.json").read_text())
    assert record["knowledge"]["classes"] == {kind: len(names) for kind, names in NAMES.items()}
    assert "gazetteer" in (known / "README.md").read_text(encoding="utf-8")
