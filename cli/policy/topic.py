"""How the commands of `praetor policy` reach agent.control."""

from typing import Any

from cli.control.options import How
from cli.control.waiting import Waited, wait_applied
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings
from streams.bundle_publishing import Access, Published, Publisher
from streams.keyring import CONTROL, read_policy_keys, read_signing_key, read_verify_keys
from streams.workers import read_workers


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


async def waited(settings: Settings, publisher: Publisher, published: Published, how: How) -> Waited:
    """Wait until every live worker has applied what was published, if that is wanted.

    Raises:
        PraetorError: a live worker refused it.
    """
    if not how.wait:
        return Waited(unknown="not waited for")
    options, prefix, log_id = common_options(settings), settings.topic_prefix, publisher.view.log_id
    found = await wait_applied(options, prefix, log_id, published.offset, how.timeout)
    for seen in [] if found.unknown else await read_workers(options, prefix, log_id):
        for offset, why in seen.status.refused:
            if offset == published.offset:
                raise PraetorError(f"worker {seen.status.worker_id} refused it: {why}")
    return found


def told(published: Published, applied: Waited) -> dict[str, Any]:
    """What came of it, for --json."""
    head = published.head
    share = {"share": head.share} if head.slot == "canary" else {}
    return {
        "digest": head.digest or None,
        "serial": head.serial,
        "slot": head.slot,
        **share,
        "control_offset": published.offset,
        **applied.told(),
    }


def where(published: Published) -> str:
    """The same in words, behind what was done."""
    return f"serial {published.head.serial}, control offset {published.offset}"
