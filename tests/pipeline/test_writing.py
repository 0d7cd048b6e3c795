"""What bad input gets where a model writes, before anything is trained, and what a bundle answers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.core.example import Faults
from sibu.pipeline.data import Origin, read_rows
from sibu.tasks.generate.task import Generate
from tests.conftest import write_jsonl
from tests.tiny_tasks import reply_rows, tiny_recipe

STRICT = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system message') }}{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
"""A chat template that knows no system message, as Gemma's."""


def changed(recipe: dict, **task: object) -> dict:
    return recipe | {"tasks": {"it": recipe["tasks"]["it"] | task}}


def test_all_that_does_not_suit_a_task_that_writes_is_told_at_once(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("generate", "probe", tiny_model, tmp_path), decoding="contrastive")
    recipe["modalities"] = [{"name": "text", "trim_vocabulary": True, "shapes": True}]
    with pytest.raises(RecipeError) as told:
        sibu.check(recipe)
    said = str(told.value)
    assert "5 faults" in said
    for part in (
        "cannot write (BertModel has no language head), but it must. Take a causal model",
        "`probe` trains heads alone",
        "`contrastive` needs a causal model",
        "trim_vocabulary cannot go with a task that writes",
        "shapes cannot go with a task that writes",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a", "target": " "}, "what is to be written is empty."),
        ({"text": "a"}, "there is nothing to be written. Fill in `target`"),
        ({"text": " ", "target": "a"}, "the text is empty."),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "turn 0 is the assistant's where the user's is due."),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]},
            "turn 1 is a system message, which only begins a dialogue.",
        ),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}, "turn 1 (assistant)"),
        ({"messages": [{"role": "cat", "content": "a"}]}, 'item 0 has the role "cat"; allowed: system, user'),
        ({"messages": [{"role": "user", "content": 3}]}, "item 0, 'content' must be a text, given 3"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: dict, said: str, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), row])
    with pytest.raises(DataError) as told:
        sibu.run(recipe, out=tmp_path / "out")
    assert f"train.jsonl:21: {said}" in str(told.value) or (":21: " in str(told.value) and said in str(told.value))


def test_what_does_not_fit_is_counted_and_said(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    long = {"text": "head pain " * 300, "target": "take aspirin " * 20}
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), long])
    found = sibu.check(recipe)
    (fault,) = [each for each in found.gate.faults.examples if each.kind == "longer than the context"]
    assert fault.row == 21
    assert "the end of the text and " in fault.message
    assert found.gate.tasks["it"]["train"].longer == 1


@pytest.mark.parametrize(
    ("task", "method"),
    [
        ("generate", "full"),
        ("generate", "lora"),
        ("prefer", "lora"),
        ("classify, written", "full"),
        ("reinforce", "full"),
    ],
)
def test_with_no_epoch_a_bundle_answers_as_the_model_came(
    task: str, method: str, tiny_writer: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(task, method, tiny_writer, tmp_path, epochs=0)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    found = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"])
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert {name: score.as_json() for name, score in found.scores.items()} == known
    assert json.loads((bundle / "record.json").read_text())["steps"]["done"] == 0
    if method == "full":
        came, there = (load_file(folder / "model.safetensors") for folder in (tiny_writer, bundle / "model"))
        assert all(torch.equal(came[name], there[name]) for name in came)


def test_a_row_that_the_template_refuses_is_named_and_the_others_go_on(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0), template=STRICT)
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    turns = [{"role": role, "content": "我头痛"} for role in ("system", "user", "assistant")]
    rows = [{"text": "my pain"}, {"messages": turns}, {"messages": turns[1:]}]
    found = list(bundle.stream(rows))
    assert [isinstance(each, DataError) for each in found] == [False, True, False]
    assert "The chat template cannot be used: no system message." in str(found[1])
    with pytest.raises(DataError, match="no system message"):
        bundle.tell(rows[1], print)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), rows[1]])
    gate = sibu.check(recipe).gate
    (fault,) = [each for each in gate.faults.examples if each.kind == "refused by the template"]
    assert (fault.row, fault.severity) == (21, "error")
    every = changed(recipe, system="Be good.")
    assert sum(f.kind == "refused by the template" for f in sibu.check(every).gate.faults.examples) > 20


@pytest.mark.parametrize("task", ["generate", "generate, encoder-decoder", "classify, written"])
def test_what_of_an_input_was_not_read_stands_in_its_evidence(
    task: str, tiny_writer: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    model = tiny_translator if task.endswith("decoder") else tiny_writer
    recipe = tiny_recipe(task, "full", model, tmp_path, epochs=0)
    recipe["modalities"] = [{"name": "text", "max_length": 128}]
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))

    def cut(given: object) -> list[object]:
        return [each.content for each in bundle.predict(given).evidence if each.kind == "cut"]

    assert cut("my pain") == []
    assert cut("我头痛 " * 300) == ["the end of the text"]
    if task == "generate":
        said = [{"role": ("user", "assistant")[n % 2], "content": f"{n} " + "my pain " * 5} for n in range(21)]
        (told,) = cut({"messages": said})
        assert told.startswith("the oldest ")
        assert told.endswith(" turns of 21")


def test_the_question_behind_a_long_context_is_read(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("extract, written", "full", tiny_writer, tmp_path, epochs=0)
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    opened = bundle._opened
    row = {"question": "where john works?", "context": "john works at acme " * 100}
    (window,) = opened.text.prepare([opened.tasks["it"].prompt(row)])[0]
    shown = opened.text.vocabulary.tokenizer.decode(window.input_ids)
    assert "works at acme" in shown
    assert "\n\nwhere john works?" in shown


def test_how_to_fit_is_said_of_what_was_cut(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    rows = [{"text": "头痛 " * 300, "target": "吃药"}, {"text": "pain", "target": "take aspirin " * 20}]
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), *rows])
    found = [f for f in sibu.check(recipe).gate.faults.examples if f.kind == "longer than the context"]
    assert [fault.mend for fault in found] == [
        "Shorten it, raise the modality's max_length, or leave it so.",
        "Shorten it, raise max_new_tokens, or leave it so.",
    ]


def test_a_target_that_is_a_list_in_json_is_one_text(tiny_writer: Path, tmp_path: Path) -> None:
    """In JSON Lines a text is a text; in a cell of a table a list can only be written so."""
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    data = recipe["tasks"]["it"]["data"]
    rows = [
        {"text": f"{n} pain", "target": target} for n, target in enumerate(['["头痛", "fever"]', '["pain" he says'])
    ]
    write_jsonl(Path(data["train"]), [*reply_rows(20), *rows])
    assert sibu.check(recipe).gate.faults.number("error") == 0
    for name, wanted in (("one.jsonl", '["头痛", "fever"]'), ("several.csv", ["头痛", "fever"])):
        file = tmp_path / name
        if name.endswith("csv"):
            file.write_text('text,target\nx,"[""头痛"", ""fever""]"\ny,"[""pain"" he says"\n', encoding="utf-8")
        else:
            write_jsonl(file, rows)
        origin = Origin({}, None, Generate.columns, Generate.needs, "tasks.it")
        found = list(read_rows([str(file)], origin, Faults()))
        assert [row["target"] for row in found] == [wanted, '["pain" he says']


@pytest.mark.parametrize(
    ("row", "reader"),
    [
        ({"instruction": "说", "input": "头痛", "output": "吃药"}, "alpaca"),
        ({"conversations": [{"from": "human", "value": "pain"}, {"from": "gpt", "value": "aspirin"}]}, "sharegpt"),
    ],
)
def test_rows_of_another_tools_form_are_recognised(row: dict, reader: str, tiny_writer: Path, tmp_path: Path) -> None:
    """To name a column would read them too, and wrongly: the input of an instruction would be lost."""
    other = {"instruction": "说", "input": "发烧", "output": "吃药"}
    if reader == "sharegpt":
        other = {"conversations": [{"from": "human", "value": "头痛"}, {"from": "gpt", "value": "吃药"}]}
    files = {"train": str(write_jsonl(tmp_path / "other.jsonl", [row, other] * 4))}
    recipe = changed(tiny_recipe("generate", "full", tiny_writer, tmp_path), data=files)
    with pytest.raises(RecipeError, match=f"They look like those of another form: say `reader: {reader}` in the task"):
        sibu.check(recipe)
    assert sibu.check(changed(recipe, reader=reader)).sound


def test_turns_that_are_not_to_be_learned_are_told(tiny_writer: Path, tmp_path: Path) -> None:
    """OpenAI's files give such turns the weight 0."""
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    turns = [{"role": ("user", "assistant")[n % 2], "content": "头痛"} for n in range(4)]
    turns[1]["weight"], turns[3]["weight"] = 0, 1
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), {"messages": turns}])
    told = [str(fault) for fault in sibu.check(recipe).gate.faults.examples if fault.kind == "not read"]
    assert len(told) == 1
    assert ":21: turn 1 has the weight 0, which is not read" in told[0]
    assert not [f for f in sibu.check(changed(recipe, turns="last")).gate.faults.examples if f.kind == "not read"]


def test_another_way_of_answering_takes_none_of_the_options_of_the_one_before(
    tiny_writer: Path, tmp_path: Path
) -> None:
    recipe = changed(tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0), decoding={"name": "beam"})
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    for name in ("contrastive", "sample", "greedy"):
        assert isinstance(bundle.answering(f"decoding.name={name}").predict("my pain").value, str)
    tried = bundle.answering("decoding.top_k=2", "decoding.name=contrastive")
    assert tried._opened.recipe.tasks["it"].decoding.top_k == 2
    assert bundle.answering("decoding.beams=2")._opened.recipe.tasks["it"].decoding.beams == 2
    bound = bundle.answering("constrain.name=choice", "constrain.among=[吃药]")
    assert bound.predict("头痛").value == "吃药"
    assert bound.answering("constrain.name=regex", "constrain.pattern='[0-9]'").predict("头痛").value.isdigit()


def test_a_written_task_takes_the_keys_that_its_messages_name(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify, written", "full", tiny_writer, tmp_path, epochs=0)
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    (found,) = bundle.answering("max_new_tokens=1").stream(["my pain"])
    assert "within 1 piece. Raise max_new_tokens." in str(found)
    for key in ("max_new_tokens", "written.max_new_tokens"):
        again = bundle.answering(f"{key}=50", "instruction=Which?")
        assert again._opened.recipe.tasks["it"].task.written.max_new_tokens == 50
        assert again.predict("my pain").value in ("appointment", "billing")


def test_labels_are_weighed_whole(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify, written", "full", tiny_writer, tmp_path, epochs=0)
    recipe = changed(recipe, written={"by": "likelihood"})
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    assert set(bundle.predict("头痛").scores) == {"appointment", "billing"}
    with pytest.raises(RecipeError, match=r"A label has more than the 2 pieces .* Raise max_new_tokens"):
        bundle.answering("max_new_tokens=2").predict("头痛")
    with pytest.raises(RecipeError, match=r"tasks\.it\.decoding: `decoding` is for tasks that write, and it weighs"):
        bundle.answering("decoding=beam")


def test_a_task_that_does_not_write_takes_no_decoding(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    with pytest.raises(RecipeError, match=r"tasks\.it\.decoding: `decoding` is for tasks that write, and it answers"):
        sibu.check(changed(recipe, decoding="beam"))


def test_with_no_epoch_a_head_would_be_random(tiny_model: Path, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0)
    recipe["tasks"]["label"] = tiny_recipe("classify", "full", tiny_model, tmp_path)["tasks"]["it"]
    with pytest.raises(RecipeError, match=r"epochs: with no epoch the heads of label would stay random"):
        sibu.check(recipe)


def test_one_decoder_writes_and_classifies(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "lora", tiny_writer, tmp_path)
    recipe["tasks"]["label"] = tiny_recipe("classify", "lora", tiny_writer, tmp_path)["tasks"]["it"]
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    assert isinstance(bundle.predict("my pain", task="it").value, str)
    assert bundle.predict("my bill", task="label").value in ("appointment", "billing")


def test_an_answer_that_is_cut_keeps_to_no_schema_and_is_an_error(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.load(sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path), out=tmp_path / "out"))
    long = bundle.answering("constrain.name=choice", "constrain.among=[abcdefghijklmnopqrstuvwxyz 0123456789 abcdefgh]")
    (found,) = long.answering("max_new_tokens=3").stream(["my pain"])
    assert isinstance(found, DataError)
    assert "did not come to its end within 3 pieces. Raise max_new_tokens." in str(found)
    assert long.answering("max_new_tokens=60").predict("my pain").value.startswith("abcdefghij")
    with pytest.raises(RecipeError, match=r"`stop` cuts short may no longer keep to `constrain`.*`stop=\[\]`"):
        long.answering("stop=[mno]")


def test_keys_that_training_settled_are_refused(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.load(sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path), out=tmp_path / "out"))
    with pytest.raises(RecipeError, match=r"'weight' cannot be changed in a bundle: .* Allowed: decoding, constrain"):
        bundle.answering("weight=2")
    with pytest.raises(RecipeError, match=r"minLength \(9\) is greater than maxLength \(2\)"):
        schema = "constrain.json_schema={type: string, minLength: 9, maxLength: 2}"
        bundle.answering("constrain.name=json", schema)
    with pytest.raises(RecipeError, match="`beam` knows its answer only at the end"):
        bundle.answering("decoding=beam").tell("a", print)
