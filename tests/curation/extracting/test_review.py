"""What waits for a person, as a file and back."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sibu import kb
from sibu.core.errors import DataError
from tests.curation.extracting.test_run import facts, plan, read

TEXT = 'He said "yes":\nAnna may take ibuprofen. Zoe may take aspirin.'


@pytest.fixture(params=["r.tsv", "r.jsonl"])
def file(request: pytest.FixtureRequest, home: Path) -> Path:
    """A review file of two facts."""
    found = read({"a": TEXT}, to_review=request.param)
    assert found["review"] == {"file": request.param, "waiting": 2}
    return Path(request.param)


def rows_of(file: Path) -> list[dict[str, str]]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(text.splitlines(), dialect="excel-tab"))


def edit(file: Path, by: Callable[[dict[str, str]], object]) -> None:
    rows = rows_of(file)
    for row in rows:
        by(row)
    with file.open("w", encoding="utf-8-sig", newline="") as out:  # as a spreadsheet writes it
        if file.suffix == ".jsonl":
            out.write("".join(json.dumps(row) + "\r\n" for row in rows))
        else:
            table = csv.DictWriter(out, rows[0].keys(), dialect="excel-tab")
            table.writeheader()
            table.writerows(rows)


def test_what_is_shown(file: Path) -> None:
    shown = rows_of(file)[0]
    assert shown["fact"] == "Anna - takes - ibuprofen"
    assert shown["passage"].startswith('He said "yes": [[Anna may take ibuprofen]]. Zoe may')
    assert (shown["decision"], shown["score"], shown["by"], shown["document"]) == ("", "0.6", "patterns", "a")


def test_a_conflict_is_noted(home: Path) -> None:
    read({"a": "Anna is 71 years old."}, to_review="r.tsv")
    assert [(row["fact"], row["note"]) for row in rows_of(Path("r.tsv"))] == [
        ("Anna - age - 71", "against age(anna, 70)")
    ]


def test_yes_and_no(file: Path) -> None:
    edit(file, lambda row: row.update(decision=" Yes" if "Anna" in row["fact"] else "否", comment="not so"))
    found = kb.review("kb", file, by="李雷")
    assert (found["confirmed"], found["rejected"], found["open"], found["new"]) == (1, 1, 0, True)
    with kb.open("kb") as base:
        anna, takes = base.resolve("Anna"), base.resolve("takes")
        (fact,) = base.triples(anna, takes)
        asserted = [record for record in base.records(fact) if record.source.status == "asserted"]
        assert [each.source.extractor for each in asserted] == ["review:李雷"]
        assert base.passage(asserted[0]) == "Anna may take ibuprofen"
        (no,) = base.triples(None, takes, status="retracted")
        assert [record.why for record in base.records(no)] == ["review:李雷: not so"]
    again = kb.review("kb", file, by="李雷")
    assert (again["decided_before"], again["new"]) == (2, False)
    assert kb.extract("kb", to_review=file)["review"]["waiting"] == 0


def test_what_was_decided_is_not_asked_again(file: Path) -> None:
    edit(file, lambda row: row.update(decision="yes" if "Anna" in row["fact"] else "no"))
    kb.review("kb", file, by="Li")
    found = read({"a": TEXT}, plan(combine="noisy_or"), to_review=file)
    assert found["documents"]["changed"] == 1
    assert found["review"]["waiting"] == 0
    assert [each["reason"] for each in found["refused"]] == ["a person rejected it"]
    with kb.open("kb") as base:
        assert len(list(base.triples(base.resolve("Anna"), base.resolve("takes")))) == 1


def test_a_decision_ends_with_the_text(file: Path) -> None:
    edit(file, lambda row: row.update(decision="yes"))
    kb.review("kb", file, by="Li")
    read({"a": "Zoe may take aspirin."})
    with kb.open("kb") as base:
        takes = base.resolve("takes")
        assert [base.label(each.subject) for each in base.triples(None, takes)] == ["Zoe"]
        assert [each.why for fact in base.triples(None, takes, status="retracted") for each in base.records(fact)
                if each.why] == ["no longer in a"]  # fmt: skip


def test_a_new_thing_gets_its_name_with_the_decision(home: Path) -> None:
    names = [{"name": "gazetteer", "called": "names", "file": "names.tsv", "score": 0.6}]
    read({"a": "Zoe"}, plan(extractors=names), to_review="r.tsv")
    (row,) = rows_of(Path("r.tsv"))
    assert row["fact"] == "Zoe - type - Patient"
    with kb.open("kb") as base:
        assert not base.find("Zoe")
    edit(Path("r.tsv"), lambda row: row.update(decision="y"))
    kb.review("kb", "r.tsv", by="Li")
    with kb.open("kb") as base:
        assert len(base.find("Zoe")) == 1


def test_faults_of_lines(file: Path) -> None:
    def spoil(row: dict[str, str]) -> None:
        if "Anna" in row["fact"]:
            row.update(object="warfarin", decision="yes")
        else:
            row.update(decision="maybe")

    edit(file, spoil)
    with pytest.raises(DataError) as fault:
        kb.review("kb", file, by="Li")
    lines = str(fault.value).splitlines()
    assert "object was changed from 'ibuprofen' to 'warfarin'. Only `decision` and `comment` are read" in lines[0]
    assert "a decision is yes, no or nothing (是, 否), given 'maybe'" in lines[1]
    assert lines[2] == "Nothing was changed."
    assert facts() == {"aspirin type drug", "Zoe type Patient"}


def test_ids_that_are_not_known(file: Path) -> None:
    edit(file, lambda row: row.update(id="0" * 12, decision="yes"))
    with pytest.raises(DataError, match="no fact with the id '000000000000' waits for review"):
        kb.review("kb", file, by="Li")


def test_a_file_of_a_text_that_changed(file: Path) -> None:
    edit(file, lambda row: row.update(decision="yes"))
    read({"a": "Nothing."})
    with pytest.raises(DataError, match="its document was read anew and says it no more"):
        kb.review("kb", file, by="Li")


def test_two_decisions_of_one_fact(home: Path) -> None:
    read({"a": TEXT}, to_review="r.jsonl")
    first = rows_of(Path("r.jsonl"))[0]
    lines = [json.dumps(first | {"decision": decision}) for decision in ("yes", "no")]
    Path("r.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match=r"r.jsonl:2: line 1 decides the same fact otherwise"):
        kb.review("kb", "r.jsonl", by="Li")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text.replace("\t", ","), "It seems to be separated by something else than tabs"),
        (lambda text: text.split("\n", 1)[1], "the columns id, decision, comment"),
        (lambda text: text.replace("\n", "\tmore\n").replace("\tmore", "", 1), "has 13 cells, the first line has 12"),
        (lambda text: text.replace("patterns\ta", "patterns"), "has 11 cells, the first line has 12"),
    ],
)
def test_lines_that_a_spreadsheet_broke(home: Path, spoil: Callable[[str], str], said: str) -> None:
    read({"a": TEXT}, to_review="r.tsv")
    file = Path("r.tsv")
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        kb.review("kb", file, by="Li")


def test_files_that_are_none(home: Path) -> None:
    read({"a": TEXT}, to_review="r.tsv")
    Path("r.tsv").write_text(Path("r.tsv").read_text(encoding="utf-8"), encoding="utf-16")
    with pytest.raises(DataError, match="choose UTF-8"):
        kb.review("kb", "r.tsv", by="Li")
    Path("r.jsonl").write_text('{"id": 1}\nx\n')
    with pytest.raises(DataError, match=r"(?s)r.jsonl:1: a line is an object.*r.jsonl:2: no JSON"):
        kb.review("kb", "r.jsonl", by="Li")
    Path("r.xlsx").write_text("")
    for name, said in (("r.xlsx", r"is \.tsv or \.jsonl"), ("none.tsv", "cannot be read")):
        with pytest.raises(DataError, match=said):
            kb.review("kb", name, by="Li")
    with pytest.raises(DataError, match="Say who decided"):
        kb.review("kb", "r.tsv", by=" ")


def test_what_was_written_comes_back_as_it_was(home: Path) -> None:
    odd: dict[str, Any] = {"=1+1": 'Anna may take "😀\tibu" and\r\nAnna may take ibuprofen.'}
    read(odd, to_review="r.tsv")
    found = kb.review("kb", "r.tsv", by="Li")
    assert (found["open"], found["new"]) == (1, False)
