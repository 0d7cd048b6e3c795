"""Inputs in the forms that training data come in, through the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from tests.conftest import entity_rows, intent_rows
from tests.tiny_tasks import tiny_recipe


def predict(bundle: Path, file: Path, *, exit_code: int = 0) -> list[dict]:
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(file), "--quiet"])
    assert done.exit_code == exit_code, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_is_read_as_the_training_files_were(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    lines = [f"{row['label']};{row['text']}" for row in intent_rows(40)]
    for name in ("train.csv", "data.dat"):
        (tmp_path / name).write_text("\n".join(["kind;words", *lines]) + "\n", encoding="utf-8")
    recipe["tasks"]["it"] |= {
        "data": {"train": str(tmp_path / "train.csv")},
        "reader": {"name": "csv", "delimiter": ";"},
        "fields": {"text": "words", "label": "kind"},
    }
    bundle = sibu.run(recipe, out=tmp_path / "out")
    texts = [line.split(";")[1] for line in lines]
    known = [each.as_json() for each in sibu.load(bundle).predict(texts)]
    for name in ("train.csv", "data.dat"):  # the second has an ending that no reader takes
        found = predict(bundle, tmp_path / name)
        assert [line["value"] for line in found] == [each["value"] for each in known]
        assert [line["id"] for line in found] == list(range(40))


@pytest.mark.parametrize("form", ["jsonl", "conll"])
def test_tokens_get_places_in_both_forms(form: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("tag", "full", tiny_model, tmp_path, epochs=12, learning_rate=3e-3)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    sentences = [["my", "aspirin", "and", "fever"], ["头痛", "吃", "药"], ["the", "the"]]
    file = tmp_path / f"in.{form}"
    if form == "jsonl":
        file.write_text("".join(json.dumps({"tokens": tokens}) + "\n" for tokens in sentences), encoding="utf-8")
    else:
        file.write_text("".join("".join(f"{t} O\n" for t in tokens) + "\n" for tokens in sentences), encoding="utf-8")
    found = predict(bundle, file)
    assert any(line["value"] for line in found)
    for line, tokens in zip(found, sentences, strict=True):
        for span in line["value"]:
            stretch = tokens[span["token_start"] : span["token_end"]]
            assert span["text"].replace(" ", "") == "".join(stretch)


def test_an_entity_outside_the_text_is_told_in_its_place(tiny_model: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("relate", "full", tiny_model, tmp_path), out=tmp_path / "out")
    good = {"text": "john works at acme", "entities": [{"start": 0, "end": 4}, {"start": 14, "end": 18}]}
    bad = good | {"entities": [{"start": 0, "end": 4}, {"start": 14, "end": 99}]}
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (good, bad, good)))
    first, second, third = predict(bundle, file, exit_code=1)
    assert first["value"] == third["value"]
    assert second["error"].startswith("the entity 14..99 is not inside the text of 18 characters.")


def test_spans_of_entity_rows_are_inside(tiny_model: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("tag", "full", tiny_model, tmp_path, epochs=3), out=tmp_path / "out")
    rows = entity_rows(20, seed=3)
    for row, found in zip(rows, sibu.load(bundle).predict([row["text"] for row in rows]), strict=True):
        for span in found.value:
            assert row["text"][span["start"] : span["end"]] == span["text"]


def test_a_pair_that_no_task_reads_is_refused(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0), out=tmp_path / "out")
    done = CliRunner().invoke(app, ["predict", str(bundle), "--text", "pain", "--text-pair", "头痛"])
    assert done.exit_code == 2
    said = " ".join(done.output.replace("│", " ").split())
    assert "the task 'it' reads no text_pair; it reads text, messages." in said


def test_a_stream_says_what_was_not_read_and_that_its_answer_did_not_end(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0), out=tmp_path / "out")
    asked = ["predict", str(bundle), "--stream", "--text", "头痛 " * 300, "decoding=sample", "max_new_tokens=2"]
    done = CliRunner().invoke(app, asked)
    told = sibu.load(bundle).answering(*asked[-2:]).predict("头痛 " * 300)
    assert done.exit_code == 0
    assert done.stdout == f"{told.value}\n"
    assert "What was not read: the end of the text." in done.stderr
    assert ("its limit of 2 pieces before its end" in done.stderr) == any(e.kind == "limit" for e in told.evidence)
    assert CliRunner().invoke(app, [*asked, "--quiet"]).stderr == ""


def test_long_inputs_are_told_with_what_was_left_out(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0), out=tmp_path / "out")
    file = tmp_path / "in.jsonl"
    said = [{"role": ("user", "assistant")[n % 2], "content": f"{n} " + "my pain " * 20} for n in range(21)]
    file.write_text(json.dumps({"text": "a"}) + "\n" + json.dumps({"messages": said}) + "\n")
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(file)])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (cut,) = [each["content"] for each in lines[1]["evidence"] if each["kind"] == "cut"]
    assert cut.startswith("the oldest ")
    assert "what was left out stands in their evidence as `cut`. Counted from 0: 1." in done.stderr


def test_a_text_file_of_lines_is_told_how_texts_are_given(tiny_model: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("classify", "full", tiny_model, tmp_path), out=tmp_path / "out")
    (tmp_path / "notes.txt").write_text("pain\nfever\n", encoding="utf-8")
    (line,) = predict(bundle, tmp_path / "notes.txt", exit_code=1)
    assert line["error"].endswith("is read as columns of words (CoNLL): give texts as JSON Lines or a CSV.")
    (tmp_path / "notes.csv").write_text("text\npain\nfever\n", encoding="utf-8")
    assert [line["value"] for line in predict(bundle, tmp_path / "notes.csv")]
