"""What goes out to a desk and comes back: round trips, and the forms in which desks export."""

import json
from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.protocols import Desk, Sent
from sibu.desks import DESKS

TOPIC = Sent("a1", {"text": "头痛 since monday", "text_pair": "help"}, "label", "pain")
SEVERAL = Sent("b2", {"text": "fever and cough"}, "label", ["cough", "fever"])
SPANS = Sent("c3", {"text": "北京 is cold"}, "entities", [{"start": 0, "end": 2, "label": "LOC", "text": "北京"}])


def desk(name: str) -> Desk:
    spec = DESKS[name].spec()
    found: Desk = DESKS.of(spec).build(spec)
    return found


def accept(name: str, file: Path) -> Path:
    """What somebody does who agrees with every guess."""
    text = file.read_text(encoding="utf-8")
    if name == "doccano":
        return file  # the guesses stand as labels
    if name == "jsonl":
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            line["entities" if "entities" in line else "label"] = line["guess"]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return file
    tasks = json.loads(text)
    for task in tasks:
        task["annotations"] = [{"result": task["predictions"][0]["result"], "was_cancelled": False}]
    file.write_text(json.dumps(tasks))
    return file


@pytest.mark.parametrize("name", list(DESKS))
@pytest.mark.parametrize("sent", [TOPIC, SEVERAL, SPANS], ids=["label", "labels", "spans"])
def test_a_guess_that_is_agreed_with_comes_back(name: str, sent: Sent, tmp_path: Path) -> None:
    own, file = desk(name), tmp_path / "out.json"
    own.write(file, [sent])
    (found,) = own.read(accept(name, file), sent.target)
    value = found.value
    if sent.target == "entities":
        value = [(span["start"], span["end"], span["label"]) for span in value]
        assert value == [(span["start"], span["end"], span["label"]) for span in sent.guess]
    else:
        assert value in (sent.guess, [sent.guess])
    assert (found.line, found.id) == (1, sent.id)


@pytest.mark.parametrize("name", list(DESKS))
def test_a_text_may_hold_other_ends_of_lines(name: str, tmp_path: Path) -> None:
    own, file = desk(name), tmp_path / "out.json"
    own.write(file, [Sent("a1", {"text": "头痛\u2028since\x85monday"}, "label", "pain"), TOPIC])
    assert [each.id for each in own.read(file, "label")] == ["a1", "a1"]


@pytest.mark.parametrize("name", ["jsonl", "label_studio"])
def test_what_nobody_looked_at_has_no_label(name: str, tmp_path: Path) -> None:
    own, file = desk(name), tmp_path / "out.json"
    own.write(file, [TOPIC, SPANS])
    assert [each.value for each in own.read(file, "label")] == [None, None]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ({"text": "x", "sibu_id": "a", "label": [[0, 1, "LOC"]]}, [{"start": 0, "end": 1, "label": "LOC"}]),
        (
            {"text": "x", "sibu_id": "a", "entities": [{"start_offset": 0, "end_offset": 1, "label": "LOC"}]},
            [{"start": 0, "end": 1, "label": "LOC"}],
        ),
        ({"text": "x", "meta": {"sibu_id": "a"}, "label": []}, []),
    ],
)
def test_spans_of_doccanos_versions(line: dict, wanted: list, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text(json.dumps(line) + "\n")
    (found,) = desk("doccano").read(file, "entities")
    assert found.value == wanted
    assert found.id == "a"


def test_of_several_annotations_the_last_that_stands(tmp_path: Path) -> None:
    def made(choice: str, cancelled: bool = False) -> dict:
        return {"was_cancelled": cancelled, "result": [{"type": "choices", "value": {"choices": [choice]}}]}

    file = tmp_path / "export.json"
    file.write_text(json.dumps([{"data": {"sibu_id": "a"}, "annotations": [made("x"), made("y"), made("z", True)]}]))
    (found,) = desk("label_studio").read(file, "label")
    assert found.value == ["y"]


@pytest.mark.parametrize("content", ["{broken", "[1, 2", "[1, 2]", '"text"\n'])
def test_what_is_no_json_is_told(content: str, tmp_path: Path) -> None:
    file = tmp_path / "back.jsonl"
    file.write_text(content)
    with pytest.raises(DataError, match=r"back\.jsonl"):
        list(desk("jsonl").read(file, "label"))
