"""Texts written anew from one vector: what is taken out, what the decoder sees, and who begins from the encoder."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.conftest import write_jsonl, write_tiny_unigram
from tests.tiny_tasks import plain_rows, tiny_recipe
from torch import nn
from transformers import AutoModel, AutoTokenizer

import sibu
from sibu.core.errors import DataError, MissingExtra, RecipeError
from sibu.core.tensors import Batch, Encoded
from sibu.core.text import Feature
from sibu.nn.likelihood import IGNORED
from sibu.pipeline.corrupt import hidden
from sibu.tasks.denoise import DenoiseSpec, build, decoder
from sibu.tasks.denoise.decoder import DenoisingHead
from sibu.tasks.denoise.task import GONE, Denoise


def task(**options: object) -> Denoise:
    return build(DenoiseSpec(**options))  # type: ignore[arg-type, return-value]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=40), st.floats(0.05, 0.95), st.integers(0, 99))
def test_whole_words_are_taken_out_and_one_stays(sizes: list[int], share: float, seed: int) -> None:
    words = np.array([-1, *(word for word, size in enumerate(sizes) for _ in range(size)), -1])
    ids = np.arange(len(words)) + 10
    shown, labels = task(share=share).corrupt(ids, words, np.random.default_rng(seed))
    out = shown == GONE
    assert (shown[~out] == ids[~out]).all()
    assert (labels == ids).all()
    assert not out[words < 0].any()
    assert not out[words >= 0].all()
    for word in set(words[out]):
        assert out[words == word].all()


def test_about_the_share_is_taken_out() -> None:
    draw = np.random.default_rng(1)
    shown = [task().corrupt(np.arange(50), np.arange(50), draw)[0] for _ in range(100)]
    assert np.mean(np.stack(shown) == GONE) == pytest.approx(0.6, abs=0.02)


class Every:
    """Takes out the even pieces that are words."""

    def corrupt(self, ids: np.ndarray, words: np.ndarray, draw: object) -> tuple[np.ndarray, np.ndarray]:
        return np.where((words >= 0) & (ids % 2 == 0), GONE, ids), ids.copy()


def test_the_others_move_up_and_the_batch_is_padded_anew() -> None:
    ids = torch.tensor([[101, 3, 4, 6, 7, 102], [101, 4, 5, 102, 9, 9], [101, 3, 5, 7, 102, 9]])
    mask = torch.tensor([6, 4, 5]).unsqueeze(1) > torch.arange(6)
    words = torch.tensor([[-1, 0, 1, 2, 3, -1], [-1, 0, 1, -1, -1, -1], [-1, 0, 1, 2, -1, -1]])
    batch = Batch({"text": {"input_ids": ids, "shapes": ids + 1000, "mask": mask}}, {}, size=3, tokens=18)
    features = (Feature("input_ids", "int64", "token", 9), Feature("shapes", "int64", "token", 0))
    found = hidden(Every(), "it", batch, words, [None] * 3, features=features)  # type: ignore[list-item]
    inputs = found.inputs["text"]
    assert inputs["input_ids"].tolist() == [[101, 3, 7, 102, 9], [101, 5, 102, 9, 9], [101, 3, 5, 7, 102]]
    there = inputs["input_ids"] + 1000
    assert inputs["shapes"].tolist() == there.masked_fill(~inputs["mask"], 0).tolist()
    assert inputs["mask"].sum(1).tolist() == [4, 3, 5]
    labels = found.targets["it"]["labels"]
    assert labels.tolist() == ids.masked_fill(~mask, IGNORED).tolist()
    assert (found.size, found.tokens) == (3, 18)


def head(width: int = 32, inner: int = 32, pieces: int = 50, layers: int = 2) -> DenoisingHead:
    torch.manual_seed(0)
    table = nn.Embedding(pieces, inner)
    made = DenoisingHead(width=width, layers=layers, pooling="mean", dropout=0.0)
    made.tie(table)
    return made


def encoded(rows: int, width: int = 32, seed: int = 1) -> Encoded:
    torch.manual_seed(seed)
    return Encoded(torch.randn(rows, 3, width), torch.ones(rows, 3, dtype=torch.bool))


def test_a_place_knows_the_vector_and_what_stands_before_it() -> None:
    own, given = head(), encoded(1)
    labels = torch.tensor([[1, 7, 8, 9, 2]])
    other = torch.tensor([[1, 7, 8, 30, 2]])
    first, second = (own(given, {"labels": each}).logits for each in (labels, other))
    assert first.shape == (4, 32)
    assert torch.allclose(first[:3], second[:3], atol=1e-6)  # the third place writes what differs, and cannot see it
    assert not torch.allclose(first[3], second[3], atol=1e-3)
    # of the encoder's places only their mean is seen
    turned = Encoded(given.vectors[:, [2, 0, 1]], given.mask)
    assert torch.allclose(first, own(turned, {"labels": labels}).logits, atol=1e-5)
    assert not torch.allclose(first, own(encoded(1, seed=2), {"labels": labels}).logits, atol=1e-2)


@pytest.mark.parametrize("inner", [32, 16])
def test_the_loss_in_parts_is_the_loss(inner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = torch.tensor([[1, 7, 8, 9, 2], [1, 5, 2, IGNORED, IGNORED]])
    found = []
    for cells in (1 << 25, 100):  # 50 pieces: two places at a time
        monkeypatch.setattr(decoder, "CELLS", cells)
        own = head(inner=inner)
        output = own(encoded(2), {"labels": labels})
        loss = own.loss(output, {"labels": labels})
        loss.backward()
        found.append((loss.detach(), [weight.grad for weight in (own.embeddings.weight, *own.parameters())]))
        own.eval()
        told = own(encoded(2), {"labels": labels}).logits.detach()
        assert told[:, 1].tolist() == [4, 2]
        assert float(told[:, 0].sum() / 6) == pytest.approx(float(found[-1][0]), rel=1e-5)
    (whole, grads), (parts, others) = found
    assert torch.allclose(whole, parts)
    for one, other in zip(grads, others, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    logits = torch.nn.functional.linear(output.logits, own.embeddings.weight, own.bias).detach()
    wanted = torch.tensor([7, 8, 9, 2, 5, 2])
    assert float(whole) == pytest.approx(float(torch.nn.functional.cross_entropy(logits, wanted)), rel=1e-5)


def test_a_text_without_pieces_costs_nothing() -> None:
    own = head()
    labels = torch.tensor([[1], [2]])
    loss = own.loss(own(encoded(2), {"labels": labels}), {"labels": labels})
    assert float(loss.detach()) == 0
    assert own.eval()(encoded(2), {"labels": labels}).logits.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_scores_begin_small_whatever_the_table() -> None:
    for size in (0.02, 1.0, 20.0):
        own = head(layers=1)
        own.embeddings.weight.data *= size
        own.tie(own.embeddings)
        places = own(encoded(4), {"labels": torch.randint(0, 50, (4, 9))}).logits
        assert own._scores(places).std() < 3


@pytest.fixture(scope="module")
def bundle(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("denoise")
    return sibu.run(tiny_recipe("denoise", "full", tiny_model, home, epochs=20, learning_rate=3e-3), out=home / "out")


def test_it_learns_the_texts(bundle: Path) -> None:
    evaluations = json.loads((bundle / "record.json").read_text())["evaluations"]
    scores = [each["scores"]["it"]["perplexity"] for each in evaluations]
    assert min(scores) < scores[0] / 2
    told = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert set(told) == {"perplexity", "accuracy"}


def test_the_vector_is_what_the_decoder_goes_by(bundle: Path) -> None:
    """Given another text's vector it writes the text worse."""
    opened = sibu.load(bundle)._opened
    own: DenoisingHead = opened.model.heads["it"]
    texts = ["我们在北京上海吃药", "1 in in in in and the the to and 北京上海"]
    windows = [each[0] for each in opened.text.prepare([opened.tasks["it"].inputs({"text": t})[0] for t in texts])]
    found = []
    with torch.inference_mode():
        vectors = [
            opened.model.encode({"text": {"input_ids": ids, "mask": torch.ones_like(ids, dtype=torch.bool)}})
            for ids in (torch.tensor([each.input_ids]) for each in windows)
        ]
        for place, window in enumerate(windows):
            labels = {"labels": torch.tensor([window.input_ids])}
            found.append([float(own(each, labels).logits[0, 0]) for each in (vectors[place], vectors[1 - place])])
    assert all(right < wrong for right, wrong in found)


def test_the_decoder_stays_out_of_the_model(bundle: Path, tiny_model: Path) -> None:
    heads = load_file(bundle / "heads.safetensors")
    assert heads
    assert all(name.startswith("heads.it.") for name in heads)
    size = len(json.loads((tiny_model / "tokenizer.json").read_text())["model"]["vocab"])
    assert not [name for name, weight in heads.items() if weight.shape == (size, 32)]  # the table is the encoder's
    model, base = (load_file(folder / "model.safetensors") for folder in (bundle / "model", tiny_model))
    assert model.keys() == base.keys()


def test_figures_are_those_of_what_is_left(bundle: Path) -> None:
    """One text with its words out, read by transformers, written by the head."""
    from sibu.pipeline.corrupt import JUDGED
    from sibu.train.seed import generator

    opened = sibu.load(bundle)._opened
    own, text = opened.tasks["it"], "1 in the of to and 北京上海"
    ((window,),) = opened.text.prepare(own.inputs({"text": text}))
    words = own.targets({"text": text}, 0, window, gold=True)["words"]
    shown, labels = own.corrupt(np.array(window.input_ids), words, generator(JUDGED, "judge", 0))
    left = torch.from_numpy(shown[shown != GONE][None])
    assert left.shape[1] < len(labels)
    model = AutoModel.from_pretrained(bundle / "model", add_pooling_layer=False).eval()
    with torch.inference_mode():
        vectors = Encoded(model(input_ids=left).last_hidden_state, torch.ones_like(left, dtype=torch.bool))
        loss, pieces, _ = opened.model.heads["it"](vectors, {"labels": torch.from_numpy(labels[None])}).logits[0]
    file = write_jsonl(bundle.parent / "one.jsonl", [{"text": text}])
    score = sibu.load(bundle).evaluate(file).scores["perplexity"].value
    assert score == pytest.approx(float((loss / pieces).exp()), rel=1e-4)


def test_predictions_are_the_models_own_vectors(bundle: Path) -> None:
    model = AutoModel.from_pretrained(bundle / "model", add_pooling_layer=False).eval()
    tokenizer = AutoTokenizer.from_pretrained(bundle / "model")
    opened = sibu.load(bundle)
    for text in ("42 pain doctor", "我在北京头痛"):
        with torch.inference_mode():
            encoded = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
            mean = model(**encoded).last_hidden_state[0].mean(0)
        assert opened.predict(text).value == pytest.approx((mean / mean.norm()).tolist(), abs=2e-6)
    long = opened.predict("the doctor " * 80)
    assert np.linalg.norm(long.value) == pytest.approx(1, abs=1e-5)
    assert long.value != opened.predict("the doctor " * 30).value


@pytest.mark.parametrize("method", ["full", "lora"])
def test_another_run_begins_from_it(method: str, bundle: Path, tiny_model: Path, tmp_path: Path) -> None:
    if method == "lora":
        bundle = sibu.run(tiny_recipe("denoise", "lora", tiny_model, tmp_path), out=tmp_path / "own")
    classified = sibu.run(tiny_recipe("classify", "probe", bundle, tmp_path), out=tmp_path / "out")
    assert sibu.load(classified).predict("my bill").value in ("appointment", "billing")
    near = sibu.run(tiny_recipe("contrast", "full", bundle, tmp_path, epochs=0), out=tmp_path / "near")
    expected = sibu.load(bundle).predict("头痛 pain").value
    assert sibu.load(near).predict("头痛 pain").value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("beside", ["classify", "mask"])
def test_beside_other_tasks_with_frozen_layers(beside: str, tiny_model: Path, tmp_path: Path) -> None:
    method = {"name": "freeze", "layers": 1} if beside == "classify" else "full"
    recipe = tiny_recipe("denoise", method, tiny_model, tmp_path)
    other = tiny_recipe(beside, "full", tiny_model, tmp_path)["tasks"]["it"]
    recipe["tasks"] = {"language": recipe["tasks"]["it"], "other": other}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    known = json.loads((bundle / "metrics.json").read_text())["language"]["test"]
    report = sibu.load(bundle).evaluate(recipe["tasks"]["language"]["data"]["test"], task="language")
    assert {name: score.as_json() for name, score in report.scores.items()} == known


def test_a_vocabulary_without_a_mask_will_do(tmp_path: Path) -> None:
    model = write_tiny_unigram(tmp_path / "unigram")
    assert sibu.run(tiny_recipe("denoise", "full", model, tmp_path), out=tmp_path / "out")


def test_what_does_not_go_together(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="with no epoch the heads of it would stay random"):
        sibu.check(tiny_recipe("denoise", "full", tiny_model, tmp_path, epochs=0))
    recipe = tiny_recipe("denoise", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] = {"train": str(write_jsonl(tmp_path / "e.jsonl", [*plain_rows(9), {"text": "\n"}]))}
    with pytest.raises(DataError, match=r"e\.jsonl:10: the text is empty"):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.setattr("sibu.tasks.denoise.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'jieba', which is not installed.*sibu\[chinese\]"):
        build(DenoiseSpec(words="chinese"))
