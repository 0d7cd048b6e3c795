"""The model card reads as the Hub reads it, and says what the reports say."""

import re

import pytest
import yaml
from huggingface_hub import ModelCard

from sibu.core.result import Report, Score
from sibu.pipeline.report import write_pages
from sibu.pipeline.report.card import HUB_METRICS, code, escape


def written(folder, parts):
    write_pages(folder, **parts)
    text = (folder / "README.md").read_text(encoding="utf-8")
    head, front, body = re.split(r"^---$", text, maxsplit=2, flags=re.M)
    assert head == ""
    return yaml.safe_load(front), body, text


def test_the_front_matter_holds_the_figures_of_the_reports(tmp_path, inputs):
    front, _, _ = written(tmp_path, inputs)
    (index,) = front["model-index"]
    assert index["name"] == inputs["recipe"]["name"]
    found = {
        (result["task"]["name"], result["dataset"]["split"], metric["type"]): metric["value"]
        for result in index["results"]
        for metric in result["metrics"]
    }
    expected = {
        (report.task, report.split, HUB_METRICS.get(metric, metric)): score.value
        for report in inputs["reports"]
        for metric, score in report.scores.items()
    }
    assert found == expected


def test_the_front_matter_says_what_it_is(tmp_path, inputs):
    front, _, _ = written(tmp_path, inputs)
    assert front["library_name"] == "sibu"
    assert front["pipeline_tag"] == "text-classification"
    assert front["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert front["language"] == ["en", "zh"]
    assert {"sibu", "classify", "tag", "lora", "question-answering"} <= set(front["tags"])
    assert "license" not in front
    types = [result["dataset"]["type"] for result in front["model-index"][0]["results"]]
    assert all(re.fullmatch(r"(?:[\w-]+/)?[\w.-]+", kind, re.A) for kind in types)
    assert "squad" in types


@pytest.mark.filterwarnings("default")
def test_the_hub_library_reads_it(tmp_path, inputs):
    _, _, text = written(tmp_path, inputs)
    data = ModelCard(text, ignore_metadata_errors=False).data
    assert len(data.eval_results) == sum(len(report.scores) for report in inputs["reports"])
    assert data.eval_results[0].metric_value == 0.91


def test_what_is_not_known_is_left_out(tmp_path, bare):
    front, body, _ = written(tmp_path, bare)
    assert not {"license", "base_model", "language"} & set(front)
    assert "no test file" in body
    assert "local folder (own)" in body
    assert "licence of these weights was not stated" in body
    assert "None" not in body


def test_a_licence_that_is_known_is_told(tmp_path, bare):
    bare["recipe"]["license"] = "apache-2.0"
    front, body, _ = written(tmp_path, bare)
    assert front["license"] == "apache-2.0"
    assert "licence" not in body


def test_no_reports_make_no_index(tmp_path, bare):
    front, body, _ = written(tmp_path, {**bare, "reports": []})
    assert "model-index" not in front
    assert "intent was not evaluated" in body


def test_figures_that_are_no_numbers_stay_out_of_the_index(tmp_path, bare):
    scores = {"accuracy": Score(float("nan"), 0, 1, 3), "f1": Score(0.25, 0, 1, 3)}
    front, _, _ = written(tmp_path, {**bare, "reports": [Report("intent", "test", scores)]})
    assert [metric["type"] for metric in front["model-index"][0]["results"][0]["metrics"]] == ["f1"]


def test_every_table_row_has_as_many_cells_as_its_head(tmp_path, inputs):
    _, body, _ = written(tmp_path, inputs)
    for table in re.findall(r"(?:^\|.*\n)+", body, re.M):
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_hostile_names_stay_words(tmp_path, inputs):
    _, body, _ = written(tmp_path, inputs)
    outside_code = re.sub(r"```.*?```|(`+)(?!`).*?(?<!`)\1(?!`)", "", body, flags=re.S)
    assert not re.search(r"(?<!\\)<", outside_code)
    assert "# clinic \\</script\\>" in outside_code
    assert "dvd \\| 影碟" in outside_code
    assert "/home/ann" not in body


def test_domains_release_and_limits_are_told(tmp_path, inputs):
    _, body, _ = written(tmp_path, inputs)
    assert "| dvd \\| 影碟 | 0.7600 | −0.1500 | −0.1783 to −0.1217 |" in body
    assert "| intent.accuracy | books | ≥ 0.9 | 0.9100 | met (the bound lies inside the interval) |" in body
    assert "**Not fit for release by its own conditions:** 3 conditions missed" in body
    assert "- duplicate: 31 warnings" in body
    assert "5.0 % of the inputs are longer than the model" in body
    assert "实体 came without dev" in body
    assert "sibu predict BUNDLE --task '实体' --text" in body
    assert 'bundle.predict("...", task="实体")' in body


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a | b", "a \\| b"),
        ("- item", "\\- item"),
        ("+1", "\\+1"),
        ("1. one", "1\\. one"),
        ("1) one", "1\\) one"),
        ("0.5", "0.5"),
        ("2026-01-02", "2026-01-02"),
        ("two\nlines", "two lines"),
        (
            "*b* _i_ `c` [l](u) <t> &amp; # $x$ ~s~",
            "\\*b\\* \\_i\\_ \\`c\\` \\[l\\](u) \\<t\\> \\&amp; \\# \\$x\\$ \\~s\\~",
        ),
        ("投诉：退款 🙂", "投诉：退款 🙂"),
    ],
)
def test_words_are_escaped(given, expected):
    assert escape(given) == expected
    assert escape(escape(given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a", "`a`"), ("a|b", "`a\\|b`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("a\nb", "`a b`")],
)
def test_code_is_fenced_by_what_it_does_not_hold(given, expected):
    assert code(given) == expected
