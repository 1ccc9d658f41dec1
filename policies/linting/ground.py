"""What lint stands on: rules as they are written and with names written out, and the rules in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from policies.bundle import Content
from policies.checks import Located
from policies.coverage import Named, origins
from policies.linting.finding import Finding
from policies.load import Loaded
from policies.resolve import Path, resolve_rule
from policies.rule import Rule


@dataclass(frozen=True, slots=True)
class Written:
    """A rule in its file.

    Attributes:
        located: its policy.
        path: the rule's within that.
        rule: as it is written.
        resolved: with lists and shared conditions written out.
    """

    located: Located
    path: Path
    rule: Rule
    resolved: Rule

    @property
    def name(self) -> Named:
        """Policy and id."""
        return self.located.policy.metadata.name, self.rule.id

    @property
    def told(self) -> str:
        """The whole name, for messages."""
        return "/".join(self.name)

    def find(self, code: str, message: str, *path: str | int) -> Finding:
        """A finding at a key of the rule; at the key's name, where it has one."""
        node = self.located.node.find((*self.path, *path))
        line, column = node.line, node.column
        if path and isinstance(path[-1], str):
            holder = self.located.node.find((*self.path, *path[:-1]))
            line, column = holder.keys.get(path[-1], (line, column))
        return Finding(self.located.source, line, column, code, message)


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule of a policy that is in force, its own or inherited.

    Attributes:
        policy: whose.
        enforced: not in shadow.
        rule: as the bundle has it.
        written: where.
    """

    policy: str
    enforced: bool
    rule: Rule
    written: Written

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.policy}/{self.rule.id}"


class Ground:
    """Some files, ready to be looked over."""

    def __init__(self, loaded: Loaded) -> None:
        """Take what was loaded without mistakes."""
        self.loaded = loaded
        self.content: Content = loaded.bundle().content

    @cached_property
    def written(self) -> dict[Named, Written]:
        """All rules where they are written, templates' too, in the order of the files."""
        return {written.name: written for written in self._read()}

    def _read(self) -> Iterator[Written]:
        for located in self.loaded.located():
            for i, rule in enumerate(located.policy.rules):
                yield Written(located, ("rules", i), rule, resolve_rule(rule, self.loaded.names))

    @cached_property
    def in_force(self) -> list[InForce]:
        """All rules in force, in the bundle's order."""
        homes = origins(self.loaded)
        return [
            InForce(p.name, p.mode == "enforce", rule, self.written[homes[p.name, rule.id]])
            for p in self.content.policies
            for rule in p.rules
        ]
