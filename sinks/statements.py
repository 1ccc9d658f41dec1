"""Splits a file of SQL into statements."""

import re

# Source: ClickHouse's lexer: three kinds of quotes with backslash escapes, three kinds of comments.
TOKEN = re.compile(
    r"(?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<comment>--[^\n]*|#[ !][^\n]*|/\*.*?\*/)"
    r"|(?P<end>;)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def split_statements(text: str) -> list[str]:
    """Return the statements without comments, each stripped; what is between two semicolons may be empty."""
    statements: list[str] = []
    pieces: list[str] = []
    for token in TOKEN.finditer(text):
        if token.lastgroup == "end":
            statements.append("".join(pieces).strip())
            pieces = []
        else:
            pieces.append(" " if token.lastgroup == "comment" else token.group())
    statements.append("".join(pieces).strip())
    return [statement for statement in statements if statement]
