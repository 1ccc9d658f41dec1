"""The version of the judging code."""

ENGINE = "1"
"""Bumped whenever the same action, cells and bundle could give other verdict bytes, cells or findings."""
