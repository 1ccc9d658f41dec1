"""What `praetor policy explain` is asked about: an action, and what was before it."""

import difflib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from documents.case_action import EVENT_ID, CaseAction
from policies.case import Case, CaseState
from policies.cases import case_action, signals_of
from policies.explaining.cases import facts_of_case
from policies.signals import QUIET, Signals, bits_of
from policies.wording import WORDING
from runtime.errors import Malformed, PraetorError
from schemas.action import Action, read_action
from schemas.catalogue import newest
from schemas.codec import encode

LARGEST = 16 << 20
_NUMBERS: Mapping[str, Callable[[str], Any]] = {"long": int, "double": float}
FACTS = tuple(f"{holder}.{name}" for holder in ("agent", "session") for name in CaseState.model_fields)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained.

    Attributes:
        action: what happened.
        signals: what detections say of it.
        facts: `agent.<name>` and `session.<name>`; those not given are 0.
        after: how often the same was done before.
    """

    action: Action
    signals: Signals = QUIET
    facts: Mapping[str, int] = field(default_factory=dict)
    after: int = 0

    def read(self, _action: Action, _cells: object) -> Mapping[str, int]:
        """What conditions see of agent and session."""
        return {**dict.fromkeys(FACTS, 0), **self.facts}


def asked_of_case(case: Case, names: Sequence[str]) -> Asked:
    """A case as a question; `names` are the bundle's detections."""
    return Asked(case_action(case), signals_of(case, names), facts_of_case(case), case.after)


def read_action_file(path: Path) -> dict[str, Any]:
    """The fields of an action from a JSON file; `-` is standard input.

    Raises:
        PraetorError: it cannot be read, or is no JSON object.
    """
    try:
        data = sys.stdin.buffer.read(LARGEST + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise PraetorError(f"{path}: more than {LARGEST} bytes; an action has at most 1 MiB")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PraetorError(f"{path}: no JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise PraetorError(f'{path}: an action is a JSON object, as {{"action": "read:file"}}')
    return value


def action_of(fields: Mapping[str, Any], at: int) -> Action:
    """An action of some fields; what is not given is as in a case. Fields of a decision are passed over.

    Raises:
        PraetorError: a field is unknown or does not fit, each told.
    """
    known = {f["name"] for f in newest("action_event").definition["fields"]}
    beside = {f["name"] for f in newest("decision").definition["fields"]} - known
    for name in fields.keys() - known - beside:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"an action has {', '.join(sorted(known))}"
        raise PraetorError(f"an action has no field {name[:80]!r}; {hint}")
    given = {name: value for name, value in fields.items() if name in known}
    try:
        case = CaseAction.model_validate({k: v for k, v in given.items() if k in CaseAction.model_fields})
    except ValidationError as error:
        told = [
            WORDING.describe(("cases", 0, "action", *e["loc"]), e) for e in error.errors(include_url=False)
        ]
        raise PraetorError(f"the action: {'; '.join(told)}") from error
    record = {"event_id": EVENT_ID, "occurred_at": 0, **given, **case.model_dump()}
    if isinstance(record["arguments"], dict):
        record["arguments"] = json.dumps(record["arguments"], ensure_ascii=False)
    try:
        return read_action(encode("action_event", record), received_at=at)
    except (Malformed, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise PraetorError(f"the action does not fit ActionEvent: {str(error)[:300]}") from error


def fields_of(texts: list[str]) -> dict[str, Any]:
    """Fields of an action from `NAME=VALUE` and `labels.NAME=VALUE`; a number where the action has one.

    Raises:
        PraetorError: one is no such text, or its value is no number where one belongs.
    """
    kinds = {f["name"]: f["type"] for f in newest("action_event").definition["fields"]}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise PraetorError(f"--field {text[:80]!r} is not NAME=VALUE")
        if name.startswith("labels."):
            found.setdefault("labels", {})[name.removeprefix("labels.")] = value
            continue
        try:
            found[name] = _NUMBERS.get(str(kinds.get(name)), str)(value)
        except ValueError as error:
            raise PraetorError(f"--field {text[:80]!r}: {name} is a number") from error
    return found


def moment_of(text: str | None) -> int | None:
    """A time in ISO 8601 as milliseconds; without a zone it is UTC.

    Raises:
        PraetorError: it is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise PraetorError(f"--at {text!r} is no time; write 2026-01-05T12:00:00Z") from error


def bits_for(names: Sequence[str], wanted: Sequence[str]) -> int:
    """Detections as bits; `names` are the bundle's.

    Raises:
        PraetorError: there is no such detection.
    """
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise PraetorError(f"no detection {name!r}; {hint}")
    return bits_of(names, wanted)


def facts_of(texts: list[str]) -> dict[str, int]:
    """`actions=5,session.denials=2` by whole name; a name alone is the agent's.

    Raises:
        PraetorError: there is no such name, or its value is no whole number from 0 up.
    """
    found = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, _, number = part.partition("=")
        name = name.strip() if "." in name else f"agent.{name.strip()}"
        if name not in FACTS:
            raise PraetorError(f"--agent-state {part!r}: no such name; there are {', '.join(FACTS)}")
        if not (number.strip().isascii() and number.strip().isdigit()) or int(number) >= 2**63:
            raise PraetorError(f"--agent-state {part!r}: write a whole number from 0 up, as in actions=5")
        found[name] = int(number)
    return found
