"""`sibu label`: choose, send, take back, ask, simulate."""

import json
import subprocess
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import DataError, RecipeError, Unsupported
from sibu.core.protocols import Returned
from sibu.pickers import PICKERS
from sibu.pipeline.labelling import keep_labels
from tests.command import sibu_here
from tests.conftest import entity_rows, intent_rows, write_jsonl
from tests.tiny_tasks import tiny_recipe, topic_rows


def sibu_label(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return sibu_here("label", *words, given=given)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("label")


@pytest.fixture(scope="module")
def bundle(tiny_model: Path, home: Path) -> Path:
    recipe = tiny_recipe("classify", "full", tiny_model, home, epochs=4)
    return sibu.run(recipe, out=home / "out")


@pytest.fixture(scope="module")
def tagger(tiny_model: Path, home: Path) -> Path:
    return sibu.run(tiny_recipe("tag", "full", tiny_model, home), out=home / "tagger")


def unlabelled(folder: Path, rows: list[dict], name: str = "pool.jsonl") -> Path:
    inputs = [{key: value for key, value in row.items() if key in ("id", "text", "tokens")} for row in rows]
    write_jsonl(folder / name, inputs)
    return folder / name


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("by", list(PICKERS))
def test_every_picker_chooses(by: str, bundle: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(30, seed=7))
    told = sibu.label(bundle, pool, tmp_path / "todo.jsonl", count=6, by=by)
    assert told["chosen"] == 6
    found = lines(tmp_path / "todo.jsonl")
    assert len({line["id"] for line in found}) == 6
    assert {line["text"] for line in found} <= {line["text"] for line in lines(pool)}
    assert all(line["label"] is None and line["guess"] in ("appointment", "billing") for line in found)
    again = sibu.label(bundle, pool, tmp_path / "again.jsonl", count=6, by=by)
    assert again == told
    assert lines(tmp_path / "again.jsonl") == found


@pytest.mark.parametrize("by", ["margin", "bald", "core_set"])
@pytest.mark.parametrize("desk", ["jsonl", "doccano", "label_studio"])
def test_spans_go_out(by: str, desk: str, tagger: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, entity_rows(20, seed=7))
    sibu.label(tagger, pool, tmp_path / "todo", count=4, by={"name": by}, desk=desk)
    assert json.loads((tmp_path / "todo.sent.json").read_text())["target"] == "entities"


def test_the_doubtful_come_first(bundle: Path, tmp_path: Path) -> None:
    """Margin, by the scores that `predict` tells."""
    pool = unlabelled(tmp_path, intent_rows(30, seed=7))
    texts = [line["text"] for line in lines(pool)]
    answers = sibu.load(bundle).predict(texts)
    lead = {text: abs(a.scores["billing"] - a.scores["appointment"]) for text, a in zip(texts, answers, strict=True)}
    sibu.label(bundle, pool, tmp_path / "todo.jsonl", count=5)
    chosen = [lead[line["text"]] for line in lines(tmp_path / "todo.jsonl")]
    assert chosen == pytest.approx(sorted(lead.values())[:5], abs=1e-5)


def test_what_is_left_out_is_counted(bundle: Path, home: Path, tmp_path: Path) -> None:
    train = lines(home / "classify" / "train.jsonl")
    fresh = [{"text": f"{n} a new book"} for n in range(4)]
    rows = [*fresh, fresh[0], train[0] | {"label": None}, {"text": "42 bill", "label": "billing"}, {"text": " "}]
    write_jsonl(tmp_path / "pool.jsonl", rows)
    told = sibu.label(bundle, tmp_path / "pool.jsonl", tmp_path / "todo.jsonl", count=50)
    assert told == {"rows": 8, "have a label": 1, "are known": 1, "come twice": 1, "cannot be used": 1, "chosen": 4}
    write_jsonl(tmp_path / "known.jsonl", fresh[:2])
    names = [str(tmp_path / "known.jsonl")]
    told = sibu.label(bundle, tmp_path / "pool.jsonl", tmp_path / "other.jsonl", count=50, known=names)
    assert told == {"rows": 8, "have a label": 1, "are known": 3, "come twice": 0, "cannot be used": 1, "chosen": 3}


def test_known_rows_are_those_of_files_of_every_kind(bundle: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} {word}"} for n, word in enumerate(["my bill", "a book", "to pay", "to move"])]
    write_jsonl(tmp_path / "pool.jsonl", rows)
    write_jsonl(tmp_path / "new.jsonl", rows[:1])
    (tmp_path / "old.csv").write_text(f"id,text\n1,{rows[1]['text']}\n")
    for order in (["new.jsonl", "old.csv"], ["old.csv", "new.jsonl"]):
        known = [str(tmp_path / name) for name in order]
        told = sibu.label(bundle, tmp_path / "pool.jsonl", tmp_path / f"{order[0]}.todo", count=9, known=known)
        assert (told["are known"], told["chosen"]) == (2, 2)


def test_nothing_left_to_choose(bundle: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pool.jsonl", [{"text": "42 bill", "label": "billing"}])
    with pytest.raises(DataError, match=r"no row that could be chosen: 1 rows, 1 have a label"):
        sibu.label(bundle, tmp_path / "pool.jsonl", tmp_path / "todo.jsonl")


def test_rows_go_out_come_back_and_are_learned(bundle: Path, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(30, seed=7))
    todo, new = tmp_path / "todo.jsonl", tmp_path / "new.jsonl"
    done = sibu_label(bundle, "--input", pool, "--count", 5, "--output", todo, "--json", "--quiet")
    assert json.loads(done.stdout)["chosen"] == 5, done.stderr
    rows = lines(todo)
    for row in rows[:4]:
        row["label"] = "billing" if "bill" in row["text"] or "pay" in row["text"] else "appointment"
    write_jsonl(todo, rows)
    done = sibu_label("--back", todo, "--output", new)
    assert done.stdout.splitlines() == ["labelled: 4", "without: 1"], done.stderr
    assert [{"text": r["text"], "label": r["label"]} for r in rows[:4]] == lines(new)
    recipe = tiny_recipe("classify", "full", tiny_model, home)
    files = [recipe["tasks"]["it"]["data"]["train"], str(new)]
    recipe["tasks"]["it"]["data"] = recipe["tasks"]["it"]["data"] | {"train": files}
    record = sibu.show(sibu.run(recipe, out=tmp_path / "again"))["record"]
    assert sum(record["rows"]["it"][split] for split in ("train", "dev")) == 44


def test_columns_have_the_names_of_the_training_file(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"note": row["text"], "kind": row["label"]} for row in intent_rows(40)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    task = {"type": "classify", "data": {"train": str(tmp_path / "train.jsonl")}}
    recipe = {
        "name": "t",
        "model": str(tiny_model),
        "tasks": {"it": task | {"fields": {"text": "note", "label": "kind"}}},
    }
    recipe["train"] = {"epochs": 1}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    write_jsonl(tmp_path / "pool.jsonl", [{"note": f"{n} fresh bill"} for n in range(5)])
    sibu.label(bundle, tmp_path / "pool.jsonl", tmp_path / "todo.jsonl", count=2, desk="doccano")
    sibu.take_labels(tmp_path / "todo.jsonl", tmp_path / "new.jsonl")
    assert [set(line) for line in lines(tmp_path / "new.jsonl")] == [{"note", "kind"}] * 2


def test_several_labels_come_back_as_a_list(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("classify, several labels", "full", tiny_model, home), out=tmp_path / "out")
    pool = unlabelled(tmp_path, topic_rows(20, seed=5))
    sibu.label(bundle, pool, tmp_path / "todo", count=3, desk="label_studio")
    tasks = json.loads((tmp_path / "todo").read_text())
    for task in tasks:
        task["annotations"] = [{"result": [{"type": "choices", "value": {"choices": ["pain", "cough"]}}]}]
    (tmp_path / "todo").write_text(json.dumps(tasks))
    sibu.take_labels(tmp_path / "todo", tmp_path / "new.jsonl")
    assert [line["label"] for line in lines(tmp_path / "new.jsonl")] == [["cough", "pain"]] * 3


@pytest.mark.parametrize("desk", ["jsonl", "doccano", "label_studio"])
def test_words_go_out_as_a_text_and_come_back_with_tags(desk: str, tagger: Path, tmp_path: Path) -> None:
    words = [["take", "药", "for", "a", "fever"], ["头", "痛", "since", "monday"]]
    write_jsonl(tmp_path / "pool.jsonl", [{"tokens": own} for own in words])
    sibu.label(tagger, tmp_path / "pool.jsonl", tmp_path / "todo", count=2, desk=desk)
    text = (tmp_path / "todo").read_text()
    assert "take药for a fever" in text
    assert "头痛since monday" in text
    sent = json.loads((tmp_path / "todo.sent.json").read_text())["rows"]
    marks = {"take药for a fever": (4, 5), "头痛since monday": (0, 2)}
    spans = {key: [{"start": n, "end": m, "label": "x"}] for key, row in sent.items() for n, m in [marks[row["text"]]]}
    write_jsonl(tmp_path / "back", [{"id": key, "entities": own} for key, own in spans.items()])
    named = {"sent": tmp_path / "todo.sent.json", "desk": "jsonl"}
    sibu.take_labels(tmp_path / "back", tmp_path / "new.jsonl", **named)
    tags = [["O", "B-x", "O", "O", "O"], ["B-x", "I-x", "O", "O"]]
    wanted = [{"tokens": own, "tags": said} for own, said in zip(words, tags, strict=True)]
    assert sorted(map(str, lines(tmp_path / "new.jsonl"))) == sorted(map(str, wanted))
    with pytest.raises(DataError, match="no row that could be chosen: 2 rows, 2 are known"):
        sibu.label(tagger, tmp_path / "pool.jsonl", tmp_path / "more", known=[str(tmp_path / "new.jsonl")])


def test_spans_that_do_not_keep_to_words_are_told(tagger: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pool.jsonl", [{"tokens": ["a", "fever"]}])
    sibu.label(tagger, tmp_path / "pool.jsonl", tmp_path / "todo.jsonl", count=1)
    (row,) = lines(tmp_path / "todo.jsonl")
    for places, said in (
        ([(2, 4)], r"the span 2\.\.4 begins or ends inside a word: 'a', 'fever'"),
        ([(0, 7), (2, 7)], r"the spans 0\.\.7 and 2\.\.7 overlap, and each word has one tag"),
    ):
        spans = [{"start": start, "end": end, "label": "x"} for start, end in places]
        write_jsonl(tmp_path / "todo.jsonl", [row | {"entities": spans}])
        with pytest.raises(DataError, match=said):
            sibu.take_labels(tmp_path / "todo.jsonl", tmp_path / "new.jsonl")


def test_labels_may_be_numbers_and_slips_of_the_hand(bundle: Path, tmp_path: Path) -> None:
    sibu.label(bundle, unlabelled(tmp_path, intent_rows(20, seed=7)), tmp_path / "todo.jsonl", count=5)
    given = [7, " billing ", "", "  ", "new"]
    rows = [row | {"label": label} for row, label in zip(lines(tmp_path / "todo.jsonl"), given, strict=True)]
    write_jsonl(tmp_path / "todo.jsonl", rows)
    told = sibu.take_labels(tmp_path / "todo.jsonl", tmp_path / "new.jsonl")
    assert told == {"labelled": 3, "without": 2, "new labels": ["7", "new"]}
    assert [row["label"] for row in lines(tmp_path / "new.jsonl")] == ["7", "billing", "new"]


def test_a_list_of_what_was_sent_that_is_none(bundle: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo.jsonl"
    sibu.label(bundle, unlabelled(tmp_path, intent_rows(20, seed=7)), todo, count=2)
    (tmp_path / "s.json").write_text("{}")
    for other in (todo, tmp_path / "s.json"):
        said = rf"{other.name} is no list of rows that were sent\. Give the one .* \.sent\.json behind it\."
        with pytest.raises(DataError, match=said):
            sibu.take_labels(todo, tmp_path / "new.jsonl", sent=other)


def test_all_that_cannot_be_taken_back_is_told(bundle: Path, tagger: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(20, seed=7))
    sibu.label(bundle, pool, tmp_path / "todo.jsonl", count=3)
    one, two, three = lines(tmp_path / "todo.jsonl")
    own = [one | {"label": "billing"}, one | {"label": "appointment"}, two | {"label": ["a", "b"]}]
    own += [three | {"label": True}, {"id": "never", "label": "billing"}, {"text": "x", "label": "billing"}]
    write_jsonl(tmp_path / "back.jsonl", own)
    with pytest.raises(DataError) as told:
        sibu.take_labels(tmp_path / "back.jsonl", tmp_path / "new.jsonl", sent=tmp_path / "todo.jsonl.sent.json")
    said = str(told.value)
    for part in (
        "5 rows cannot be taken back",
        "back.jsonl:2: this row has another label in row 1.",
        "back.jsonl:3: it has 2 labels ('a', 'b'), and the task gives a text one.",
        "back.jsonl:4: its label must be a text or a whole number "
        "(the bundle's: 'appointment', 'billing'), given true.",
        "back.jsonl:5: this row (never) was never sent out.",
        "back.jsonl:6: this row (without an id) was never sent out.",
    ):
        assert part in said
    assert not (tmp_path / "new.jsonl").exists()
    pool = unlabelled(tmp_path, entity_rows(20, seed=7), "spans.jsonl")
    sibu.label(tagger, pool, tmp_path / "spans", count=1)
    (row,) = lines(tmp_path / "spans")
    write_jsonl(tmp_path / "spans", [row | {"entities": [{"start": 3, "end": 900, "label": "PER"}]}])
    with pytest.raises(DataError, match=r"the span 3\.\.900 does not lie in the text"):
        sibu.take_labels(tmp_path / "spans", tmp_path / "new.jsonl")
    write_jsonl(tmp_path / "spans", [row | {"entities": [{"start": "0", "end": 4, "label": "PER"}]}])
    with pytest.raises(DataError, match=r"`start` and `end` of a span must be whole numbers, given \[\"0\", 4\]"):
        sibu.take_labels(tmp_path / "spans", tmp_path / "new.jsonl")


@pytest.mark.parametrize("desk", ["jsonl", "doccano", "label_studio"])
@pytest.mark.parametrize("kind", ["classify", "tag"])
def test_a_text_that_was_changed_is_told(kind: str, desk: str, bundle: Path, tagger: Path, tmp_path: Path) -> None:
    todo, studio, spans = tmp_path / "todo.jsonl", desk == "label_studio", kind == "tag"
    pool = unlabelled(tmp_path, (entity_rows if spans else intent_rows)(20, seed=7))
    sibu.label(tagger if spans else bundle, pool, todo, count=2, desk=desk)
    rows = json.loads(todo.read_text(encoding="utf-8")) if studio else lines(todo)
    results = [{"value": {"start": 0, "end": 1, "labels": ["x"]} if spans else {"choices": ["billing"]}}]
    value: object = [[0, 1, "x"]] if desk == "doccano" else [{"start": 0, "end": 1, "label": "x"}]
    value = value if spans else "billing"

    def back(*texts: str) -> dict:
        own = []
        for row, text in zip(rows, texts, strict=True):
            if studio:
                own.append(row | {"data": row["data"] | {"text": text}, "annotations": [{"result": results}]})
            else:
                own.append(row | {"text": text, "entities" if spans and desk == "jsonl" else "label": value})
        todo.write_text(json.dumps(own) if studio else "\n".join(map(json.dumps, own)), encoding="utf-8")
        return sibu.take_labels(todo, tmp_path / "new.jsonl")

    first, second = ((row["data"] if studio else row)["text"] for row in rows)
    with pytest.raises(DataError) as told:
        back(f"well, {first}", second)
    said = str(told.value)
    assert f"todo.jsonl:1: its text is not the one that was sent, given 'well, {first}'" in said
    assert "1 row cannot be taken back" in said
    assert back(first, f"{second} \n")["labelled"] == 2  # a desk's own end of a text


def test_a_pair_comes_back_whole_or_with_its_first_text(tmp_path: Path) -> None:
    pair = {"text": "it rains", "text_pair": "it is wet"}
    about = {"task": "it", "target": "label", "labels": [], "several": False, "fields": {}, "rows": {"a": pair}}
    for number, text in enumerate(("it rains", "it rains\n\nit is wet", None)):
        out = tmp_path / f"{number}.jsonl"
        assert keep_labels([Returned(1, "a", "yes", text)], about, "x", out)["labelled"] == 1
        assert lines(out) == [pair | {"label": "yes"}]
    for text in ("it is wet", "it rains\n\nit is dry", "it rains it"):
        with pytest.raises(DataError, match="its text is not the one that was sent"):
            keep_labels([Returned(1, "a", "yes", text)], about, "x", tmp_path / "no.jsonl")


@pytest.mark.parametrize("value", [[[0, 2, "x"]], "x", {"start": 0}, [3]])
@pytest.mark.parametrize("desk", ["jsonl", "doccano"])
def test_spans_in_another_form_are_told(desk: str, value: object, tagger: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo.jsonl"
    sibu.label(tagger, unlabelled(tmp_path, entity_rows(20, seed=7)), todo, count=1, desk=desk)
    (row,) = lines(todo)
    write_jsonl(todo, [row | {"label" if desk == "doccano" else "entities": value}])
    if desk == "doccano" and value == [[0, 2, "x"]]:  # which is its own form
        assert sibu.take_labels(todo, tmp_path / "new.jsonl")["labelled"] == 1
        return
    with pytest.raises(DataError, match=r"todo\.jsonl:1: its spans must be a list of objects with `start`, `end` and"):
        sibu.take_labels(todo, tmp_path / "new.jsonl")


def test_what_else_label_studio_holds_is_passed_over(tagger: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo.json"
    sibu.label(tagger, unlabelled(tmp_path, entity_rows(20, seed=7)), todo, count=1, desk="label_studio")
    (row,) = json.loads(todo.read_text(encoding="utf-8"))
    span = {"type": "labels", "value": {"start": 0, "end": 2, "text": "ab", "labels": ["x"]}}
    other = {"type": "choices", "value": {"choices": ["good"]}}
    row["annotations"] = [{"result": [span, other, {"type": "relation", "from_id": "a", "to_id": "b"}]}]
    todo.write_text(json.dumps([row]), encoding="utf-8")
    sibu.take_labels(todo, tmp_path / "new.jsonl")
    (found,) = lines(tmp_path / "new.jsonl")
    assert found["entities"] == [{"start": 0, "end": 2, "label": "x"}]


def test_new_labels_are_told(bundle: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(20, seed=7))
    sibu.label(bundle, pool, tmp_path / "todo.jsonl", count=1)
    (row,) = lines(tmp_path / "todo.jsonl")
    write_jsonl(tmp_path / "todo.jsonl", [row | {"label": "refund"}])
    assert sibu.take_labels(tmp_path / "todo.jsonl", tmp_path / "new.jsonl")["new labels"] == ["refund"]


def test_nothing_is_overwritten(bundle: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(20, seed=7))
    with pytest.raises(RecipeError, match=r"pool\.jsonl is there already\. Choose another name with --output"):
        sibu.label(bundle, pool, pool)
    with pytest.raises(RecipeError, match=r"There is no .*pool\.jsonl\.sent\.json\. Give the list"):
        sibu.take_labels(pool, tmp_path / "new.jsonl")
    sibu.label(bundle, pool, tmp_path / "todo.jsonl", count=1)
    with pytest.raises(DataError, match=r"no row has a label yet \(1 row without\)"):
        sibu.take_labels(tmp_path / "todo.jsonl", tmp_path / "new.jsonl")


def test_labels_are_asked_for(bundle: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(20, seed=7))
    new = tmp_path / "new.jsonl"
    said = "2\n\n-\nsomething\nappointment\nq\n"
    done = sibu_label(bundle, "--input", pool, "--ask", "--count", 9, "--output", new, "--quiet", given=said)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["labelled: 3", "without: 6"]
    assert "1 appointment  2 billing" in done.stderr
    assert "Give a number, a label, nothing for the guess" in done.stderr
    labels = [line["label"] for line in lines(new)]
    assert labels[0] == "billing"
    assert labels[2] == "appointment"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give one of --input (choose), --back (take back) and --simulate."),
        (("x", "--input", "a", "--back", "b"), "give one of --input"),
        (("x", "--input", "a"), "give --output, the file to write."),
        (("--input", "a", "--output", "b"), "give a bundle"),
        (("x", "--back", "a", "--output", "b"), "--back needs no bundle."),
        (("x", "--input", "a", "--output", "b", "--by", "margin", "--by", "bald"), "several --by go with --simulate."),
        (
            ("x", "--input", "a", "--output", "b", "--rounds", "2", "--start", "9"),
            "--start, --rounds do not go with --input",
        ),
        (("--back", "a", "--output", "b", "--count", "2"), "--count does not go with --back."),
        (
            ("x", "--simulate", "--output", "b", "--seed", "0", "--ask"),
            "--ask, --seed do not go with --simulate. Say train.seed=N behind the recipe.",
        ),
    ],
)
def test_wrong_usage(words: tuple[str, ...], said: str) -> None:
    done = sibu_label(*words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_what_cannot_be_labelled_so(tiny_model: Path, tiny_writer: Path, home: Path, tmp_path: Path) -> None:
    pool = unlabelled(tmp_path, intent_rows(20, seed=7))
    number = sibu.run(tiny_recipe("regress", "full", tiny_model, home), out=tmp_path / "number")
    with pytest.raises(Unsupported, match="is of the type `regress`"):
        sibu.label(number, pool, tmp_path / "todo")
    written = sibu.run(tiny_recipe("classify, written", "full", tiny_writer, home), out=tmp_path / "written")
    with pytest.raises(Unsupported, match="writes its answers"):
        sibu.label(written, pool, tmp_path / "todo")
    with pytest.raises(RecipeError, match=r"No picker is named 'margn'\. Did you mean 'margin'"):
        sibu.label(number, pool, tmp_path / "todo", by="margn")


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_a_simulation_draws_curves_and_goes_on(
    task: str, tiny_model: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe(task, "full", tiny_model, home)
    own: dict = {"by": ["margin", "random"], "start": 10, "count": 6, "rounds": 2}
    found = sibu.simulate_labels(recipe, tmp_path / "curve.json", **own)
    assert {name: [each["labels"] for each in curve] for name, curve in found["curves"].items()} == {
        "margin": [10, 16, 22],
        "random": [10, 16, 22],
    }
    first = [found["curves"][name][0] for name in ("margin", "random")]
    assert first[0]["scores"] == first[1]["scores"]
    assert len(set(found["curves"]["margin"][1]["next"])) == 22
    assert "<svg" in (tmp_path / "curve.html").read_text()

    import sibu.pipeline.simulate as place
    import sibu.pipeline.stages as stages

    asked, trained = [], []
    train = stages.run_recipe
    monkeypatch.setattr(
        stages, "run_recipe", lambda *of, **named: trained.append(len(of[0].chosen)) or train(*of, **named)
    )
    through = place._round

    def round_(*words: object) -> object:
        asked.append(words)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return through(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(place, "_round", round_)
    with pytest.raises(KeyboardInterrupt):
        sibu.simulate_labels(recipe, tmp_path / "stopped.json", **own)
    monkeypatch.setattr(place, "_round", through)
    assert trained == [10, 16, 22]  # what both pickers begin with is trained once
    assert sibu.simulate_labels(recipe, tmp_path / "stopped.json", **own)["curves"] == found["curves"]
    assert trained[3:] == [16, 22]
    with pytest.raises(RecipeError, match=r"stopped\.json is of another simulation"):
        sibu.simulate_labels(recipe, tmp_path / "stopped.json", **own | {"count": 5})
    for content in ("{", "[]", '{"a": 1}'):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(RecipeError, match=r"other\.json is there already and is no simulation\. Choose"):
            sibu.simulate_labels(recipe, tmp_path / "other.json", **own)
    said = r"10 rows and 9 rounds of 6 are 64, .* has 40\. Give --rounds at most 5, or --count at most 3\."
    with pytest.raises(RecipeError, match=said):
        sibu.simulate_labels(recipe, tmp_path / "more.json", **own | {"rounds": 9})
    said = r"500 rows and 1 round of 6 are 506, .* 40\. Give --start at most 34\."
    with pytest.raises(RecipeError, match=said):
        sibu.simulate_labels(recipe, tmp_path / "more.json", **own | {"start": 500, "rounds": 1})


def test_a_simulation_that_would_tell_something_else_is_refused(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, home)
    own: dict = {"start": 10, "count": 5, "rounds": 1}
    twice = [{"name": "bald", "passes": 3}, {"name": "bald", "passes": 5}]
    with pytest.raises(RecipeError, match=r"one curve of each picker, and 'bald' comes twice\. Keep one"):
        sibu.simulate_labels(recipe, tmp_path / "c.json", **own, by=twice)
    with pytest.raises(RecipeError, match=r"c\.html would be replaced by the picture.*such as .*c\.json"):
        sibu.simulate_labels(recipe, tmp_path / "c.html", **own)
    data = recipe["tasks"]["it"]["data"]
    recipe["tasks"]["it"]["data"] = data | {"rules": [{"label": "billing", "words": ["bill"]}]}
    with pytest.raises(RecipeError, match=r"rules would give others\. Leave out `rules`"):
        sibu.simulate_labels(recipe, tmp_path / "c.json", **own)
    recipe["tasks"]["it"]["data"] = data
    with pytest.raises(RecipeError, match=r"Leave out `shots`, `repeats` and `folds`"):
        sibu.simulate_labels(recipe | {"folds": 2}, tmp_path / "c.json", **own)


def test_rows_that_rules_labelled_are_not_known(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    """They may be chosen; rows of the same file that people labelled are not."""
    recipe = tiny_recipe("classify", "full", tiny_model, home)
    rows = intent_rows(40, seed=3)
    for row in rows[10:]:
        del row["label"]
    write_jsonl(tmp_path / "pool.jsonl", rows)
    cues = {"appointment": ["book", "move", "cancel", "预约"], "billing": ["bill", "pay", "invoice", "账单"]}
    rules = [{"label": label, "words": words} for label, words in cues.items()]
    recipe["tasks"]["it"]["data"] |= {"train": str(tmp_path / "pool.jsonl"), "rules": rules}
    made = sibu.run(recipe, out=tmp_path / "out")
    told = sibu.label(made, tmp_path / "pool.jsonl", tmp_path / "todo.jsonl", count=5)
    assert told["have a label"] == 10
    assert told.get("are known", 0) == 0
    texts = {row["text"] for row in lines(tmp_path / "todo.jsonl")}
    assert len(texts) == 5
    assert not texts & {row["text"] for row in rows[:10]}


def test_a_simulation_by_the_command_line(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    import yaml

    recipe = tiny_recipe("classify", "full", tiny_model, home)
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    words = ("--simulate", "--start", 10, "--count", 5, "--rounds", 1, "--output", tmp_path / "c.json", "--quiet")
    done = sibu_label(tmp_path / "r.yaml", *words)
    assert done.returncode == 0, done.stderr
    table = [line.split("\t") for line in done.stdout.splitlines()]
    assert table[0] == ["labels", "margin", "random"]
    assert [row[0] for row in table[1:]] == ["10", "15"]
