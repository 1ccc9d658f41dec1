"""A condition taken apart: what it says, joined by `and`."""

import re

_LITERAL = re.compile(
    r"[rRbB]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.S
)
_OPEN, _CLOSE = "([{", ")]}"


def conjuncts(text: str) -> list[str]:
    """The parts of a condition that must all hold, in order; the whole where it is no such list.

    By the text alone: brackets and quotes are followed, nothing is parsed. Parts of parts are taken apart.
    """
    text = _bare(text.strip())
    parts = _split(text)
    return [text] if len(parts) == 1 else [part for each in parts for part in conjuncts(each)]


def blank_literals(text: str) -> str:
    """A condition with its quoted texts blanked, every character at its place."""
    return _LITERAL.sub(lambda found: "'" + " " * (len(found[0]) - 2) + "'", text)


def _split(text: str) -> list[str]:
    cuts, depth, bare = [0], 0, blank_literals(text)
    for at, char in enumerate(bare):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0 and (char == "?" or bare.startswith("||", at)):
            return [text]
        if depth == 0 and bare.startswith("&&", at) and bare[at - 1 : at] != "&":
            cuts += [at, at + 2]
    cuts.append(len(text))
    return [text[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)]


def _bare(text: str) -> str:
    """Without brackets around the whole."""
    while text.startswith("(") and _closes_at_end(blank_literals(text)):
        text = text[1:-1].strip()
    return text


def _closes_at_end(bare: str) -> bool:
    depth = 0
    for at, char in enumerate(bare):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0:
            return at == len(bare) - 1
    return False
