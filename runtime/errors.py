"""The three ends a thing can come to beside success (the third, a bug, has no class)."""


class PraetorError(Exception):
    """Something a person can mend; the message says what, where and how.

    The command line prints the message alone and exits with 1.
    """


class Newer(PraetorError):
    """What a newer version of praetor wrote, and this one must not pass over; the message says to upgrade."""


class Malformed(Exception):
    """This record can never be processed: it becomes a dead letter. The message says why."""


class Unavailable(Exception):
    """A destination does not answer now: the same batch is tried again."""
