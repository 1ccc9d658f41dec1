"""SAFE-AI's policy.yaml, as it stands: what its keys come to, and what is a mistake."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.policy.app import policy_app
from documents.case_action import CaseAction
from policies.case import Case
from policies.cases import Trial, run_cases
from policies.imports.safe_ai_rules import TIERS
from policies.load import Loaded, PolicyMistakes, load_policies

DOCUMENTED = """\
safe_mode: true
autonomy_tier: beta
allow_paths:
  - src/
  - tests/
deny_paths:
  - .git/
  - config/keys/
max_edit_size_bytes: 65536
max_total_size_bytes: 524288
"""


def load(text: str) -> Loaded:
    return load_policies([("policy.yaml", text.encode())])


def effect(text: str, action: str, resource: str = "src/a.py", after: int = 0, **more: object) -> str:
    done = CaseAction(action=action, resource=resource, **more)
    verdict, _ = Trial(load(text)).judge(Case(name="x", action=done, expect="deny", after=after))
    return verdict.effect.name


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("safe_mode", ["true", "false"])
def test_every_tier_and_mode_loads_with_cases_that_pass(tier: str, safe_mode: str) -> None:
    text = DOCUMENTED.replace("beta", tier).replace("safe_mode: true", f"safe_mode: {safe_mode}")
    results = run_cases(load(text))
    assert len(results) > 6 and all(r.passed for r in results), [r for r in results if not r.passed]


@pytest.mark.parametrize(
    ("tier", "write", "delete"),
    [
        ("alpha", "require_approval", "require_approval"),
        ("beta", "allow", "require_approval"),
        ("gamma", "allow", "allow"),
    ],
)
def test_a_tier_says_what_is_done_without_asking(tier: str, write: str, delete: str) -> None:
    text = DOCUMENTED.replace("beta", tier)
    assert effect(text, "read:file") == "allow"
    assert effect(text, "write:file") == write
    assert effect(text, "write:file", "/workspace/src/a.py") == write
    assert effect(text, "delete:file") == delete
    assert effect(text, "move:file") == "require_approval"
    assert effect(text, "exec:shell", "pytest") == "require_approval"
    assert effect(text, "send:http", "https://example.com") == "deny"


def test_safe_mode_denies_outside_of_the_allowed_paths_and_asks_without_it() -> None:
    for resource in ("docs/a.md", "srcs/a.py", "src/../docs/a.md", "/workspace/../etc/cron.d/a", "/src/a.py"):
        assert effect(DOCUMENTED, "write:file", resource) == "deny", resource
    unsafe = DOCUMENTED.replace("safe_mode: true", "safe_mode: false")
    assert effect(unsafe, "write:file", "docs/a.md") == "require_approval"
    assert effect(unsafe, "write:file", "src/%2e%2e/.git/config") == "deny"


@pytest.mark.parametrize(
    "resource",
    [
        ".git/config",
        "/home/dev/app/.git/hooks/pre-commit",
        "src/../.git/config",
        "src/.GIT/config",
        "src/.git",
    ],
)
@pytest.mark.parametrize("action", ["read:file", "write:file", "delete:file"])
def test_denied_paths_are_denied_wherever_they_lie(action: str, resource: str) -> None:
    assert effect(DOCUMENTED, action, resource) == "deny"


def test_sizes_are_limits_of_an_edit_and_of_a_session() -> None:
    assert effect(DOCUMENTED, "write:file", size_bytes=65_536) == "allow"
    assert effect(DOCUMENTED, "write:file", size_bytes=65_537) == "deny"
    assert effect(DOCUMENTED, "write:file", size_bytes=65_536, after=7) == "allow"
    assert effect(DOCUMENTED, "write:file", size_bytes=65_536, after=8) == "deny"


def test_absent_keys_are_the_governors_defaults_and_no_allow_paths_are_all() -> None:
    assert effect("autonomy_tier: gamma", "write:file", "app/a.py") == "allow"
    assert effect("autonomy_tier: gamma", "read:file", "secrets/a") == "deny"
    assert effect("allow_paths: []", "write:file", "anywhere/a.py") == "allow"
    assert effect("allow_paths: []", "write:file", "/etc/passwd") == "deny"


def test_every_mistake_has_its_place() -> None:
    text = """\
safe_mode: yes
autonomy_tier: delta
allow_path: [src/]
deny_paths: [src/*, 5, ../x]
max_edit_size_bytes: 64KB
deny_patterns: [rm]
"""
    with pytest.raises(PolicyMistakes) as found:
        load(text)
    assert [(m.line, m.column, m.message.split(";")[0]) for m in found.value.mistakes] == [
        (1, 12, "'safe_mode' must be true or false"),
        (2, 16, "unknown tier 'delta'"),
        (3, 1, "unknown key 'allow_path'"),
        (4, 14, "'src/*' has a wildcard"),
        (4, 21, "a path must be a text"),
        (4, 24, "'../x' has '..'"),
        (5, 22, "'max_edit_size_bytes' must be a whole number of bytes, 1 or more"),
        (6, 1, "'deny_patterns' looks for Python regular expressions in the edited text"),
    ]


def test_many_allowed_paths_load_or_are_too_many() -> None:
    def text(count: int) -> str:
        return "allow_paths: [" + ", ".join(f"folder-{i}/" for i in range(count)) + "]"

    assert effect(text(30), "write:file", "folder-29/a") == "allow"
    assert effect(text(30), "write:file", "folder-30/a") == "deny"
    with pytest.raises(PolicyMistakes, match="too many paths"):
        load(text(60))


def test_the_commands_take_it_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(DOCUMENTED)
    assert CliRunner().invoke(policy_app, ["lint", str(path)]).exit_code == 0
    tested = CliRunner().invoke(policy_app, ["test", str(path)])
    assert tested.exit_code == 0 and "0 failed" in tested.output
    built = CliRunner().invoke(policy_app, ["build", str(path), "-o", str(tmp_path / "b.json")])
    assert built.output.startswith("sha256:")
