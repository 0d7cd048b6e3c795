"""Rewards in a run: the best of several answers, learning from answers of the model's own, and what is told before."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.store.hashes import hash_file
from tests.command import sibu_here
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import Stop, stop_at, whole_and_stopped
from tests.tiny_tasks import tiny_recipe


def changed(recipe: dict, **task: object) -> dict:
    return recipe | {"tasks": {"it": recipe["tasks"]["it"] | task}}


def reward_of(prediction: Any) -> dict[str, float]:
    (found,) = [each.content for each in prediction.evidence if each.kind == "reward"]
    return dict(found)


@pytest.fixture(scope="module")
def replies(tiny_writer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("replies")
    return sibu.run(tiny_recipe("generate", "full", tiny_writer, home, epochs=3), out=home / "out")


TEXTS = ["1 my pain we", "2 my bill an", "3 my 头痛 the", "4 my pain on"]


def test_of_several_answers_the_best_is_given(replies: Path) -> None:
    rule = "reward={name: length, at_least: 3, at_most: 5}"
    best = sibu.load(replies).answering("decoding=best_of", "decoding.n=6", "decoding.temperature=1.5", rule)
    found = best.predict(TEXTS)
    told = [reward_of(each) for each in found]
    assert all(each["of"] == 6 and each["total"] == each["length"] >= each["mean"] for each in told)
    assert any(each["total"] > each["mean"] for each in told)
    assert [each.value for each in best.predict(TEXTS)] == [each.value for each in found]
    worst = best.answering("reward.weight=-1").predict(TEXTS)
    assert sum(reward_of(each)["length"] for each in worst) < sum(each["length"] for each in told)


def test_bounds_hold_for_every_candidate(replies: Path) -> None:
    many = sibu.load(replies).answering(
        "decoding=best_of",
        "reward.name=regex",
        "reward.pattern=b",
        "constrain.name=regex",
        "constrain.pattern='[ab]{3}'",
    )
    found = many.predict(TEXTS)
    assert all(set(each.value) <= set("ab") and len(each.value) == 3 for each in found)
    assert sum(reward_of(each)["total"] for each in found) == len(TEXTS)  # of 8 draws one has a b


def test_a_prompt_is_read_once_and_answered_as_alone(replies: Path) -> None:
    spec = ("decoding=best_of", "decoding.n=3", "reward.name=length", "reward.at_least=1")
    best = sibu.load(replies).answering(*spec, "decoding.top_k=1")  # the likeliest alone: greedy's answer
    assert [each.value for each in best.predict(TEXTS)] == [each.value for each in sibu.load(replies).predict(TEXTS)]


def test_a_bundle_rewards_and_its_figures_are_reported(
    replies: Path, tiny_model: Path, tiny_writer: Path, tmp_path: Path
) -> None:
    judge = sibu.run(tiny_recipe("classify", "full", tiny_model, tmp_path), out=tmp_path / "judge")
    reward = {"name": "classifier", "bundle": "judge", "label": "billing"}
    recipe = changed(tiny_recipe("generate", "full", tiny_writer, tmp_path), reward=reward)
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    bundle = sibu.load(sibu.run(tmp_path / "recipe.yaml", out=tmp_path / "out"))
    known = json.loads((tmp_path / "out" / "metrics.json").read_text())["it"]["test"]["reward"]["value"]
    answers = [each.value for each in bundle.predict([json.loads(line) for line in _lines(recipe)])]
    judged = zip(answers, _judged(judge, answers), strict=True)
    right = [each.scores["billing"] if text.strip() else 0 for text, each in judged]
    assert known == pytest.approx(sum(right) / len(right), rel=1e-5)


def _lines(recipe: dict) -> list[str]:
    return Path(recipe["tasks"]["it"]["data"]["test"]).read_text(encoding="utf-8").splitlines()


def _judged(judge: Path, answers: list[str]) -> list[Any]:
    return sibu.load(judge).predict([text if text.strip() else "nothing" for text in answers])


@pytest.mark.parametrize("model", ["causal", "encoder-decoder"])
@pytest.mark.parametrize("kl", [0.0, 0.02])
def test_it_learns_what_is_rewarded(
    model: str, kl: float, tiny_writer: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    """From a model that writes at random: answers with the letter that pays become the rule."""
    task = "reinforce" if model == "causal" else "reinforce, encoder-decoder"
    folder = tiny_writer if model == "causal" else tiny_translator
    recipe = tiny_recipe(task, "full", folder, tmp_path, epochs=12, batch_tokens=4096, learning_rate=3e-3)
    recipe = changed(recipe, reward={"name": "regex", "pattern": "e"}, candidates=8, kl=kl, max_new_tokens=4)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    curve = [each["scores"]["it"]["reward"] for each in record["evaluations"]]
    assert max(curve) >= 0.9
    metrics = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert metrics["reward"]["value"] >= 0.75 > curve[0]
    assert sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"]).scores["reward"].value >= 0.75


def test_cost_of_moving_holds_the_model(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("reinforce", "full", tiny_writer, tmp_path, epochs=6, batch_tokens=4096, learning_rate=3e-3)
    recipe = changed(recipe, reward={"name": "regex", "pattern": "e"}, candidates=8, max_new_tokens=4)
    found = [
        max(
            each["scores"]["it"]["reward"]
            for each in json.loads(
                (sibu.run(changed(recipe, kl=kl), out=tmp_path / f"{kl}") / "record.json").read_text()
            )["evaluations"]
        )
        for kl in (0.0, 10.0)
    ]
    assert found[0] > found[1] + 0.3


def test_the_same_recipe_gives_the_same_bits(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("reinforce", "lora", tiny_writer, tmp_path, epochs=2)
    one, other = (sibu.run(recipe, out=tmp_path / name) for name in ("one", "other"))
    weights = [hash_file(each / "adapter" / "adapter_model.safetensors") for each in (one, other)]
    assert weights[0] == weights[1]


def test_a_stopped_run_goes_on_to_the_same_bits(
    tiny_writer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("reinforce", "lora", tiny_writer, tmp_path, epochs=3, checkpoint_every=2)
    whole, again = whole_and_stopped(recipe, 4, tmp_path, monkeypatch)
    for file in sorted(path.relative_to(whole) for path in whole.rglob("*.safetensors")):
        assert (again / file).read_bytes() == (whole / file).read_bytes(), file


def test_what_cannot_be_is_told_before_anything_is_trained(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("reinforce", "full", tiny_writer, tmp_path)
    generate = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    none = {key: value for key, value in recipe["tasks"]["it"].items() if key != "reward"}
    cases = [
        (recipe | {"tasks": {"it": none}}, "tasks.it.reward: is missing, which `reinforce` needs"),
        (changed(generate, decoding="best_of"), "is missing, which the decoding `best_of` needs"),
        (changed(recipe, reward={"name": "lenght"}), "no reward is named 'lenght'. Did you mean 'length'?"),
        (changed(generate, decoding={"name": "gredy"}), "no decoder is named 'gredy'. Did you mean 'greedy'?"),
        (changed(recipe, reward={"name": "length", "at_mosst": 3}), "Did you mean 'at_most'?"),
        (changed(recipe, reward={"name": "classifier", "bundle": "nowhere", "label": "x"}), "There is no bundle at "),
        (changed(generate, type="prefer", decoding="best_of"), "answers of `prefer` take none. Choose `greedy`"),
        (changed(recipe, stop=[""]), "stop"),
        (changed(recipe, stop=["a"], constrain={"name": "choice", "among": ["ab"]}), "`stop` cuts short"),
        (changed(recipe, reward={"name": "length", "length": 3}), "tasks.it.reward.length: no such key."),
        (changed(generate, decoding={"name": "beam", "beam": 3}), "tasks.it.decoding.beam: no such key."),
        (changed(recipe, candidates=1), "candidates"),
        (changed(generate, type="prefer", reward={"name": "length"}), "answers of `prefer` take no reward"),
        (generate | {"release": {"it.reward": {"at_least": 1}}}, "it has no reward. Add `reward` to tasks.it."),
    ]
    for given, said in cases:
        with pytest.raises(RecipeError) as told:
            sibu.check(given)
        assert said in str(told.value), str(told.value)


def test_best_of_cannot_be_told_bit_by_bit(replies: Path) -> None:
    best = sibu.load(replies).answering("decoding=best_of", "reward.name=length")
    with pytest.raises(RecipeError, match="`best_of` knows its answer only at the end"):
        best.tell("1 my pain we", lambda _: None)


def test_a_reward_that_needs_targets_says_where_there_are_none(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("reinforce", "full", tiny_writer, tmp_path)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [{"text": f"{n} my pain"} for n in range(20)])
    with pytest.raises(RecipeError, match="`overlap` compares with the target, and 18 of 18 rows of train have none"):
        sibu.check(recipe)
    sibu.check(changed(recipe, reward={"name": "overlap", "against": "text"}))


def test_a_bundle_whose_judge_is_gone_still_answers(tiny_model: Path, tiny_writer: Path, tmp_path: Path) -> None:
    judge = sibu.run(tiny_recipe("classify", "full", tiny_model, tmp_path), out=tmp_path / "judge")
    reward = {"name": "classifier", "bundle": str(judge), "label": "billing"}
    recipe = changed(tiny_recipe("reinforce", "lora", tiny_writer, tmp_path), reward=reward)
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    judge.rename(tmp_path / "moved")
    assert isinstance(bundle.answering("max_new_tokens=4").predict(TEXTS[0]).value, str)
    with pytest.raises(RecipeError, match=r"no bundle at .*judge"):
        bundle.evaluate(recipe["tasks"]["it"]["data"]["test"])
    with pytest.raises(RecipeError, match=r"no bundle at .*judge.* `reward.bundle=PLACE`"):
        bundle.answering("decoding=best_of")
    there = bundle.answering("decoding=best_of", f"reward.bundle={tmp_path / 'moved'}")
    assert reward_of(there.predict(TEXTS[0]))["of"] == 8


def test_any_measure_can_be_asked_of_a_bundle(replies: Path, tmp_path: Path) -> None:
    """By the command line, on a bundle that was trained without a reward."""
    file = write_jsonl(tmp_path / "some.jsonl", [{"text": text, "target": "take aspirin"} for text in TEXTS])
    words = ["evaluate", replies, "reward={name: regex, pattern: '.'}", "--data", file, "--json", "--quiet"]
    told = json.loads(sibu_here(*words).stdout)
    written = [each.value for each in sibu.load(replies).predict(TEXTS)]
    assert told["reward"]["value"] == sum(bool(re.search(".", text)) for text in written) / len(written)


def test_a_target_that_the_reward_compares_with_is_read_at_prediction(replies: Path) -> None:
    best = sibu.load(replies).answering("decoding=best_of", "decoding.n=2", "reward.name=overlap")
    found = best.predict([{"text": TEXTS[0], "target": "take aspirin"}, {"text": TEXTS[1], "target": ["a", "pay"]}])
    assert all(reward_of(each)["of"] == 2 for each in found)
    with pytest.raises(DataError, match=r"there is no target, which the reward compares with. Give it with the input"):
        best.predict(TEXTS[0])


def test_a_judge_must_give_probabilities(tiny_writer: Path, replies: Path, tmp_path: Path) -> None:
    judge = sibu.run(tiny_recipe("classify, written", "full", tiny_writer, tmp_path), out=tmp_path / "judge")
    spec = ("reward.name=classifier", f"reward.bundle={judge}", "reward.label=billing")
    with pytest.raises(RecipeError, match=r"in words, without probabilities.*Train it without `written`"):
        sibu.load(replies).answering("decoding=best_of", *spec)


def test_a_judge_that_changed_is_noticed(
    tiny_model: Path, tiny_writer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging = tiny_recipe("classify", "full", tiny_model, tmp_path)
    judge = sibu.run(judging, out=tmp_path / "judge")
    reward = {"name": "classifier", "bundle": str(judge), "label": "billing"}
    recipe = changed(tiny_recipe("reinforce", "lora", tiny_writer, tmp_path, checkpoint_every=2), reward=reward)
    stop_at(2, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    sibu.run(judging, ["train.seed=14"], out=judge, force=True)
    with pytest.raises(RecipeError, match="begun with something else"):
        sibu.run(recipe, out=tmp_path / "out", resume=True)
    record = json.loads((sibu.run(recipe, out=tmp_path / "out", force=True) / "record.json").read_text())
    assert record["judges"] == {str(judge): json.loads((judge / "bundle.json").read_text())["sha256"]}


def test_the_steps_that_check_expects_are_those_of_the_run(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("reinforce", "full", tiny_writer, tmp_path)
    expected = sibu.check(recipe).steps
    done = json.loads((sibu.run(recipe, out=tmp_path / "out") / "record.json").read_text())["steps"]["done"]
    assert abs(expected - done) <= 0.25 * done


def test_one_of_several_rewards_is_changed_by_its_number(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.load(sibu.run(tiny_recipe("reinforce", "lora", tiny_writer, tmp_path), out=tmp_path / "out"))
    best = bundle.answering("decoding=best_of", "reward.0.against=text", "reward.1.weight=2")
    told = reward_of(best.predict(TEXTS[0]))
    assert told["total"] == pytest.approx(told["overlap"] + 2 * told["length"])
    with pytest.raises(RecipeError, match=r"reward is a list of 2. Say which one, counted from 0 \(reward.0.weight="):
        bundle.answering("reward.weight=2")
    with pytest.raises(RecipeError, match=r"the list has 2 items, counted from 0; there is no '2'"):
        bundle.answering("reward.2.weight=2")
    with pytest.raises(RecipeError, match=r"Quote the value once more.*\"reward.0.against='\[a\]b'\""):
        bundle.answering("reward.0.against=[a]b")
