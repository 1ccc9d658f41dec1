"""What can go wrong, as a program sees it."""


class PraetorError(Exception):
    """Anything that this library refuses; the message says what to do."""


class BufferFull(PraetorError):
    """There is no room for another event: nothing was taken, and no number was spent."""


class Closed(PraetorError):
    """The client is closed: nothing was taken."""


class TransportMissing(PraetorError):
    """The Kafka client is not installed."""
