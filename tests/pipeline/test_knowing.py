"""Runs with knowledge on tiny models: names, vectors, facts and rules, in English and Chinese."""

import json
import random
import shutil
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import BundleError, RecipeError
from sibu.core.logic import TYPE, Entity, Source, Triple, Value
from sibu.core.names import RDF, RDFS
from sibu.graph import KnowledgeBase
from sibu.pipeline.known import names_of
from sibu.recipe.load import load_recipe
from tests.conftest import WORDS, entity_rows, intent_rows, write_jsonl
from tests.pipeline.test_resume import Stop, stop_at

BASE = "https://example.org/clinic/"
CHARACTERS = "北京上海头痛发烧咳嗽药吃医生好坏电影"


def made_up(count: int, seed: int) -> list[str]:
    """Names that no piece of the vocabulary tells of: letters and Chinese characters, drawn."""
    draw = random.Random(seed)
    names = {"".join(draw.choices("bcdfgklmnprst", k=5)) for _ in range(count)}
    return sorted(names | {"".join(draw.sample(CHARACTERS, k=3)) for _ in range(count // 2)})


NAMES = {"drug": made_up(40, 1), "symptom": made_up(40, 2)}


def named_rows(count: int, half: int, *, seed: int = 0) -> list[dict]:
    """A text names a drug or a symptom, and nothing but the list of names tells which; half of the names are drawn."""
    draw, rows = random.Random(seed), []
    for number in range(count):
        kind = draw.choice(sorted(NAMES))
        name = draw.choice(NAMES[kind][half::2])
        before, behind = (" ".join(draw.choices(WORDS[:12], k=draw.randint(1, 4))) for _ in range(2))
        text = f"{number} {before} {name} {behind}"
        start = text.index(f" {name} ") + 1
        rows.append(
            {"text": text, "label": kind, "entities": [{"start": start, "end": start + len(name), "label": kind}]}
        )
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("names")
    write_jsonl(home / "train.jsonl", named_rows(240, 0))
    write_jsonl(home / "test.jsonl", named_rows(40, 1, seed=1))
    lines = [f"{name}\t{kind}" for kind, names in NAMES.items() for name in names]
    (home / "names.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kb") / "clinic.kb"

    def of(name: str) -> Entity:
        return Entity(BASE + name)

    label = Entity(RDFS + "label")
    source = Source("list.csv", row=3)
    facts = [(Triple(of(kind), label, Value(kind)), source) for kind in NAMES]
    for kind, names in NAMES.items():
        for number, name in enumerate(names):
            thing = of(f"{kind}{number}")
            facts += [(Triple(thing, TYPE, of(kind)), source), (Triple(thing, label, Value(name)), source)]
            facts.append((Triple(thing, of("kept_in"), of(f"{kind}_shelf")), source))
    facts += [(Triple(of(f"{kind}_shelf"), label, Value(said)), source) for kind, said in SHELVES.items()]
    with KnowledgeBase.create(folder, base=BASE) as opened:
        opened.add(facts)
    return folder


SHELVES = {"drug": "aspirin", "symptom": "fever"}


def recipe_of(data: Path, model: Path, knowledge: dict | None, *tasks: str) -> dict:
    files = {split: str(data / f"{split}.jsonl") for split in ("train", "test")}
    return {
        "name": "known",
        "model": str(model),
        "tasks": {task: {"type": task, "data": files} for task in tasks},
        "train": {"epochs": 8, "learning_rate": 1e-3, "head_learning_rate": 3e-2, "batch_tokens": 512, "seed": 5},
        **({} if knowledge is None else {"knowledge": knowledge}),
    }


def metric(bundle: Path, task: str, name: str) -> float:
    return float(json.loads((bundle / "metrics.json").read_text())[task]["test"][name]["value"])


def test_a_gazetteer_tells_names_that_training_never_saw(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    plain = sibu.run(recipe_of(data, tiny_model, None, "classify", "tag"), out=tmp_path / "plain")
    knowledge = {"names": str(data / "names.txt"), "use": "gazetteer"}
    known = sibu.run(recipe_of(data, tiny_model, knowledge, "classify", "tag"), out=tmp_path / "known")
    assert metric(plain, "classify", "accuracy") < 0.75
    assert metric(known, "classify", "accuracy") > 0.9
    assert metric(known, "tag", "f1") > 0.9 > metric(plain, "tag", "f1")
    (data / "names.txt").rename(data / "names.away")  # the bundle works alone
    try:
        found = sibu.load(known)
        assert found.evaluate(data / "test.jsonl", task="tag").scores["f1"].value == metric(known, "tag", "f1")
        name = next(each for each in NAMES["drug"] if not each.isascii())
        (span,) = found.predict(f"5 the of {name} and", task="tag").value
        assert (span["text"], span["label"]) == (name, "drug")
    finally:
        (data / "names.away").rename(data / "names.txt")
    record = json.loads((known / "record.json").read_text())
    assert record["knowledge"]["classes"] == {kind: len(names) for kind, names in NAMES.items()}
    assert record["knowledge"]["texts_with_names"] == {"classify": 1.0, "tag": 1.0}
    assert "gazetteer" in (known / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def links(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sibu.curation.links import embed

    with KnowledgeBase.open(base) as opened:
        facts = [each for each in opened.triples() if isinstance(each.object, Entity)]
    model = embed(facts, {"name": "distmult", "width": 8, "epochs": 30}, held_out=0)
    return model.save(tmp_path_factory.mktemp("links") / "links")


def test_vectors_and_facts_go_into_the_bundle(
    data: Path, base: Path, links: Path, tiny_model: Path, tmp_path: Path
) -> None:
    own, vectors = tmp_path / "own.kb", tmp_path / "links"
    shutil.copytree(base, own)
    shutil.copytree(links, vectors)
    ways = [{"name": "vectors", "links": str(vectors), "dropout": 0.0}, {"name": "facts", "budget": 24}]
    recipe = recipe_of(data, tiny_model, {"kb": str(own), "classes": ["drug", "symptom"], "use": ways}, "classify")
    bundle = sibu.run(recipe, out=tmp_path / "bundle")
    assert metric(bundle, "classify", "accuracy") > 0.9
    shutil.rmtree(own)
    shutil.rmtree(vectors)
    model = sibu.load(bundle)
    assert model.evaluate(data / "test.jsonl").scores["accuracy"].value == metric(bundle, "classify", "accuracy")
    name = next(each for each in NAMES["symptom"] if each.isascii())
    told = [each.content for each in model.predict(f"the {name} of").evidence if each.kind == "fact"]
    assert f"{name} kept in fever" in [each["words"] for each in told]
    (source,) = told[0]["sources"]
    assert (source["document"], source["row"]) == ("list.csv", 3)
    chinese = model.predict(f"我{next(each for each in NAMES['drug'] if not each.isascii())}好").evidence
    assert any("是一种" in each.content["words"] for each in chinese)
    assert model.predict("good and bad").evidence == ()
    damaged = bundle / "knowledge" / "facts.jsonl"
    damaged.write_text(damaged.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"knowledge/facts.jsonl has \d+ bytes"):
        sibu.load(bundle)


@pytest.fixture(scope="module")
def ruled(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    home = tmp_path_factory.mktemp("ruled")
    write_jsonl(home / "intent.jsonl", intent_rows(60))
    write_jsonl(home / "ner.jsonl", entity_rows(60))
    recipe = {
        "name": "ruled",
        "model": str(tiny_model),
        "tasks": {
            "intent": {"type": "classify", "data": {"train": str(home / "intent.jsonl")}},
            "entities": {"type": "tag", "data": {"train": str(home / "ner.jsonl")}},
        },
        "knowledge": {"use": {"name": "label_rules", "rules": RULES}},
        "train": {"epochs": 4, "learning_rate": 3e-3, "batch_tokens": 256, "seed": 5},
    }
    return recipe, sibu.run(recipe, out=home / "bundle")


RULES = ["intent = billing -> entities lacks drug", "intent = appointment -> entities has symptom"]
MIXED = [
    "pay the bill for aspirin",
    "please book for my fever",
    "move the appointment",
    "我吃药 , 头痛",
    "bill aspirin pain",
]


def test_predictions_keep_to_rules_and_tell_what_these_changed(ruled: tuple[dict, Path]) -> None:
    model = sibu.load(ruled[1])
    intents, spans = (model.predict(MIXED, task=task) for task in ("intent", "entities"))
    changed = 0
    for intent, found in zip(intents, spans, strict=True):
        there = {span["label"] for span in found.value}
        assert not (intent.value == "billing" and "drug" in there)
        assert intent.value != "appointment" or "symptom" in there
        for each in (intent, found):
            for told in each.evidence:
                assert told.kind == "rule"
                assert told.content["after"] == each.value != told.content["before"]
                assert set(told.content["rules"]) <= set(RULES)
                changed += 1
    assert changed
    assert json.loads((ruled[1] / "record.json").read_text())["knowledge"]["rules"] == RULES


def test_one_answer_is_as_among_others(ruled: tuple[dict, Path]) -> None:
    model = sibu.load(ruled[1])
    together = model.predict(MIXED, task="intent")
    assert [model.predict(each, task="intent").value for each in MIXED] == [each.value for each in together]


def test_rules_of_no_weight_that_are_not_kept_to_change_nothing(ruled: tuple[dict, Path], tmp_path: Path) -> None:
    recipe = ruled[0] | {"train": ruled[0]["train"] | {"max_steps": 4}}
    silent = {"name": "label_rules", "rules": RULES, "weight": 0.0, "enforce": False}
    one = sibu.run(recipe | {"knowledge": {"use": silent}}, out=tmp_path / "one")
    two = sibu.run({key: value for key, value in recipe.items() if key != "knowledge"}, out=tmp_path / "two")
    for file in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (one / file).read_bytes() == (two / file).read_bytes(), file
    assert not (two / "knowledge").exists()
    assert "knowledge" not in json.loads((two / "record.json").read_text())


def test_a_stopped_run_goes_on_to_the_same_bits(
    data: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = {"names": str(data / "names.txt"), "use": [{"name": "gazetteer", "dropout": 0.5}, LABELS_AGREE]}
    recipe = recipe_of(data, tiny_model, knowledge, "classify", "tag")
    recipe["train"] |= {"max_steps": 12, "checkpoint_every": 4}
    whole = sibu.run(recipe, out=tmp_path / "whole")
    stop_at(8, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "broken")
    monkeypatch.undo()
    sibu.run(recipe, out=tmp_path / "broken", resume=True)
    for file in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (tmp_path / "broken" / file).read_bytes() == (whole / file).read_bytes(), file


LABELS_AGREE = {"name": "label_rules", "rules": ["classify = drug <-> tag has drug"]}


def checked(recipe: dict, *overrides: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        sibu.check(recipe, overrides)
    return [str(fault) for fault in caught.value.faults]


def test_what_is_wrong_is_told_before_training(data: Path, base: Path, tiny_model: Path) -> None:
    def told(knowledge: dict, *tasks: str) -> str:
        return "\n".join(checked(recipe_of(data, tiny_model, knowledge, *(tasks or ("classify", "tag")))))

    assert "knowledge.kb: is missing: `gazetteer` looks for names" in told({"use": "gazetteer"})
    assert "no way of using knowledge is named 'gazeteer'. Did you mean 'gazetteer'?" in told({"use": "gazeteer"})
    assert "no such key. Did you mean 'dropout'?" in told({"use": {"name": "gazetteer", "dropot": 1}, "names": "x"})
    assert "no such key. Did you mean 'names'?" in told({"use": "gazetteer", "nams": "x"})
    assert "no file at" in told({"use": "gazetteer", "names": "none.txt"})
    assert "Did you mean 'drug'?" in told({"kb": str(base), "classes": ["drugg"], "use": "gazetteer"})
    assert "names one twice" in told({"kb": str(base), "use": ["facts", "facts"]})
    assert "`facts` are read by none of the tasks" in told({"kb": str(base), "use": "facts"}, "tag")
    assert "is not used" in told({"kb": str(base), "use": LABELS_AGREE})
    both = told({"use": {"name": "label_rules", "rules": ["classify = drugs", "classify = drug -> tg has drug"]}})
    assert "knowledge.use.0.rules.0: names 'drugs', no label of classify. Did you mean 'drug'?" in both
    assert "knowledge.use.0.rules.1: names the task 'tg'" in both
    assert "at character 17" in told(
        {"use": {"name": "label_rules", "rules": ["classify ? drug", "classify = drug )"]}}
    )


def test_rows_that_break_rules_are_named(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{**row, "label": "billing"} for row in entity_rows(30)]
    write_jsonl(tmp_path / "train.jsonl", [*rows[:29], {**rows[29], "label": "appointment"}])
    file = {"train": str(tmp_path / "train.jsonl")}
    tasks = {"intent": {"type": "classify", "data": file}, "entities": {"type": "tag", "data": file}}
    knowledge = {"use": {"name": "label_rules", "rules": RULES[:1]}}
    found = sibu.check({"name": "it", "model": str(tiny_model), "tasks": tasks, "knowledge": knowledge})
    wanted = {n for n, row in enumerate(rows[:29], 1) if any(e["label"] == "drug" for e in row["entities"])}
    told = [each for each in found.gate.faults.examples if each.kind == "label rule"]
    assert {each.row for each in told} <= wanted
    assert sum(c for (kind, *_), c in found.gate.faults.counts.items() if kind == "label rule") == len(wanted)
    assert RULES[0] in told[0].message


def test_overrides_reach_into_knowledge(data: Path, base: Path, tiny_model: Path) -> None:
    recipe = recipe_of(data, tiny_model, {"names": str(data / "names.txt"), "use": "gazetteer"}, "tag")
    assert sibu.check(recipe, ["knowledge.use.dropout=0.5"]).sound
    recipe["knowledge"]["use"] = ["gazetteer"]
    found = sibu.check(recipe, [f"knowledge.kb={base}", "knowledge.use.0.dropout=0.5"])
    assert found.plan["knowledge"]["kb"]["name"] == "clinic.kb"
    assert found.plan["knowledge"]["classes"]["drug"] == 2 * len(NAMES["drug"])
    assert any("less than 1" in each for each in checked(recipe, "knowledge.use.0.dropout=1.5"))


def test_members_of_an_ensemble_know_each_for_itself(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(data, tiny_model, {"names": str(data / "names.txt"), "use": "gazetteer"}, "classify")
    recipe |= {"repeats": 2, "ensemble": True, "method": "probe"}
    recipe["train"] |= {"epochs": 2}
    bundle = sibu.run(recipe, out=tmp_path / "both")
    model = sibu.load(bundle)
    row = named_rows(1, 1)[0]["text"]
    one, two = model._opened.model.members
    assert one.encoders["text"] is two.encoders["text"]
    first, second, both = (answer_of(model, each, row) for each in (one, two, model._opened.model))
    assert first != second
    assert both["drug"] == pytest.approx((first["drug"] + second["drug"]) / 2, abs=1e-5)


def answer_of(model: sibu.Predictor, own: object, text: str) -> dict[str, float]:
    from sibu.pipeline.predict import answers

    opened = model._opened
    found = answers(own, "classify", opened.tasks["classify"], opened.text, [{"text": text}])  # type: ignore[arg-type]
    return dict(found[0].scores or {})


@pytest.mark.parametrize("kind", ["extract", "classify", "generate"])
def test_facts_stand_beside_the_text(
    kind: str, base: Path, tiny_model: Path, tiny_writer: Path, tmp_path: Path
) -> None:
    from sibu.core.text import Prompt, TextInput
    from sibu.pipeline.backbone import text_preparer
    from sibu.pipeline.knowing import knowing
    from sibu.pipeline.known import gathered
    from sibu.pipeline.progress import Silent

    folder = tiny_writer if kind == "generate" else tiny_model
    recipe = load_recipe(
        {
            "name": "it",
            "model": str(folder),
            "tasks": {"it": {"type": kind, "data": {"train": "x.jsonl"}}},
            "knowledge": {"kb": str(base), "use": {"name": "facts", "budget": 30, "predicates": ["kept_in"]}},
        }
    ).recipe
    text = knowing(text_preparer(recipe, folder, shapes=False), gathered(recipe, Silent()))
    name = next(each for each in NAMES["drug"] if each.isascii())
    said = f"Known: {name} kept in aspirin."
    if kind == "generate":
        beside = text._beside(Prompt((("user", "good"), ("assistant", "yes"), ("user", f"what is {name}"))))
        assert beside.messages[0] == ("user", "good")
        assert beside.messages[-1] == ("user", f"{said}\n\nwhat is {name}")
    elif kind == "classify":
        assert text._beside(TextInput(f"my {name}")) == TextInput(f"my {name}", pair=said)
        assert text._beside(TextInput("my", pair=name)) == TextInput("my", pair=f"{name}\n{said}")
    else:
        context = "john works at acme . " * 30
        asked = TextInput(f"where is {name}", pair=context, places="units", fit="slide", split_characters=True)
        for window in text.prepare([asked])[0]:
            for _, start, end, piece in window.places:
                assert window.segments[piece] == 2
                assert context[window.starts[piece] : window.ends[piece]] == context[start:end][:30]
        assert text._beside(asked).text == f"where is {name}\n{said}"
    assert text._beside(TextInput("we need a doctor")) == TextInput("we need a doctor")
    assert text._beside(TextInput(f"a {name}", places="units")).pair is None


def test_what_is_written_tells_its_facts(base: Path, tiny_writer: Path, tmp_path: Path) -> None:
    name = next(each for each in NAMES["symptom"] if each.isascii())
    write_jsonl(
        tmp_path / "train.jsonl", [{"text": f"{n} what is {name}", "target": "take aspirin"} for n in range(20)]
    )
    recipe = {
        "name": "it",
        "model": str(tiny_writer),
        "tasks": {"it": {"type": "generate", "data": {"train": str(tmp_path / "train.jsonl")}, "max_new_tokens": 4}},
        "knowledge": {"kb": str(base), "use": {"name": "facts", "budget": 30, "predicates": ["kept_in"]}},
        "train": {"epochs": 1, "max_steps": 2},
    }
    model = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    told = {f"{name} kept in fever"}
    for answer in (model.predict(f"what is {name}"), model.tell(f"what is {name}", lambda _: None)):
        assert {each.content["words"] for each in answer.evidence if each.kind == "fact"} == told


def test_names_of_a_class_are_those_of_the_classes_below_it(tmp_path: Path) -> None:
    def of(name: str) -> Entity:
        return Entity(BASE + name)

    facts = [
        Triple(of("opioid"), Entity(RDFS + "subClassOf"), of("drug")),
        Triple(of("m"), TYPE, of("opioid")),
        Triple(of("m"), Entity(RDFS + "label"), Value("吗啡", RDF + "langString", "zh")),
        Triple(of("anna"), TYPE, of("patient")),
        Triple(of("anna"), Entity(RDFS + "label"), Value("Anna")),
    ]
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as opened:
        opened.add((each, Source("x")) for each in facts)
        assert [(name.text, name.classes) for name in names_of(opened, ("drug",))] == [("吗啡", ("drug",))]
        assert {name.classes for name in names_of(opened, None)} == {("opioid",), ("patient",)}
