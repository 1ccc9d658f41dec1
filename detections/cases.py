"""Cases of detections: what stands in `<rule>.cases.yml` beside a rule or a detector, and what it becomes.

A case is some events and whether the last of them completes what the rule looks for. What stands before is
history: a rule on single actions needs none, and its case names the one `action` instead.
"""

from collections.abc import Iterator
from itertools import count
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from documents.case_action import CaseAction, build_action
from documents.types import Id, Model, Text
from schemas.action import Action

NOON = 1_767_614_400_000
"""2026-01-05T12:00:00Z, a Monday, in milliseconds: when the first event of a case is received."""
LONGEST_WAIT = 400 * 86_400
Seconds = Annotated[float, Field(ge=0, le=LONGEST_WAIT)]
NUMBER = "$n"
"""In an event's texts: which of its repetitions it is, from 1."""


class CaseEvent(CaseAction):
    """One event of a case, or several alike."""

    after: Annotated[Seconds, Field(description="Seconds since the event before it.")] = 0.0
    times: Annotated[
        int, Field(ge=1, le=10_000, description="How often it comes; `$n` in its texts is which time.")
    ] = 1
    every: Annotated[Seconds, Field(description="Seconds between its repetitions.")] = 0.0
    denied: Annotated[
        bool, Field(description="Whether it is denied, for a detector that learns decisions.")
    ] = False


class DetectionCase(Model):
    """An example: events, and what is found at the last one."""

    name: Annotated[Text, Field(min_length=1, max_length=200, description="What it shows.")]
    rule: Annotated[
        Id | None, Field(description="The detection; may be left out beside a file that holds one.")
    ] = None
    expect: Annotated[
        Literal["found", "nothing"], Field(description="Whether the last event completes a finding of it.")
    ]
    settings: Annotated[
        dict[Text, JsonValue], Field(description="Settings of a detector in code, other than its defaults.")
    ] = Field(default_factory=dict)
    action: Annotated[CaseAction | None, Field(description="What happens.")] = None
    events: Annotated[
        list[CaseEvent] | None, Field(min_length=1, max_length=1000, description="What happens, in order.")
    ] = None

    @model_validator(mode="after")
    def _one_of(self) -> "DetectionCase":
        if (self.action is None) is (self.events is None):
            raise PydanticCustomError("empty", "a case has an 'action', or 'events' where there are several")
        return self

    def actions(self) -> Iterator[Action]:
        """The actions as a worker would have them, each with an event id of its own."""
        return (action for action, _ in self.decided())

    def decided(self) -> Iterator[tuple[Action, bool]]:
        """The actions, and whether each is denied."""
        at, numbers = float(NOON), count(1)
        for event in self.events or ():
            at += event.after * 1000
            for number in range(1, event.times + 1):
                at += event.every * 1000 * (number > 1)
                event_id = str(UUID(int=next(numbers)))
                yield build_action(_numbered(event, number), round(at), event_id), event.denied
        if self.action is not None:
            yield build_action(self.action, NOON, str(UUID(int=1))), False


class CasesDocument(Model):
    """What a file `*.cases.yml` holds."""

    cases: Annotated[list[DetectionCase], Field(min_length=1, description="Examples, each with a name.")]


def _numbered(event: CaseEvent, number: int) -> CaseAction:
    fields = event.model_dump(exclude={"after", "times", "every", "denied"})
    return CaseAction.model_validate(_fill(fields, str(number)) if event.times > 1 else fields)


def _fill(value: Any, number: str) -> Any:
    if isinstance(value, str):
        return value.replace(NUMBER, number)
    if isinstance(value, dict):
        return {_fill(k, number): _fill(v, number) for k, v in value.items()}
    return [_fill(v, number) for v in value] if isinstance(value, list) else value
