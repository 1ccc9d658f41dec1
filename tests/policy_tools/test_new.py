"""`praetor policy new`: what it writes is a policy whose cases pass, and it overwrites nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from cli.policy.new import Template
from runtime.errors import PraetorError


def praetor(*args: object) -> Result:
    return CliRunner().invoke(policy_app, [str(a) for a in args])


@pytest.mark.parametrize("template", list(Template))
def test_a_new_policy_is_green(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    assert praetor("new", "my-agents", "--template", template.value, "-o", path).exit_code == 0
    assert path.read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")
    assert "name: my-agents\n" in path.read_text() and "NAME" not in path.read_text()
    assert praetor("lint", path).exit_code == 0
    assert praetor("test", path).exit_code == 0


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert praetor("new", "mine").exit_code == 0
    Path("mine.yaml").write_text("precious")
    again = praetor("new", "mine")
    assert isinstance(again.exception, PraetorError)
    assert str(again.exception) == "mine.yaml is there already and was left as it is; name another with -o"
    assert Path("mine.yaml").read_text() == "precious"


@pytest.mark.parametrize("name", ["My Agents", "bundle", "", "../x", "x" * 101])
def test_a_name_that_no_policy_can_have(name: str, tmp_path: Path) -> None:
    found = praetor("new", "-o", tmp_path / "x.yaml", "--", name)
    assert isinstance(found.exception, PraetorError) and "no policy can be called" in str(found.exception)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    found = praetor("new", "mine", "-o", tmp_path / "no" / "x.yaml")
    assert isinstance(found.exception, PraetorError) and "No such file or directory" in str(found.exception)
