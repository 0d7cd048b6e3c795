"""What both pages say follows from what the run left."""

import pytest

from sibu.core.result import Report, Score
from sibu.pipeline.report.curves import learning_rate, losses, on_dev
from sibu.pipeline.report.facts import Run, bins, confused, confusion_table, drift, label_counts


def run_of(parts):
    return Run(**parts)


def test_the_home_split_leads_and_gaps_are_against_it(inputs):
    intent = run_of(inputs).tasks[0]
    assert intent.main == "accuracy"
    assert intent.home == "books"
    assert intent.leading_split == "books"
    (gap,) = intent.gaps()
    assert gap.split == "dvd | 影碟"
    assert gap.value == pytest.approx(-0.15)
    assert (gap.low, gap.high) == pytest.approx((-0.15 - 0.02 * 2**0.5, -0.15 + 0.02 * 2**0.5))
    assert gap.clear


def test_dev_stands_for_the_home_split_where_none_is_named(inputs):
    del inputs["recipe"]["tasks"]["intent"]["data"]["in_domain"]
    intent = run_of(inputs).tasks[0]
    assert intent.home == "dev"
    assert intent.leading_split == "books"
    assert [gap.split for gap in intent.gaps()] == ["books", "dvd | 影碟"]


def test_one_test_file_has_no_gap(inputs):
    entities = run_of(inputs).tasks[1]
    assert entities.home is None
    assert entities.gaps() == []
    assert list(entities.reports) == ["test", "dev"]


def test_release_rows_say_what_the_run_said(inputs):
    rows = [(bound.key, bound.split, bound.met, bound.score is not None) for bound in run_of(inputs).release]
    assert rows == [
        ("intent.accuracy", "books", True, True),
        ("intent.accuracy", "dvd | 影碟", False, True),
        ("intent.books.macro_f1", "books", False, True),
        ("实体.nonsense", "test", False, False),
    ]
    assert run_of(inputs).release[0].close  # 0.9 lies in 0.89 .. 0.93
    assert run_of(inputs).other_misses == ["实体.nonsense: there is no such figure. Allowed: 实体.test.f1."]


def test_faults_are_grouped_with_their_numbers(inputs):
    duplicate, rare = run_of(inputs).faults
    assert (duplicate.kind, duplicate.number, len(duplicate.examples)) == ("duplicate", 31, 14)
    assert duplicate.files == {"intent.train.jsonl": 31}
    assert rare.number == 1


def test_no_full_path_is_left_in_a_message(inputs):
    assert "/home" not in run_of(inputs).shorten(inputs["gate"]["faults"][0]["message"])


def test_hub_ids_are_not_guessed_from_folders(inputs, tmp_path, monkeypatch):
    def hub(model, kind=None):
        record = {"model": {"kind": kind}} if kind else {}
        return run_of({**inputs, "recipe": {**inputs["recipe"], "model": model}, "record": record}).hub_id

    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "own").mkdir(parents=True)
    assert hub("me5") == "intfloat/multilingual-e5-small"
    assert hub("bert-owner/bert") == "bert-owner/bert"
    assert hub("models/own") is None
    assert hub("./own") is None
    assert hub("/opt/models/own") is None
    assert hub("other/own", "folder") is None
    assert hub("other/own", "hub") == "other/own"


def test_tags_count_as_the_entities_that_they_begin():
    counts = {"O": 50, "B-PER": 4, "I-PER": 6, "S-LOC": 2, "E-LOC": 1}
    assert label_counts("tag", {"labels": counts}) == {"PER": 4, "LOC": 2}
    assert label_counts("tag", {"labels": {"O": 5, "I-PER": 6}}) == {"PER": 6}
    assert label_counts("tag", {"labels": {"PER": 4}}) == {"PER": 4}
    assert label_counts("classify", {"labels": {"O": 1, "B-1": 2}}) == {"O": 1, "B-1": 2}
    assert label_counts("tag", {}) == {}


def test_drift_is_the_total_variation_distance():
    assert drift({"a": 1, "b": 1}, {"a": 10, "b": 10}) == 0
    assert drift({"a": 1}, {"b": 1}) == 1
    assert drift({"a": 3, "b": 1}, {"a": 1, "b": 1}) == pytest.approx(0.25)
    assert drift({}, {"a": 1}) == 0


def test_a_row_of_unseen_labels_is_named():
    rows, columns, table = confusion_table({"labels": ["a", "b"], "confusion": [[1, 2], [0, 4], [1, 0]]})
    assert rows == ["a", "b", "(unseen)"]
    assert columns == ["a", "b"]
    assert table[2] == [1, 0]
    assert confusion_table({}) is None
    assert confusion_table({"confusion": []}) is None
    assert confusion_table({"confusion": [[1, 0], [0, 1]]})[0] == ["class 0", "class 1"]


def test_the_most_confused_pairs_come_first():
    details = {"labels": ["a", "b", "c"], "confusion": [[5, 2, 3], [7, 1, 0], [0, 2, 0]]}
    assert confused(details, 3) == [("b", "a", 7, 7 / 8), ("a", "c", 3, 0.3), ("c", "b", 2, 1.0)]
    assert confused({}, 3) == []


def test_lengths_share_their_edges_and_the_limit_is_inside():
    found = bins({"train": {"1": 1, "250": 3}, "test": {"10": 1}, "empty": {}}, 256)
    assert set(found) == {"train", "test"}
    assert [x for x, _ in found["train"]] == [x for x, _ in found["test"]]
    assert sum(share for _, share in found["train"]) == pytest.approx(1)
    assert found["train"][-1][0] >= 256
    assert len(found["train"]) <= 38
    assert bins({"train": {}}, 256) == {}
    assert bins({"train": {"5": 1000, "9000": 1}}, None)["train"][-1][0] < 100  # one long text does not squash the rest


def test_losses_are_by_task_and_skip_what_is_no_number():
    steps = [
        {"step": 1, "loss": 2.0, "losses": {"a": 2.0}, "learning_rate": 0.1},
        {"step": 2, "loss": 4.0, "losses": {"b": 4.0}, "learning_rate": None},
        {"step": 3, "loss": float("nan"), "losses": {"a": float("nan")}, "learning_rate": 0.3},
        {"step": 4, "loss": 1.0, "losses": {"a": 2.0}, "learning_rate": 0.4},
    ]
    first, second = losses(steps, ["a", "b", "c"])
    assert (first.name, list(first.points), first.tone) == ("a", [(1, 2.0), (4, 2.0)], 0)
    assert (second.name, list(second.points), second.tone) == ("b", [(2, 4.0)], 1)
    assert list(learning_rate(steps)[0].points) == [(1, 0.1), (3, 0.3), (4, 0.4)]
    assert losses([], ["a"]) == []
    assert learning_rate([]) == []
    assert [series.name for series in losses([{"step": 1, "loss": 2.0}], ["a"])] == ["loss"]


def test_dev_metrics_are_parted_by_their_direction(inputs):
    good, errors = (on_dev(inputs["evaluations"], "likeness", errors=flag) for flag in (False, True))
    assert [series.name for series in good] == ["pearson"]
    assert [series.name for series in errors] == ["mse"]
    assert on_dev([], "likeness", errors=False) == []


def test_a_bare_run_has_facts_too(bare):
    run = run_of(bare)
    (task,) = run.tasks
    assert task.leading_split == "dev"
    assert task.leading.value == 0.5
    assert task.labels == []
    assert run.release == run.faults == []
    assert run.limit is None
    assert run.model == "own"
    assert run_of({**bare, "reports": []}).tasks[0].leading is None
    stray = run_of({**bare, "reports": [Report("other", "test", {"f1": Score(1, 1, 1, 1)})]})
    assert [each.name for each in stray.tasks] == ["intent", "other"]
