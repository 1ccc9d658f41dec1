"""What can be seen without contacting anything: settings, keys, this machine's disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from cli.config import mistakes_in
from cli.doctor.check import Check, failed, ok, warning
from runtime.errors import PraetorError
from runtime.settings import Settings
from streams.keyring import CONTROL, read_verify_keys
from streams.ledger_keys import read_ledger_keys

LOW_BYTES = 2 << 30
LOW_SHARE = 0.1


def check_settings(data: Path | None) -> Iterator[Check]:
    """The settings by themselves."""
    wrong = mistakes_in(data)
    for mistake in wrong:
        yield failed("settings", mistake, "mend the variable or option; see `praetor config show`")
    if not wrong:
        yield ok("settings", "valid, and every PRAETOR_… variable is a setting")


def check_keys(settings: Settings) -> Iterator[Check]:
    """The keys that a worker of govern needs."""
    open_to_others = [p.name for p in sorted(settings.keys.glob("*.key")) if p.stat().st_mode & 0o077]
    if open_to_others:
        names = ", ".join(open_to_others)
        yield failed(
            "keys",
            f"others may read {names} in {settings.keys}",
            f"chmod 600 {settings.keys}/*.key, and think of these keys as known: praetor ledger keys rotate",
        )
        return
    try:
        read_ledger_keys(settings).check()
        read_verify_keys(settings.keys, CONTROL)
    except PraetorError as error:
        yield failed("keys", str(error), "only `govern` needs them; name their folder by PRAETOR_KEYS_DIR")
        return
    yield ok("keys", f"in {settings.keys}, readable to their owner only")


def check_disk(settings: Settings) -> Iterator[Check]:
    """Room where the embedded stack keeps its data."""
    if not settings.data.exists():
        return
    usage = shutil.disk_usage(settings.data)
    yield judge_space("disk", str(settings.data), usage.free, usage.total)


def judge_space(name: str, where: str, free: int, total: int) -> Check:
    """What so much free space means."""
    found = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free at {where}"
    if free < LOW_BYTES:
        return failed(name, found, "make room now: a full disk stops the broker and ClickHouse")
    if free < total * LOW_SHARE:
        return warning(name, found, "make room, or shorten retention")
    return ok(name, found)
