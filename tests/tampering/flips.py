"""One bit, one character or one value changed, where a leaf, a digest or a signature is over it."""

from typing import Any

from tests.tampering.attack import Attack, Change, NotHere, one, relabelled, signed_end
from tests.tampering.formats import TEXTS, fields_of, id_of, read, write

UNSIGNED = ("received_at",)
"""A checkpoint's time is not in its note."""


def flip_any_bit(a: Attack) -> Change:
    """Any bit of a decision as it travels, its framing too; a salt without a text salts nothing."""
    p = a.victim()
    seq = a.seq(p)
    value = a.copy[p].decisions[seq]
    while True:
        other = _flipped(a, value)
        if not _only_idle_salt(value, other):
            a.copy[p].decisions[seq] = other
            return Change("a bit of a decision", {p: one(seq)}, strays=True)


def flip_column(a: Attack) -> Change:
    """One column of a row; its leaf stays, or is changed."""
    p = a.victim()
    seq = a.seq(p)
    value = a.copy[p].decisions[seq]
    row = read(value)
    fields = [f for f in fields_of(id_of(value)) if f["name"] not in (*TEXTS, "salt")]
    of = a.dice.choice(fields)
    row[of["name"]] = altered(a, of["name"], of["type"], row[of["name"]])
    a.copy[p].decisions[seq] = write(row, id_of(value))
    return Change(f"column {of['name']}", {p: one(seq)}, strays=of["name"] in ("log_id", "partition", "seq"))


def flip_unknown_column(a: Attack) -> Change:
    """A column that the row's own schema version does not have, so that its leaf says nothing of it."""
    p = a.victim()
    old = [s for s in range(signed_end(a.copy[p])) if id_of(a.copy[p].decisions[s]) == 201]
    if not old:
        raise NotHere
    seq = a.dice.choice(old)
    row = read(a.copy[p].decisions[seq]) | {"arguments_bytes": 5, "arguments_sha256": None}
    a.copy[p].decisions[seq] = write(row, 202)
    return Change("a column of a later schema", {p: one(seq)})


def flip_text(a: Attack) -> Change:
    """A free text, of which only a digest is under the leaf; or a text where none was."""
    p = a.victim()
    seq = a.seq(p)
    row = read(a.copy[p].decisions[seq])
    name = a.dice.choice(TEXTS)
    was = row[name]
    erased = was is None and row[f"{name}_digest"] is not None
    if was is None:
        text = "erased and written anew" if erased else "never there"
    else:
        at = a.dice.randrange(len(was) + 1)
        text = a.dice.choice((was[:at] + "x" + was[at:], was[:at] + chr(ord("a") + at % 26) + was[at + 1 :]))
    if text == was:
        raise NotHere
    a.copy[p].decisions[seq] = relabelled(a.copy[p].decisions[seq], **{name: text})
    return Change("a free text", {p: one(seq)})


def flip_salt(a: Attack) -> Change:
    """The salt of a text that is there: without it, what a text digests to is another's to say."""
    p = a.victim()
    seq = a.seq(p)
    row = read(a.copy[p].decisions[seq])
    if row["salt"] is None or all(row[name] is None for name in TEXTS):
        raise NotHere
    salt = a.dice.choice((None, b"", row["salt"][:-1], row["salt"] + b"x"))
    a.copy[p].decisions[seq] = relabelled(a.copy[p].decisions[seq], salt=salt)
    return Change("a salt", {p: one(seq)})


def flip_leaf(a: Attack) -> Change:
    """A leaf in ClickHouse's table of leaves."""
    p = a.victim()
    seq = a.seq(p)
    leaves = a.copy[p].leaves
    assert leaves is not None
    leaves[seq] = (seq, _flipped(a, leaves[seq][1]))
    return Change("a leaf", {p: one(seq)})


def flip_checkpoint_bit(a: Attack) -> Change:
    """Any bit of a checkpoint's record but of its time."""
    p = a.victim()
    at = a.dice.randrange(len(a.copy[p].checkpoints))
    value = a.copy[p].checkpoints[at]
    while True:
        other = _flipped(a, value)
        if not _only(value, other, UNSIGNED):
            a.copy[p].checkpoints[at] = other
            return Change("a bit of a checkpoint", {p: range(signed_end_of(value))}, strays=True)


def flip_checkpoint_column(a: Attack) -> Change:
    """One column of a checkpoint's row but its time."""
    p = a.victim()
    at = a.dice.randrange(len(a.copy[p].checkpoints))
    value = a.copy[p].checkpoints[at]
    of = a.dice.choice([f for f in fields_of(501) if f["name"] not in UNSIGNED])
    changed = altered(a, of["name"], of["type"], read(value)[of["name"]])
    a.copy[p].checkpoints[at] = relabelled(value, **{of["name"]: changed})
    touched = range(max(signed_end_of(value), signed_end_of(a.copy[p].checkpoints[at])))
    if of["name"] in ("log_id", "partition"):  # the row is gone here, and stands where nobody looks for it
        raise NotHere
    return Change(f"a checkpoint's {of['name']}", {p: touched}, strays=True)


def signed_end_of(value: bytes) -> int:
    return int(read(value)["size"])


def _flipped(a: Attack, value: bytes) -> bytes:
    at = a.dice.randrange(len(value))
    return value[:at] + bytes([value[at] ^ 1 << a.dice.randrange(8)]) + value[at + 1 :]


def _only(value: bytes, other: bytes, names: tuple[str, ...]) -> bool:
    """Whether two records differ in these fields alone."""
    try:
        was, now = read(value), read(other)
    except Exception:  # noqa: BLE001 - whatever a broken record does to a reader: it differs
        return False
    return {name for name in {*was, *now} if repr(was.get(name)) != repr(now.get(name))} <= set(names)


def _only_idle_salt(value: bytes, other: bytes) -> bool:
    return _only(value, other, ("salt",)) and all(read(value)[name] is None for name in TEXTS)


def altered(a: Attack, name: str, of: Any, value: Any) -> Any:
    """Another value of the column's type."""
    if isinstance(of, list):
        if value is not None and a.dice.random() < 0.3:
            return None
        of = of[1]
    kind = of["type"] if isinstance(of, dict) else of
    if isinstance(value, bytes):
        return _flipped(a, value)
    logical = of.get("logicalType") if isinstance(of, dict) else None
    if kind in ("int", "long", "double"):
        return (value or 0.0) + 0.125 if kind == "double" else (value or 0) ^ 1 << a.dice.randrange(20)
    if kind == "enum":
        return a.dice.choice([symbol for symbol in of["symbols"] if symbol != value])
    if kind == "fixed":
        return bytes(of["size"])
    if kind == "map":
        more = "5" if of["values"] == "string" else 0.5
        return value | {"a": more} if a.dice.random() < 0.5 or not value else {}
    if kind == "array":
        return value[1:] if value else [_item(of["items"])]
    if logical == "uuid":
        value = value or "00000000-0000-4000-8000-000000000000"
        return ("1" if value[0] == "0" else "0") + value[1:]
    text = value or ""
    at = a.dice.randrange(len(text) + 1)
    return text[:at] + a.dice.choice("xyz") + text[at:]


def _item(of: Any) -> Any:
    return (
        "x" if of == "string" else {f["name"]: "deny" if f["name"] == "effect" else "x" for f in of["fields"]}
    )
