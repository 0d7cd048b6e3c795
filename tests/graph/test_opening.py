"""A process may end at any moment: what was committed is there afterwards, and nothing of what was not."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sibu.core.errors import RunStopped
from sibu.graph import InUse, KnowledgeBase, KnowledgeError
from sibu.graph.opening import rebuild
from tests.graph.shared import AGE, BASE, NOTES, TAKES, state

LOAD = """
import os, signal, sys
from sibu.graph import draft, journal, opening, published, KnowledgeBase
draft.MOST_PENDING = 400

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def die_at(module, name, call, before=True):
    real, left = getattr(module, name), [call]
    def wrapped(*rest, **named):
        left[0] -= 1
        if left[0] == 0 and before:
            die()
        found = real(*rest, **named)
        if left[0] == 0:
            die()
        return found
    setattr(module, name, wrapped)

kb = KnowledgeBase.open(sys.argv[1], write=True)
{where}
kb.load(sys.argv[2])
{then}
kb.close()
print("closed")
"""
FACTS = 1500


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base with one version, and a file to load into it."""
    home = tmp_path_factory.mktemp("crash")
    with KnowledgeBase.create(home / "kb", base=BASE) as kb:
        kb.add([(TAKES, NOTES), (AGE, NOTES)])
    lines = (f'<{BASE}s{n}> <{BASE}p{n % 7}> "{n}" .\n' for n in range(FACTS))
    (home / "facts.nt").write_text("".join(lines))
    return home


def run(folder: Path, file: Path, where: str, then: str = "") -> subprocess.CompletedProcess[str]:
    code = LOAD.format(where=where, then=then)
    return subprocess.run([sys.executable, "-c", code, folder, file], capture_output=True, text=True)


PLACES = {
    "while facts come into the store": ("die_at(draft, '_apply', 4)", False),
    "behind a part of them": ("die_at(draft, '_apply', 5, before=False)", False),
    "before the changes are whole": ("die_at(journal.Changes, 'close', 1)", False),
    "before the version has its name": ("die_at(journal, 'write_json', 1)", False),
    "as soon as it is one": ("die_at(journal, 'write_json', 1, before=False)", True),
    "before it is published": ("die_at(published.Work, 'publish', 1)", True),
    "while it is published": ("die_at(published, 'sync_folder', 1)", True),
    "before older ones are removed": ("die_at(published, 'sweep', 1)", True),
    "when all is done": ("die_at(published.Work, 'discard', 1)", True),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_load_is_whole_or_not_at_all(place: str, home: Path, tmp_path: Path) -> None:
    where, committed = PLACES[place]
    folder = shutil.copytree(home / "kb", tmp_path / "kb")
    before = state(folder)
    done = run(folder, home / "facts.nt", where)
    assert done.returncode == -signal.SIGKILL, done.stderr
    after = state(folder)
    with KnowledgeBase.open(folder) as kb:
        assert kb.version.number == 1 + committed
        assert kb.version.facts == len(list(kb.triples())) == 2 + FACTS * committed
    if committed:
        assert before < after
        assert len(after - before) == 2 * FACTS + 4
    else:
        assert after == before
    with KnowledgeBase.open(folder, write=True) as kb:
        kb.load(home / "facts.nt")
        assert kb.version.facts == 2 + FACTS
    assert leftovers(folder) == []


def leftovers(folder: Path) -> list[str]:
    """What nobody needs any more."""
    stores = [path.name for path in (folder / "store").iterdir()]
    return [path.name for path in folder.rglob(".*")] + stores[1:]


def test_a_load_killed_at_any_moment(home: Path, tmp_path: Path) -> None:
    (tmp_path / "more.nt").write_text("".join(f'<{BASE}s{n}> <{BASE}p> "{n}" .\n' for n in range(30_000)))
    folder = shutil.copytree(home / "kb", tmp_path / "kb")
    code = LOAD.format(where="print('open', flush=True)", then="")
    for number in range(3):
        line = [sys.executable, "-c", code, str(folder), str(tmp_path / "more.nt")]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(0.15 * (number + 1))
            process.kill()
        with KnowledgeBase.open(folder) as kb:
            facts = len(list(kb.triples()))
            assert facts == kb.version.facts
            assert (kb.version.number, facts) in ((1, 2), (2, 30_002))


def test_a_fault_in_the_middle_leaves_the_rest_usable(kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.add([(TAKES, NOTES)])
    with monkeypatch.context() as patch:
        patch.setattr("sibu.graph.journal.write_json", full)
        with pytest.raises(RunStopped, match="No room"):
            kb.add([(AGE, NOTES)])
    assert list(kb.triples()) == [TAKES]
    assert kb.add([(AGE, NOTES)]).number == 2
    assert not list((kb.folder / "versions").glob(".*"))


def full(path: Path, value: object) -> None:
    raise RunStopped("No room to write it.")


@pytest.mark.parametrize("kib", [20, 100, 400])
def test_a_full_disk_is_told_and_nothing_is_lost(kib: int, home: Path, tmp_path: Path) -> None:
    lines = (f"<{BASE}s{n}> <{BASE}p{n % 7}> <{BASE}o{n * 7}> .\n" for n in range(19_000))
    (tmp_path / "more.nt").write_text("".join(lines))
    folder = shutil.copytree(home / "kb", tmp_path / "kb")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024))

    line = [sys.executable, "-m", "sibu", "kb", "add", str(folder), str(tmp_path / "more.nt")]
    done = subprocess.run(line, capture_output=True, text=True, preexec_fn=limit)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "No room to write" in done.stderr
    with KnowledgeBase.open(folder) as kb:
        assert (kb.version.number, kb.version.facts) in ((1, 2), (2, 19_002))  # full before it was committed, or after
        assert len(list(kb.triples())) == kb.version.facts
    assert leftovers(folder) == []


# ---- one writer, many readers ---------------------------------------------------------------------------------------


def test_one_writer_at_a_time(kb: KnowledgeBase) -> None:
    said = rf"is open for writing by process {os.getpid()}\. It has one writer at a time: wait until that one ends"
    with pytest.raises(InUse, match=said):
        KnowledgeBase.open(kb.folder, write=True)
    code = "import sys; from sibu.graph import KnowledgeBase; KnowledgeBase.open(sys.argv[1], write=True)"
    done = subprocess.run([sys.executable, "-c", code, kb.folder], capture_output=True, text=True)
    assert f"InUse: {kb.folder} is open for writing by process {os.getpid()}." in done.stderr
    kb.close()
    kb.close()
    KnowledgeBase.open(kb.folder, write=True).close()


def test_a_forgotten_writer_gives_its_right_up(tmp_path: Path) -> None:
    kb = KnowledgeBase.create(tmp_path / "kb")
    kb.add([(TAKES, NOTES)])
    del kb
    with KnowledgeBase.open(tmp_path / "kb") as again:
        assert list(again.triples()) == [TAKES]


def test_readers_see_what_was_published_and_keep_it(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    kb.publish()
    with KnowledgeBase.open(kb.folder) as early:
        kb.add([(AGE, NOTES)])
        with KnowledgeBase.open(kb.folder) as between:
            assert between.version.number == 1
            kb.publish()
            with KnowledgeBase.open(kb.folder) as late:
                assert set(late.triples()) == {TAKES, AGE}
            assert [list(each.triples()) for each in (early, between)] == [[TAKES]] * 2
            assert early.query("ASK { ?s :takes ?o }") is True
            assert [each.number for each in early.versions()] == [0, 1]
        assert sorted(path.name for path in (kb.folder / "store").glob("0*")) == ["000001", "000002"]
    kb.close()
    assert [path.name for path in (kb.folder / "store").iterdir()] == ["000002"]


def test_a_reader_cannot_write(kb: KnowledgeBase) -> None:
    kb.close()
    with (
        KnowledgeBase.open(kb.folder) as reader,
        pytest.raises(KnowledgeError, match=r"is open for reading. Open it for writing"),
    ):
        reader.add([(TAKES, NOTES)])


# ---- what is damaged ------------------------------------------------------------------------------------------------


@pytest.fixture
def two(kb: KnowledgeBase) -> Path:
    """The folder of a closed knowledge base with two versions."""
    kb.add([(TAKES, NOTES)])
    kb.add([(AGE, NOTES)])
    kb.close()
    return kb.folder


def flip(file: Path, place: int | None = None) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    file.write_bytes(content)


def test_a_flipped_byte_in_a_version_is_named(two: Path) -> None:
    flip(two / "versions" / "000001.nq.gz")
    with KnowledgeBase.open(two) as kb:
        assert len(list(kb.triples())) == 2
        with pytest.raises(KnowledgeError, match=r"000001\.nq\.gz is damaged: it was changed \(its sha256 differs\)"):
            kb.diff(0, 2)
    with pytest.raises(KnowledgeError, match=r"000001\.nq\.gz is damaged"):
        rebuild(two, lambda _: None)
    (two / "versions" / "000001.nq.gz").unlink()
    with (
        KnowledgeBase.open(two) as kb,
        pytest.raises(KnowledgeError, match=r"000001\.nq\.gz is missing\. Copy it from"),
    ):
        kb.diff(0, 2)


@pytest.mark.parametrize(
    ("change", "said"), [(b"facts added", b"facts addee"), (b'"number": 2', b'"number": 3'), (b"{", b"[")]
)
def test_a_version_that_was_changed_is_named(change: bytes, said: bytes, two: Path) -> None:
    file = two / "versions" / "000002.json"
    file.write_bytes(file.read_bytes().replace(change, said))
    with pytest.raises(KnowledgeError, match=r"000002\.json is damaged"):
        KnowledgeBase.open(two)


def test_a_missing_version_is_named(two: Path) -> None:
    (two / "versions" / "000001.json").unlink()
    with pytest.raises(KnowledgeError, match=r"000001\.json is missing, though later versions are there"):
        KnowledgeBase.open(two)


def test_versions_of_another_are_told(two: Path, tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "other", base=BASE) as other:
        other.add([(AGE, NOTES)], "elsewhere")
    shutil.copy(tmp_path / "other/versions/000001.json", two / "versions")
    with KnowledgeBase.open(two) as kb, pytest.raises(KnowledgeError, match=r"00000[12]\.json does not follow .*0000"):
        kb.versions()


def test_a_lost_store_is_made_from_the_versions(two: Path) -> None:
    before = state(two)
    shutil.rmtree(two / "store" / "000002")
    assert state(two) == before
    shutil.rmtree(two / "store")
    assert rebuild(two, lambda _: None).number == 2
    assert state(two) == before


def test_a_damaged_store_is_told_and_made_anew(two: Path) -> None:
    before = state(two)
    for file in (two / "store" / "000002").glob("*.sst"):
        flip(file)
    with pytest.raises(KnowledgeError, match=rf"The store of {re.escape(str(two))} is damaged .*sibu kb rebuild"):
        state_or_fault(two)
    rebuild(two, lambda _: None)
    assert state(two) == before
    next((two / "store" / "000002").glob("MANIFEST*")).unlink()
    with pytest.raises(KnowledgeError, match=r"is damaged .*sibu kb rebuild"):
        state_or_fault(two)


def state_or_fault(folder: Path) -> None:
    with KnowledgeBase.open(folder) as kb:
        list(kb.triples())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": 99}', "is a knowledge base of format 99; this Sibu reads up to 1. Update Sibu."),
        ("{", "kb.json is damaged (JSONDecodeError"),
        ('{"format": 1}', "kb.json is damaged (KeyError: 'base')"),
    ],
)
def test_what_kb_json_says(content: str, said: str, two: Path) -> None:
    (two / "kb.json").write_text(content)
    with pytest.raises(KnowledgeError, match=re.escape(said)):
        KnowledgeBase.open(two)


def test_what_is_no_knowledge_base(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/bundle.json").write_text("{}")
    for name, said in (
        ("none", "There is no knowledge base at .*none. Make one: sibu kb create"),
        ("file", "is a file; a knowledge base is a folder"),
        ("bundle", "is a bundle, no knowledge base"),
        ("", "is a folder without kb.json"),
    ):
        with pytest.raises(KnowledgeError, match=said):
            KnowledgeBase.open(tmp_path / name)
