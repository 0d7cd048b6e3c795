"""`sibu ask` and `sibu kb link` from outside: what they print, their exit codes, their messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sibu
from tests.cli.test_faults import command as whole_command
from tests.cli.test_kb import command
from tests.command import sibu_here
from tests.curation.clinic import make_clinic


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_clinic(tmp_path_factory.mktemp("asking") / "kb")
    sibu.kb.infer(folder, ["owl", "rules"])
    return folder


def ask(*arguments: object) -> tuple[int, str, str]:
    """Run a line of `sibu ask` here."""
    done = sibu_here("ask", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_an_answer_with_its_proof(clinic: Path) -> None:
    code, out, err = ask(clinic, "Which drugs are contraindicated for Bob Lind?")
    assert (code, err) == (0, "")
    assert out.splitlines()[:4] == [
        "Lunarin",
        "read as: answer(X) :- contraindicated(Bob Lind, X), drug(X).",
        "answer(Lunarin)  (proof of 9 steps, checked)",
        "  by question: the question",
    ]
    assert "      stated by patients.csv, row 3" in out
    assert "not is cleared for(Bob Lind, Lunarin): there is no such fact" in out


def test_the_same_in_chinese(clinic: Path) -> None:
    code, out, _ = ask(clinic, "安娜服用几种药？")
    assert code == 0
    assert out.splitlines()[:3] == ["3", "read as: answer(N) :- N = count { X : 服用(安娜, X) }.", "counted 3 facts:"]
    assert "  服用(安娜, 月宁)" in out


def test_not_known_is_no_fault(clinic: Path) -> None:
    code, out, _ = ask(clinic, "Does Anna Berg take aspirin?")
    assert code == 0
    assert out.splitlines()[:2] == [
        "not known",
        "Nothing here is called 'aspirin', and it is no word that was understood.",
    ]
    assert "nearest readings:" in out


def test_as_json(clinic: Path) -> None:
    code, out, _ = ask(clinic, "Is Anna Berg a senior?", "--json", "--names")
    found = json.loads(out)
    assert (code, found["value"], found["kind"], found["status"]) == (0, True, "whether", "answered")
    assert found["plan"]["rule"] == "answer :- Senior(anna)."
    assert found["answers"][0]["proof"]["steps"][-1]["rule"] == "question"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["", ], 1, "The question is empty"),
        (["?" * 10_000], 1, "The question has 10,000 characters; ask one of at most 500."),
        (["Who?", "--limit", "0"], 2, "greater than or equal to 1"),
        (["Who?", "--model", "minlm"], 1, "Did you mean 'minilm'?"),
        ([], 2, "Missing argument 'QUESTION'"),
    ],
)  # fmt: skip
def test_bad_input(clinic: Path, arguments: list[str], code: int, said: str) -> None:
    found, _, err = ask(clinic, *arguments)
    assert found == code
    assert said in err
    assert "Traceback" not in err


def test_no_knowledge_base(tmp_path: Path) -> None:
    code, _, err = ask(tmp_path / "none", "Who?")
    assert code == 1 and "none" in err


def test_links_of_a_text(clinic: Path) -> None:
    code, out, _ = command(f"link {clinic} --text '安娜 takes Lunarin.'")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(each["text"], each["start"], each["label"]) for each in found] == [
        ("安娜", 0, "Anna Berg"),
        ("Lunarin", 9, "Lunarin"),
    ]
    assert all(0.85 <= each["score"] <= 1 and each["candidates"] for each in found)


def test_links_of_mentions(clinic: Path, tmp_path: Path) -> None:
    file = tmp_path / "mentions.jsonl"
    file.write_text('{"id": "a", "text": "Lunarim"}\n{"text": "aspirin"}\n', encoding="utf-8")
    code, out, _ = command(f"link {clinic} --input {file}")
    assert code == 0
    assert [json.loads(line)["label"] for line in out.splitlines()] == ["Lunarin", None]
    file.write_text('{"text": "a"}\n{"words": "a"}\nno json\n', encoding="utf-8")
    code, _, err = command(f"link {clinic} --input {file}")
    assert code == 1 and "mentions.jsonl:3" in err
    assert command(f"link {clinic} --input {tmp_path / 'none.jsonl'}")[0] == 1
    assert command(f"link {clinic}")[0] == command(f"link {clinic} --text a --input {file}")[0] == 2


def test_asking_imports_no_torch(clinic: Path) -> None:
    line = "import sys, sibu; sibu.ask(sys.argv[1], 'Who takes Solvex?'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line, str(clinic)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert whole_command("ask", "--help").returncode == 0
