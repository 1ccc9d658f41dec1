"""What kind of thing an action does, told by its words: for detectors that look at many actions."""

import re
from functools import lru_cache

READ, WRITE, SEND, DELETE, EXECUTE, DELEGATE, ENCODE = 1, 2, 4, 8, 16, 32, 64
"""Bits: an action may be of several kinds, or of none that is known."""

_WORDS = {
    READ: "read get list search find fetch load query select view show browse open describe lookup check",
    WRITE: "write create update edit insert append save modify patch set add rename move copy",
    SEND: "send post publish upload email mail message share forward reply submit export push notify"
    " tweet transmit webhook",
    DELETE: "delete remove drop destroy purge erase wipe truncate clear uninstall terminate unlink rm",
    EXECUTE: "exec execute run shell bash powershell cmd eval python terminal command subprocess script",
    DELEGATE: "delegate handoff subagent",
    ENCODE: "encode encrypt compress zip gzip tar archive base64 pack obfuscate",
}
_BITS = {word: bit for bit, words in _WORDS.items() for word in words.split()}
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


@lru_cache(4096)
def verbs_of(action: str, tool: str | None) -> int:
    """The kinds of an action such as "call:tool" with its tool: by the verb, and by the tool's own words.

    What a tool's words do not tell (a tool called "helper") is not known. The last few thousand answers are
    remembered; it is a function of its arguments all the same.
    """
    verb = action.partition(":")[0].lower()
    bits = _BITS.get(verb, 0)
    for word in _WORD.findall((tool or "")[:200])[:8]:
        bits |= _BITS.get(word.lower(), 0)
    return bits
