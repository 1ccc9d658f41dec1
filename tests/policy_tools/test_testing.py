"""`praetor policy test`: coverage, what a failing case tells, JUnit, watching."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from policies.cases import run_cases
from policies.coverage import cover
from policies.load import load_policies
from runtime.errors import PraetorError
from tests.policies.test_load import GOOD

PACK = """\
apiVersion: praetor/v1
kind: Policy
metadata: {name: pack, description: For others.}
mode: template
rules:
  - {id: look, effect: allow, match: {actions: ["read:*"]}, message: one may look}
  - {id: never, effect: deny, match: {actions: ["nuke:*"]}, message: one may not}
cases:
  - {name: a look, expect: allow, action: {action: "read:x"}}
  - {name: a zap, expect: deny, action: {action: "zap:x"}}
---
apiVersion: praetor/v1
kind: Policy
metadata: {name: heir, description: Has them too.}
extends: [pack]
rules:
  - {id: write, effect: allow, match: {actions: ["write:*"]}, message: one may write}
cases:
  - {name: a touch, expect: allow, action: {action: "write:x"}}
  - {name: a run, expect: deny, action: {action: "exec:x"}}
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(policy_app, ["test", *map(str, args)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.yaml"
    path.write_text(PACK)
    return path


def test_coverage_counts_rules_where_they_are_written() -> None:
    loaded = load_policies([("f", PACK.encode())])
    coverage = cover(loaded, run_cases(loaded))
    assert coverage.never == (("pack", "never"),)
    assert coverage.reached == {
        ("pack", "look"): (("pack", "a look"),),
        ("heir", "write"): (("heir", "a touch"),),
    }
    assert round(coverage.percent, 2) == 66.67


def test_too_little_coverage_fails(file: Path) -> None:
    assert run(file, "--min-coverage", 66).exit_code == 0
    failing = run(file, "--min-coverage", 67)
    assert failing.exit_code == 1
    assert "2 of 3 rules reached by a case (67%); 67% are wanted" in failing.output
    assert "never reached: pack/never" in failing.output
    told = json.loads(run(file, "--json").stdout)
    assert told["ok"] and told["coverage"]["never"] == ["pack/never"]
    assert told["cases"][0]["place"] == f"{file}:9"


def test_only_some_cases(file: Path) -> None:
    for pattern, names in (
        ("touch", ["a touch"]),
        ("heir/*", ["a touch", "a run"]),
        ("*look", ["a look"]),
    ):
        told = json.loads(run(file, "--only", pattern, "--json").stdout)
        assert [c["case"] for c in told["cases"]] == names
    nothing = run(file, "--only", "zzz")
    assert isinstance(nothing.exception, PraetorError) and "no case fits --only 'zzz'" in str(
        nothing.exception
    )


def test_a_failing_case_says_what_decided_and_what_was_missing(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    text = GOOD.replace("size_bytes: 30}", "size_bytes: 9}").replace("size_bytes: 3}", "size_bytes: 33}")
    path.write_text(text)
    told = run(path).stderr.splitlines()
    assert told == [
        f"{path}:15: files: small: expected allow by read, got deny by bundle/default:"
        " no rule allows this action, and what no rule allows is denied",
        "    files/read (allow) does not match",
        "        - fields.size_bytes is 33, not <= 10",
        f"{path}:16: files: large: expected deny, got allow by files/read: reading is fine",
        "    files/read (allow) decided",
        '        + actions read:file fits "read:file"',
        "        + fields.size_bytes <= 10 fits 9",
        "    no rule says deny",
    ]


def test_junit(tmp_path: Path) -> None:
    path, report = tmp_path / "f.yaml", tmp_path / "out.xml"
    path.write_text(
        GOOD.replace("size_bytes: 30}", "size_bytes: 9}").replace("name: large", 'name: "<a>\\x01"')
    )
    assert run(path, "--junit", report).exit_code == 1
    root = Xml.parse(report).getroot()
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0"}
    good, bad = root.iter("testcase")
    assert good.attrib == {"name": "small", "classname": "files", "file": str(path), "line": "15"}
    assert bad.attrib["name"] == "<a>\ufffd"
    failure = bad.find("failure")
    assert failure is not None and failure.attrib["message"] == "expected deny, got allow by files/read"
    nowhere = run(path, "--junit", tmp_path / "no" / "out.xml")
    assert isinstance(nowhere.exception, PraetorError)


def test_watching_runs_again_when_a_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(GOOD)
    with watching(tmp_path) as (process, lines):
        wait_for(lines, "2 cases, 0 failed")
        path.write_text(GOOD.replace("size_bytes: 30}", "size_bytes: 9}"))
        wait_for(lines, "2 cases, 1 failed")
        path.write_text(GOOD.replace("effect: allow", "effect: alow"))
        wait_for(lines, "'effect' must be 'allow'")
        path.unlink()
        wait_for(lines, "no .yaml or .yml file in this directory")
        (tmp_path / "g.yml").write_text(GOOD)
        wait_for(lines, "2 cases, 0 failed")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        rest = "".join(iter(lines.get, None))
        assert "Traceback" not in rest and "Aborted" not in rest


class watching:
    """The command in a process of its own, its output line by line."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-u", "-m", "cli.main", "policy", "test", str(folder), "--watch"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            command,
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ),
        )
        self.lines: Queue[str | None] = Queue()
        self.thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def __enter__(self) -> tuple[subprocess.Popen[str], "Queue[str | None]"]:
        self.thread.start()
        return self.process, self.lines

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def wait_for(lines: "Queue[str | None]", text: str) -> None:
    told: Iterator[str | None] = iter(lambda: lines.get(timeout=120), None)
    assert any(text in (line or "") for line in told), f"never said: {text}"
