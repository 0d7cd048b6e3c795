"""The page is sound HTML that loads nothing, whatever the data holds."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from sibu.core.result import Report, Score
from sibu.pipeline.report import write_pages

VOID = {"meta", "link", "br", "wbr", "img", "hr", "input"}


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps tags, attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids = [], [], [], []
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag in line {self.getpos()[0]}"

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


def rendered(folder, parts):
    write_pages(folder, **parts)
    page = (folder / "report.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    return page, reader


def check_loads_nothing(page, reader):
    for tag, name, value in reader.attributes:
        if name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            assert value.startswith(("#", "data:")), (tag, name, value)
            assert name != "href" or tag != "a" or value[1:] in reader.ids
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert reader.tags.count("script") == 1
    assert not {"img", "iframe", "object", "embed", "form", "base", "video"} & set(reader.tags)
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]


def test_a_rich_run(tmp_path, inputs):
    page, reader = rendered(tmp_path, inputs)
    check_loads_nothing(page, reader)
    text = " ".join("".join(reader.text).split())
    assert "</script><img src=x onerror=alert(1)>" in text
    assert "{{ config }} 还没有到。" in text
    assert "a | b `c` **d** [e](javascript:x) &amp; 🙂" in text
    assert "3 release conditions missed" in text
    assert "and 23 more" in text  # 31 duplicates, 8 shown
    assert "intent.train.jsonl:1" in text.replace(" ", "")
    assert "/home/ann" not in page
    assert "实体.nonsense: there is no such figure" in text
    for tag in ("svg", "mark", "table", "details"):
        assert tag in reader.tags
    assert page.startswith("<!DOCTYPE html>") or page.lstrip().startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert '<meta charset="utf-8">' in page
    assert 'lang="zh">我的卡在哪里' in page


def test_figures_on_the_page_are_those_of_the_reports(tmp_path, inputs):
    _, reader = rendered(tmp_path, inputs)
    text = " ".join("".join(reader.text).split())
    assert "accuracy on books, n = 600" in text
    assert "95 % interval 0.890–0.930" in text
    assert "−0.150−0.178 to −0.122" in text
    assert "3 min 20 s" in text
    assert "123.5 inputs/s, 4,568 pieces/s" in text


def test_a_bare_run(tmp_path, bare):
    page, reader = rendered(tmp_path, bare)
    check_loads_nothing(page, reader)
    text = "".join(reader.text)
    assert "No release condition was set" in text
    assert "No test file was given." in text
    assert "Nothing to mend was found." in text
    assert "Learning" not in text
    assert "None" not in text
    assert "nan" not in text


def test_a_task_that_was_not_evaluated(tmp_path, bare):
    _, reader = rendered(tmp_path, {**bare, "reports": []})
    assert "This task was not evaluated." in "".join(reader.text)


def test_details_without_numbers(tmp_path, bare):
    nan = float("nan")
    details = {
        "by_label": {"a": {"f1": None}, "b": {"f1": nan, "support": 3}, "c": {}},
        "confusion": [[0, 0], [0, 0]],
        "labels": [],
    }
    reports = [Report("intent", "test", {"accuracy": Score(nan, nan, nan, 0)}, details), Report("intent", "dev", {})]
    steps = [{"step": 1, "loss": nan, "losses": {"intent": nan}, "learning_rate": nan}]
    _, reader = rendered(tmp_path, {**bare, "reports": reports, "steps": steps})
    assert "nan" not in "".join(reader.text)


@pytest.mark.parametrize(("labels", "steps"), [(77, 20_000), (150, 100_000)])
def test_many_labels_and_a_long_run_stay_small(tmp_path, large, labels, steps):
    page, reader = rendered(tmp_path, large(labels, steps))
    check_loads_nothing(page, reader)
    assert len(page.encode()) < 600_000
    text = "".join(reader.text)
    assert "Labels confused most on test" in text
    assert "Confusion on" not in text
    assert f"{labels - 40} labels between these are left out" in text
    assert max(len(points.split()) for points in re.findall(r'points="([^"]*)"', page)) <= 600


def test_up_to_thirty_labels_show_the_whole_matrix(tmp_path, large):
    _, reader = rendered(tmp_path, large(30, 10))
    assert "Confusion on test" in "".join(reader.text)


def test_many_splits_with_long_texts_stay_small(tmp_path, large):
    parts = large(100, 100)
    report = parts["reports"][0]
    parts["reports"] = [Report("intent", f"domain {n}", report.scores, report.details) for n in range(24)]
    page, reader = rendered(tmp_path, parts)
    assert len(page.encode()) < 1_000_000
    assert "the worst 62 of 100" in "".join(reader.text)


def test_half_a_surrogate_pair_does_not_stop_the_page(tmp_path, bare):
    errors = [{"row": {"text": "broken \ud83d text \x00", "label": "a"}, "prediction": {"value": "b", "score": 0.5}}]
    parts = {**bare, "reports": [Report("intent", "dev", {"accuracy": Score(0, 0, 0, 1)}, {"errors": errors})]}
    page, _ = rendered(tmp_path, parts)
    assert "broken ? text \ufffd" in page


def test_only_the_script_of_the_page_may_run(tmp_path, inputs):
    from base64 import b64encode
    from hashlib import sha256

    page, _ = rendered(tmp_path, inputs)
    script = re.search(r"<script>(.*?)</script>", page, re.S).group(1)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_same_inputs_give_the_same_bytes(tmp_path, inputs):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rendered(tmp_path / "a", inputs)
    rendered(tmp_path / "b", inputs)
    for name in ("README.md", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_importing_the_package_is_light():
    heavy = "('jinja2', 'markupsafe', 'numpy', 'torch')"
    line = f"import sys, sibu.pipeline.report; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_writing_the_pages_needs_no_torch():
    line = (
        "import sys, tempfile, pathlib; from sibu.pipeline.report import write_pages\n"
        "write_pages(pathlib.Path(tempfile.mkdtemp()), recipe={'name': 'a'}, reports=[], record={}, gate={}, steps=[],"
        " evaluations=[], missed=[])\n"
        "print([m for m in ('numpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
