"""The version of the judging code, and whose state it reads."""

ENGINE = "4"
"""Bumped whenever the same action, cells and bundle could give other verdict bytes, cells or findings."""

READABLE = frozenset({"1", "2", "3", ENGINE})
"""Engines whose progress and cells this one takes over. None is ever taken away.

A partition is taken over as it stands: its cells are rewritten one by one, each when its agent next acts. So
whoever owns a cell reads every form of it that a readable engine wrote, and writes the newest; a form is
told by the cell itself (its first byte, or its length), never by the engine in the progress record. What
engines wrote is kept in `tests/upgrades`, and read there.
"""
