"""A decision as it was recorded, and the action in it."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from judgement.decision import TEXTS
from schemas.catalogue import DECISIONS, IDS, Schema, schema
from schemas.codec import Record, encode_body
from schemas.keys import agent_key

CAME_WITH = re.compile(r"; it came with key (b(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")) in partition ")


@dataclass(frozen=True)
class Stored:
    """A recorded decision: its fields, all of those of its schema."""

    record: Record

    @property
    def seq(self) -> int:
        """Its number."""
        return int(self.record["seq"])

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"decision {self.record['log_id']}/{self.record['partition']} seq {self.seq}"

    @cached_property
    def agent(self) -> bytes:
        """The key of its agent."""
        return agent_key(self.record["tenant"], self.record["agent_id"])

    @property
    def misrouted(self) -> bool:
        """Whether its action came with another key, or to another partition, than its agent's."""
        reasons = self.record["reasons"]
        return bool(reasons) and (reasons[0]["policy"], reasons[0]["rule"]) == ("praetor", "misrouted")

    @property
    def key(self) -> bytes | None:
        """What its action came with, as far as its decision says: of a misrouted one the first 256 bytes."""
        if not self.misrouted:
            return self.agent
        found = CAME_WITH.search(self.record["reasons"][0]["message"])
        return ast.literal_eval(found[1]) if found else None

    @cached_property
    def value(self) -> bytes:
        """Its very bytes, as govern wrote them, where none of its texts was erased.

        Raises:
            KeyError, ValueError, TypeError: its fields do not fit its schema.
        """
        of = schema(self.record["schema"])
        return of.prefix + encode_body(of, self.record)

    @cached_property
    def action(self) -> bytes:
        """Its action's bytes: a decision's begin with them.

        Raises:
            KeyError, ValueError, TypeError: as `value`.
        """
        of = _action_schema(self.record["schema"])
        return of.prefix + encode_body(of, self.record)

    @property
    def verdict(self) -> bytes:
        """What stands behind the action in its bytes."""
        return self.verdict_in(self.value)

    def verdict_in(self, value: bytes) -> bytes:
        """The verdict's part of a decision on the same action."""
        return value[len(self.action) :]

    @property
    def erased(self) -> list[str]:
        """The texts that it had, by their digests, and has no more."""
        return [
            name for name in TEXTS if self.record[name] is None and self.record[f"{name}_digest"] is not None
        ]


def _action_schema(decision: int) -> Schema:
    version, _ = DECISIONS[decision]
    return schema(next(i for i, row in IDS.items() if row == ("action_event", version)))
