"""What judging a rule may raise."""


class Unjudgeable(Exception):
    """A rule cannot be judged for this action; the message says why. It is never "no match"."""
