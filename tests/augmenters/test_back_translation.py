"""Texts go through a translation model and back; what points into a text is never translated."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import write_jsonl, write_tiny_translator

import sibu
from sibu.augmenters import AUGMENTERS
from sibu.augmenters._hf import load
from sibu.augmenters.back_translation import BackTranslationSpec
from sibu.augmenters.back_translation.trip import Draws, RoundTrip, Translator
from sibu.augmenters.back_translation.way import Way, way_of
from sibu.core.errors import RecipeError
from sibu.models.sources import Source, find_model

TEXTS = ["good film", "头痛，要吃药", "bad", "a"]
ENDLESS = {"temperature": 0.0, "beams": 1, "limit": 24}


PAIRS = [("good", "好"), ("bad", "坏"), ("film", "电影"), ("head", "头"), ("good film", "好电影")]
ASKED = "Say it in Chinese."


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Marian model that was trained to translate some words."""
    home = tmp_path_factory.mktemp("bundle")
    rows = [{"text": text, "target": target} for text, target in PAIRS] * 12
    data = str(write_jsonl(home / "train.jsonl", rows))
    task = {"type": "generate", "data": {"train": data, "dev": data}, "instruction": ASKED, "max_new_tokens": 12}
    model = {"new": "encoder-decoder", "width": 32, "layers": 1, "heads": 2, "vocabulary": 300, "longest": 64}
    train = {"epochs": 8, "batch_tokens": 256, "learning_rate": 0.01}
    recipe = {"name": "zh", "model": model | {"dropout": 0.0}, "tasks": {"it": task}, "train": train}
    return sibu.run(recipe, out=home / "out")


@pytest.fixture(scope="module")
def marian(bundle: Path) -> Path:
    """Its model alone, in Hugging Face layout."""
    return bundle / "model"


def way(there: Path, back: Path, **options: Any) -> Any:
    spec = BackTranslationSpec(there=str(there), back=str(back), **options)
    found = AUGMENTERS.of(spec).build(spec)
    found.learn([])
    return found


def translator(folder: Path, before: str = "") -> Translator:
    source = find_model(str(folder), home=Path())
    return Translator(load(source, "translator"), Way(source, before, None))


def reference(folder: Path, text: str, **own: Any) -> str:
    """One translation by transformers alone; empty where it does not end."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    ids = model.generate(**inputs, do_sample=False, max_new_tokens=24, **own)[0].tolist()[1:]
    return tokenizer.decode(ids, skip_special_tokens=True).strip() if tokenizer.eos_token_id in ids else ""


@pytest.mark.parametrize("beams", [1, 3])
def test_a_translation_is_that_of_transformers(marian: Path, beams: int) -> None:
    found = translator(marian, f"{ASKED}\n\n").translate(TEXTS, [0] * 4, temperature=0, beams=beams, limit=24)
    assert found == [reference(marian, f"{ASKED}\n\n{text}", num_beams=beams) for text in TEXTS]
    assert any(found)


def test_what_does_not_end_or_does_not_fit_gives_nothing(tmp_path: Path) -> None:
    own = translator(write_tiny_translator(tmp_path / "t5"))
    assert own.translate(["good film", "", "头痛"], [0] * 3, **ENDLESS) == ["", "", ""]
    assert own.translate(["头痛" * 400], [0], **ENDLESS) == [""]


def test_draws_are_from_the_softmax_and_each_text_has_its_own() -> None:
    scores = torch.tensor([[2.0, 1.0, 0.0, -torch.inf]]).repeat(4000, 1)
    picked = Draws(list(range(4000)), 0.5)(torch.zeros(4000, 1), scores).argmax(1)
    expected = (scores[0] / 0.5).softmax(0)
    shares = torch.bincount(picked, minlength=4) / 4000
    assert shares.tolist() == pytest.approx(expected.tolist(), abs=0.03)
    alone = [int(Draws([seed], 0.5)(torch.zeros(1, 1), scores[:1]).argmax(1)) for seed in range(50)]
    assert alone == picked[:50].tolist()


def test_unlikely_pieces_are_never_drawn() -> None:
    scores = torch.zeros(1, 200)
    scores[0, 50:] = -1e-3
    made = {int(Draws([seed], 2.0)(torch.zeros(1, 1), scores).argmax(1)) for seed in range(300)}
    assert max(made) < 50
    assert len(made) > 30


def test_a_row_comes_back_in_other_words_the_same_for_the_same_draws(marian: Path) -> None:
    change = way(marian, marian, temperature=1.5, max_new_tokens=24)
    row = {"id": 3, "text": "good film", "text_pair": "头痛", "label": "x"}
    made = [change(row, Random(seed)) for seed in range(12)]
    assert [change(row, Random(seed)) for seed in range(12)] == made
    whole = [each for each in made if each is not None]
    assert len({each["text"] for each in whole}) > 1
    for each in whole:
        assert each.keys() == row.keys()
        assert (each["text"], each["text_pair"]) != (row["text"], row["text_pair"])
        assert (each["id"], each["label"]) == (3, "x")
    assert row["text"] == "good film"


def test_several_rows_at_once_are_as_one_by_one(bundle: Path) -> None:
    rows = [{"text": text} for text in TEXTS] + [{"text": " "}, {"messages": []}]
    for temperature in (0.0, 1.5):
        change = way(bundle, bundle, temperature=temperature, max_new_tokens=24)
        together = change.many(rows, [Random(n) for n in range(6)])
        assert together == [change(row, Random(n)) for n, row in enumerate(rows)]
        assert any(together)
        assert together[4:] == [None, None]


class _Echo:
    """Translates by turning texts about."""

    def __init__(self, said: dict[str, str]) -> None:
        self.said, self.asked = said, 0

    def translate(self, texts: list[str], seeds: list[int], **_: Any) -> list[str]:
        self.asked += len(texts)
        return [self.said.get(text, text) for text in texts]


def echoing(there: dict[str, str], back: dict[str, str], temperature: float = 0.7) -> RoundTrip:
    own = Way(Source("x", "folder", Path()), "", None)
    found = RoundTrip(own, own, temperature=temperature, beams=1, limit=9)
    found._translators = [_Echo(there), _Echo(back)]  # type: ignore[list-item]
    return found


def test_texts_that_come_back_equal_or_not_at_all_give_none() -> None:
    change = echoing({"a film": "一部电影", "lost": ""}, {"一部电影": "a movie"})
    assert change({"text": "a film"}, Random(0)) == {"text": "a movie"}
    assert change({"text": "一部电影"}, Random(0)) == {"text": "a movie"}
    assert change({"text": "same"}, Random(0)) is None
    assert change({"text": " same  "}, Random(0)) is None
    assert change({"text": "a film", "text_pair": "same"}, Random(0)) == {"text": "a movie", "text_pair": "same"}
    assert change({"text": "a film", "text_pair": "lost"}, Random(0)) is None


@given(
    spans=st.sampled_from(
        [
            {"entities": []},
            {"entities": [{"start": 0, "end": 1, "label": "x"}], "relations": []},
            {"answers": []},
            {"tokens": ["a", "film"], "tags": ["O", "O"]},
            {"tokens": ["a", "film"]},
        ]
    )
)
def test_rows_with_spans_are_left_alone_even_those_with_none_of_them(spans: dict) -> None:
    change = echoing({}, {"a film": "a movie"})
    assert change({"text": "a film"} | spans, Random(0)) is None


def test_what_is_always_the_same_is_translated_once() -> None:
    change = echoing({}, {"a film": "a movie"}, temperature=0)
    for _ in range(3):
        made = change.many([{"text": "a film"}, {"text": "a film"}], [Random(0), Random(1)])
        assert made == [{"text": "a movie"}] * 2
    assert change._translators[0].asked <= 2  # type: ignore[attr-defined]


def test_a_bundle_translates_as_it_answers(bundle: Path, tmp_path: Path) -> None:
    source = find_model(str(bundle), home=Path())
    own = way_of(source, prefix="", languages=None)
    assert own.before == f"{ASKED}\n\n"
    texts = ["good", "film", "good film"]
    translating = Translator(load(source, "translator"), own)
    found = translating.translate(texts, [0] * 3, temperature=0, beams=1, limit=12)
    assert found == [each.value for each in sibu.load(bundle).predict([{"text": text} for text in texts])]
    assert all(found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("system: null", "system: Be brief.", r"translates by 'system', which back_translation cannot follow"),
        ("type: generate", "type: prefer", r"must have one task `generate` to translate, and has 0 \(its tasks: 'it'"),
    ],
)
def test_a_bundle_that_cannot_be_followed_is_refused(
    bundle: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    whole = (bundle / "recipe.yaml").read_text(encoding="utf-8")
    assert old in whole
    (tmp_path / "recipe.yaml").write_text(whole.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        way_of(Source("zh", "bundle", bundle / "model", tmp_path), prefix="", languages=None)


def test_a_model_of_many_languages_is_told_both(tmp_path: Path) -> None:
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    base = ["<s>", "<pad>", "</s>", "<unk>", *"▁abcdefghijklmnopqrstuvwxyz头痛好电影"]
    folder = tmp_path / "nllb"
    tokenizer: Any = NllbTokenizer(vocab={piece: number for number, piece in enumerate(base)}, merges=[])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=1,
        encoder_ffn_dim=32, decoder_ffn_dim=32,
        encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=64,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
    )  # fmt: skip
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    source = find_model(str(folder), home=Path())
    loaded = load(source, "translator")
    asked: list[dict[str, Any]] = []
    generate = loaded.model.generate
    loaded.model.generate = lambda **given: asked.append(given) or generate(**given)
    Translator(loaded, Way(source, "", ("eng_Latn", "zho_Hans"))).translate(["a film"], [0], **ENDLESS)
    number = loaded.tokenizer.convert_tokens_to_ids
    assert number("eng_Latn") in asked[0]["input_ids"][0].tolist()
    assert asked[0]["generation_config"].forced_bos_token_id == number("zho_Hans")
    assert loaded.model.generation_config.forced_bos_token_id is None
    with pytest.raises(RecipeError, match="knows no language 'chinese'"):
        Translator(loaded, Way(source, "", ("eng_Latn", "chinese")))
    with pytest.raises(RecipeError, match=r"knows many languages: say by `languages` which is the rows'"):
        Translator(loaded, Way(source, "", None))


def test_a_model_that_does_not_translate_is_refused(
    tiny_model: Path, tiny_writer: Path, marian: Path, tmp_path: Path
) -> None:
    for other in (tiny_model, tiny_writer):
        with pytest.raises(RecipeError, match=r"does not translate: it is no encoder-decoder"):
            way(marian, other)
    with pytest.raises(RecipeError, match="No model is named 'nowhere'"):
        way(Path("nowhere"), marian)
    with pytest.raises(RecipeError, match="knows no language 'zh'"):
        change = way(marian, marian, languages=("en", "zh"))
        change({"text": "good film"}, Random(0))


def test_a_tokenizer_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = write_tiny_translator(tmp_path / "t5")
    (folder / "tokenizer.json").unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text()) | {"tokenizer_class": "NoSuchTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match=r"The tokenizer of the model 't5' cannot be read: "):
        translator(folder)
