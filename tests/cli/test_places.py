"""Where commands write: nothing is lost that is no bundle, and a place that cannot be written to is told."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.core.errors import BundleError, DataError, RecipeError, ReleaseMissed, RunStopped
from sibu.store.hashes import hash_json
from tests.conftest import write_jsonl
from tests.tiny_tasks import tiny_recipe


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    home = tmp_path_factory.mktemp("places")
    recipe = tiny_recipe("classify", "full", tiny_model, home, max_steps=2)
    (home / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    sibu.run(home / "recipe.yaml", out=home / "bundle")
    return home


def command(
    *arguments: object, stdout: object = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sibu", *map(str, arguments)]
    return subprocess.run(
        line, stdout=stdout, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=os.environ | environment
    )


@pytest.mark.parametrize("what", ["file", "model", "folder"])
def test_force_replaces_bundles_alone(what: str, home: Path, tmp_path: Path) -> None:
    place = tmp_path / "precious"
    if what == "file":
        shutil.copy(home / "recipe.yaml", place)
    elif what == "model":
        shutil.copytree(home / "bundle" / "model", place)
    else:
        place.mkdir()
        (place / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RecipeError, match=r"holds something that is no bundle; --force replaces bundles only. Move it"):
        sibu.run(home / "recipe.yaml", out=place, force=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_force_replaces_a_bundle_and_fills_an_empty_folder(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "bundle", tmp_path / "old")
    (tmp_path / "old" / "extra.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    for name in ("old", "empty"):
        bundle = sibu.run(home / "recipe.yaml", out=tmp_path / name, force=True)
        assert not (bundle / "extra.txt").exists()
        assert sibu.show(bundle)["metrics"]


@pytest.mark.parametrize("place", [".", "", "..", "/"])
def test_a_place_that_holds_other_things_is_refused(place: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(RecipeError, match=r"Choose another place with --out"):
        sibu.run("recipe.yaml", out=place)


def test_a_place_below_a_file_is_refused(home: Path) -> None:
    with pytest.raises(RunStopped, match=r"cannot be made a folder: .*recipe.yaml is a file. Choose another place."):
        sibu.run(home / "recipe.yaml", out=home / "recipe.yaml" / "out")


def test_a_cache_that_cannot_be_made_is_told(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIBU_CACHE", str(tmp_path / "file"))
    with pytest.raises(RunStopped, match=r"is a file. Choose another place. It is Sibu's cache; .* SIBU_CACHE names"):
        sibu.check(home / "recipe.yaml")
    monkeypatch.setenv("SIBU_CACHE", str(tmp_path / "elsewhere"))
    assert sibu.check(home / "recipe.yaml").sound


def test_predictions_do_not_go_into_a_folder(home: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "in.jsonl", [{"text": "book"}])
    done = command("predict", home / "bundle", "--input", file, "--output", tmp_path)
    assert (done.returncode, done.stderr) == (1, f"sibu: {tmp_path} is a folder. Name a file, in it or elsewhere.\n")
    assert command("predict", home / "bundle", "--input", file, "--output", tmp_path / "out.jsonl").returncode == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_stdout_is_told(home: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = command("show", home / "bundle", "--json", stdout=full)
    assert (done.returncode, done.stderr) == (1, "sibu: the output could not be written (No space left on device).\n")


def test_chinese_comes_out_whatever_the_locale(home: Path) -> None:
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = command("predict", home / "bundle", "--text", "我想预约", **plain)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(command("predict", home / "bundle", "--text", "我想预约").stdout)


# ---- resuming what is finished --------------------------------------------------------------------------------------


def test_a_finished_bundle_keeps_missing_its_release(home: Path, tmp_path: Path) -> None:
    missed = ["release.it.accuracy.at_least=1.0", "release.it.test.mcc.at_least=1.0", "train.learning_rate=1e-9"]
    for resume in (False, True):
        with pytest.raises(ReleaseMissed, match=r"misses a release condition: it.accuracy on test"):
            sibu.run(home / "recipe.yaml", missed, out=tmp_path / "out", resume=resume)
    assert command("run", home / "recipe.yaml", *missed, "--out", tmp_path / "out", "--resume").returncode == 3


def test_a_finished_bundle_is_not_taken_for_another_recipe(home: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(home / "bundle", tmp_path / "out")
    assert sibu.run(home / "recipe.yaml", out=bundle, resume=True) == bundle
    with pytest.raises(RecipeError, match=r"is a finished bundle of another recipe: train.max_steps changed since"):
        sibu.run(home / "recipe.yaml", "train.max_steps=5", out=bundle, resume=True)
    done = command("run", home / "recipe.yaml", "--out", bundle, "--resume", "--force")
    assert done.returncode == 2
    assert "give one of the two" in done.stderr


def test_the_recipe_of_a_bundle_runs_again_from_anywhere(home: Path, tmp_path: Path, monkeypatch) -> None:
    recipe = yaml.safe_load((home / "recipe.yaml").read_text())
    shutil.copytree(recipe["model"], home / "my-model", dirs_exist_ok=True)
    recipe["model"] = "./my-model"
    (home / "relative.yaml").write_text(yaml.safe_dump(recipe))
    first = sibu.run(home / "relative.yaml", out=tmp_path / "first")
    assert sibu.show(first)["model"]["name"] == "my-model"
    monkeypatch.chdir(tmp_path)
    again = sibu.run(first / "recipe.yaml", out=tmp_path / "again")
    assert (again / "heads.safetensors").read_bytes() == (first / "heads.safetensors").read_bytes()


# ---- bundle.json ----------------------------------------------------------------------------------------------------


def test_a_changed_manifest_is_found(home: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(home / "bundle", tmp_path / "bundle")
    file = bundle / "bundle.json"
    sound = file.read_bytes()
    for place in range(0, len(sound), 7):
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(BundleError, match=r"bundle.json|format"):
            sibu.show(bundle)
    for content in ({"format": 1}, [], {"format": 1, "files": {"recipe.yaml": {}}}):
        file.write_text(json.dumps(content))
        with pytest.raises(BundleError, match=r"bundle.json (was changed|is damaged)"):
            sibu.load(bundle)
    file.write_bytes(sound)
    content = json.loads(sound)
    assert content.pop("sha256") == hash_json(content)
    assert sibu.load(bundle).predict("book").value


# ---- what Python users hand over ------------------------------------------------------------------------------------


def test_what_the_verbs_take(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = sibu.Recipe.model_validate(yaml.safe_load((home / "recipe.yaml").read_text()))
    bundle = sibu.run(recipe, "train.max_steps=1", out=tmp_path / "out")
    model = sibu.load(bundle)
    assert {"run", "check", "load", "Recipe"} <= set(dir(sibu))
    with pytest.raises(RecipeError, match=r"A recipe is a file, a mapping or a `sibu.Recipe`, given NoneType"):
        sibu.run(None)  # type: ignore[arg-type]
    for given in (5, None, [None]):
        with pytest.raises(DataError, match=r"an input is a text or a mapping with .*, given (int|NoneType)"):
            model.predict(given)  # type: ignore[arg-type]
    found = list(model.stream(["book", "\ud83d", {"text": None}, {"text": 3}, "pay"]))
    assert [isinstance(each, DataError) for each in found] == [False, True, True, True, False]
    assert str(found[1]) == "'text' has half a character (a lone surrogate) at 0, which is no text."
    assert str(found[2]) == "'text' has no value (null)."
