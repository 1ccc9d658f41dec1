"""How the commands of `praetor policy` reach agent.control."""

from typing import Any

from runtime.kafka import common_options
from runtime.settings import Settings
from streams.bundle_publishing import Access, Published
from streams.keyring import CONTROL, read_policy_keys, read_signing_key, read_verify_keys


def access(settings: Settings) -> Access:
    """What publishing needs.

    Raises:
        PraetorError: a key is missing or malformed, or no broker is named.
    """
    return Access(
        common_options(settings),
        read_verify_keys(settings.keys, CONTROL),
        read_policy_keys(settings.keys),
        read_signing_key(settings.keys, CONTROL),
    )


def told(published: Published) -> dict[str, Any]:
    """What came of it, for --json."""
    head = published.head
    share = {"share": head.share} if head.slot == "canary" else {}
    return {
        "digest": head.digest or None,
        "serial": head.serial,
        "slot": head.slot,
        **share,
        "control_offset": published.offset,
    }


def where(published: Published) -> str:
    """The same in words, behind what was done."""
    return f"serial {published.head.serial}, control offset {published.offset}"
