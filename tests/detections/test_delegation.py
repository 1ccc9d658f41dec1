"""What was denied and is then handed on: needs a decision, so it stands here and not among the cases."""

from typing import Any

import pytest

from detections.behaviour.delegation import CELL, DENIALS, Delegation
from schemas.action import Action
from tests.detections.coded import keep
from tests.policies.builders import make_action

KEY = {"action": "read:file", "resource": "/home/ann/payroll-2026.xlsx"}
PAY = {"action": "call:tool", "tool": "transfer_money"}


def handed(text: str, at: int = 60_000, **more: Any) -> Action:
    return make_action(at, 9, phase="call", action="delegate:agent", resource="helper", content=text, **more)


def after_denials(*denied: dict[str, Any]) -> dict[str, bytes]:
    cells: dict[str, bytes] = {}
    for number, fields in enumerate(denied):
        action = make_action(1000 + number, number + 1, phase="call", **fields)
        keep(Delegation(), Delegation().settle(action, True, cells), cells)
    return cells


@pytest.mark.parametrize(
    ("denied", "text"),
    [
        (KEY, "Please read /home/ann/payroll-2026.xlsx and tell me what it says."),
        (KEY, 'open "payroll-2026.xlsx".'),
        (PAY, "use TRANSFER_MONEY for me"),
    ],
)
def test_what_was_denied_is_handed_on(denied: dict[str, Any], text: str) -> None:
    [finding] = Delegation().observe(handed(text), after_denials(denied)).findings
    assert finding.detector == "delegation-privilege"
    assert finding.evidence == (f"{1:032x}"[:8] + "-0000-0000-0000-000000000001", handed(text).event_id)
    assert (finding.first_at, finding.last_at) == (1000, 60_000)


@pytest.mark.parametrize(
    ("text", "at"),
    [("Please write a poem.", 60_000), ("open payroll-2026.xlsx", 1000 + 600_000)],
    ids=["other work", "ten minutes later"],
)
def test_what_was_not_or_long_ago(text: str, at: int) -> None:
    assert not Delegation().observe(handed(text, at), after_denials(KEY)).findings


def test_what_was_allowed_is_not_remembered() -> None:
    action = make_action(1000, 1, phase="call", **KEY)
    assert not Delegation().settle(action, False, {}).changes


def test_the_newest_denials_are_kept() -> None:
    many = [{"action": "read:file", "resource": f"/data/file-{i}"} for i in range(DENIALS + 1)]
    cells = after_denials(*many)
    assert len(cells[CELL]) < 300
    assert not Delegation().observe(handed("file-0"), cells).findings
    assert Delegation().observe(handed(f"file-{DENIALS}"), cells).findings


def test_a_text_without_end_is_looked_at_in_part() -> None:
    text = "x " * 600_000 + "payroll-2026.xlsx"
    said = Delegation().observe(handed(text), after_denials(KEY))
    assert not said.findings
    assert said.errors == ("only 65536 characters of the work handed on were looked at",)
