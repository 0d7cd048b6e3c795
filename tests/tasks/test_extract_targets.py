"""What a window of a text teaches of an answer: where it is, that it is not there, or nothing."""

import numpy as np
import pytest
import torch
from tests.conftest import write_tiny_model

from sibu.core.tensors import Output
from sibu.modalities.text.prepare import TextPreparer
from sibu.tasks import extract
from sibu.tasks.extract.task import UNTOLD

CONTEXT = {
    "en": "john smith lives in paris and works at acme in london today with you and me and the doctor",
    "zh": "我在北京工作，他在上海看医生，药要到时吃，你们有空来北京，我很喜欢和你说好电影。",
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = write_tiny_model(tmp_path_factory.mktemp("extract") / "model")
    return TextPreparer(folder, max_length=20, overlap=6, shapes=False)


@pytest.fixture(scope="module")
def task():
    return extract.build(extract.ExtractSpec(), None)


def targets(task, text, context, answers):
    row = {"question": "who", "context": context, "answers": answers}
    (windows,) = text.prepare(task.inputs(row))
    assert len(windows) > 1
    return row, windows, [task.targets(row, 0, window, gold=True)["places"].tolist() for window in windows]


@pytest.mark.parametrize(("language", "answer"), [("en", "acme in london"), ("zh", "上海看医生")])
@pytest.mark.parametrize("known", [True, False], ids=["start", "no start"])
def test_each_window_says_where_the_answer_is_or_that_it_has_none(task, text, language, answer, known):
    context = CONTEXT[language]
    start = context.index(answer)
    given = [{"text": answer, "start": start if known else -1}]
    _, windows, found = targets(task, text, context, given)
    held = 0
    for window, (first, last) in zip(windows, found, strict=True):
        begin, end = window.places[0][1], window.places[-1][2]
        if begin <= start and start + len(answer) <= end:
            held += 1
            assert context[window.starts[first] : window.ends[last]] == answer
        elif end <= start or begin >= start + len(answer):
            assert (first, last) == (0, 0)
        else:
            assert (first, last) == UNTOLD
    assert held


def test_an_answer_that_the_text_lacks_does_not_teach_that_there_is_none(task, text):
    row, windows, found = targets(task, text, CONTEXT["en"], [{"text": "nowhere", "start": 3}])
    assert found == [list(UNTOLD)] * len(windows)
    _, _, without = targets(task, text, CONTEXT["en"], [])
    assert without == [[0, 0]] * len(windows)
    kinds = [kind for kind, *_ in task.check(row, [windows])]
    assert kinds == ["answer not in text"]


def test_the_loss_is_the_mean_over_windows_that_tell(task):
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 2, generator=draw, requires_grad=True)
    context = torch.tensor([[0, 0, 1, 1, 1]] * 3)
    places = torch.tensor([[2, 3], list(UNTOLD), [0, 0]])
    told = task.loss(Output(logits), {"context": context.clone(), "places": places})
    kept = task.loss(Output(logits[[0, 2]]), {"context": context[[0, 2]].clone(), "places": places[[0, 2]]})
    assert torch.allclose(told, kept)
    scores = logits.detach().numpy().astype(np.float64)
    wanted = 0.0
    for row, pair in ((0, (2, 3)), (2, (0, 0))):
        for side, place in enumerate(pair):
            own = scores[row, [0, 2, 3, 4], side]
            wanted += np.log(np.exp(own).sum()) - scores[row, place, side]
    assert told.item() == pytest.approx(wanted / 4, rel=1e-5)
    nothing = task.loss(Output(logits[1:2]), {"context": context[1:2].clone(), "places": places[1:2]})
    nothing.backward()
    assert nothing.item() == 0
    assert torch.count_nonzero(logits.grad) == 0
