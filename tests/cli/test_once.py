"""An option of one value is given once; several values keep their place where several are meant."""

import pytest
from typer.testing import CliRunner

from sibu.cli import app


def told(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2, result.output
    return result.output


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["predict", "b", "--text", "one", "--text", "two"], "--text"),
        (["predict", "b", "--text", "one", "--text=two", "--task", "t", "--task", "t"], "--text, --task"),
        (["run", "r.yaml", "--out", "a", "--out", "b"], "--out"),
        (["kb", "export", "kb", "--format", "nt", "--format", "ttl"], "--format"),
    ],
)
def test_a_second_value_is_refused_and_not_lost(words: list[str], names: str) -> None:
    assert f"given more than once, where one value is allowed: {names}. Give each once." in told(*words)


def test_every_command_has_the_rule() -> None:
    from sibu.cli import kb
    from sibu.cli.once import Once

    assert {command.cls for command in (*app.registered_commands, *kb.app.registered_commands)} == {Once}


def test_options_of_several_values_and_flags_may_come_again() -> None:
    result = CliRunner().invoke(
        app, ["predict", "nowhere", "--value", "image=a.png", "--value", "age=68", "--quiet", "--quiet"]
    )
    assert result.exit_code == 1, result.output
    assert "No bundle at nowhere" in str(result.exception)
