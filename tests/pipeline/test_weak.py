"""Labels from rules: what each says, what all of them mean, what becomes of the rows."""

import json
from pathlib import Path

import numpy as np
import pytest

import sibu
from sibu.cli.console import Plain
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.pipeline.weak import SILENT, LabelModel, fires, majority
from sibu.recipe.schema import Rule
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import tiny_recipe


@pytest.mark.parametrize(
    ("words", "text", "speaks"),
    [
        (["bill"], "my Bill please", True),
        (["bill"], "billing", False),
        (["pay it"], "I PAY IT now", True),
        (["c++"], "I write c++ daily", True),
        (["头痛"], "昨天头痛得很", True),
        (["头痛", "flu"], "influenza", False),
        (["iphone"], "我的iPhone坏了", True),
        (["5g", "flu"], "5G套餐", True),
        (["phone"], "我的iPhone坏了", False),
        (["x光"], "拍了X光片", True),
        (["a a", "ill"], "ba a a", True),
        (["e-mail"], "an e-mail, please", True),
    ],
)
def test_words_stand_whole(words: list[str], text: str, speaks: bool) -> None:
    assert fires(Rule(label="x", words=tuple(words)), {"text": text}) is speaks


def test_patterns_and_the_second_text() -> None:
    assert fires(Rule(label="x", pattern=r"\d{3}"), {"text": "call 911"})
    assert not fires(Rule(label="x", pattern="Fee"), {"text": "fee"})
    rule = Rule(label="x", words=("late",), field="text_pair")
    assert not fires(rule, {"text": "late"})
    assert fires(rule, {"text": "a", "text_pair": "too late"})


def drawn(accuracies: list[float], rows: int, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Right labels, and votes of rules that are right so often and speak of half the rows."""
    draw = np.random.default_rng(seed)
    right = draw.integers(labels, size=rows)
    votes = np.full((rows, len(accuracies)), SILENT)
    for rule, accuracy in enumerate(accuracies):
        speaks = draw.random(rows) < 0.5
        wrong = (right + draw.integers(1, labels, size=rows)) % labels
        votes[:, rule] = np.where(speaks, np.where(draw.random(rows) < accuracy, right, wrong), SILENT)
    return right, votes


@pytest.mark.parametrize("labels", [2, 5])
def test_how_often_rules_are_right_is_found_without_a_label(labels: int) -> None:
    known = [0.95, 0.9, 0.8, 0.7, 0.6]
    right, votes = drawn(known, 5000, labels, 3)
    model = LabelModel.fitted(votes, labels)
    assert model.accuracies == pytest.approx(known, abs=0.06)
    spoken = (votes != SILENT).any(1)
    found = model.chances(votes).argmax(1)[spoken] == right[spoken]
    counted = majority(votes, labels).argmax(1)[spoken] == right[spoken]
    assert found.mean() > counted.mean()


def test_chances_are_bayes() -> None:
    model = LabelModel(np.array([0.9, 0.6]), np.array([0.3, 0.5, 0.2]))
    votes = np.array([[0, 1], [2, SILENT], [SILENT, SILENT]])
    first = np.array([0.3 * 0.9 * 0.2, 0.5 * 0.05 * 0.6, 0.2 * 0.05 * 0.2])
    second = np.array([0.3 * 0.05, 0.5 * 0.05, 0.2 * 0.9])
    wanted = [first / first.sum(), second / second.sum(), np.array([0.3, 0.5, 0.2])]
    assert model.chances(votes) == pytest.approx(np.stack(wanted), abs=1e-12)


def recipe_of(model: Path, folder: Path, rows: list[dict], rules: list[dict], **data: object) -> dict:
    write_jsonl(folder / "pool.jsonl", rows)
    recipe = tiny_recipe("classify", "full", model, folder)
    own = recipe["tasks"]["it"]
    own["data"] = {"train": str(folder / "pool.jsonl"), "dev": own["data"]["train"], "test": own["data"]["test"]}
    own["data"] |= {"rules": rules, **data}
    return recipe


BILL = {"label": "billing", "words": ["bill", "pay", "invoice"]}
MOVE = {"label": "appointment", "words": ["move", "book", "cancel"]}


def test_rows_get_labels_and_the_others_are_counted(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(8)]
    rows += [{"text": "move the bill"}, {"text": "london in paris"}, {"text": "pay", "label": "appointment"}]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE], label_model="majority")
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    told = record["rules"]["it"]
    assert {key: told[key] for key in ("rows", "have one", "labelled", "in doubt", "without a rule")} == {
        "rows": 20, "have one": 1, "labelled": 17, "in doubt": 1, "without a rule": 1
    }  # fmt: skip
    assert record["rows"]["it"]["train"] == 18
    assert [(each["label"], each["rows"], each["against others"]) for each in told["rules"]] == [
        ("billing", 11, 1),
        ("appointment", 9, 1),
    ]
    answers = sibu.load(tmp_path / "out").predict(["5 my bill", "5 a book"])
    assert {answer.value for answer in answers} <= {"billing", "appointment"}


def test_an_empty_cell_of_a_table_is_no_label(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, [{"text": "x"}], [BILL, MOVE])
    rows = [f"{n} my bill," for n in range(6)] + [f"{n} a book," for n in range(6)] + ["pay,appointment"]
    (tmp_path / "pool.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    recipe["tasks"]["it"]["data"]["train"] = str(tmp_path / "pool.csv")
    told = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]["rules"]["it"]
    assert {key: told[key] for key in ("rows", "have one", "labelled")} == {"rows": 13, "have one": 1, "labelled": 12}


@pytest.mark.parametrize("text", [{"trim_vocabulary": True}, {"new_words": 1}, None], ids=["fewer", "more", "new"])
def test_pieces_are_those_of_the_rows_that_rules_label(text: dict | None, tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} my bill in xylophonia"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(8)]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE], label_model="majority")
    recipe |= {"model": {"new": "causal", "width": 16, "layers": 1, "heads": 2}} if text is None else {}
    recipe |= {} if text is None else {"modalities": [{"name": "text", **text}]}
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert record["rows"]["it"]["train"] == 17


def test_the_labels_are_those_of_the_rules(tiny_model: Path, tmp_path: Path) -> None:
    from sibu.pipeline.plan import make_plan
    from sibu.pipeline.progress import Silent
    from sibu.recipe.load import load_recipe

    rows = [{"text": row["text"]} for row in intent_rows(40, seed=3)]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE])
    plan = make_plan(load_recipe(recipe), Silent(), encode=False).tasks["it"]
    known = {row["text"]: row["label"] for row in intent_rows(40, seed=3)}
    found = {row["text"]: row["label"] for row in plan.splits["train"]}
    assert len(found) > 20
    agree = sum(known[text] == label for text, label in found.items()) / len(found)
    assert agree > 0.9


def test_a_rule_that_never_speaks_or_only_against_others_is_told(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(9)]
    never = {"label": "billing", "words": ["refund"], "name": "refunds"}
    against = {"label": "appointment", "pattern": "^3 my"}
    sibu.check(recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE, never, against]), progress=Plain())
    said = capsys.readouterr().err
    assert "it: the rule 'refunds' (billing) never says anything" in said
    assert "it: the rule '3: ^3 my' (appointment) is against another wherever it says anything" in said


def test_rules_that_leave_one_label_are_told(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a movie"} for n in range(8)]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE])
    said = r"data\.rules: the rows that have a label or get one are all 'billing'; a classifier needs two\. Write"
    for verb in (sibu.check, sibu.run):
        with pytest.raises(RecipeError, match=said):
            verb(recipe)
    wider = [BILL, MOVE | {"words": ["movie"]}]
    for mend in (f"tasks.it.data.rules={json.dumps(wider)}", "tasks.it.labels=[billing, appointment]"):
        assert sibu.check(recipe, [mend]).sound
    more = [*rows, {"text": "x", "label": "appointment"}]
    recipe["tasks"]["it"]["data"]["train"] = str(write_jsonl(tmp_path / "more.jsonl", more))
    assert sibu.check(recipe).sound


@pytest.mark.parametrize(
    ("row", "said"),
    [({"text": "x", "label": ["appointment"]}, "a list"), ({"text": "x", "label": ""}, "label")],
    ids=["a list", "empty"],
)
def test_faulty_labels_are_told_before_that_one_label_is_left(
    row: dict, said: str, tiny_model: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(tiny_model, tmp_path, [*({"text": f"{n} my bill"} for n in range(9)), row], [BILL, MOVE])
    with pytest.raises(DataError, match=rf"pool\.jsonl:10: .*{said}"):
        sibu.run(recipe)


def test_no_rule_says_anything(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, [{"text": "a"}, {"text": "b"}], [BILL, MOVE])
    with pytest.raises(DataError, match=r"No rule gives any of it's 2 rows a label\..* is in the texts: widen them"):
        sibu.check(recipe)


def test_rules_that_are_in_doubt_of_all(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(9)]
    against = recipe_of(tiny_model, tmp_path, rows, [{"label": label, "pattern": ""} for label in ("billing", "other")])
    said = r"No rule gives any of it's 18 rows a label\. Where they say something \(18 rows\), they speak for several "
    with pytest.raises(DataError, match=rf"{said}labels\. Narrow those that fire where another should\.$"):
        sibu.check(against)
    unsure = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE], rule_threshold=0.99)
    with pytest.raises(DataError, match=rf"{said}labels or are not sure .* Or lower `rule_threshold` \(0\.99\)\.$"):
        sibu.check(unsure)
    assert sibu.check(unsure, ["tasks.it.data.rule_threshold=0.5"]).sound


def test_a_rule_for_a_column_that_no_file_has(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(9)]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE, BILL | {"field": "text_pair"}])
    with pytest.raises(RecipeError, match=r"rules\.2\.field: no file has the column 'text_pair'\. Look into `text`"):
        sibu.check(recipe)
    assert sibu.check(recipe, ["tasks.it.data.rules.2.field=text"]).sound


def test_labels_in_lists_and_rules_do_not_go_together(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"text": f"pay {n}", "label": ["billing"]} for n in range(4)]
    rows += [{"text": f"{n} my bill"} for n in range(9)] + [{"text": f"{n} a book"} for n in range(9)]
    recipe = recipe_of(tiny_model, tmp_path, rows, [BILL, MOVE])
    with pytest.raises(DataError, match=r"pool\.jsonl:1: the label is a list \(4 rows\), and `rules` give other rows"):
        sibu.check(recipe)


FAULTS = {
    "field": ([{**BILL, "field": "title"}], r"rules\.0.*there is no field 'title'\. Allowed: text, text_pair"),
    "pattern": ([{"label": "a", "pattern": "("}], r"'\(' is no regular expression"),
    "both": ([{**BILL, "pattern": "a"}], "a rule has either `words` or a `pattern`"),
    "neither": ([{"label": "a"}], "a rule has either `words` or a `pattern`"),
    "key": ([{"label": "a", "word": ["b"]}], r"no such key\. Did you mean 'words'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_is_told(name: str, tiny_model: Path, tmp_path: Path) -> None:
    rules, said = FAULTS[name]
    with pytest.raises(SibuError, match=said):
        sibu.check(recipe_of(tiny_model, tmp_path, [{"text": "a bill"}], rules))


def test_rules_keep_to_the_labels_and_the_task(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, [{"text": "a bill"}], [{"label": "biling", "words": ["bill"]}])
    recipe["tasks"]["it"]["labels"] = ["appointment", "billing"]
    with pytest.raises(RecipeError, match=r"'biling' is no label\. Allowed: 'appointment', 'billing'"):
        sibu.check(recipe)
    recipe["tasks"]["it"]["multi_label"] = True
    with pytest.raises(RecipeError, match="give a text one label"):
        sibu.check(recipe)
    other = tiny_recipe("tag", "full", tiny_model, tmp_path)
    other["tasks"]["it"]["data"] = other["tasks"]["it"]["data"] | {"rules": [BILL]}
    with pytest.raises(RecipeError, match="are for `classify`"):
        sibu.check(other)


def test_columns_of_other_names(tiny_model: Path, tmp_path: Path) -> None:
    """The column of labels need not be in the training file."""
    rows = [{"note": f"{n} my bill"} for n in range(9)] + [{"note": f"{n} a book"} for n in range(9)]
    write_jsonl(tmp_path / "pool.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", [{"note": row["text"], "kind": row["label"]} for row in intent_rows(20)])
    data = {"train": str(tmp_path / "pool.jsonl"), "dev": str(tmp_path / "dev.jsonl"), "rules": [BILL, MOVE]}
    task = {"type": "classify", "data": data, "fields": {"text": "note", "label": "kind"}}
    recipe = {"name": "t", "model": str(tiny_model), "tasks": {"it": task}, "train": {"epochs": 1}}
    found = json.loads((sibu.run(recipe, out=tmp_path / "out") / "record.json").read_text())
    assert found["rules"]["it"]["labelled"] == 18
