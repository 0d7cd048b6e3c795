"""Every example of the guide runs: recipes, Python, commands; and the two languages show the same examples."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.core.names import Names
from sibu.curation.extracting.plan import plan_of
from sibu.graph.mapping import mapping_of
from sibu.metrics import bootstrap
from sibu.models import sources
from sibu.models.sources import Packaged
from sibu.recipe.load import validate
from sibu.recipe.yaml import parse
from tests.conftest import entity_rows, intent_rows, write_jsonl
from tests.tiny_tasks import number_rows, pair_rows, question_rows, relation_rows, reply_rows, topic_rows

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide"
PAIRS = [(page, GUIDE / "zh" / page.name) for page in sorted(GUIDE.glob("*.md"))]
PAIRS += [(folder / "README.md", folder / "README.zh-CN.md") for folder in (ROOT, ROOT / "examples" / "clinic")]
"""Each page in English with the same page in Chinese."""
PAGES = [page for pair in PAIRS for page in pair]
SOURCE = Path(sibu.__file__).parent

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^(#+) ", re.M)
FILE_NAME = re.compile(r"`([\w./-]+\.\w+)`[:：]\Z")
EXIT_CODE = re.compile(r"#.*(?:exit code|退出码)\D*(\d)")
DATA = {"jsonl", "csv", "tsv", "conll", "json", "turtle", "rules", "txt"}
"""Languages of blocks that hold a file, where the line above ends in its name."""
SHOWN = {"console", "text", "toml"}
"""Languages of blocks that are only looked at: what a shell or another program is told, and what comes out."""


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    above: str
    """The text before the block, up to the block before."""

    @property
    def file(self) -> str | None:
        """The file that the block is the content of: named in its first comment, or in the line above."""
        if self.language == "yaml":
            found = re.match(r"# ([\w./-]+\.yaml)\n", self.text)
        elif self.language in DATA:
            lines = self.above.rstrip().splitlines()
            found = FILE_NAME.search(lines[-1]) if lines else None
        else:
            return None
        return found[1] if found else None


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).with_suffix("").as_posix()


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found, end = [], 0
    for match in BLOCK.finditer(text):
        found.append(Block(match[1], match[2], text[end : match.start()]))
        end = match.end()
    return found


# ---- the folder that a page is read in ------------------------------------------------------------------------------


def note_rows(count: int, *, seed: int = 0) -> list[dict]:
    """The clinic's notes: an intent and entities on one text."""
    intents = intent_rows(count, seed=seed)
    return [
        {**entities, "text": f"{entities['text']} {intent['text']}", "intent": intent["label"]}
        for entities, intent in zip(entity_rows(count, seed=seed), intents, strict=True)
    ]


def triage_rows(count: int, *, seed: int = 0) -> list[dict]:
    """A JSON object for a text."""
    return [{"text": f"{n} {seed} pain", "target": '{"urgent":true,"where":"head"}'} for n in range(count)]


def pair_lines(count: int, *, seed: int = 0) -> str:
    rows = number_rows(count, seed=seed)
    return "text,text_pair,number\n" + "".join(f"{r['text']},{r['text_pair']},{r['number']}\n" for r in rows)


def claim_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Pairs of which the second follows or not."""
    return [
        {"text": f"{n} {seed} pain", "text_pair": f"pain {n}", "label": ("entailment", "contradiction")[n % 2]}
        for n in range(count)
    ]


def write_visits(folder: Path) -> None:
    """Manifests of rows with a picture, a text and a table's columns."""
    import numpy as np
    from PIL import Image

    (folder / "scans").mkdir()
    for seed, (split, count) in enumerate({"train": 40, "test": 16}.items()):
        visits, scans = [], []
        for number in range(count):
            urgent = number % 2
            pixels = np.random.default_rng([seed, number]).integers(0, 120, (18, 18, 3)) + 120 * urgent
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "scans" / f"{split}-{number}.png")
            row = {"image": f"scans/{split}-{number}.png", "label": ("routine", "urgent")[urgent]}
            scans.append(row)
            pet = folder / "pets" / split / ("dog", "cat")[urgent]
            pet.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / row["image"], pet / f"{number}.png")
            text = ("refill please", "pain in the head")[urgent] + f" {number}"
            visits.append(row | {"text": text, "age": 30 + 40 * urgent + number % 9, "ward": "north"})
            if number % 5 == 0:
                visits[-1]["image"] = None
        write_jsonl(folder / f"visits.{split}.jsonl", visits)
        write_jsonl(folder / f"scans.{split}.jsonl", scans)
        captions = [{"text": row["text"], "image": row["image"]} for row in visits if row["image"]]
        write_jsonl(folder / f"captions.{split}.jsonl", captions)


def write_falls(folder: Path) -> None:
    """Recordings with a sensor that began by a clock of its own."""
    import numpy as np
    import soundfile

    (folder / "falls").mkdir()
    for seed, (split, count) in enumerate({"train": 12, "test": 6}.items()):
        rows = []
        for number in range(count):
            draw = np.random.default_rng([seed, number])
            loud = np.repeat(draw.random(20) ** 2, 250)
            hum = np.sin(2 * np.pi * (60, 180)[number % 2] * np.arange(len(loud)) / 1000)
            soundfile.write(folder / "falls" / f"{split}-{number}.wav", (loud * hum).astype(np.float32), 1000)
            own, offset = np.arange(100) / 20, draw.uniform(-1, 1)
            seen = np.interp(own + offset, np.arange(len(loud)) / 1000, loud, left=0, right=0)
            lines = ["clock,x", *(f"{t:.3f},{v:.5f}" for t, v in zip(own, seen, strict=True))]
            (folder / "falls" / f"{split}-{number}.csv").write_text("\n".join(lines))
            row = {"sound": f"falls/{split}-{number}.wav", "wrist": f"falls/{split}-{number}.csv"}
            rows.append(row | {"label": ("step", "fall")[number % 2]})
        write_jsonl(folder / f"falls.{split}.jsonl", rows)


ROWS: dict[str, Callable[..., list[dict]]] = {
    "intent": intent_rows,
    "books": intent_rows,
    "dvd": intent_rows,
    "kitchen": intent_rows,
    "topics": topic_rows,
    "entities": entity_rows,
    "questions": question_rows,
    "relations": relation_rows,
    "notes": note_rows,
    "replies": reply_rows,
    "triage": triage_rows,
    "pairs": pair_rows,
    "claims": claim_rows,
    "examples/clinic/data/notes.en": note_rows,
    "examples/clinic/data/notes.zh": note_rows,
}
"""What the guide's data files are made of; each has a ``.train`` and a ``.test``."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A folder with the files that the pages speak of; each page gets a copy."""
    folder = tmp_path_factory.mktemp("guide") / "home"
    for seed, (split, count) in enumerate({"train": 40, "test": 16}.items()):
        for name, rows in ROWS.items():
            write_jsonl(folder / f"{name}.{split}.jsonl", rows(count, seed=seed))
        (folder / f"similarity.{split}.csv").write_text(pair_lines(count, seed=seed))
    write_visits(folder)
    write_falls(folder)
    write_jsonl(folder / "pool.jsonl", [{"text": row["text"]} for row in intent_rows(12, seed=9)])
    (folder / "texts.txt").write_text("".join(f"{row['text']}\n" for row in intent_rows(40)))
    for recipe in ROOT.glob("examples/clinic/*.yaml"):
        shutil.copy(recipe, folder / "examples/clinic")
    for file in ROOT.glob("examples/clinic/data/visits.*.jsonl"):
        some = file.read_text(encoding="utf-8").splitlines(keepends=True)[:60]
        (folder / "examples/clinic/data" / file.name).write_text("".join(some), encoding="utf-8")
    shutil.copytree(ROOT / "examples/clinic/knowledge", folder / "examples/clinic/knowledge")
    shutil.copytree(tiny_model, folder / "my-model")
    return folder


RECIPES = {"few-labels.md": ["intent"]}
"""Recipes that a page takes for granted, by their name."""
BUNDLES = {"bundle.md": ["intent"]}
"""Bundles that a page takes for granted, by the name of their recipe."""


def recipe_of(name: str) -> dict:
    files = {split: f"{name}.{split}.jsonl" for split in ("train", "test")}
    return {"name": name, "model": "minilm", "tasks": {name: {"type": "classify", "data": files}}}


@pytest.fixture
def here(home: Path, tmp_path: Path, tiny_model: Path, tiny_writer: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``home`` as working folder, where every packaged model is the tiny one."""
    folder = shutil.copytree(home, tmp_path / "here")
    monkeypatch.chdir(folder)
    tiny = [Packaged(name, "sibu", "sibu", lambda _: tiny_model, "tiny") for name in ("minilm", "me5")]
    tiny.append(Packaged("smollm2", "sibu", "sibu", lambda _: tiny_writer, "tiny"))
    monkeypatch.setattr(sources, "PACKAGED", tuple(tiny))
    monkeypatch.setattr(bootstrap, "MOST_DRAWS", 0)  # as few resamples as it takes: the intervals are tested elsewhere
    return folder


# ---- what is run ----------------------------------------------------------------------------------------------------


def command(line: str) -> tuple[int, str]:
    """Run one ``sibu`` line in this process; returns its exit code and what it printed."""
    from sibu.cli import main

    out = io.StringIO()
    code: object = 0
    before, sys.argv = sys.argv, shlex.split(line, comments=True)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the trackers' libraries warn of themselves
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = before
    return int(str(code)), out.getvalue()


def run_bash(text: str) -> str:
    """Run each line; returns what was printed, with file names as the reader sees them."""
    printed = ""
    for line in text.splitlines():
        assert line.startswith("sibu "), f"only lines of sibu stand in bash blocks: {line}"
        wanted = EXIT_CODE.search(line)
        code, said = command(line)
        assert code == (int(wanted[1]) if wanted else 0), f"{line}\n{said}"
        printed += said.replace(f"{Path.cwd()}/", "")
    return printed


def run_python(text: str, page: Path, names: dict) -> None:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # foreign libraries that an example calls by itself
        exec(compile(text, str(page), "exec"), names)


def code_of(page: Path) -> list[tuple[str, str | None, str]]:
    """What a page has its reader run, without comments."""
    lines = [
        (block, [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in block.text.splitlines()]) for block in blocks(page)
    ]
    return [(block.language, block.file, "\n".join(line for line in own if line)) for block, own in lines]


OTHERS = [chinese for english, chinese in PAIRS if code_of(english) == code_of(chinese)]
"""Pages whose examples are those of the other language, word for word; they are run once."""


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OTHERS], ids=name_of)
def test_every_example_runs(page: Path, here: Path) -> None:
    for name in BUNDLES.get(page.name, []):
        sibu.run(recipe_of(name))
    for name in RECIPES.get(page.name, []):
        Path(f"{name}.yaml").write_text(yaml.safe_dump(recipe_of(name) | {"train": {"epochs": 1}}))
    names: dict = {"__name__": "guide"}
    found = blocks(page)
    for block in found:
        if block.file:
            (here / block.file).write_text(block.text, encoding="utf-8")
    printed = ""
    for block in found:
        if block.language == "bash":
            printed = run_bash(block.text)
        elif block.language == "python":
            run_python(block.text, page, names)
        elif block.language == "text" and page.stem != "first-run":  # its counts are the real model's: see below
            assert block.text in printed
        else:
            assert block.language in {"yaml", *DATA, *SHOWN}, f"{page}: a block of {block.language}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_recipe_is_one(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            value = yaml.safe_load(block.text)
            if "id" in value:  # how a table's rows are facts
                value, lines = parse(block.text, str(page))
                assert mapping_of(value, lines, str(page), Names("https://example.org/")).properties
                continue
            if "extractors" in value:  # how facts are extracted
                assert plan_of(value).extractors
                continue
            assert {"name", "tasks"} <= value.keys(), f"{page}: not a whole recipe:\n{block.text}"
            assert {"model", "modalities"} & value.keys(), f"{page}: not a whole recipe:\n{block.text}"
            validate(value, str(page), {})


# ---- the two languages ----------------------------------------------------------------------------------------------


def bare(block: Block) -> str:
    """A block without comments and the words of its texts; of rows and outputs only how many lines there are."""
    if block.language in {"yaml", "bash", "python", "console", "toml"}:
        text = re.sub(r'"[^"\n]*"', '""', block.text)
        lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.splitlines()]
        return "\n".join(line for line in lines if line)
    return f"{len(block.text.splitlines())} lines"


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[name_of(english) for english, _ in PAIRS])
def test_both_languages_show_the_same(english: Path, chinese: Path) -> None:
    own, other = ([(b.language, b.file, bare(b)) for b in blocks(page)] for page in (english, chinese))
    assert own == other
    texts = [BLOCK.sub("", page.read_text(encoding="utf-8")) for page in (english, chinese)]
    levels = [[len(mark) for mark in HEADING.findall(text)] for text in texts]
    assert levels[0] == levels[1]
    rows = [len(re.findall(r"^\|", text, re.M)) for text in texts]
    assert rows[0] == rows[1], "the tables have as many rows"


def test_every_page_is_in_both_indexes() -> None:
    for folder in (GUIDE, GUIDE / "zh"):
        pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
        assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))


# ---- what the pages list --------------------------------------------------------------------------------------------


def fault_kinds() -> Iterator[str]:
    """Every kind of fault that a file of the data gate can name."""
    texts = [path.read_text(encoding="utf-8") for part in ("readers", "tasks", "pipeline") for path in
             sorted((SOURCE / part).rglob("*.py"))]  # fmt: skip
    for text in texts:
        yield from re.findall(r'DataFault\(\s*"([a-z ]+)"', text)
        yield from re.findall(r'yield \(?\s*"([a-z ]+)",\s*(?:"error"|"warning"|severity)', text)
        yield from re.findall(r'JsonError\(\s*"([a-z ]+)"', text)


@pytest.mark.parametrize("page", [GUIDE / "first-run.md", GUIDE / "zh" / "first-run.md"], ids=["en", "zh"])
def test_the_first_page_shows_what_check_prints(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = next(block.text for block in blocks(page) if block.language == "text")
    code, printed = command("sibu check examples/clinic/clinic.yaml --quiet")
    assert (code, printed) == (0, shown)


@pytest.mark.parametrize("page", [GUIDE / "data.md", GUIDE / "zh" / "data.md"], ids=["en", "zh"])
def test_the_data_page_lists_every_fault(page: Path) -> None:
    kinds = set(fault_kinds())
    assert len(kinds) > 25
    text = page.read_text(encoding="utf-8")
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in text] == []


@pytest.mark.parametrize("page", [GUIDE / "methods.md", GUIDE / "zh" / "methods.md"], ids=["en", "zh"])
def test_the_methods_page_has_their_rates(page: Path) -> None:
    from sibu.methods import METHODS

    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([\d.e-]+)", page.read_text(encoding="utf-8"), re.M))
    assert {name: float(rate) for name, rate in rows.items()} == {
        name: METHODS[name].spec.default_rate for name in METHODS
    }
