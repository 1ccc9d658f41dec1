"""Whom the tests' destinations trust."""

import ssl


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context()
