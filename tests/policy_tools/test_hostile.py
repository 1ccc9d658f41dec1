"""Bad input at every door of the tools: one clear message each, no traceback, in bounded time and memory."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.policy.app import policy_app
from documents.read import LARGEST_FILE
from runtime.errors import PraetorError
from tests.policies.test_load import GOOD

DOORS = {
    "lint": ["lint"],
    "test": ["test"],
    "explain": ["explain", "--action", "read:file"],
    "build": ["build", "-o", "/dev/null"],
}

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
)
CYCLE = "".join(
    GOOD.replace("name: files", f"name: {name}").replace("rules:", f"extends: [{base}]\nrules:") + "---\n"
    for name, base in (("a", "b"), ("b", "c"), ("c", "a"))
).removesuffix("---\n")
WHEN = GOOD.replace("    message:", "    when: WHEN\n    message:")
TWICE = GOOD.replace("cases:", GOOD[GOOD.index("  - id: read") : GOOD.index("cases:")] + "cases:")
SHARED = "---\napiVersion: praetor/v1\nkind: Conditions\nconditions:\n"
DOUBLING = "".join(f"  c{i}: conditions.c{i - 1} && conditions.c{i - 1}\n" for i in range(1, 40))

BAD = {
    "too large": ("#" * (LARGEST_FILE + 1), "at most 10485760 are read"),
    "not YAML": ("a: [", "not YAML"),
    "binary": ("\x00\x01", "not YAML"),
    "aliases that explode": (BOMB, "more than 2000000 values, aliases expanded"),
    "nested": ("[" * 100_000, "nested deeper than 32 levels"),
    "unknown key": (GOOD.replace("match:", "macth:"), "unknown key 'macth'; did you mean 'match'?"),
    "wrong type": (GOOD.replace('["read:file"]', "7"), "'actions' must be a list"),
    "id twice": (TWICE, "the id 'read' stands already on line 7"),
    "name twice": (GOOD + "---\n" + GOOD, "the policy name files is taken by"),
    "case twice": (GOOD.replace("name: large", "name: small"), "the name 'small' stands already on line 15"),
    "extends itself": (CYCLE, "extends itself (a -> b -> c -> a); remove one step"),
    "extends nothing": (
        GOOD.replace("rules:", "extends: [nobody]\nrules:"),
        "no policy nobody; there",
    ),
    "without nothing": (
        GOOD.replace("rules:", "extends: [files]\nwithout: [x]\nrules:"),
        "the policy files extends itself",
    ),
    "condition that holds itself": (
        WHEN.replace("WHEN", "conditions.a") + SHARED + "  a: conditions.b\n  b: conditions.a\n",
        "the condition a holds itself (a -> b -> a)",
    ),
    "conditions that explode": (
        WHEN.replace("WHEN", "conditions.c39") + SHARED + "  c0: action.tool != ''\n" + DOUBLING,
        "written out, the condition has more than 4096 characters",
    ),
    "deep condition": (WHEN.replace("WHEN", "(" * 40 + "true" + ")" * 40), "recursion limit"),
    "long condition": (
        WHEN.replace("WHEN", "true && " * 600 + "true"),
        "characters; at most 4096 are allowed",
    ),
    "unknown list": (GOOD.replace('["read:file"]', "[{list: nobody}]"), "no list nobody; there is none"),
    "bad limit": (
        GOOD.replace("effect: allow", "effect: deny\n    limit: {calls: 1, window: 1y}"),
        "'1y' is no duration; write a number and s, m, h or d",
    ),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_message(door: str, name: str, tmp_path: Path) -> None:
    text, told = BAD[name]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    found = CliRunner().invoke(policy_app, [*DOORS[door], str(path)])
    assert found.exit_code == 1
    assert found.exception is None or isinstance(found.exception, (PraetorError, SystemExit))
    said = found.output + (str(found.exception) if isinstance(found.exception, PraetorError) else "")
    assert told in said, said[:500]
    assert "Traceback" not in said and len(said) < 200_000


RUNAWAY = {
    "steps": "[1, 2, 3, 4].all(a, [1, 2, 3, 4].all(b, args.l.all(c, args.l.all(d, c >= d || true))))",
    "regex": "args.s.matches('(a*)*(a*)*(a*)*b') && args.n / 0 == 1",
}


@pytest.mark.parametrize("name", RUNAWAY)
def test_a_condition_that_could_run_away_is_bounded(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        WHEN.replace("WHEN", f'"{RUNAWAY[name]}"')
        .replace("rule: read, ", "")
        .replace("expect: allow", "expect: deny")
        .replace("name: large, expect: deny", "name: large, expect: allow")
    )
    arguments = '{"l": [' + ",".join(["1"] * 1000) + '], "s": "' + "a" * 5000 + 'b", "n": 1}'
    asked = ["explain", str(path), "--action", "read:file", "--arguments", arguments]
    told = CliRunner().invoke(policy_app, asked).output
    assert "denied by files/read: the rule could not be judged" in told
    assert CliRunner().invoke(policy_app, ["lint", str(path)]).exit_code == 0


@pytest.mark.parametrize("door", DOORS)
def test_a_file_that_cannot_be_read(door: str, tmp_path: Path) -> None:
    found = CliRunner().invoke(policy_app, [*DOORS[door], str(tmp_path / "none.yaml")])
    assert isinstance(found.exception, PraetorError) and "No such file or directory" in str(found.exception)
    endless = CliRunner().invoke(policy_app, [*DOORS[door], "/dev/zero"])
    assert "at most 10485760 are read" in endless.output + str(endless.exception)
