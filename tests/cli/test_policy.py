"""`praetor policy lint`, `test` and `build`, as a person runs them."""

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from policies.bundle import load_bundle
from runtime.errors import PraetorError
from tests.policies.test_load import GOOD


def praetor(*args: object) -> Result:
    return CliRunner().invoke(policy_app, [str(a) for a in args])


def test_the_shipped_policies_pass() -> None:
    assert praetor("lint").exit_code == 0
    tested = praetor("test")
    assert tested.exit_code == 0
    assert "0 failed" in tested.output


def test_lint_tells_all_mistakes_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.yaml").write_text(GOOD.replace("effect: allow", "effect: permit"))
    (tmp_path / "deep" / "b.yml").write_text(GOOD.replace("    match:", "    macth:"))
    (tmp_path / "notes.txt").write_text("no policy")
    found = praetor("lint", tmp_path)
    assert found.exit_code == 1
    assert f"{tmp_path}/a.yaml:8:13: 'effect' must be 'allow', 'deny', 'modify'," in found.output
    assert f"{tmp_path}/deep/b.yml:9:5: unknown key 'macth'; did you mean 'match'?" in found.output
    told = json.loads(praetor("lint", tmp_path, "--json").stdout)
    assert not told["ok"]
    assert {"source", "line", "column", "message"} == set(told["mistakes"][0])


def test_a_failing_case_fails_the_command(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace("size_bytes: 30}", "size_bytes: 9}"))
    found = praetor("test", path)
    assert found.exit_code == 1
    assert f"{path}:16: files: large: expected deny, got allow by files/read: reading is fine" in found.output
    cases = json.loads(praetor("test", path, "--json").stdout)["cases"]
    assert [c["passed"] for c in cases] == [True, False]


def test_build_writes_what_the_digest_names(tmp_path: Path) -> None:
    source, target = tmp_path / "a.yaml", tmp_path / "bundle.json"
    source.write_text(GOOD)
    built = praetor("build", source, "-o", target)
    data = target.read_bytes()
    assert built.output.strip() == "sha256:" + hashlib.sha256(data).hexdigest() == load_bundle(data).digest
    assert json.loads(praetor("build", source, "-o", target, "--json").stdout)["bytes"] == len(data)


@pytest.mark.parametrize("command", ["lint", "test", "build"])
def test_a_path_that_is_not_there_is_told(command: str, tmp_path: Path) -> None:
    found = praetor(command, tmp_path / "none")
    assert isinstance(found.exception, PraetorError)
    assert "none: No such file or directory" in str(found.exception)
    empty = praetor(command, tmp_path)
    assert "no .yaml or .yml file in this directory" in str(empty.exception)
