"""The three ends a thing can come to beside success (the third, a bug, has no class)."""


class PraetorError(Exception):
    """Something a person can mend; the message says what, where and how.

    The command line prints the message alone and exits with 1.
    """


class Malformed(Exception):
    """This record can never be processed: it becomes a dead letter. The message says why."""


class Unavailable(Exception):
    """A destination does not answer now: the same batch is tried again."""
