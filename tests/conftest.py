"""What many tests share: tiny models made on the spot, no network, a cache of the test's own."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

# On CI the same examples each time, so that a change is judged by its own faults; new ones are found at the desk.
# No example has a deadline: how long one takes says what else the machine does.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", derandomize=True, database=None, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are not spelt in a test's name: a gzip file has the second it was made in, and workers must agree."""
    return "bytes" if isinstance(val, bytes) else None


WORDS = """
the a an of to in on for with and or not is was no my your move book cancel appointment bill pay invoice refill
pain fever cough head chest arm doctor please can i you we need want today tomorrow monday aspirin ibuprofen mg
good bad film great awful boring paris london john smith acme works at lives who where what when
""".split()  # noqa: SIM905
CHARACTERS = (
    "我你他的在是不了有和人这中大为上个国说们到时要就出会可也能对生于北京上海头痛发烧咳嗽药吃预约账单医生好坏电影很喜欢"
)


def write_recipe(file: Path, recipe: dict) -> list[str]:
    """A recipe's file, a key a line; its lines, the first at place 1 as messages count them."""
    import yaml

    file.write_text(yaml.safe_dump(recipe, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return ["", *file.read_text(encoding="utf-8").splitlines()]


def write_tiny_model(folder: Path, *, seed: int = 0, lowercase: bool = True) -> Path:
    """A BERT of two layers and width 32 with a WordPiece vocabulary of a few words and Chinese characters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    letters = [chr(code) for code in range(97, 123)] + [str(digit) for digit in range(10)]
    if not lowercase:
        letters += [letter.upper() for letter in letters[:26]]
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *dict.fromkeys([*WORDS, *letters, *CHARACTERS, *".,?!;:()-%。，？！、"]),
    ]
    pieces += [f"##{letter}" for letter in letters]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[MASK]"])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
    }
    settings |= {"sep_token": "[SEP]", "mask_token": "[MASK]", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def write_tiny_masked(folder: Path, *, seed: int = 0, lowercase: bool = True) -> Path:
    """The tiny BERT with a masked-language head."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    write_tiny_model(folder, seed=seed, lowercase=lowercase)
    torch.manual_seed(seed)
    config = BertConfig.from_pretrained(folder, initializer_range=0.5)  # so that some words are likelier than others
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


def write_tiny_unigram(folder: Path, *, seed: int = 0) -> Path:
    """The same with a Unigram vocabulary as multilingual encoders have: NFKC, marked spaces, merged characters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    letters = [chr(code) for code in range(97, 123)] + [str(digit) for digit in range(10)]
    scores = {"<s>": 0.0, "<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁": -4.0}
    scores |= {f"▁{word}": -5.0 - len(word) / 99 for word in WORDS}
    scores |= dict.fromkeys(("ing", "er", "n't", "北京", "上海", "头痛", "预约", "医生", "，我"), -6.0)
    scores |= dict.fromkeys([*letters, *CHARACTERS, *"ABP@#.,?!;:()-%'，。？！、…がé"], -9.0)
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **names, "cls_token": "<s>", "sep_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 64}))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(scores),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        type_vocab_size=1,
        pad_token_id=1,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def write_tiny_writer(folder: Path, *, seed: int = 0, template: str | None = CHATML, **settings: int) -> Path:
    """A causal model (Qwen2) of two layers and width 32 with a byte-level vocabulary of a few words."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    size = _write_byte_tokenizer(folder, eos="<|im_end|>", behind=False)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        **settings,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def write_tiny_translator(folder: Path, *, seed: int = 0) -> Path:
    """An encoder-decoder (T5) of two layers and width 32 with the same vocabulary."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    size = _write_byte_tokenizer(folder, eos="<|im_end|>", behind=True)
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=size,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        decoder_start_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def _write_byte_tokenizer(folder: Path, *, eos: str, behind: bool) -> int:
    """A byte-level tokenizer; ``behind``: the end stands behind every text. Returns the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3 + [" " + " ".join(WORDS), CHARACTERS], trainer)
    if behind:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {eos}", pair=f"$A {eos} $B {eos}", special_tokens=[(eos, 2)]
        )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<|im_start|>", "eos_token": eos, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **names}))
    size: int = tokenizer.get_vocab_size()
    return size


@pytest.fixture(scope="session")
def tiny_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny causal model in Hugging Face layout."""
    return write_tiny_writer(tmp_path_factory.mktemp("models") / "writer")


@pytest.fixture(scope="session")
def tiny_translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder-decoder in Hugging Face layout."""
    return write_tiny_translator(tmp_path_factory.mktemp("models") / "translator")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pretrained encoder in Hugging Face layout."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pretrained encoder with a masked-language head."""
    return write_tiny_masked(tmp_path_factory.mktemp("models") / "masked")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["SIBU_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> None:
    """No test cuts the power: what runs in this process need not wait until the disk has each file."""
    from sibu.store import atomic

    atomic._flush = lambda _: None


def write_jsonl(path: Path, rows: list[dict]) -> Path:
    """Rows as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def intent_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Rows that a tiny model can learn: the label follows from one word."""
    import random

    draw = random.Random(seed)
    cues = {"appointment": ["book", "move", "cancel", "预约"], "billing": ["bill", "pay", "invoice", "账单"]}
    rows = []
    for number in range(count):
        label = draw.choice(list(cues))
        words = [*draw.choices(WORDS[:12], k=draw.randint(2, 9)), draw.choice(cues[label]), f"{number}"]
        rows.append({"id": number, "text": " ".join(words), "label": label})
    return rows


def entity_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Rows with character spans: drugs and symptoms in English, some in Chinese."""
    import random

    draw = random.Random(seed)
    names = {"drug": ["aspirin", "ibuprofen", "药"], "symptom": ["fever", "cough", "pain", "头痛", "发烧"]}
    rows = []
    for number in range(count):
        text, spans = f"{number}", []
        for _ in range(draw.randint(0, 3)):
            text += " " + " ".join(draw.choices(WORDS[:12], k=draw.randint(1, 3))) + " "
            label = draw.choice(list(names))
            word = draw.choice(names[label])
            spans.append({"start": len(text), "end": len(text) + len(word), "label": label})
            text += word
        rows.append({"id": number, "text": text, "entities": spans})
    return rows
