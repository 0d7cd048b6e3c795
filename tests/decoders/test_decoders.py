"""Ways of writing: the same pieces as transformers gives one by one, seeded draws, ends, streams."""

from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig

from sibu.decoders import DECODERS
from sibu.decoders.beam import BeamSpec
from sibu.decoders.contrastive import ContrastiveSpec
from sibu.decoders.greedy import GreedySpec
from sibu.decoders.sample import SampleSpec
from sibu.modalities.text._hf import Vocabulary, read_vocabulary
from sibu.modalities.text.encoder import TextEncoder
from sibu.modalities.text.writer import Written, write


@pytest.fixture(scope="module", params=["causal", "encoder-decoder"])
def writer(request: pytest.FixtureRequest, tiny_writer: Path, tiny_translator: Path) -> tuple[TextEncoder, Vocabulary]:
    folder = tiny_writer if request.param == "causal" else tiny_translator
    return TextEncoder(folder, shapes=False, dropout=None, writes=True).eval(), read_vocabulary(folder)


@pytest.fixture(scope="module")
def causal(tiny_writer: Path) -> tuple[TextEncoder, Vocabulary]:
    return TextEncoder(tiny_writer, shapes=False, dropout=None, writes=True).eval(), read_vocabulary(tiny_writer)


PROMPTS = [[5, 60, 61, 62, 63, 64], [7], [90, 91, 92], [300, 301, 302, 303, 9, 9, 9, 9, 9, 10]]


def written(writer: tuple[TextEncoder, Vocabulary], spec: object, prompts=PROMPTS, **more: object) -> list[Written]:
    decoder = DECODERS.of(spec).build(spec)
    encoder, vocabulary = writer
    named = {"limit": 12, "ends": [2, 17]} | more
    return [first for first, *_ in write(encoder, vocabulary, prompts, decoder=decoder, **named)]


def _without_special(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    scores[:, :3] = -torch.inf
    return scores


def reference(writer: tuple[TextEncoder, Vocabulary], prompt: list[int], **settings: object) -> list[int]:
    encoder, _ = writer
    config = GenerationConfig(max_new_tokens=12, eos_token_id=[2, 17], pad_token_id=0, **settings)
    model = encoder.language_model()
    found = model.generate(input_ids=torch.tensor([prompt]), generation_config=config)[0].tolist()
    own = found[len(prompt) if encoder.writes == "causal" else 1 :]
    end = next((place for place, piece in enumerate(own) if piece in (2, 17)), len(own))
    return own[:end]


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        (GreedySpec(), {"do_sample": False}),
        (GreedySpec(repetition_penalty=1.5), {"do_sample": False, "repetition_penalty": 1.5}),
        (GreedySpec(no_repeat=2), {"do_sample": False, "no_repeat_ngram_size": 2}),
        (BeamSpec(beams=3), {"do_sample": False, "num_beams": 3}),
        (ContrastiveSpec(alpha=0), {"do_sample": False}),
    ],
)
def test_together_as_one_by_one(writer, spec, settings) -> None:
    if spec.name == "contrastive" and writer[0].writes != "causal":
        pytest.skip("contrastive search is for causal models")
    found = written(writer, spec)
    assert [each.ids for each in found] == [reference(writer, prompt, **settings) for prompt in PROMPTS]


def test_answers_that_end_early_leave_the_others_as_they_are(causal) -> None:
    whole = written(causal, GreedySpec(), ends=[2])
    longest = max(whole, key=lambda each: len(each.ids))
    ends = [2, *{each.ids[2] for each in whole if each is not longest}]  # some stop at their third piece
    found = written(causal, GreedySpec(), ends=ends)
    for before, after in zip(whole, found, strict=True):
        stop = next((place for place, piece in enumerate(before.ids) if piece in ends), len(before.ids))
        assert after.ids == before.ids[:stop]
    assert len({len(each.ids) for each in found}) > 1


def test_draws_are_seeded(writer) -> None:
    one, same, other = (written(writer, SampleSpec(temperature=2.0, seed=seed)) for seed in (1, 1, 2))
    assert [each.ids for each in one] == [each.ids for each in same]
    assert [each.ids for each in one] != [each.ids for each in other]


def test_draws_follow_the_probabilities(causal) -> None:
    encoder, _ = causal
    with torch.inference_mode():
        chances = encoder.language_model()(input_ids=torch.tensor([[5, 6]])).logits[0, -1].softmax(-1)
    found = written(causal, SampleSpec(temperature=1.0, top_p=1.0), prompts=[[5, 6]] * 4000, limit=1, ends=[])
    counts = torch.bincount(torch.tensor([each.ids[0] for each in found]), minlength=len(chances))
    best = chances.topk(20).indices
    assert torch.allclose(counts[best] / 4000, chances[best], atol=0.02)


def test_of_the_likeliest_alone(causal) -> None:
    assert [e.ids for e in written(causal, SampleSpec(top_k=1))] == [e.ids for e in written(causal, GreedySpec())]
    assert [e.ids for e in written(causal, SampleSpec(top_p=1e-9))] == [e.ids for e in written(causal, GreedySpec())]


def test_contrast_changes_what_is_written(causal) -> None:
    assert [e.ids for e in written(causal, ContrastiveSpec())] != [e.ids for e in written(causal, GreedySpec())]


def test_an_answer_ends_at_a_text(writer) -> None:
    whole = written(writer, GreedySpec(), ends=[])[0]
    stop = whole.text[3:5]
    found = written(writer, GreedySpec(), ends=[], stops=[stop])[0]
    assert found.text == whole.text[: whole.text.index(stop)]
    assert found.finished
    assert len(found.ids) < len(whole.ids)


def test_a_stop_that_never_comes_ends_at_the_limit(writer) -> None:
    found = written(writer, GreedySpec(), ends=[], stops=["no such text"])
    assert all(len(each.ids) == 12 and not each.finished for each in found)


@pytest.mark.parametrize("spec", [GreedySpec(), SampleSpec(), ContrastiveSpec()])
def test_a_stream_tells_the_text_as_it_comes(writer, spec) -> None:
    if spec.name == "contrastive" and writer[0].writes != "causal":
        pytest.skip("contrastive search is for causal models")
    heard: list[str] = []
    named = {"ends": [], "heard": heard.append, "processors": [_without_special]}
    (found,) = written(writer, spec, prompts=PROMPTS[:1], **named)
    assert heard
    assert "".join(heard) == found.text


def test_a_stream_holds_back_what_may_end_the_answer(causal) -> None:
    whole = written(causal, SampleSpec(seed=4), prompts=PROMPTS[:1], ends=[])[0].text
    stop = whole[5:9]
    heard: list[str] = []
    (found,) = written(causal, SampleSpec(seed=4), prompts=PROMPTS[:1], ends=[], stops=[stop], heard=heard.append)
    assert "".join(heard) == found.text == whole[: whole.index(stop)]
