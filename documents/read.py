"""YAML as people write it, read with places: every value knows its line and column.

The subset: YAML 1.2's core types (so `no`, `on` and dates are texts), mappings with text keys, lists and
anchors. Tags and merge keys are refused. Reading is one pass over libyaml's events, without recursion, and
bounded in size, depth and in what aliases expand to.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from documents.node import Mistake, Node, resolve

LARGEST_FILE = 10 << 20
DEEPEST = 32
MOST_NODES = 2_000_000
MOST_MISTAKES = 1000


class Unreadable(Exception):
    """The file cannot be read further; carries the mistake."""

    def __init__(self, line: int, column: int, message: str) -> None:
        """Take the place, counted from 1, and what to do."""
        super().__init__(message)
        self.line = line
        self.column = column


def read_documents(source: str, data: bytes) -> tuple[list[Node], list[Mistake]]:
    """Read all documents of a file, and all mistakes found on the way; nothing is raised."""
    if len(data) > LARGEST_FILE:
        return [], [Mistake(source, 1, 1, f"the file has {len(data)} bytes; at most {LARGEST_FILE} are read")]
    builder = _Builder(source, data)
    try:
        for event in _events(data):
            builder.take(event)
    except Unreadable as error:
        builder.mistakes.append(Mistake(source, error.line, error.column, str(error)))
    return builder.documents, builder.mistakes


def _events(data: bytes) -> Iterator[Any]:
    try:
        yield from yaml.parse(data, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = ", ".join(str(part) for part in (error.context, error.problem) if part)
        raise Unreadable(line, column, f"not YAML: {told}") from error
    except yaml.YAMLError as error:
        raise Unreadable(1, 1, f"not YAML: {' '.join(str(error).split())}") from error


class _Frame:
    """A mapping or list being read."""

    __slots__ = ("anchor", "key", "node")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: tuple[str, int, int] | None = None


class _Builder:
    """Puts events together to nodes; a stack instead of recursion."""

    def __init__(self, source: str, data: bytes) -> None:
        self.source = source
        self._data = data
        self._split: list[str] | None = None
        self.documents: list[Node] = []
        self.mistakes: list[Mistake] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}

    def take(self, event: Any) -> None:
        """Take the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._stack.pop()
            if frame.anchor:
                self._anchors[frame.anchor] = frame.node
            self._add(frame.node)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _mistake(self, line: int, column: int, message: str) -> None:
        self.mistakes.append(Mistake(self.source, line, column, message))
        if len(self.mistakes) >= MOST_MISTAKES:
            raise Unreadable(line, column, "too many mistakes; the rest of this file was not read")

    def _begin(self, event: Any) -> None:
        line, column = _place(event)
        if len(self._stack) >= DEEPEST:
            raise Unreadable(line, column, f"nested deeper than {DEEPEST} levels")
        self._check_tag(event)
        if self._expects_key():
            raise Unreadable(line, column, "a key must be a plain text, not a mapping or list")
        empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(Node(empty, line, column), event.anchor))

    def _scalar(self, event: Any) -> None:
        line, column = _place(event)
        self._check_tag(event)
        if self._expects_key():
            self._stack[-1].key = (event.value, line, column)
            if event.value == "<<" and event.implicit[0]:
                self._mistake(line, column, "merge keys ('<<') are not read; write the keys out")
            return
        node = Node(resolve(event.value) if event.implicit[0] else event.value, line, column)
        node.text = self._text(event, line, column)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node)

    def _text(self, event: Any, line: int, column: int) -> tuple[int, int, int] | None:
        """Where a scalar's text stands as it is: on one line, or as a literal block."""
        if event.style == "|" and event.value.strip():
            first = next(i for i, text in enumerate(event.value.split("\n")) if text.strip())
            own = event.value.split("\n")[first]
            written = self._lines()[line + first]
            indent = len(written) - len(written.lstrip(" ")) - (len(own) - len(own.lstrip(" ")))
            return line + 1, indent + 1, indent + 1
        if event.start_mark.line != event.end_mark.line or event.style == ">":
            return None
        quotes = 2 if event.style else 0
        same = event.end_mark.column - event.start_mark.column == len(event.value) + quotes
        return (line, column + quotes // 2, 1) if same else None

    def _lines(self) -> list[str]:
        if self._split is None:
            self._split = self._data.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
        return self._split

    def _alias(self, event: Any) -> None:
        line, column = _place(event)
        if event.anchor not in self._anchors:
            raise Unreadable(
                line, column, f"*{event.anchor} stands for nothing: no &{event.anchor} before it"
            )
        node = self._anchors[event.anchor]
        if node is None:
            raise Unreadable(line, column, f"*{event.anchor} holds itself; write the values out")
        if self._expects_key():
            raise Unreadable(line, column, "a key must be a plain text, not an alias")
        self._add(node)

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag != "!":
            self._mistake(*_place(event), f"the tag {event.tag} is not read; remove it")

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and not self._stack[-1].key

    def _add(self, node: Node) -> None:
        if not self._stack:
            self.documents.append(node)
            return
        frame = self._stack[-1]
        holder = frame.node
        holder.size += node.size
        if holder.size > MOST_NODES:
            raise Unreadable(node.line, node.column, f"more than {MOST_NODES} values, aliases expanded")
        if frame.key is None:
            holder.children[len(holder.value)] = node
            holder.value.append(node.value)
            return
        key, line, column = frame.key
        frame.key = None
        if key in holder.value:
            first = holder.keys[key][0]
            self._mistake(
                line, column, f"the key {_short(key)!r} stands here already, on line {first}; keep one"
            )
            return
        holder.keys[key] = (line, column)
        holder.children[key] = node
        holder.value[key] = node.value


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "..."
