"""How a place in a text is shown in evidence: without what may be a secret."""

import re

from detections.finding import LONGEST_TEXT, short

_SECRET = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|secret|token|otp|pin|key|code|credentials?)['\"]?"
    r"(?:\s+(?:is|to|as|of)\b|\s*[:=])\s*['\"]*)([^\s'\"]+)",
    re.IGNORECASE,
)
_LINK = re.compile(r"((?:https?://|www\.)[^\s/?#'\"]+)[/?#][^\s'\")]+")
_MIXED = re.compile(r"(?<![\w@.-])(?=[\w-]*\d)[\w-]{6,}(?![\w@-]|\.\w)")


def shown(text: str) -> str:
    """At most 200 characters of a text on one line; secrets, codes and what follows a host are masked."""
    line = " ".join(text[: 4 * LONGEST_TEXT].split())
    line = _SECRET.sub(r"\1***", line)
    line = _LINK.sub(r"\1/***", line)
    return short(_MIXED.sub(lambda m: m[0][:2] + "***", line))
