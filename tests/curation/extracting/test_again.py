"""Whatever documents were before: the knowledge base says what reading the last of each would have it say."""

import shutil
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sibu import kb
from sibu.core.logic import Triple
from tests.conftest import write_jsonl

SENTENCES = (
    "Anna takes aspirin.",
    "Anna may take aspirin.",
    "Zoe takes ibuprofen.",
    "Zoe may take ASPIRIN.",
    "布洛芬与阿司匹林相互作用。",
    "Zoe is 30 years old.",
    "ibuprofen treats headache.",
    "Foo.",
)
TEXTS = st.lists(st.sampled_from(SENTENCES), max_size=3).map(" ".join)
STATES = st.lists(st.dictionaries(st.sampled_from("abc"), TEXTS, min_size=1), min_size=1, max_size=3)


def read(folder: Path, texts: dict[str, str]) -> None:
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    kb.extract(folder, write_jsonl(folder.parent / "docs.jsonl", rows), "extract.yaml")


def said(folder: Path) -> set[tuple[Triple, str, str]]:
    """What is stated by extractors: facts, with status and document."""
    with kb.open(folder) as base:
        found = base.said_by(lambda each: each.extractor.startswith("extract:") and each.status != "retracted")
        return {(fact, source.status, source.document) for fact, source in found}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STATES)
@example([{"a": "Zoe may take ASPIRIN.", "b": "Anna takes aspirin."}, {"a": ""}, {"a": "Anna takes aspirin.", "b": ""}])
def test_the_last_reading_of_each_document_counts(home: Path, states: list[dict[str, str]]) -> None:
    for name in ("grown", "fresh"):
        shutil.rmtree(home / name, ignore_errors=True)
        shutil.copytree(home / "kb", home / name)
    last: dict[str, str] = {}
    for state in states:
        read(home / "grown", state)
        last |= state
    read(home / "fresh", last)
    assert bare(said(home / "grown")) == bare(said(home / "fresh"))


def bare(found: set[tuple[Triple, str, str]]) -> set[tuple[str, ...]]:
    """Facts without the case of names: a thing keeps the name that it was first seen by."""
    return {
        (
            *(
                getattr(term, "iri", getattr(term, "text", "")).lower()
                for term in (fact.subject, fact.predicate, fact.object)
            ),
            status,
            document,
        )
        for fact, status, document in found
    }
