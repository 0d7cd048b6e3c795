"""Published stores: what RocksDB says becomes a message, and only stores that nobody reads are removed."""

from pathlib import Path

import pytest

from sibu.core.errors import RunStopped
from sibu.graph import KnowledgeBase, KnowledgeError
from sibu.graph.published import Hold, published, sound, sweep
from tests.graph.shared import AGE, NOTES, TAKES


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (OSError("IO error: While appending: No space left on device"), RunStopped, "Make room, and open it again"),
        (OSError("Corruption: block checksum mismatch"), KnowledgeError, "is damaged .* sibu kb rebuild kb"),
        (RuntimeError("Corruption: bad record"), KnowledgeError, "is damaged .* sibu kb rebuild kb"),
        (FileNotFoundError(2, "No such file", "x.ttl"), FileNotFoundError, "x.ttl"),
        (ValueError("something else"), ValueError, "something else"),
    ],
)
def test_what_rocksdb_says(fault: Exception, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said), sound(Path("kb")):
        raise fault


def test_a_store_that_is_read_stays(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    kb.publish()
    stores = kb.folder / "store"
    hold = Hold(stores)
    kb.add([(AGE, NOTES)])
    kb.publish()
    assert published(stores) == [1, 2]
    assert len(list(hold.open())) == 6  # fact, statement, its place, and three of the record
    hold.release()
    hold.release()
    sweep(stores)
    assert published(stores) == [2]
    with pytest.raises(LookupError):
        Hold(kb.folder / "rules")


def test_stores_share_the_files_that_never_change(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    kb.publish()
    files = [file for file in (kb.folder / "store").rglob("*.sst") if file.stat().st_nlink > 1]
    assert files
