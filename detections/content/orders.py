"""Signs that a text gives orders to a model: by how it is said, in English, in RE2 (linear time).

For texts in which no order belongs: what is hidden from people, and the descriptions of tools. In ordinary
prose some of these signs are ordinary.
"""

from typing import NamedTuple

import re2

_GAP = r"\W+(?:\w+\W+){0,4}"
_DO = (
    r"(?:call|use|send|read|run|execute|invoke|include|pass|forward|transfer|delete|reply|respond|post"
    r"|copy|open|add"
    r"|append|upload|fetch|provide|visit|share|return|output|print|write|follow|e-?mail)"
)
_WHO = r"(?:you|assistant|ai|agent|model|llm|chatbot|copilot)"


class Sign(NamedTuple):
    """A sign: its name, its pattern, and how sure it makes of a tool's description (0 to 1)."""

    name: str
    pattern: str
    weight: float


SIGNS = (
    Sign(
        "sets other instructions aside",
        rf"\b(?:ignore|disregard|forget|override|bypass|supersedes?){_GAP}(?:instructions?|prompts?|rules"
        rf"|guidelines|directives)\b",
        0.9,
    ),
    Sign(
        "wants something kept from the user",
        r"\b(?:do not|don.?t|never|without|must not|avoid)\W+(?:\w+\W+){0,3}"
        r"(?:tell|mention|inform|reveal|notify|alert|disclose|show)(?:ing)?\W+(?:\w+\W+){0,4}(?:user|human"
        r"|anyone|anybody|person|them)\b",
        0.9,
    ),
    Sign(
        "dresses up as the system",
        r"<\W{0,2}(?:important|system|secret|hidden|instructions?|admin|critical)\W{0,2}>|\[(?:system"
        r"|inst)\]",
        0.6,
    ),
    Sign(
        "gives a model an order",
        rf"\b{_WHO}\W+(?:must|should|shall|need to|have to|are required to|will)\W+(?:\w+\W+){{0,3}}{_DO}\b",
        0.5,
    ),
    Sign(
        "ties itself to other tools",
        r"\b(?:before|after|when|whenever|prior to)\W+(?:\w+\W+){0,3}(?:using|calling|invoking|running|use"
        r"|call)\W+(?:\w+\W+){0,3}(?:this|any|other|another|every|all|each)\W+(?:\w+\W+){0,2}tools?\b",
        0.5,
    ),
    Sign(
        "takes the place of another tool",
        r"\b(?:instead of|rather than|in place of)\W+(?:using |calling )?(?:the )?[\w-]{2,40}\W+tool\b",
        0.4,
    ),
    Sign(
        "reaches for credentials",
        r"(?:~|\$home|/root|/home/\w{1,32})?/?\.(?:ssh|aws|gnupg|kube|cursor)/|\bid_(?:rsa|ed25519)\b"
        r"|\bmcp\.json\b|\b\.env file\b",
        0.5,
    ),
    Sign(
        "asks for the conversation",
        r"\b(?:system prompt|(?:entire|full|whole|previous|prior) (?:conversation|chat|context"
        r"|message history)|conversation history)\b",
        0.4,
    ),
)
_ALL = tuple((sign, re2.compile(("(?i)" + sign.pattern).encode())) for sign in SIGNS)
_ANY = re2.compile(("(?i)" + "|".join(f"(?:{sign.pattern})" for sign in SIGNS)).encode())


class Order(NamedTuple):
    """A sign that was seen, and where."""

    sign: Sign
    start: int
    end: int


def find_orders(text: str) -> list[Order]:
    """The signs in a text, each at its first place."""
    raw = text.encode("ascii", "replace")  # so that places in bytes are places in characters
    if not _ANY.search(raw):
        return []
    matches = ((sign, pattern.search(raw)) for sign, pattern in _ALL)
    return [Order(sign, m.start(), m.end()) for sign, m in matches if m]


def weigh(orders: list[Order]) -> float:
    """How sure all signs together make: one less the product of what each leaves open."""
    doubt = 1.0
    for order in orders:
        doubt *= 1 - order.sign.weight
    return 1 - doubt
