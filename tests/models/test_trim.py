"""A model with fewer pieces answers as the whole one wherever its pieces suffice."""

import json
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.conftest import (
    CHARACTERS,
    WORDS,
    entity_rows,
    intent_rows,
    write_jsonl,
    write_tiny_model,
    write_tiny_unigram,
)
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

import sibu
from sibu.core.errors import Unsupported
from sibu.models.trim import trim_vocabulary

TRAINED = [
    "please book my appointment today",
    "the pain in my head is bad , 头痛 发烧",
    "我预约医生",
    "john works at acme",
]
TEXTS = st.lists(st.sampled_from([*WORDS, *CHARACTERS, "头痛", "预约", "上海", "xylophone", "7", "!"]), max_size=12)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_specials_last(folder):
    """The same model with its special pieces behind the others, so that trimming gives them new numbers."""
    write_tiny_model(folder)
    tokenizer, config = (json.loads((folder / f"{name}.json").read_text()) for name in ("tokenizer", "config"))
    numbers = tokenizer["model"]["vocab"]
    order = [piece for piece in numbers if piece not in SPECIAL] + list(SPECIAL)
    tokenizer["model"]["vocab"] = {piece: number for number, piece in enumerate(order)}
    for name, token in tokenizer["post_processor"]["special_tokens"].items():
        token["ids"] = [order.index(name)]
    for token in tokenizer["added_tokens"]:
        token["id"] = order.index(token["content"])
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": order.index("[PAD]")}))
    weights = load_file(folder / "model.safetensors")
    rows = weights["embeddings.word_embeddings.weight"]
    weights["embeddings.word_embeddings.weight"] = rows[[numbers[piece] for piece in order]]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


KINDS = {"wordpiece": write_tiny_model, "specials last": write_specials_last, "unigram": write_tiny_unigram}


def used_by(folder, texts):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return {number for text in texts for number in tokenizer.encode(text).ids}


@pytest.fixture(scope="module", params=KINDS)
def folders(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("trim")
    whole, small = KINDS[request.param](home / "whole"), home / "small"
    small.mkdir()
    trim_vocabulary(whole, small, used_by(whole, TRAINED))
    return whole, small


@pytest.fixture(scope="module")
def loaded(folders):
    return [
        (AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, add_pooling_layer=False).eval())
        for folder in folders
    ]


@torch.inference_mode()
def vectors(tokenizer, model, text):
    return model(input_ids=torch.tensor([tokenizer(text)["input_ids"]])).last_hidden_state


@pytest.mark.parametrize("text", TRAINED)
def test_trained_texts_keep_their_pieces_and_vectors(loaded, text):
    whole, small = loaded
    assert small[0].tokenize(text) == whole[0].tokenize(text)
    assert torch.equal(vectors(*small, text), vectors(*whole, text))


@settings(deadline=None, max_examples=100)
@given(words=TEXTS, gap=st.sampled_from([" ", ""]))
def test_texts_of_kept_pieces_are_the_same_and_others_are_spelled(loaded, words, gap):
    whole, small = loaded
    text = gap.join(words)
    before, after = (tokenizer.tokenize(text) for tokenizer, _ in loaded)
    kept = set(small[0].get_vocab())
    if set(before) <= kept:
        assert after == before
        assert torch.equal(vectors(*small, text), vectors(*whole, text))
    elif whole[0].unk_token not in before:
        assert small[0].unk_token not in after
        assert len(after) > len(before)


def test_fewer_pieces_are_kept_and_all_special_ones(folders, loaded):
    whole, small = folders
    size = json.loads((small / "config.json").read_text())["vocab_size"]
    assert size < 0.9 * json.loads((whole / "config.json").read_text())["vocab_size"]
    assert len(loaded[1][0]) == size
    weights = load_file(small / "model.safetensors")
    assert weights["embeddings.word_embeddings.weight"].shape[0] == size
    for name in ("unk_token", "pad_token", "cls_token", "sep_token"):
        assert getattr(loaded[1][0], name) == getattr(loaded[0][0], name)
    config = loaded[1][1].config
    assert config.pad_token_id == loaded[1][0].pad_token_id
    ids = [tokenizer.convert_ids_to_tokens(tokenizer("book", "my")["input_ids"]) for tokenizer, _ in loaded]
    assert ids[0] == ids[1]


def test_other_scripts_become_unknown_pieces(folders, loaded):
    tokenizer, model = loaded[1]
    numbers = tokenizer("привет 한국 😀")["input_ids"]
    assert tokenizer.unk_token_id in numbers
    assert torch.isfinite(vectors(tokenizer, model, "привет 한국 😀")).all()


def test_without_chinese_in_the_data_no_chinese_is_kept(tmp_path):
    whole = write_tiny_model(tmp_path / "whole")
    (tmp_path / "small").mkdir()
    trim_vocabulary(whole, tmp_path / "small", used_by(whole, ["book my appointment"]))
    kept = Tokenizer.from_file(str(tmp_path / "small" / "tokenizer.json")).get_vocab()
    assert not set(CHARACTERS) & set(kept)
    assert {"book", "b", "##k", "7", "?", "[MASK]"} <= set(kept)
    assert "fever" not in kept


def test_what_cannot_be_trimmed_is_refused(folders, tmp_path):
    whole, _ = folders
    folder = shutil.copytree(whole, tmp_path / "whole")
    (tmp_path / "small").mkdir()
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"model": words}))
    with pytest.raises(Unsupported, match="'WordLevel' cannot be trimmed; set trim_vocabulary: false"):
        trim_vocabulary(folder, tmp_path / "small", {1})
    (folder / "tokenizer.json").unlink()
    with pytest.raises(Unsupported, match=r"has no tokenizer\.json.*set trim_vocabulary: false"):
        trim_vocabulary(folder, tmp_path / "small", {1})


def test_weights_in_a_pickle_are_refused(folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "whole")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    (tmp_path / "small").mkdir()
    with pytest.raises(Unsupported, match=r"no weights in safetensors.*set trim_vocabulary: false"):
        trim_vocabulary(folder, tmp_path / "small", {1})


def test_a_run_with_a_trimmed_model_predicts(folders, tmp_path):
    whole, _ = folders
    files = {}
    for name, rows in (("intent", intent_rows), ("entities", entity_rows)):
        kinds = {"train": rows(80), "test": rows(15, seed=1)}
        files[name] = {kind: str(write_jsonl(tmp_path / f"{name}.{kind}.jsonl", own)) for kind, own in kinds.items()}
    recipe = {
        "name": "trimmed",
        "model": str(whole),
        "modalities": [{"name": "text", "trim_vocabulary": True}],
        "tasks": {
            "intent": {"type": "classify", "data": files["intent"]},
            "entities": {"type": "tag", "data": files["entities"]},
        },
        "train": {"epochs": 6, "learning_rate": 3e-3, "batch_tokens": 256, "seed": 5},
    }
    bundle = sibu.run(recipe, out=tmp_path / "bundle")
    sizes = [json.loads((folder / "config.json").read_text())["vocab_size"] for folder in (whole, bundle / "model")]
    assert sizes[1] < sizes[0]
    model = sibu.load(bundle)
    assert model.predict("please pay the invoice", task="intent").value == "billing"
    assert model.predict("a zebra quoth 我们账单 привет", task="intent").score > 0
    for span in model.predict("of fever , 头痛 ibuprofen", task="entities").value:
        assert span["text"] == "of fever , 头痛 ibuprofen"[span["start"] : span["end"]]
    known = json.loads((bundle / "metrics.json").read_text())["intent"]["test"]
    again = model.evaluate(files["intent"]["test"], task="intent")
    assert {name: score.as_json() for name, score in again.scores.items()} == known
