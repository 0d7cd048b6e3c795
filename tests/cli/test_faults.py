"""What bad input gets at the command line: an exit code, one message, no traceback."""

import contextlib
import json
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.cli.console import progress
from sibu.core.errors import DataError, RecipeError, Unsupported
from tests.command import sibu_here
from tests.conftest import intent_rows, write_jsonl, write_recipe
from tests.tiny_tasks import tiny_recipe


def command(*arguments: object, file_limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    if file_limit is None:
        done = sibu_here(*arguments)
    else:
        line = [sys.executable, "-m", "sibu", *map(str, arguments)]
        done = subprocess.run(line, capture_output=True, text=True, preexec_fn=limit)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    home = tmp_path_factory.mktemp("faults")
    recipe = tiny_recipe("classify", "full", tiny_model, home)
    (home / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    sibu.run(recipe, out=home / "bundle")
    return home


def test_a_full_disk_ends_in_a_message_and_its_mend_works(home: Path, tmp_path: Path) -> None:
    run = ("run", home / "recipe.yaml", "--out", tmp_path / "out", "--quiet")
    done = command(*run, file_limit=40_000)
    assert done.returncode == 1
    assert "No room to write" in done.stderr
    assert "Make room and run the command again (`sibu run` goes on with --resume)" in done.stderr
    assert not (tmp_path / "out").exists()
    assert command(*run, "--resume").returncode == 0
    for file in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (tmp_path / "out" / file).read_bytes() == (home / "bundle" / file).read_bytes()


@pytest.mark.parametrize("file", ["heads.safetensors", "model/model.safetensors", "labels.json", "recipe.yaml"])
def test_a_flipped_byte_is_named(file: str, home: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(home / "bundle", tmp_path / "bundle")
    data = bytearray((bundle / file).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / file).write_bytes(data)
    done = command("predict", bundle, "--text", "book it")
    assert done.returncode == 1
    assert f"is damaged: {file} was changed (its sha256 differs)" in done.stderr


def test_a_newer_format_and_a_missing_file(home: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(home / "bundle", tmp_path / "bundle")
    (bundle / "labels.json").unlink()
    assert "labels.json is missing" in command("show", bundle).stderr
    manifest = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(manifest | {"format": 99}))
    assert "is a bundle of format 99; this Sibu reads up to 1. Update Sibu" in command("show", bundle).stderr


def test_inputs_that_cannot_be_read_keep_their_place(home: Path, tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "text": "book it"}',
        "not json",
        '{"txt": "x"}',
        '{"text": " "}',
        '{"id": "e", "text": "我付账单"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = command("predict", home / "bundle", "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert done.stderr.strip().endswith('sibu: 3 inputs could not be answered; their lines have "error".')
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in found] == ["a", 1, 2, 3, "e"]
    assert ["error" in line for line in found] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no row can be used (tasks.it).\n"),
        (
            '{"text": "a", "label": "x"}\n{"text": "b", "label": "x"}\n',
            "has 1 label ('x'); a classifier needs at least 2",
        ),
        ('{"text": "a", "lable": "x"}\n', "there is no column 'label'. The files have: lable, text."),
    ],
)
def test_training_data_that_cannot_be_learned(content: str, told: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(content)
    done = command("check", home / "recipe.yaml", f"tasks.it.data.train={tmp_path / 'train.jsonl'}")
    assert done.returncode == 1
    assert told in done.stderr


def test_a_missed_release_condition_exits_with_3(home: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text()) | {"release": {"it.accuracy": {"at_most": -0.1}}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    done = command("run", tmp_path / "recipe.yaml", "--out", tmp_path / "out", "--quiet")
    assert done.returncode == 3
    assert "misses a release condition: it.accuracy on test:" in done.stderr
    assert json.loads((tmp_path / "out" / "bundle.json").read_text())["release"]["missed"]


def test_wrong_usage_exits_with_2(home: Path) -> None:
    assert command("predict", home / "bundle").returncode == 2
    assert command("nonsense").returncode == 2


def test_the_gate_names_file_and_row(home: Path, tmp_path: Path) -> None:
    rows = [*intent_rows(20), {"text": "", "label": "billing"}]
    file = write_jsonl(tmp_path / "train.jsonl", rows)
    done = command("run", home / "recipe.yaml", f"tasks.it.data.train={file}", "--out", tmp_path / "out", "--quiet")
    assert done.returncode == 1
    assert f"{file}:21: the text is empty. Remove the row or fill in its text." in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"release": {"it.acuracy": {"at_least": 0.5}}},
            "release.it.acuracy: 'acuracy' is no metric of it. Did you mean 'accuracy'? Allowed: accuracy, macro_f1",
        ),
        (
            {"release": {"it.books.accuracy": {"at_least": 0.5}}},
            "release.it.books.accuracy: it has no split 'books'. Allowed: dev, test.",
        ),
        ({"train": {"stop_on": "it.f2"}}, "train.stop_on: 'f2' is no metric of it. Allowed: accuracy, macro_f1"),
    ],
)
def test_metrics_that_do_not_exist_are_told_before_training(changes: dict, told: str, home: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text()) | changes
    with pytest.raises(RecipeError) as caught:
        sibu.check(recipe)
    assert told in str(caught.value)


def test_options_that_name_no_label(home: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    named = {"appointment": "a visit", "billing": "money", "nolabel": "x"}
    recipe["tasks"]["it"] |= {"class_weights": {"nolabel": 2.0}, "labels": ["appointment", "billing"]}
    recipe["tasks"]["it"] |= {"descriptions": named}
    file = tmp_path / "recipe.yaml"
    lines = write_recipe(file, recipe)
    with pytest.raises(RecipeError) as caught:
        sibu.check(file)
    said = "names 'nolabel', no label. Allowed: 'appointment', 'billing'."
    assert [str(fault) for fault in caught.value.faults] == [
        f"{file}:{lines.index(f'    {key}:')} tasks.it.{key}: {said}" for key in ("descriptions", "class_weights")
    ]


def test_one_label_is_nothing_to_tell_apart(home: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    recipe["tasks"]["it"] |= {"labels": ["appointment"]}
    with pytest.raises(RecipeError, match=r"tasks\.it\.labels: has 1 label, and a classifier needs at least 2\. Add"):
        sibu.check(recipe)


def test_the_odd_list_among_labels_is_named(home: Path, tmp_path: Path) -> None:
    rows = [*intent_rows(20), {"text": "x", "label": ["billing"]}]
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    recipe["tasks"]["it"]["data"]["train"] = str(write_jsonl(tmp_path / "train.jsonl", rows))
    errors = [each for each in sibu.check(recipe).as_json()["faults"] if each["severity"] == "error"]
    assert [(each["kind"], each["row"]) for each in errors] == [("label form", 21)]


def test_faulty_rows_are_shown_where_nothing_is_left_to_learn(home: Path, tmp_path: Path) -> None:
    rows = [{"question": "who", "context": "john", "answers": [{"text": "john", "answer_start": 0}]}] * 4
    rows.append({"question": "who", "context": "john", "answers": []})
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    recipe["tasks"]["it"] = {"type": "extract", "data": {"train": str(write_jsonl(tmp_path / "train.jsonl", rows))}}
    with pytest.raises(DataError) as caught:
        sibu.check(recipe)
    first, second, *lines = str(caught.value).splitlines()
    assert first.startswith("No training question has an answer.")
    assert second == "Rows that could not be read may be why:"
    assert "train.jsonl:1: 'answers' item 0 lacks 'start'" in lines[0]
    assert lines[-1] == "... and 1 more; `sibu check` lists them."


def test_a_semicolon_file_is_recognised(home: Path, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text;label\nbook it;a\npay it;b\n")
    done = command("check", home / "recipe.yaml", f"tasks.it.data.train={tmp_path / 'train.csv'}")
    assert done.returncode == 1
    assert "looks as if ';' stood between cells: set the reader's option `delimiter`." in done.stderr


@pytest.mark.parametrize(
    ("content", "told", "reader"),
    [
        ("Took O\naspirin B-drug\n\nno O\nfever B-symptom\n\n".replace(" ", "\t") * 9,
         "They look like a token and its tag: say `reader: conll` in the task.", "conll"),
        ("0\tTook aspirin\t[]\n1\tNo fever\t[]\n2\tFlu\t[{\"start\": 0, \"end\": 3, \"label\": \"x\"}]\n" * 2,
         "If the first line is a row and names no columns, name them in the reader's option `header`.",
         {"name": "tsv", "header": ["id", "text", "entities"]}),
    ],
)  # fmt: skip
def test_files_without_names_of_columns_are_recognised(
    content: str, told: str, reader: object, tmp_path: Path, tiny_model: Path
) -> None:
    (tmp_path / "train.tsv").write_text(content)
    data = {"train": str(tmp_path / "train.tsv")}
    recipe = {"name": "a", "model": str(tiny_model), "tasks": {"it": {"type": "tag", "data": data}}}
    with pytest.raises(RecipeError, match=re.escape(told)):
        sibu.check(recipe)
    recipe["tasks"]["it"]["reader"] = reader  # type: ignore[index]
    assert sibu.check(recipe).sound


def test_everything_that_is_not_there_is_told_at_once_with_its_line(home: Path, tmp_path: Path) -> None:
    train = yaml.safe_load((home / "recipe.yaml").read_text())["tasks"]["it"]["data"]["train"]
    file = tmp_path / "recipe.yaml"
    file.write_text(f"""name: a
model: minilmm
tasks:
  one:
    type: classify
    data:
      train: {train}l
      test: {{books: books.jsonl}}
  two:
    type: classify
    data: {{train: {train}}}
    fields: {{text: txt, lable: label}}
  three:
    type: tag
    data: {{train: {train}}}
release:
  two.acuracy: {{at_least: 0}}
""")
    done = command("check", file, "--quiet")
    assert done.returncode == 1
    head, *faults = done.stderr.splitlines()
    assert head == "sibu: The recipe has 3 faults:"
    assert faults[0].startswith(f"{file}:2 model: No model is named 'minilmm': it is no packaged model")
    assert faults[1] == f"{file}:7 tasks.one.data.train: no file at {train}l. Did you mean 'train.jsonl'?"
    assert faults[2] == f"{file}:8 tasks.one.data.test.books: no file at {tmp_path / 'books.jsonl'}."
    mended = [f"model={home / 'model'}", f"tasks.one.data={{train: {train}}}"]
    (home / "model").exists() or (home / "model").symlink_to(home / "bundle" / "model")
    assert command("check", file, *mended, "--quiet").stderr.splitlines() == [
        "sibu: The recipe has 3 faults:",
        f"{file}:12 tasks.two.fields.text: there is no column 'txt'. Did you mean 'text'? "
        "The files have: id, label, text.",
        f"{file}:12 tasks.two.fields.lable: 'lable' is no field of this task. Did you mean 'label'? "
        "Allowed: text, text_pair, label.",
        f"{file}:13 tasks.three: there is no column 'tags' or 'entities'. The files have: id, label, text. "
        "Name the column under tasks.three.fields: `tags: <column>`.",
    ]
    mended += ["tasks.two.fields={}", "tasks.three={type: classify, data: {train: " + train + "}}"]
    assert command("check", file, *mended, "--quiet").stderr.splitlines() == [
        f"sibu: {file}:17 release.two.acuracy: 'acuracy' is no metric of two. Did you mean 'accuracy'? "
        "Allowed: accuracy, macro_f1, weighted_f1, mcc, f1."
    ]


def test_a_missing_folder_is_told_as_one(home: Path) -> None:
    done = command("check", home / "recipe.yaml", "model=models/bert")
    assert done.returncode == 1
    assert f"there is no folder {home / 'models/bert'}, and the Hub did not give it" in done.stderr


def test_an_interrupted_run_says_how_to_go_on(home: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "sibu", "run", str(home / "recipe.yaml"), "--out", str(tmp_path / "out"), "--quiet"]
    process = subprocess.Popen(
        [*line, "train.epochs=100000", "train.checkpoint_every=1"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job would ignore it
    )
    try:
        while not list(tmp_path.glob("out.working/checkpoints/step-*")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    # Python itself may speak before, when the signal met one of its callbacks.
    assert said.strip().endswith("sibu: stopped. The unfinished run goes on with --resume.")


def test_an_interrupt_that_python_loses_stops_the_work_all_the_same() -> None:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        voice = progress(quiet=True)
        with voice.bar("work", 2) as advance:
            advance(1)
            with contextlib.suppress(KeyboardInterrupt):  # as Python does in a finalizer
                signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                advance(1)
        with pytest.raises(KeyboardInterrupt):
            voice.say("more")
    finally:
        signal.signal(signal.SIGINT, before)


def test_inputs_come_from_standard_input(home: Path) -> None:
    line = [sys.executable, "-m", "sibu", "predict", str(home / "bundle"), "--input", "-"]
    rows = '{"text": "book it", "id": null}\n{"text": "我想预约", "id": "z"}\n{"txt": "x"}\n'
    done = subprocess.run(line, input=rows, capture_output=True, text=True, encoding="utf-8")
    found = [json.loads(each) for each in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [each["id"] for each in found] == [0, "z", 2]
    assert ["error" in each for each in found] == [False, False, True]


def test_an_override_without_a_value_is_wrong_usage(home: Path) -> None:
    done = command("run", home / "recipe.yaml", "train")
    assert done.returncode == 2
    assert "'train': give KEY=VALUE, such as train.epochs=1." in done.stderr
    assert command("run", "-h").stdout == command("run", "--help").stdout != ""


def test_a_device_is_chosen_or_refused(home: Path) -> None:
    assert sibu.load(home / "bundle", device="cpu").predict("book it").value in {"appointment", "billing"}
    for device in ("cuda:7", "gpu"):
        with pytest.raises(Unsupported, match=f"The device '{device}' cannot be had: .* Give `cpu`, or leave it out."):
            sibu.load(home / "bundle", device=device)


def test_long_inputs_are_told(home: Path, tmp_path: Path) -> None:
    rows = [{"text": "please book it"}, {"text": "my bill " * 100}]
    file = write_jsonl(tmp_path / "in.jsonl", rows)
    done = command("predict", home / "bundle", "--input", file)
    assert done.returncode == 0
    told = "1 input longer than the model's 64 pieces: the rest was not read. Counted from 0: 1."
    assert told in done.stderr.splitlines()


def test_ids_come_from_the_column_that_the_recipe_names(home: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    recipe["tasks"]["it"]["fields"] = {"id": "qid"}
    for split in ("train", "dev", "test"):
        file = Path(recipe["tasks"]["it"]["data"].get(split, ""))
        if file.is_file():
            rows = [json.loads(line) for line in file.read_text().splitlines()]
            rows = [{"qid": f"q{number}", **row} for number, row in enumerate(rows)]
            recipe["tasks"]["it"]["data"][split] = str(write_jsonl(tmp_path / file.name, rows))
    bundle = sibu.run(recipe, ["train.max_steps=1"], out=tmp_path / "out")
    file = write_jsonl(tmp_path / "in.jsonl", [{"qid": "a", "text": "book"}, {"text": "pay"}])
    found = [json.loads(line) for line in command("predict", bundle, "--input", file).stdout.splitlines()]
    assert [line["id"] for line in found] == ["a", 1]


def test_two_precisions_in_one_process(home: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    for precision in ("float32", "bfloat16"):
        bundle = sibu.run(recipe, [f"train.precision={precision}", "train.max_steps=1"], out=tmp_path / precision)
        assert sibu.load(bundle).predict("book it").value


def test_a_model_that_a_method_cannot_adapt_is_told(home: Path, tmp_path: Path) -> None:
    from transformers import AlbertConfig, AlbertModel

    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    model = shutil.copytree(recipe["model"], tmp_path / "albert", ignore=shutil.ignore_patterns("*.safetensors"))
    vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
    sizes = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "embedding_size": 16}
    config = AlbertConfig(vocab_size=vocabulary, max_position_embeddings=64, pad_token_id=0, **sizes)
    AlbertModel(config, add_pooling_layer=False).save_pretrained(model)
    with pytest.raises(Unsupported, match=r"`prefix` cannot be used with this model: AlbertModel takes no keys"):
        sibu.run(recipe | {"model": str(model), "method": "prefix"}, out=tmp_path / "out")
    assert sibu.run(recipe | {"model": str(model), "method": "lora"}, ["train.max_steps=1"], out=tmp_path / "out")


@pytest.mark.parametrize(
    ("task", "labels", "told"),
    [
        ("classify", ["billing", "other"], "the label 'appointment' is not among the recipe's: 'billing', 'other'."),
        ("tag", ["drug"], "the label 'symptom' is not among the recipe's: 'drug'."),
        ("relate", ["owns"], "the relation 'employs' is not among: 'owns'."),
    ],
)
def test_training_labels_that_the_recipe_does_not_list_are_named_by_row(
    task: str, labels: list, told: str, tiny_model: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(task, "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["labels"] = labels
    found = [each for each in sibu.check(recipe).as_json()["faults"] if each["severity"] == "error"]
    assert {each["message"] for each in found} == {told}
    assert all(each["row"] for each in found)
    with pytest.raises(DataError, match="The data gate found"):
        sibu.run(recipe, out=tmp_path / "out")
