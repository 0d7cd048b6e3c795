"""A model made anew: its tokenizer gives every text back, equal specs give equal folders, it learns, its faults."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import CHARACTERS, WORDS, intent_rows, write_jsonl
from tests.tiny_tasks import tiny_recipe
from tokenizers import Tokenizer

import sibu
from sibu.core.errors import RecipeError
from sibu.models.new import make_model
from sibu.models.spec import NewModel
from sibu.store.hashes import hash_folder

TEXTS = [" ".join(WORDS), CHARACTERS, " ".join(reversed(WORDS))] * 2
SMALL = {"width": 32, "layers": 2, "heads": 4, "longest": 64, "vocabulary": 400, "dropout": 0.0}


@pytest.fixture(scope="module", params=["encoder-decoder", "causal"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / request.param
    make_model(NewModel(new=request.param, **SMALL), TEXTS, folder)
    return folder


def test_equal_specs_give_equal_folders(made: Path, tmp_path: Path) -> None:
    make_model(NewModel(new=made.name, **SMALL), TEXTS, tmp_path / "again")
    assert hash_folder(tmp_path / "again") == hash_folder(made)
    make_model(NewModel(new=made.name, **SMALL, seed=14), TEXTS, tmp_path / "other")
    assert hash_folder(tmp_path / "other") != hash_folder(made)


@given(text=st.text(max_size=40))
@settings(deadline=None)
def test_every_text_comes_back(made: Path, text: str) -> None:
    tokenizer = Tokenizer.from_file(str(made / "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # as prompts are read
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert (ids[-1:] == [2]) == (made.name == "encoder-decoder")


def backwards(count: int) -> list[dict]:
    """The words of a text from its end."""
    rows = []
    for number in range(count):
        words = [WORDS[(number * step + step) % 12] for step in (1, 5, 7)]
        rows.append({"text": " ".join(words), "target": " ".join(reversed(words))})
    return rows


@pytest.mark.parametrize("kind", ["encoder-decoder", "causal"])
def test_it_learns_from_nothing(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_model, tmp_path, epochs=60, batch_tokens=256, evaluate_every=1000)
    for split, count in (("train", 120), ("test", 12)):
        write_jsonl(Path(recipe["tasks"]["it"]["data"][split]), backwards(count))  # the test's rows are trained on
    recipe["model"] = {"new": kind, **SMALL}
    recipe["tasks"]["it"] |= {"label_smoothing": 0.1, "max_new_tokens": 16}
    bundle = sibu.run(recipe, ["train.learning_rate=3e-3"], out=tmp_path / "out")
    metrics = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert metrics["exact_match"]["value"] >= 0.9
    opened = sibu.load(bundle)
    assert opened.predict(backwards(12)[1]["text"]).value == backwards(12)[1]["target"]
    assert opened.evaluate(recipe["tasks"]["it"]["data"]["test"]).scores["bleu"].as_json() == metrics["bleu"]
    record = json.loads((bundle / "record.json").read_text())
    assert record["model"] == {"name": f"new {kind}", "kind": "new", "limit": 64}
    assert record["weights"]["encoder_trained"] == record["weights"]["encoder"]


@pytest.mark.parametrize(
    ("block", "method", "said"),
    [
        ({"new": "transformer"}, "full", "model.new: "),
        ({"width": 32}, "full", "model.new: is missing."),
        ({"new": "causal", "widht": 32}, "full", r"model.widht: no such key\. Did you mean 'width'\?"),
        ({"new": "causal", "width": 30}, "full", r"width must be a multiple of twice the heads \(8\)"),
        ({"new": "causal", **SMALL}, "lora", "`lora` leaves weights as they are, and those of a new model are random"),
        (3, "full", "model: must be a text"),
    ],
)
def test_what_cannot_be_is_told(block: object, method: str, said: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", method, tiny_model, tmp_path) | {"model": block}
    with pytest.raises(RecipeError, match=said):
        sibu.check(recipe)


def test_a_task_that_does_not_write_takes_a_new_model_too(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=8, batch_tokens=256) | {
        "model": {"new": "causal", **SMALL}
    }
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), intent_rows(300))
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert json.loads((bundle / "metrics.json").read_text())["it"]["test"]["accuracy"]["value"] > 0.8


def test_a_missing_file_is_told_before_pieces_are_learned(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_model, tmp_path) | {"model": {"new": "causal", **SMALL}}
    recipe["tasks"]["it"]["data"]["test"] = "nowhere.jsonl"
    with pytest.raises(RecipeError, match=r"nowhere\.jsonl"):
        sibu.check(recipe)


def test_an_encoder_decoder_serves_heads_too(tiny_model: Path, tiny_translator: Path, tmp_path: Path) -> None:
    for number, model in enumerate(({"new": "encoder-decoder", **SMALL}, str(tiny_translator))):
        recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"model": model}
        bundle = sibu.run(recipe, out=tmp_path / f"out{number}")
        found = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"]).scores["accuracy"].as_json()
        assert found == json.loads((bundle / "metrics.json").read_text())["it"]["test"]["accuracy"]


def test_an_answer_longer_than_the_decoder_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_model, tmp_path) | {"model": {"new": "encoder-decoder", **SMALL}}
    recipe["tasks"]["it"]["max_new_tokens"] = 65
    with pytest.raises(RecipeError, match=r"may have 65 pieces, but the model's decoder has 64 places. Lower max_new"):
        sibu.check(recipe)
