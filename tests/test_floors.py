"""Imports only fall: from a floor to those below it, and never between two rooms of F3."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "sibu"
FLOORS = [
    {"cli"},
    {"api", "kb"},
    {"pipeline", "curation"},
    {"recipe"},
    {
        "readers",
        "modalities",
        "aligners",
        "fusions",
        "tasks",
        "methods",
        "heads",
        "decoders",
        "constraints",
        "rewards",
        "augmenters",
        "pickers",
        "desks",
        "scorers",
        "knowledge",
        "trackers",
        "reasoners",
        "extractors",
    },
    {"nn", "train", "metrics", "store", "models", "catalog", "logic", "graph", "phrases", "checker", "media", "align"},
    {"core"},
]
ROOMS = FLOORS[4]


def floor_of(name: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if name in names)


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sibu"):
            found += [node.module] if node.module != "sibu" else [f"sibu.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("sibu.")]
    return [name.split(".")[1] for name in found if name.count(".")]


def test_every_folder_has_a_floor() -> None:
    stems = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    names = stems - {"__init__", "__main__", "__pycache__"}
    assert names == set().union(*FLOORS)


def test_imports_only_fall() -> None:
    faults = []
    for path in sorted(SOURCE.rglob("*.py")):
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if own in {"__init__", "__main__"}:
            continue
        for target in imports(path):
            if target == "__version__":
                continue
            if target != own and (floor_of(target) < floor_of(own) or (own in ROOMS and target in ROOMS)):
                faults.append(f"{path.relative_to(SOURCE)} imports {target}")
    assert not faults


def test_the_checker_imports_the_vocabulary_alone() -> None:
    """It is trusted because it shares nothing with what it checks."""
    import sys

    for node in ast.walk(ast.parse((SOURCE / "checker.py").read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            assert name.startswith("sibu.core.") or name.split(".")[0] in sys.stdlib_module_names, name


def test_core_imports_the_standard_library_only() -> None:
    import sys

    for path in (SOURCE / "core").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = name.split(".")[0]
                assert top == "sibu" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_no_vague_names() -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "base", "manager", "engine", "misc"}
    assert not [
        path for path in SOURCE.rglob("*.py") if path.stem in vague or vague & set(path.relative_to(SOURCE).parts)
    ]
