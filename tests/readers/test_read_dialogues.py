"""Alpaca, ShareGPT and OpenAI's messages: lists and lines, what is malformed is told and skipped."""

import json
from pathlib import Path

import pytest

from sibu.core.example import Faults
from sibu.readers import READERS, reader_for

ALPACA = [
    {"instruction": "Translate.", "input": "head", "output": "头", "source": "a"},
    {"instruction": "Say hello.", "input": "", "output": "hello"},
    {"instruction": "And now?", "output": "yes", "system": "Be good.", "history": [["a", "b"]]},
]
SHAREGPT = [
    {
        "id": 7,
        "conversations": [{"from": "human", "value": "痛"}, {"from": "gpt", "value": "药"}],
        "system": "Be good.",
    },
]
MESSAGES = [
    {"messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}]}]},
]
CASES = {"alpaca": ALPACA, "sharegpt": SHAREGPT, "messages": MESSAGES}


def read(name: str, path: Path) -> tuple[list, Faults]:
    faults = Faults()
    entry = READERS[name]
    return list(entry.build(entry.spec())(str(path), faults)), faults


@pytest.fixture(params=["list", "lines"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(path: Path, form: str, items: list) -> Path:
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    path.write_text(json.dumps(items, ensure_ascii=False, indent=1) if form == "list" else lines, encoding="utf-8")
    return path


def test_alpaca(tmp_path: Path, form: str) -> None:
    found, faults = read("alpaca", write(tmp_path / "a.json", form, ALPACA))
    assert not faults.counts
    assert [number for number, _ in found] == [1, 2, 3]
    assert found[0][1] == {"text": "Translate.\n\nhead", "target": "头", "source": "a"}
    assert found[1][1] == {"text": "Say hello.", "target": "hello"}
    assert [(turn["role"], turn["content"]) for turn in found[2][1]["messages"]] == [
        ("system", "Be good."), ("user", "a"), ("assistant", "b"), ("user", "And now?"),
    ]  # fmt: skip


def test_sharegpt(tmp_path: Path, form: str) -> None:
    found, faults = read("sharegpt", write(tmp_path / "a.json", form, SHAREGPT))
    assert not faults.counts
    assert found == [
        (1, {"id": 7, "messages": [
            {"role": "system", "content": "Be good."},
            {"role": "user", "content": "痛"},
            {"role": "assistant", "content": "药"},
        ]})
    ]  # fmt: skip


def test_messages(tmp_path: Path, form: str) -> None:
    ((_, row),), faults = read("messages", write(tmp_path / "a.json", form, MESSAGES))
    assert not faults.counts
    assert row["messages"][0] == {"role": "system", "content": "a"}


@pytest.mark.parametrize("name", CASES)
def test_a_list_is_known_by_its_keys(name: str, tmp_path: Path) -> None:
    assert reader_for(str(write(tmp_path / "a.json", "list", CASES[name]))) == name
    assert reader_for(str(write(tmp_path / "a.jsonl", "lines", CASES[name]))) == "jsonl"


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("alpaca", {"input": "a"}, "the object lacks 'instruction'; it has ['input']."),
        ("alpaca", {"instruction": 3}, "'instruction' must be a text, given 3."),
        ("alpaca", {"instruction": "a", "history": ["b"]}, "'history' must be a list of [question, answer], given"),
        ("sharegpt", {"turns": []}, "'conversations' must be a list, the object has ['turns']."),
        ("sharegpt", {"conversations": [{"from": "cat", "value": "a"}]}, "conversations[0] is from 'cat'; allowed:"),
        ("sharegpt", {"conversations": ["a"]}, "conversations[0] must be an object, given 'a'."),
        ("messages", {"text": "a"}, "the object lacks 'messages'; it has ['text']."),
        ("messages", {"messages": "a"}, "'messages' must be a list, given 'a'."),
        ("messages", {"messages": [{"role": "tool", "content": "a"}]}, "messages[0] calls a tool"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_told_and_skipped(name: str, wrong: dict, said: str, tmp_path: Path, form: str) -> None:
    path = write(tmp_path / "a.json", form, [CASES[name][0], wrong])
    found, faults = read(name, path)
    assert len(found) == 1
    (fault,) = faults.examples
    assert (fault.row, faults.skipped[str(path)]) == (2, 1)
    assert said in str(fault)
    assert "The form is {" in fault.mend


@pytest.mark.parametrize("name", CASES)
def test_a_list_that_is_damaged_or_empty(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"a": 1},')
    found, faults = read(name, path)
    assert not found
    assert "The JSON is not valid" in faults.examples[0].message
    path.write_text("[]")
    found, faults = read(name, path)
    assert "the list is empty" in faults.examples[0].message
    path.write_text("[3]")
    found, faults = read(name, path)
    assert "The list must hold objects, given 3." in faults.examples[0].message
    path.write_bytes(b'[{"a": "\xff"}]')
    found, faults = read(name, path)
    assert "is not UTF-8" in faults.examples[0].message
