"""The file that says how facts are extracted: every fault with its line, all at once."""

from pathlib import Path

import pytest

from sibu.core.errors import RecipeError
from sibu.curation.extracting.plan import plan_of


def faults(text: str, home: Path) -> list[str]:
    file = home / "extract.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as fault:
        plan_of(file)
    return [str(each).removeprefix(f"{home}/") for each in fault.value.faults]


def test_all_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "extract.yaml"
    text = "extractors:\n  - gazetteer\n  - {name: patterns, file: p.txt, called: 句式}\nassert: 0.95\nnew: [Drug]\n"
    file.write_text(text, encoding="utf-8-sig")
    found = plan_of(file)
    assert found.names == ("gazetteer", "句式")
    assert (found.plan.assert_, found.plan.review, found.plan.new) == (0.95, 0.5, ("Drug",))
    assert found.home == tmp_path
    assert plan_of(found.options).options == found.options


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = """extractors:
  - gazeteer
  - {name: patterns}
  - {name: gazetteer, leest: 3, score: 2}
  - {file: x}
assert: high
reveiw: 0.5
"""
    assert faults(text, tmp_path) == [
        "extract.yaml:2 extractors.0.name: no extractor is named 'gazeteer'. Did you mean 'gazetteer'? "
        "Allowed: gazetteer, patterns, bundle, writer.",
        "extract.yaml:3 extractors.1.file: is missing. Add it.",
        "extract.yaml:4 extractors.2.score: should be less than or equal to 1, given 2.",
        "extract.yaml:4 extractors.2.leest: no such key. Did you mean 'least'? "
        "Allowed: called, classes, properties, trust, name, file, label, least, case_up_to, score.",
        'extract.yaml:5 extractors.3: an extractor is a name, or a mapping with `name`, given {"file": "x"}. '
        "Allowed: gazetteer, patterns, bundle, writer.",
        'extract.yaml:6 assert: should be a valid number, unable to parse string as a number, given "high".',
        "extract.yaml:7 reveiw: no such key. Did you mean 'review'? Allowed: extractors, assert, review, combine, new, "
        "outside, language, link, encoder, classes, properties.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- x\n", "a plan is a mapping with the key `extractors`"),
        ("assert: 1\n", "`extractors` is a list of at least one, given null"),
        ("extractors: []\n", "`extractors` is a list of at least one, given []"),
        ("extractors: [gazetteer]\nassert: 0.4\n", "0.5 is above `assert`, which is 0.4"),
        ("extractors: [gazetteer, gazetteer]\n", "two extractors are called 'gazetteer'"),
        ("extractors: [gazetteer]\nlanguage: 'en us'\n", "'en us' is no tag of a language"),
        ("extractors: [gazetteer\n", "not valid YAML"),
        ("extractors: [gazetteer]\nnew: Drug\n", 'new: is true, false, or a list of classes, given "Drug"'),
        ("extractors: [gazetteer]\nclasses: {a: 1}\n", "classes.a: should be a valid string, given 1"),
    ],
)
def test_one_fault(text: str, said: str, tmp_path: Path) -> None:
    found = faults(text, tmp_path)
    assert len(found) == 1
    assert said in found[0]


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        plan_of(tmp_path / "none.yaml")
