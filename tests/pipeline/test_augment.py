"""Changed copies in a run: counted, marked, never equal to what is judged on, the same again."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

import sibu
from sibu.core.errors import RecipeError
from sibu.pipeline.plan import fingerprint, make_plan
from sibu.pipeline.progress import Silent
from sibu.recipe.load import load_recipe
from sibu.store.cache import clear
from tests.augmenters.test_augmenters import WORDNET
from tests.conftest import write_jsonl, write_tiny_masked, write_tiny_model
from tests.tiny_tasks import tiny_recipe


def changed(recipe: dict, **data: object) -> dict:
    own = recipe["tasks"]["it"]
    return recipe | {"tasks": {"it": own | {"data": own["data"] | data}}}


@pytest.mark.parametrize(
    ("task", "ways"),
    [
        ("classify", ["swap", "delete"]),
        ("tag", ["entities", "keyboard"]),
        ("extract", ["spelling"]),
        ("relate", ["delete"]),
        ("regress", ["delete"]),
        ("generate", ["swap"]),
    ],
)
def test_a_run_learns_from_copies_too(
    task: str, ways: list[str], tiny_model: Path, tiny_writer: Path, tmp_path: Path
) -> None:
    model = tiny_writer if task == "generate" else tiny_model
    recipe = changed(tiny_recipe(task, "full", model, tmp_path), augment=ways, copies=2)
    plan = make_plan(load_recipe(recipe), Silent(), encode=True)
    own = plan.tasks["it"]
    rows, learned = list(own.splits["train"]), list(own.learned)
    made = sum(count for way, count in own.augmented.items() if way != "none")
    assert learned[: len(rows)] == rows
    assert len(learned) == len(rows) + made
    assert made + own.augmented["none"] == 2 * len(rows)
    assert made > len(rows) / 2
    with pa.memory_map(str(own.learned.folder / "rows.arrow")) as source:
        marks = pa.ipc.open_file(source).read_all()["#made"].to_pylist()
    assert marks[: len(rows)] == [None] * len(rows)
    assert set(marks[len(rows) :]) <= set(ways)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    assert record["augmented"] == {"it": own.augmented}
    assert record["rows"]["it"]["train"] == len(rows)


def test_no_copy_is_a_row_that_is_judged_on(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment="swap", copies=3)
    train, test = (Path(recipe["tasks"]["it"]["data"][split]) for split in ("train", "test"))
    rows = [{"text": f"{n} move book now", "label": "ab"[n % 2]} for n in range(20)]
    write_jsonl(train, rows)
    judged = [{"text": text, "label": "a"} for n in range(20) for text in (f"move {n} BOOK now", f"{n} book  move now")]
    write_jsonl(test, judged)
    own = make_plan(load_recipe(recipe), Silent(), encode=True).tasks["it"]
    texts = [" ".join(row["text"].lower().split()) for row in own.learned]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {" ".join(row["text"].lower().split()) for row in judged}
    assert own.augmented["none"] > 0


def test_copies_are_not_duplicates_to_the_gate(tiny_model: Path, tmp_path: Path) -> None:
    plain = tiny_recipe("classify", "full", tiny_model, tmp_path)
    more = changed(plain, augment=["delete", "swap"], copies=2)
    assert sibu.check(more).gate.as_json() == sibu.check(plain).gate.as_json()
    assert sibu.check(more).steps_per_epoch > sibu.check(plain).steps_per_epoch


def test_the_same_seed_gives_the_same_copies(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=["delete", "swap"])
    one, other, third = (
        list(make_plan(load_recipe(recipe, [f"train.seed={seed}"]), Silent(), encode=False).tasks["it"].learned)
        for seed in (1, 1, 2)
    )
    assert one == other != third


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        ("swop", r"no augmenter is named 'swop'\. Did you mean 'swap'\? Allowed: synonyms, neighbours"),
        ({"name": "swap", "share": 2}, "tasks.it.data.augment.share: "),
        ([{"name": "delete", "shares": 0.2}], r"shares: no such key\. Did you mean 'share'\?"),
        ({"name": "synonyms", "folder": "/nowhere"}, "WordNet is not at /nowhere"),
        ({"name": "masked", "model": "minilm"}, r"data\.augment: The model 'minilm' has no masked-language head"),
        ({"name": "masked"}, "tasks.it.data.augment.*model: "),
        ({"name": "back_translation", "there": "minilm", "back": "minilm"}, "'minilm' does not translate"),
        ({"name": "neighbours", "model": "./nowhere"}, r"data\.augment: No model is named './nowhere'"),
        ("entities", r"augment: no row of it could be changed by entities to one that is not there yet\. Name"),
    ],
)
def test_what_cannot_be_is_told(augment: object, said: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=augment)
    with pytest.raises(RecipeError, match=said):
        sibu.check(recipe)


@pytest.fixture
def lent(tmp_path: Path) -> Path:
    return write_tiny_masked(tmp_path / "lent")


def test_copies_by_a_model_are_found_from_the_recipe_and_told(tiny_model: Path, lent: Path, tmp_path: Path) -> None:
    ways = [{"name": "masked", "model": "lent", "share": 0.5}, {"name": "neighbours", "model": "lent", "least": -1.0}]
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=ways, copies=2)
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    bundle = sibu.run(tmp_path / "recipe.yaml", out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    assert record["augmented"]["it"]["masked"] > 10
    assert record["augmented"]["it"]["neighbours"] > 10
    assert list(record["augmented_by"]) == [str(lent)]
    assert f"model: {lent}" in (bundle / "recipe.yaml").read_text()


def test_other_weights_at_the_same_place_make_other_copies(tiny_model: Path, lent: Path, tmp_path: Path) -> None:
    ways = {"name": "masked", "model": str(lent), "share": 0.9}
    loaded = load_recipe(changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=ways))

    def copies() -> tuple[list[dict], str]:
        plan = make_plan(loaded, Silent(), encode=False)
        return [row["text"] for row in plan.tasks["it"].learned or ()], fingerprint(plan)

    before = copies()
    assert copies() == before
    write_tiny_masked(lent, seed=5)
    after = copies()
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_wordnet_is_found_from_the_recipe_and_is_part_of_what_was_made(tiny_model: Path, tmp_path: Path) -> None:
    home = tmp_path / "words"
    home.mkdir()
    for name, content in WORDNET.items():
        (home / name).write_text(content.replace("car n 2 0 2 2", "book n 2 0 2 2").replace(" car 0", " book 0"))
    ways = {"name": "synonyms", "folder": "words", "share": 0.9}
    (tmp_path / "recipe.yaml").write_text(
        json.dumps(changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=ways)), encoding="utf-8"
    )
    loaded = load_recipe(tmp_path / "recipe.yaml")

    def copies() -> tuple[int, str]:
        plan = make_plan(loaded, Silent(), encode=False)
        assert list(plan.tasks["it"].made_by) == [str(home)]
        return sum("volume" in row["text"] for row in plan.tasks["it"].learned or ()), fingerprint(plan)

    none, before = copies()
    assert none == 0
    file = home / "data.noun"
    file.write_text(file.read_text().replace("auto 0", "volume 0"))
    some, after = copies()
    assert some > 0
    assert after != before


def test_files_below_the_home_folder_are_found(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    data = recipe["tasks"]["it"]["data"]
    recipe = changed(recipe, **{key: f"~/{Path(file).relative_to(tmp_path)}" for key, file in data.items()})
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "recipe.yaml"
    file.write_text(json.dumps(recipe), encoding="utf-8")
    assert sibu.check(file).sound
    unknown = changed(recipe, train="~nobody-of-this-name/train.jsonl")
    with pytest.raises(RecipeError, match=r"data\.train: no file at .*~nobody-of-this-name"):
        sibu.check(unknown)


def test_many_rows_at_once_give_the_copies_of_one_by_one(
    tiny_model: Path, lent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = ["swap", {"name": "masked", "model": str(lent), "share": 0.5}]
    loaded = load_recipe(changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=ways))
    rows = [list(make_plan(loaded, Silent(), encode=False).tasks["it"].learned or ())]
    clear("augmented")
    monkeypatch.setattr("sibu.pipeline.augment.BLOCK", 1)
    rows.append(list(make_plan(loaded, Silent(), encode=False).tasks["it"].learned or ()))
    assert rows[0] == rows[1]
    assert len(rows[0]) > 60


@pytest.mark.parametrize("task", ["tag", "extract", "relate"])
def test_back_translation_is_not_for_tasks_with_spans(
    task: str, tiny_model: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    there = str(tiny_translator)
    ways = {"name": "back_translation", "there": there, "back": there}
    recipe = changed(tiny_recipe(task, "full", tiny_model, tmp_path), augment=ways)
    with pytest.raises(
        RecipeError, match=r"no row of it could be changed by back_translation to one that is not there"
    ):
        sibu.check(recipe)


def test_a_head_that_is_not_in_the_folder_is_told_with_its_place(tiny_model: Path, tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "says-so")
    file = folder / "config.json"
    file.write_text(file.read_text().replace("BertModel", "BertForMaskedLM"))
    ways = {"name": "masked", "model": str(folder)}
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), augment=ways)
    with pytest.raises(RecipeError, match=r"tasks\.it\.data\.augment: The model 'says-so' has no masked-language head"):
        sibu.check(recipe)
