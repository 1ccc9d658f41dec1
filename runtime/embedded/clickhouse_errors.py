"""ClickHouse's error codes as HTTP statuses. Source: exceptionCodeToHTTPStatus in ClickHouse's server."""

AUTHENTICATION_FAILED = 516
SYNTAX_ERROR = 62
UNKNOWN_COMPRESSION_METHOD = 89
CANNOT_DECOMPRESS = 271

_BAD_REQUEST = (6, 26, 27, 36, 38, 41, 42, 43, 44, 53, 62, 69, 72, 117, 130, 131, 306, 386, 427, 456, 457)
_NOT_FOUND = (10, 16, 46, 47, 50, 60, 63, 73, 78, 81, 115)
STATUS = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys(_NOT_FOUND, 404),
    **dict.fromkeys((194,), 401),
    **dict.fromkeys((192, 193, 497, AUTHENTICATION_FAILED), 403),
    **dict.fromkeys((159,), 408),
    **dict.fromkeys((168,), 413),
    **dict.fromkeys((48,), 501),
    **dict.fromkeys((202,), 503),
}


def status_of(code: int) -> int:
    """Return the HTTP status of an error code; 500 for all that have none of their own."""
    return STATUS.get(code, 500)
