"""What is kept is found again, whole, and goes when nobody uses it."""

import os
import time

import pytest

from sibu.store.cache import UNUSED_DAYS, cache_folder, cached, clear
from sibu.store.hashes import hash_code


def test_it_is_made_once(monkeypatch, tmp_path):
    monkeypatch.setenv("SIBU_CACHE", str(tmp_path))
    made = []

    def make(folder):
        made.append(folder)
        (folder / "x").write_text("1")

    first, second = (cached("things", "a" * 64, make) for _ in range(2))
    assert first == second == cache_folder() / "things" / ("a" * 40)
    assert len(made) == 1
    clear("things")
    assert not first.exists()


def test_a_fault_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("SIBU_CACHE", str(tmp_path))

    def make(folder):
        (folder / "half").write_text("1")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached("things", "a", make)
    assert list((tmp_path / "things").iterdir()) == []


def test_what_is_long_unused_is_removed(monkeypatch, tmp_path):
    monkeypatch.setenv("SIBU_CACHE", str(tmp_path))
    old, young = (cached("things", name, lambda folder: None) for name in ("old", "young"))
    for folder, days in ((old, UNUSED_DAYS + 1), (young, UNUSED_DAYS - 1)):
        then = time.time() - days * 86400
        os.utime(folder, (then, then))
    cached("things", "new", lambda folder: None)
    assert [path.name for path in sorted((tmp_path / "things").iterdir())] == ["new", "young"]


def test_code_has_a_hash(tmp_path, monkeypatch):
    (tmp_path / "some_module.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = hash_code("some_module")
    hash_code.cache_clear()
    (tmp_path / "some_module.py").write_text("x = 2\n")
    assert hash_code("some_module") != before
    assert len({hash_code(), hash_code("sibu.tasks"), hash_code("sibu.tasks.tag.task")}) == 3
    with pytest.raises(ValueError, match="no source of 'no_such_module'"):
        hash_code("no_such_module")
