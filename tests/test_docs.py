"""What the documents say is so: pages are current, recipes in them are read, shipped recipes run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.recipe.load import load_recipe, validate

ROOT = Path(__file__).parents[1]
RECIPES = sorted(ROOT.glob("examples/*/*.yaml"))
"""With their data; those of ``recipes/`` are for ``test_recipes.py``."""
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in ("docs", "bench", "examples", "recipes") for page in
                (ROOT / folder).rglob("*.md"))])  # fmt: skip


def test_the_reference_is_current() -> None:
    done = subprocess.run([sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_recipes_on_pages_are_recipes(page: Path) -> None:
    for text in fenced(page, "yaml"):
        value = yaml.safe_load(text)
        if isinstance(value, dict) and {"name", "model", "tasks"} <= value.keys():
            validate(value, str(page), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_run(recipe: Path, tiny_model: Path, tmp_path: Path) -> None:
    tiny = [f"model={tiny_model}", "train.max_steps=2", "train.batch_tokens=512"]
    assert load_recipe(recipe).recipe.name
    bundle = sibu.run(recipe, tiny, out=tmp_path / "out")
    assert sibu.show(bundle)["metrics"]


def test_the_two_readmes_show_the_shipped_recipe() -> None:
    english, chinese = (yaml.safe_load(fenced(ROOT / name, "yaml")[0]) for name in ("README.md", "README.zh-CN.md"))
    shipped = yaml.safe_load((ROOT / "examples/clinic/clinic.yaml").read_text(encoding="utf-8"))
    assert english == chinese == shipped | {"method": "full"}
