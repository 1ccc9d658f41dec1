"""`praetor policy lint`: places, formats, what fails."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from policies.linting.finding import CODES
from policies.load import PolicyMistakes, load_policies
from runtime.errors import PraetorError
from tests.policies.test_load import GOOD

WARNED = GOOD.replace("message: reading is fine", "when: args.x > 1 && true\n    message: fine")


def lint(*args: object) -> Result:
    return CliRunner().invoke(policy_app, ["lint", *map(str, args)])


@pytest.fixture
def warned(tmp_path: Path) -> Path:
    path = tmp_path / "a b.yaml"
    path.write_text(WARNED)
    return path


def test_findings_stand_at_their_keys_and_fail_only_when_strict(warned: Path) -> None:
    told = lint(warned)
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        f"{warned}:13:5: warning PL102: 'true' always holds, so it says nothing",
        f"{warned}:13:5: note PL202: where there is no args.x, the rule cannot be judged: deny;"
        " write has(args.x) && ... if that is not meant",
        f"{warned}:14:5: warning PL501: 'fine' tells nobody why; say it in a few words",
        "1 policy with 1 rule: no mistake found; 2 warnings, 1 note (--codes explains them)",
    ]
    assert lint(warned, "--strict").exit_code == 1
    ignored = ("--ignore", "pl102", "--ignore", "PL501")
    only_a_note = lint(warned, "--strict", *ignored)
    assert only_a_note.exit_code == 0 and "PL202" in only_a_note.stdout


def test_codes_are_listed_and_known() -> None:
    told = lint("--codes").stdout
    assert all(f"{code} {CODES[code].name} (" in told for code in CODES)
    assert [c["id"] for c in json.loads(lint("--codes", "--json").stdout)] == list(CODES)
    unknown = lint("--ignore", "PL999")
    assert isinstance(unknown.exception, PraetorError) and "--ignore 'PL999': no such code" in str(
        unknown.exception
    )


def test_json_has_mistakes_and_findings(warned: Path) -> None:
    told = json.loads(lint(warned, "--json").stdout)
    assert told == json.loads(lint(warned, "--format", "json").stdout)
    assert told["ok"] and told["mistakes"] == [] and told["rules"] == 1
    assert told["findings"][0] == {
        "source": str(warned), "line": 13, "column": 5, "code": "PL102", "level": "warning",
        "message": "'true' always holds, so it says nothing",
    }  # fmt: skip


def test_github_annotations_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "a,b.yaml"
    path.write_text(GOOD.replace("effect: allow", 'effect: "100%\\n"'))
    told = lint(path, "--format", "github")
    assert told.exit_code == 1
    place = str(path).replace(",", "%2C")
    assert told.stdout.startswith(f"::error file={place},line=8,col=13,title=PL001::'effect' must be 'allow'")
    assert told.stdout.count("\n") == 1 and "100%25\\n" in told.stdout


def test_sarif_has_what_its_standard_wants(warned: Path) -> None:
    """The log was once validated by OASIS's sarif-schema-2.1.0.json; these are what that wants of it."""
    log = json.loads(lint(warned, "--format", "sarif").stdout)
    assert log["version"] == "2.1.0" and set(log) == {"$schema", "version", "runs"}
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({r["id"] for r in rules}) == len(rules) == len(CODES) + 1
    assert run["tool"]["driver"]["name"] and len(run["results"]) == 3
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error") and result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert " " not in physical["artifactLocation"]["uri"]
        assert unquote(physical["artifactLocation"]["uri"]) == str(warned)
        assert physical["region"]["startLine"] >= 1 and physical["region"]["startColumn"] >= 1
    warned.write_text("a: [")
    failing = lint(warned, "--format", "sarif")
    assert failing.exit_code == 1
    assert [r["ruleId"] for r in json.loads(failing.stdout)["runs"][0]["results"]] == ["PL001"]


RULE = "  - {id: x, effect: deny, match: {}, message: this is why, WHEN}\n"
BLOCK = "  - id: x\n    effect: deny\n    match: {}\n    message: this is why\n    WHEN\n"


@pytest.mark.parametrize(
    ("rule", "when", "place"),
    [
        (RULE, "when: action.tol == 'x'", "14:72"),
        (RULE, "when: \"action.tol == 'x'\"", "14:73"),
        (RULE, "when: 'action.tol == \"x\"'", "14:73"),
        (RULE, "when: 'action.tol == ''x'''", "14:66"),
        (BLOCK, "when: action.tol == 'x'", "18:17"),
        (BLOCK, "when: |\n      action.tool != 'x' &&\n        action.tol == 'x'", "20:15"),
        (BLOCK, "when: |-\n\n      action.tol == 'x'", "20:13"),
        (BLOCK, "when: |4\n        action.tool != '' && (\n          action.tol == 'x')", "20:17"),
        (BLOCK, "when:\n      - has(args.x)\n      - |\n        action.tol == 'x'", "21:15"),
        (BLOCK, "when: >\n      action.tool != 'x' &&\n      action.tol == 'x'", "18:11"),
    ],
)
def test_the_caret_stands_in_the_text_of_a_condition(rule: str, when: str, place: str) -> None:
    text = GOOD.replace("cases:", rule.replace("WHEN", when) + "cases:")
    with pytest.raises(PolicyMistakes) as caught:
        load_policies([("f.yaml", text.encode())])
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(
        f"f.yaml:{place}: undeclared reference to 'action.tol'; did you mean action.tool?"
    )


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("action.tool = 'x'", "write == to compare"),
        ("action.cost_usd > 5", "write a number with a point (1.0) beside a double"),
        ("action.tool", "a condition must be true or false, this one is of type string"),
        ("conditions.none", "no condition none; there is none"),
        ("args.x in lists.none", "undeclared reference to 'lists.none'"),
    ],
)
def test_a_bad_condition_says_what_to_write(condition: str, told: str) -> None:
    text = GOOD.replace("    message:", f"    when: {json.dumps(condition)}\n    message:")
    with pytest.raises(PolicyMistakes) as caught:
        load_policies([("f.yaml", text.encode())])
    assert told in str(caught.value)
