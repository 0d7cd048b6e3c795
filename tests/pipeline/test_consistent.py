"""Texts without labels that teach by consistency."""

import json
from pathlib import Path

import pytest
import torch
import yaml

import sibu
from sibu.cli.console import Plain
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.pipeline.consistent import consistency_loss
from sibu.pipeline.plan import make_plan
from sibu.pipeline.progress import Silent
from sibu.recipe.load import load_recipe
from sibu.recipe.schema import Consistency
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import tiny_recipe


def asking(model: Path, folder: Path, method: str = "full", **options: object) -> dict:
    recipe = tiny_recipe("classify", method, model, folder, epochs=2, learning_rate=1e-3)
    texts = [{"text": f"{row['text']} 北京 {n}"} for n, row in enumerate(intent_rows(24, seed=5))]
    test = Path(recipe["tasks"]["it"]["data"]["test"])
    texts.append({"text": json.loads(test.read_text(encoding="utf-8").splitlines()[0])["text"]})
    write_jsonl(folder / "texts.jsonl", texts)
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(folder / "texts.jsonl")
    recipe["tasks"]["it"]["consistency"] = {"augment": ["swap", "delete"], "threshold": 0, **options}
    return recipe


def test_the_loss_is_that_of_the_paper() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.5, 0.1], [0.2, 0.1], [5.0, 0.0]], requires_grad=True)
    options = Consistency(weight=3.0, threshold=0.8, temperature=0.5)
    found = consistency_loss(logits, options)
    sharp, own = torch.tensor([4.0, 0.0]).softmax(0), torch.tensor([0.5, 0.1]).softmax(0)
    assert float(found.detach()) == pytest.approx(float(3 * (sharp * (sharp / own).log()).sum() / 2), rel=1e-5)
    found.backward()
    assert logits.grad is not None
    assert logits.grad[0].eq(0).all()  # the text's own answer is a target, not to be changed
    assert logits.grad[1].ne(0).any()
    assert logits.grad[3].eq(0).all()  # the second text is not sure


def test_a_text_and_its_copy_are_neighbours_and_judged_texts_stay_out(tiny_model: Path, tmp_path: Path) -> None:
    plan = make_plan(load_recipe(asking(tiny_model, tmp_path), []), Silent(), encode=True)
    pairs = plan.tasks["it"].pairs
    assert pairs is not None
    assert pairs.made["judged"] == 1
    assert pairs.made["swap"] + pairs.made["delete"] + pairs.made["none"] == 24
    assert pairs.made["swap"] > 0 < pairs.made["delete"]
    assert len(pairs.inputs) == 2 * (pairs.made["swap"] + pairs.made["delete"])
    assert [feature.name for feature in pairs.targets.present] == ["paired"]
    for number in range(0, len(pairs.inputs), 2):
        one, two = (set(pairs.inputs.get("input_ids", number + own).tolist()) for own in (0, 1))
        assert two <= one
        assert len(two) >= len(one) - 3


@pytest.mark.parametrize("method", ["full", "probe", "lora"])
def test_it_trains_and_is_the_same_again(method: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = asking(tiny_model, tmp_path, method)
    one, two = (sibu.run(recipe, out=tmp_path / name) for name in ("one", "two"))
    assert (one / "heads.safetensors").read_bytes() == (two / "heads.safetensors").read_bytes()
    plain = tiny_recipe("classify", method, tiny_model, tmp_path, epochs=2, learning_rate=1e-3)
    other = sibu.run(plain, out=tmp_path / "plain")
    assert (one / "heads.safetensors").read_bytes() != (other / "heads.safetensors").read_bytes()
    told = json.loads((one / "record.json").read_text())["augmented"]["it"]
    assert told["pairs, judged"] == 1


def test_without_ways_dropout_tells_them_apart(tiny_model: Path, tmp_path: Path) -> None:
    plan = make_plan(load_recipe(asking(tiny_model, tmp_path, augment=[]), []), Silent(), encode=True)
    pairs = plan.tasks["it"].pairs
    assert pairs is not None
    assert pairs.made == {"same": 24, "none": 0, "judged": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": {"unlabelled": None}}, "has no texts to learn from"),
        ({"head": "logistic"}, "cannot go with the head `logistic`"),
        ({"multi_label": True}, "is for `classify` with one label"),
        ({"teacher": {"bundle": "x"}}, "cannot go with `teacher`"),
    ],
)
def test_what_cannot_be_is_said(change: dict, said: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = asking(tiny_model, tmp_path)
    data = recipe["tasks"]["it"]["data"] | change.pop("data", {})
    recipe["tasks"]["it"] |= change | {"data": data}
    with pytest.raises(SibuError) as caught:
        sibu.check(recipe)
    assert said in str(caught.value)


def test_several_labels_that_the_rows_show_are_told(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify, several labels", "full", tiny_model, tmp_path)
    write_jsonl(tmp_path / "texts.jsonl", [{"text": "pay my bill"}])
    own = recipe["tasks"]["it"]
    own["data"] = own["data"] | {"unlabelled": str(tmp_path / "texts.jsonl")}
    own["consistency"] = {"threshold": 0.5}
    with pytest.raises(RecipeError, match=r"consistency: labels texts by one label, and the rows of it have several"):
        sibu.check(recipe)


def test_texts_that_cannot_be_changed_are_told_by_check_as_by_run(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(asking(tiny_model, tmp_path, augment=["entities"])))
    line = 1 + next(n for n, each in enumerate(file.read_text().splitlines()) if each.strip() == "consistency:")
    said = f"{file}:{line} tasks.it.consistency: of 25 texts without labels none gives a pair (in dev or test: 1). "
    said += "Give other texts or other ways, or leave `consistency` out."
    for verb in (sibu.check, sibu.run):
        with pytest.raises(RecipeError) as caught:
            verb(file)
        assert str(caught.value) == said
    for mend in ('tasks.it.consistency.augment=["swap"]', "tasks.it.consistency=null"):
        more = ["tasks.it.data.unlabelled=null"] if mend.endswith("null") else []
        assert sibu.check(file, [mend, *more]).sound


def test_a_way_that_suits_no_text_is_told_and_others_take_its_place(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = asking(tiny_model, tmp_path, augment=["entities", "swap"])
    pairs = make_plan(load_recipe(recipe, []), Silent(), encode=True).tasks["it"].pairs
    assert pairs is not None
    assert (pairs.made["entities"], pairs.made["judged"]) == (0, 1)
    assert pairs.made["swap"] > 16  # a text has three tries
    sibu.check(recipe, progress=Plain())
    said = f"it: copies of texts without labels: none by entities, {pairs.made['swap']} by swap"
    assert said in capsys.readouterr().err


def test_an_empty_text_is_told_by_check_too(tiny_model: Path, tmp_path: Path) -> None:
    recipe = asking(tiny_model, tmp_path, augment=[])
    write_jsonl(tmp_path / "texts.jsonl", [{"text": "my book 北京"}, {"text": " "}])
    (fault,) = [each for each in sibu.check(recipe).gate.faults.examples if each.severity == "error"]
    assert (Path(fault.file).name, fault.row, fault.message) == ("texts.jsonl", 2, "the text is empty.")
    with pytest.raises(DataError, match=r"found 1 error; nothing was trained\.\n.*texts\.jsonl:2: the text is empty"):
        sibu.run(recipe)


def test_rows_that_cannot_be_read_are_told(tiny_model: Path, tmp_path: Path) -> None:
    recipe = asking(tiny_model, tmp_path, augment=["swap"])
    file = tmp_path / "texts.jsonl"
    file.write_text(file.read_text(encoding="utf-8") + '{"text": "cut o\n{"words": "no text"}\n', encoding="utf-8")
    assert not sibu.check(recipe).sound
    with pytest.raises(DataError, match=r"found 2 errors; nothing was trained\.\n(?s:.*)texts\.jsonl:26"):
        sibu.run(recipe, out=tmp_path / "out")


def test_a_way_that_cannot_be_had_has_its_place(tiny_model: Path, tmp_path: Path) -> None:
    recipe = asking(tiny_model, tmp_path, augment=[{"name": "masked", "model": "minilm"}])
    with pytest.raises(
        RecipeError, match=r"tasks\.it\.consistency\.augment: The model 'minilm' has no masked-language head"
    ):
        sibu.check(recipe)
