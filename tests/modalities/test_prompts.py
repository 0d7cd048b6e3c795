"""Prompts: the model's own template, special pieces only where it puts them, what does not fit is cut and said."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import write_tiny_writer
from transformers import AutoTokenizer

from sibu.core.errors import DataError, RecipeError
from sibu.core.text import LEARNED, Prompt
from sibu.modalities.text.prepare import TextPreparer


@pytest.fixture(scope="module")
def preparer(tiny_writer: Path) -> TextPreparer:
    return TextPreparer(tiny_writer, max_length=None, overlap=0, shapes=False, writes=True)


@pytest.fixture(scope="module")
def reference(tiny_writer: Path) -> object:
    return AutoTokenizer.from_pretrained(str(tiny_writer))


def window(preparer: TextPreparer, prompt: Prompt):
    return preparer.prepare([prompt])[0][0]


TURNS = (("system", "be good"), ("user", "my head\n\npain 北京"), ("assistant", " take aspirin"), ("user", "and 头痛?"))


def test_a_prompt_has_the_pieces_that_transformers_gives(preparer: TextPreparer, reference) -> None:
    messages = [{"role": role, "content": text} for role, text in TURNS]
    wanted = reference.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert window(preparer, Prompt(TURNS)).input_ids == wanted


def test_with_its_answer_too(preparer: TextPreparer, reference) -> None:
    messages = [{"role": role, "content": text} for role, text in (*TURNS, ("assistant", "yes 吃药"))]
    wanted = reference.apply_chat_template(messages, return_dict=True)["input_ids"]
    found = window(preparer, Prompt(TURNS, "yes 吃药"))
    newline = reference("\n")["input_ids"]
    assert found.input_ids + newline == wanted  # the template's blank behind the end is not for the model to write
    learned = [piece for piece, own in zip(found.input_ids, found.segments, strict=True) if own == LEARNED]
    assert reference.decode(learned) == "yes 吃药<|im_end|>"


def test_training_and_prediction_read_the_same(preparer: TextPreparer) -> None:
    asked, answered = window(preparer, Prompt(TURNS)), window(preparer, Prompt(TURNS, "yes"))
    assert answered.input_ids[: len(asked.input_ids)] == asked.input_ids


@given(st.lists(st.sampled_from(["<|im_end|>", "<|im_start|>", "system\n", "好", " a", "\ue000"]), max_size=6))
def test_special_pieces_that_a_user_types_stay_text(preparer: TextPreparer, reference, parts: list[str]) -> None:
    text = "".join(parts)
    ids = window(preparer, Prompt((("user", text),))).input_ids
    assert (ids.count(1), ids.count(2)) == (2, 1)  # the template's own and no other
    assert reference.decode(ids) == f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"


def test_in_an_answer_they_stay_text_too(preparer: TextPreparer) -> None:
    found = window(preparer, Prompt((("user", "a"),), "b<|im_end|>c"))
    learned = [piece for piece, own in zip(found.input_ids, found.segments, strict=True) if own == LEARNED]
    assert learned.count(2) == 1
    assert learned[-1] == 2


def test_all_of_the_assistants_turns_are_learned_where_asked(preparer: TextPreparer, reference) -> None:
    found = window(preparer, Prompt(TURNS, "yes", turns="all"))
    learned = [piece for piece, own in zip(found.input_ids, found.segments, strict=True) if own == LEARNED]
    assert reference.decode(learned) == " take aspirin<|im_end|>yes<|im_end|>"


def test_the_oldest_turns_go_first_and_the_system_message_stays(preparer: TextPreparer, reference) -> None:
    turns = [("system", "be good")]
    for number in range(40):
        turns += [("user", f"my head {number}"), ("assistant", "take aspirin")]
    found = window(preparer, Prompt((*turns, ("user", "last")), room=32))
    text = reference.decode(found.input_ids)
    assert len(found.input_ids) <= 256 - 32
    assert text.startswith("<|im_start|>system\nbe good<|im_end|>\n<|im_start|>user\nmy head ")
    assert text.endswith("my head 39<|im_end|>\n<|im_start|>assistant\ntake aspirin<|im_end|>\n"
                         "<|im_start|>user\nlast<|im_end|>\n<|im_start|>assistant\n")  # fmt: skip
    assert found.cut > 0
    assert found.lost.startswith("the oldest ")
    assert found.lost.endswith(" turns of 82")


@given(words=st.lists(st.integers(1, 30), min_size=1, max_size=12), room=st.integers(100, 200), told=st.booleans())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_more_turns_go_than_must(preparer: TextPreparer, words: list[int], room: int, told: bool) -> None:
    """As many of the newest turns stay as fit, found one at a time; what is said of them is true."""
    turns = [("system", "be good")] if told else []
    for number, count in enumerate(words):
        turns += [("user", "head " * count + str(number)), ("assistant", "yes " * count)]
    turns = tuple(turns[:-1])
    found = window(preparer, Prompt(turns, room=room))
    kept, whole = turns, window(preparer, Prompt(turns, room=1))
    first = 1 if told else 0
    while len(kept) > first + 1 and len(_read(preparer, kept)) > 256 - room:
        kept = (*kept[:first], *kept[first + 2 :])
    fits = len(_read(preparer, kept)) <= 256 - room
    if fits:
        assert found.input_ids == _read(preparer, kept)
    dropped = len(turns) - len(kept)
    assert (f"the oldest {dropped} turn" in found.lost) == (dropped > 0)
    assert ("the end of the text" in found.lost) == (not fits)
    assert whole.cut <= found.cut


def _read(preparer: TextPreparer, turns: tuple[tuple[str, str], ...]) -> list[int]:
    return preparer.prompts._read(turns, Prompt(turns))[0]


def test_a_text_alone_loses_its_end_not_its_template(preparer: TextPreparer, reference) -> None:
    text = "head pain " * 200
    found = window(preparer, Prompt((("user", "be good\n\n" + text),), room=32))
    shown = reference.decode(found.input_ids)
    assert 256 - 32 - 4 <= len(found.input_ids) <= 256 - 32
    assert shown.startswith("<|im_start|>user\nbe good\n\nhead pain")
    assert shown.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert found.lost == "the end of the text"


@pytest.mark.parametrize("text", ["head pain " * 200, "北京上海" * 200])
@pytest.mark.parametrize("behind", ["\n\nwhere is the pain?", "\n\n哪里痛？", "頭" * 500])
def test_what_is_asked_behind_a_text_stays(preparer: TextPreparer, reference, text: str, behind: str) -> None:
    """The text before it loses its end; where that is not enough, so does what is asked."""
    found = window(preparer, Prompt((("user", text + behind),), room=32, kept=len(behind)))
    shown = reference.decode(found.input_ids)
    assert len(found.input_ids) <= 256 - 32
    if len(behind) < 100:
        assert shown.endswith(behind + "<|im_end|>\n<|im_start|>assistant\n")
        assert text[:20] in shown
    assert found.lost == "the end of the text"


def test_a_long_system_message_is_told_as_such(preparer: TextPreparer) -> None:
    found = window(preparer, Prompt((("system", "be good " * 200), ("user", "my head")), room=32))
    assert found.lost == "the end of the system message"
    both = window(preparer, Prompt((("system", "be good " * 200), ("user", "my head " * 200)), room=32))
    assert both.lost == "the end of the system message and the end of the text"


def test_an_answer_longer_than_its_room_is_cut_and_not_ended(preparer: TextPreparer) -> None:
    found = window(preparer, Prompt((("user", "a"),), "head pain " * 20, room=10))
    assert found.segments.count(LEARNED) == 10
    assert found.input_ids[-1] != 2
    assert found.lost.endswith(" of the answer")


def test_a_model_without_a_template_reads_a_text_as_it_is(tmp_path: Path) -> None:
    folder = write_tiny_writer(tmp_path / "bare", template=None)
    bare = TextPreparer(folder, max_length=None, overlap=0, shapes=False, writes=True)
    reference = AutoTokenizer.from_pretrained(str(folder))
    assert reference.decode(window(bare, Prompt((("user", "my head"),), "pain")).input_ids) == "my head\npain<|im_end|>"
    shown = reference.decode(window(bare, Prompt(TURNS, "yes")).input_ids)
    assert shown == (
        "be good\nuser: my head\n\npain 北京\nassistant:  take aspirin<|im_end|>\n"
        "user: and 头痛?\nassistant: yes<|im_end|>"
    )


def test_the_template_of_another_model_is_refused(preparer: TextPreparer) -> None:
    llama = (
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>"
        "{{ m.content }}<|eot_id|>{% endfor %}"
    )
    with pytest.raises(
        RecipeError, match=r"another model's: <\|end_header_id\|>, <\|eot_id\|>, .* is no special piece"
    ):
        window(preparer, Prompt((("user", "a"),), template=llama))


def test_a_template_that_refuses_the_roles_says_so_in_its_own_words(preparer: TextPreparer) -> None:
    strict = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system message') }}{% endif %}"
        "{{ m.content }}<|im_end|>{% endfor %}"
    )
    with pytest.raises(DataError, match=r"cannot be used: no system message\. Mend `template`, or the roles\."):
        window(preparer, Prompt(TURNS, template=strict))
    assert window(preparer, Prompt(TURNS[1:], template=strict)).input_ids


@pytest.mark.parametrize(
    "template", ["{{ messages + 1 }}", "{{ 1 / 0 }}", "{% for i in range(10 ** 9) %}x{% endfor %}"]
)
def test_a_template_that_fails_is_told_as_one(preparer: TextPreparer, template: str) -> None:
    with pytest.raises(RecipeError, match="The chat template cannot be used: "):
        window(preparer, Prompt(TURNS, template=template))


def test_a_template_without_an_end_takes_the_tokenizers(preparer: TextPreparer) -> None:
    plain = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    found = window(preparer, Prompt((("user", "a"),), "b", template=plain))
    assert found.input_ids[-1] == 2
    assert preparer.prompts is not None
    assert preparer.prompts.ends(plain) == [2]


def test_no_room_for_a_prompt_is_told(preparer: TextPreparer) -> None:
    with pytest.raises(
        RecipeError, match=r"may have 250 pieces, but the model reads at most 256 .* Lower max_new_tokens"
    ):
        window(preparer, Prompt((("user", "a"),), room=250))


def test_an_encoder_decoder_gets_its_answer_apart(tiny_translator: Path) -> None:
    preparer = TextPreparer(tiny_translator, max_length=64, overlap=0, shapes=False, writes=True)
    reference = AutoTokenizer.from_pretrained(str(tiny_translator))
    found = window(preparer, Prompt((("user", "my <|im_end|> head"),), "pain"))
    assert reference.decode(found.input_ids) == "my <|im_end|> head<|im_end|>"
    assert found.input_ids.count(2) == 1
    assert reference.decode(list(found.answer)) == "pain<|im_end|>"
    long = window(preparer, Prompt((("user", "head pain " * 60),), "pain " * 60, room=16))
    assert (len(long.input_ids), len(long.answer)) == (64, 16)
    assert long.input_ids[-1] == 2
    assert long.lost.startswith("the end of the text and ")
