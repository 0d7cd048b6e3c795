"""`sibu kb update` from outside."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_kb import said
from tests.curation.clinic import make_clinic


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_clinic(tmp_path_factory.mktemp("made") / "kb")
    said(f"infer {folder} --with owl --with rules")
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(shutil.copytree(made.parent, tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    Path("patterns.txt").write_text('"{p:Patient} takes {d:Drug}" -> takes(p, d)\n', encoding="utf-8")
    Path("plan.yaml").write_text("extractors: [gazetteer, {name: patterns, file: patterns.txt}]\n", encoding="utf-8")
    Path("a.txt").write_text("Anna Berg takes Solvex. Bob Lind takes Tendrin.\n", encoding="utf-8")
    return Path.cwd()


def test_what_came_of_it_is_told(home: Path) -> None:
    told = said("update kb a.txt --with plan.yaml --name monday")
    assert "documents: 1 new\n2 asserted, 0 for review, 0 refused\n" in told
    assert (
        "new conflict: takes(anna, lunarin) and takes(anna, solvex) and interacts(lunarin, solvex): "
        "Nobody takes two drugs that interact.\n"
    ) in told
    assert "  takes(anna, solvex), stated by a.txt\n" in told
    assert "held back, waits for a person: takes(anna, solvex)\n" in told
    assert "'monday': 1 fact came" in told
    again = json.loads(said("update kb a.txt --with plan.yaml --json"))
    assert again["read"]["documents"]["skipped"] == 1
    assert said("update kb a.txt --with plan.yaml").endswith("Nothing new.\n")


def test_a_class_that_nothing_can_be_is_told(home: Path) -> None:
    Path("patterns.txt").write_text('"{p:Patient} takes {d:Drugg}" -> takes(p, d)\n', encoding="utf-8")
    told = said("update kb a.txt --with plan.yaml").replace("\n", " ")
    assert "patterns looks for what nothing can be: no class of the knowledge base is called 'Drugg'" in told


def test_a_name_is_of_the_new_version_alone(home: Path) -> None:
    said("update kb a.txt --with plan.yaml --name monday")
    named = said("versions kb")
    assert said("update kb a.txt --with plan.yaml --name tuesday").endswith("Nothing new.\n")
    assert said("versions kb") == named, "nothing new takes no name from the version before"
    Path("b.txt").write_text("Anna Berg takes Tendrin.\n", encoding="utf-8")
    assert "is named 'monday' already. Choose another name." in said(
        "update kb b.txt --with plan.yaml --name monday", code=1
    )
    assert "'7' names no version" in said("update kb b.txt --with plan.yaml --name 7", code=1)
    assert said("versions kb") == named, "what cannot be named was not read"
    assert "'tuesday': " in said("update kb b.txt --with plan.yaml --name tuesday")


def test_conflicts_that_are_left_or_refused_are_an_exit_code(home: Path) -> None:
    told = said("update kb a.txt --with plan.yaml --conflicts refuse", code=1)
    assert told == "", "what was found stands on the standard output"
    assert "a.txt" not in said("show kb anna")
    said("update kb a.txt --with plan.yaml --conflicts tell", code=1)
    assert "a.txt" in said("show kb anna")
    assert said("update kb a.txt --with plan.yaml").startswith("documents: 1 skipped")


def test_faults_are_told_and_nothing_changes(home: Path) -> None:
    before = said("versions kb")
    assert "--with" in said("update kb a.txt", code=2)
    assert "'ask': give hold, tell or refuse." in said("update kb a.txt --with plan.yaml --conflicts ask", code=2)
    assert "There is no file nothing.txt." in said("update kb nothing.txt --with plan.yaml", code=1)
    assert "Name documents to read" in said("update kb --with plan.yaml", code=1)
    assert "no such folder" in said("update kb a.txt --with plan.yaml --bundle nothing", code=1)
    Path("plan.yaml").write_text("extractors: [gazeteer]\n", encoding="utf-8")
    assert "Did you mean 'gazetteer'?" in said("update kb a.txt --with plan.yaml", code=1)
    assert said("versions kb") == before


def test_what_a_person_had_retracted_and_a_text_states_again_is_told(home: Path) -> None:
    Path("a.txt").write_text("Bob Lind takes Tendrin.\n", encoding="utf-8")
    said("update kb a.txt --with plan.yaml")
    said("retract kb bob takes tendrin --why 'he never did'")
    assert said("update kb a.txt --with plan.yaml").endswith("Nothing new.\n")
    Path("a.txt").write_text("Bob Lind takes Tendrin. He does.\n", encoding="utf-8")
    told = said("update kb a.txt --with plan.yaml")
    assert "1 fact retracted before, now stated again:\n  takes(bob, tendrin), retracted: he never did\n" in told
