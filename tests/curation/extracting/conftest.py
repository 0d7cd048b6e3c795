"""A clinic with an ontology and some names, for each test a copy of its own."""

import shutil
from pathlib import Path

import pytest

from sibu import kb

ONTOLOGY = """@prefix : <https://example.org/clinic/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:Drug a owl:Class ; rdfs:label "drug"@en, "药"@zh . :Painkiller rdfs:subClassOf :Drug .
:Patient a owl:Class ; owl:disjointWith :Drug . :Disease a owl:Class .
:interacts a owl:ObjectProperty ; rdfs:domain :Drug ; rdfs:range :Drug ; rdfs:label "interacts"@en, "相互作用"@zh .
:takes rdfs:domain :Patient ; rdfs:range :Drug . :treats rdfs:domain :Drug ; rdfs:range :Disease .
:age a owl:DatatypeProperty , owl:FunctionalProperty ; rdfs:domain :Patient ; rdfs:range xsd:integer .
:ibuprofen a :Painkiller ; rdfs:label "ibuprofen"@en, "布洛芬"@zh .
:warfarin a :Drug ; rdfs:label "Warfarin"@en, "华法林"@zh .
:anna a :Patient ; rdfs:label "Anna"@en, "安娜"@zh ; :age 70 .
"""
NAMES = "aspirin\tDrug\n阿司匹林\tDrug\nheadache\tDisease\nZoe\tPatient\nFoo\tGadget\n"
PATTERNS = """"{a:Drug} (interacts|interact) with {b:Drug}" -> interacts(a, b)
"{a:Drug}与{b:Drug}相互作用" -> 相互作用(a, b) @ 0.7
"{p:Patient} takes {d:Drug}" -> takes(p, d)
"{p:Patient} may take {d:Drug}" -> takes(p, d) @ 0.6
"{p:Patient} is {n:integer} years old" -> age(p, n)
"{d} cures {w}" -> cures(d, w)
"{d} treats {w}" -> treats(d, w)
"""
PLAN = """extractors:
  - gazetteer
  - {name: gazetteer, called: names, file: names.tsv}
  - {name: patterns, file: patterns.txt}
assert: 0.8
review: 0.5
"""


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a knowledge base and how it is extracted."""
    home = tmp_path_factory.mktemp("clinic")
    (home / "onto.ttl").write_text(ONTOLOGY, encoding="utf-8")
    (home / "names.tsv").write_text(NAMES, encoding="utf-8")
    (home / "patterns.txt").write_text(PATTERNS, encoding="utf-8")
    (home / "extract.yaml").write_text(PLAN, encoding="utf-8")
    kb.create(home / "kb", base="https://example.org/clinic/", languages=["en"])
    kb.add(home / "kb", home / "onto.ttl")
    return home


@pytest.fixture
def home(clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as working folder."""
    monkeypatch.chdir(shutil.copytree(clinic, tmp_path / "home"))
    return Path.cwd()
