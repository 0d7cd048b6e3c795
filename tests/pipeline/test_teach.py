"""A bundle that teaches another run."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import sibu
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.pipeline.plan import make_plan
from sibu.pipeline.progress import Silent
from sibu.pipeline.teach import taught_loss
from sibu.recipe.load import load_recipe
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import number_rows, tiny_recipe, topic_rows


@pytest.fixture(scope="module")
def teacher(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("teacher")
    recipe = tiny_recipe("classify", "full", tiny_model, home, epochs=20, learning_rate=5e-3)
    return sibu.run(recipe, out=home / "out")


def pupil(model: Path, teacher: Path, folder: Path, **options: object) -> dict:
    recipe = tiny_recipe("classify", "full", model, folder, epochs=20, learning_rate=5e-3)
    recipe["tasks"]["it"]["teacher"] = {"bundle": str(teacher), **options}
    return recipe


def test_the_loss_is_hintons() -> None:
    logits, told = torch.tensor([[1.0, 2.0, -1.0]]), torch.tensor([[0.7, 0.2, 0.1]])
    soft = torch.tensor([0.7, 0.2, 0.1]) ** 0.25
    soft = soft / soft.sum()
    own = (logits[0] / 4).softmax(0)
    wanted = 16 * (soft * (soft / own).log()).sum()
    assert float(taught_loss(logits, told, temperature=4, several=False)) == pytest.approx(float(wanted), rel=1e-5)
    assert float(taught_loss(told.log(), told, temperature=4, several=False)) == pytest.approx(0, abs=1e-6)
    both = torch.tensor([[0.9, 0.5]])
    at = taught_loss(torch.logit(both), both, temperature=1, several=True)
    assert float(taught_loss(torch.zeros(1, 2), both, temperature=1, several=True)) > float(at)
    assert float(taught_loss(torch.tensor([[3.0]]), torch.tensor([[1.0]]), temperature=2, several=False)) == 4


def test_a_pupil_answers_as_its_teacher_whatever_the_labels(teacher: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = pupil(tiny_model, teacher, tmp_path, weight=1)
    rows = intent_rows(40)
    labels = sorted({row["label"] for row in rows})
    wrong = [row | {"label": labels[(labels.index(row["label"]) + 1) % len(labels)]} for row in rows]
    write_jsonl(tmp_path / "train.jsonl", wrong)
    write_jsonl(tmp_path / "dev.jsonl", rows[:10])
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl"), "dev": str(tmp_path / "dev.jsonl")}
    opened, master = sibu.load(sibu.run(recipe, out=tmp_path / "out")), sibu.load(teacher)
    texts = [row["text"] for row in rows]
    pairs = [(opened.predict(text).value, master.predict(text).value) for text in texts]
    assert np.mean([one == two for one, two in pairs]) > 0.7  # by the labels it would be 0
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert list(record["judges"]) == [str(teacher)]


def test_unlabelled_rows_get_the_teachers_answers(teacher: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = pupil(tiny_model, teacher, tmp_path) | {"train": {"epochs": 1}}
    known = intent_rows(40)
    texts = [{"text": f"{row['text']} 北京 {n}"} for n, row in enumerate(known[:12])] + [{"text": known[0]["text"]}]
    write_jsonl(tmp_path / "texts.jsonl", texts)
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(tmp_path / "texts.jsonl")
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert json.loads((bundle / "record.json").read_text())["augmented"]["it"] == {
        "teacher": 12, "teacher, there already": 1
    }  # fmt: skip
    again = sibu.run(recipe, out=tmp_path / "again")
    assert (bundle / "heads.safetensors").read_bytes() == (again / "heads.safetensors").read_bytes()


def test_unlabelled_rows_that_cannot_be_read_are_told(teacher: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = pupil(tiny_model, teacher, tmp_path)
    (tmp_path / "texts.jsonl").write_text('{"text": "a"}\n{"text": "cut o\n', encoding="utf-8")
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(tmp_path / "texts.jsonl")
    with pytest.raises(DataError, match=r"found 1 error; nothing was trained\.\n(?s:.*)texts\.jsonl:2"):
        sibu.run(recipe, out=tmp_path / "out")


@pytest.mark.parametrize(("kind", "rows"), [("regress", number_rows), ("classify, several labels", topic_rows)])
def test_numbers_and_several_labels_are_taught_too(kind: str, rows: object, tiny_model: Path, tmp_path: Path) -> None:
    master = sibu.run(tiny_recipe(kind, "full", tiny_model, tmp_path), out=tmp_path / "master")
    recipe = tiny_recipe(kind, "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["teacher"] = {"bundle": str(master), "weight": 0.8}
    assert (sibu.run(recipe, out=tmp_path / "out") / "bundle.json").is_file()


def test_numbers_are_taught_in_their_own_units(tiny_model: Path, tmp_path: Path) -> None:
    """What a teacher says of prices is learned as the pupil's head tells them, and within the pupil's bounds."""
    rows = [row | {"number": 250_000 + 10_000 * row["number"]} for row in number_rows(40)]
    recipe = tiny_recipe("regress", "full", tiny_model, tmp_path, epochs=1)
    data = {"train": str(tmp_path / "prices.jsonl"), "dev_share": 0}
    write_jsonl(tmp_path / "prices.jsonl", rows)
    recipe["tasks"]["it"]["data"] = data
    master = sibu.run(recipe, out=tmp_path / "master")
    answers = [answer.value for answer in sibu.load(master).predict(rows)]
    low, high = sorted(answers)[10], 1e6  # a fourth of what the teacher says is too little for the pupil
    write_jsonl(tmp_path / "prices.jsonl", [row | {"number": row["number"] + 100_000} for row in rows])
    recipe["tasks"]["it"] |= {"teacher": {"bundle": str(master), "weight": 1.0}, "bounds": [low, high]}
    plan = make_plan(load_recipe(recipe, []), Silent(), encode=True).tasks["it"]
    state = plan.task.state
    assert plan.told is not None
    assert plan.told[:, 0] * state["deviation"] + state["mean"] == pytest.approx(np.clip(answers, low, high), rel=1e-5)
    assert abs(plan.told).max() < 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bundle": "nowhere"}, "there is no bundle at"),
        ({"task": "other"}, "given 'other'. Name one as `task`: it."),
        ({"weight": 0}, "weight"),
    ],
)
def test_a_teacher_that_is_not_there_is_told(
    change: dict, said: str, teacher: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(SibuError) as caught:
        sibu.check(pupil(tiny_model, teacher, tmp_path, **change))
    assert said in str(caught.value)


def test_a_teacher_that_writes_is_refused(tiny_writer: Path, tiny_model: Path, tmp_path: Path) -> None:
    written = tiny_recipe("classify, written", "full", tiny_writer, tmp_path, epochs=0)
    master = sibu.run(written, out=tmp_path / "master")
    recipe = pupil(tiny_model, master, tmp_path)
    recipe["tasks"]["it"]["data"] = written["tasks"]["it"]["data"]
    with pytest.raises(
        RecipeError, match=r"'it' of .*master writes its answers.* Take a teacher that answers by a head"
    ):
        sibu.check(recipe)


def test_a_teacher_of_other_labels_or_another_kind_is_refused(teacher: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = pupil(tiny_model, teacher, tmp_path)
    rows = [{"text": f"good {n}", "label": "ab"[n % 2]} for n in range(20)]
    write_jsonl(tmp_path / "other.jsonl", rows)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "other.jsonl")}
    with pytest.raises(SibuError, match=r"its labels are .*, and it's 'a', 'b'\. Give the same in `labels`"):
        sibu.check(recipe)
    recipe = tiny_recipe("regress", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["teacher"] = {"bundle": str(teacher)}
    with pytest.raises(SibuError, match="gives one label, and it gives no label"):
        sibu.check(recipe)
    recipe = pupil(tiny_model, teacher, tmp_path)
    recipe["tasks"]["it"]["head"] = "logistic"
    with pytest.raises(SibuError, match="cannot go with the head `logistic`, which is fitted to labels"):
        sibu.check(recipe)
    recipe = tiny_recipe("tag", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["teacher"] = {"bundle": str(teacher)}
    with pytest.raises(SibuError, match="is for `classify` and `regress`"):
        sibu.check(recipe)
