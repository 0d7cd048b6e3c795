"""Bundles that are trained here, read through the command line: one that tags and relates, one that writes."""

from pathlib import Path

import pytest

import sibu
from sibu import kb
from tests.conftest import write_jsonl
from tests.tiny_tasks import relation_rows, reply_rows

TURTLE = """@prefix : <https://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
:Thing1 a owl:Class . :employs a owl:ObjectProperty . :pays a owl:ObjectProperty .
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a knowledge base."""
    monkeypatch.chdir(tmp_path)
    Path("o.ttl").write_text(TURTLE, encoding="utf-8")
    kb.create("kb", base="https://example.org/")
    kb.add("kb", "o.ttl")
    return tmp_path


def test_a_bundle_that_tags_and_relates(home: Path, tiny_model: Path) -> None:
    rows = relation_rows(60)
    data = {"train": str(write_jsonl(home / "train.jsonl", rows))}
    recipe = {
        "name": "both",
        "model": str(tiny_model),
        "tasks": {"names": {"type": "tag", "data": data}, "ties": {"type": "relate", "data": data}},
        "train": {"epochs": 12, "learning_rate": 3e-3, "batch_tokens": 512},
    }
    sibu.run(recipe, out=home / "bundle")
    plan = {
        "extractors": [{"name": "bundle", "bundle": "bundle", "classes": {"x": "Thing1"}}],
        "assert": 0.3,
        "review": 0.1,
    }
    write_jsonl(home / "docs.jsonl", [{"id": row["id"], "text": row["text"]} for row in relation_rows(20, seed=5)])
    found = kb.extract("kb", "docs.jsonl", plan)
    assert found["documents"]["new"] == 20
    assert found["extractors"][0]["names"] > 40
    with kb.open("kb") as base:
        kinds = {base.label(each.subject) for each in base.triples(object=base.resolve("Thing1"))}
        assert {"john", "acme", "paris"} <= kinds
        stated = {(base.label(each.subject), base.label(each.object)) for each in  # type: ignore[arg-type]
                  base.triples(None, base.resolve("employs"))}  # fmt: skip
        assert ("john", "acme") in stated or ("acme", "john") in stated
        versions = {
            source.version for fact in base.triples(object=base.resolve("Thing1")) for source in base.sources(fact)
        }
        assert versions == {sibu.show("bundle")["sha256"][:16]}
    assert kb.extract("kb", "docs.jsonl", plan)["documents"]["skipped"] == 20


def test_a_bundle_that_writes(home: Path, tiny_writer: Path) -> None:
    data = {"train": str(write_jsonl(home / "train.jsonl", [row for row in reply_rows(12) if "text" in row]))}
    task = {"type": "generate", "data": data, "max_new_tokens": 8}
    recipe = {"name": "w", "model": str(tiny_writer), "tasks": {"write": task}, "train": {"epochs": 0}}
    sibu.run(recipe, out=home / "bundle")
    plan = {"extractors": [{"name": "writer", "bundle": "bundle", "max_new_tokens": 60}], "assert": 0.9, "review": 0.5}
    write_jsonl(home / "docs.jsonl", [{"id": 1, "text": "john works at acme"}])
    found = kb.extract("kb", "docs.jsonl", plan)  # a model that learned nothing: what it writes is bound all the same
    assert found["documents"]["new"] == 1
    assert found["facts"]["asserted"] == 0
