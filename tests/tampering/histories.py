"""Ends cut off, old states brought back, other histories told, other keys used."""

from tests.tampering.attack import Attack, Change, one
from tests.tampering.formats import checkpoint, read


def truncate(a: Attack) -> Change:
    """The end of a log is cut off, and the checkpoints over it are left."""
    p = a.victim()
    size, end = a.seq(p), len(a.copy[p].decisions)
    a.cut(p, size, checkpoints=False)
    return Change("decisions", {p: range(size, end)})


def truncate_checkpoints(a: Attack) -> Change:
    """The newest checkpoints are cut off, so that decisions look as if they were not signed yet."""
    p = a.victim(2, sizes=2)
    held = a.copy[p]
    sizes = sorted(set(held.sizes()))
    keep = a.dice.choice(sizes[:-1])
    held.checkpoints = [value for value in held.checkpoints if read(value)["size"] <= keep]
    return Change("checkpoints", {p: range(keep, sizes[-1])}, [a.honest_note(p, keep)])


def roll_back(a: Attack) -> Change:
    """The log as it was at an earlier checkpoint."""
    p = a.victim(2, sizes=2)
    size, end = a.dice.choice(sorted(set(a.copy[p].sizes()))[:-1]), len(a.copy[p].decisions)
    note = a.honest_note(p, size)
    a.cut(p, size, checkpoints=True)
    return Change("to an earlier checkpoint", {p: range(size, end)}, [note])


def roll_back_and_go_on(a: Attack) -> Change:
    """The log as it was at an earlier checkpoint, and decisions that nobody signed on top."""
    p = a.victim(2, sizes=2)
    size, end = a.dice.choice(sorted(set(a.copy[p].sizes()))[:-1]), len(a.copy[p].decisions)
    note = a.honest_note(p, size)
    a.rewrite_from(p, size)
    a.copy[p].checkpoints = [value for value in a.copy[p].checkpoints if read(value)["size"] <= size]
    return Change("and gone on unsigned", {p: range(size, end)}, [note])


def roll_back_to_nothing(a: Attack) -> Change:
    """The partition as it was at the very first."""
    p = a.victim()
    note, end = a.honest_note(p, 0), len(a.copy[p].decisions)
    a.cut(p, 0, checkpoints=True)
    return Change("to nothing", {p: range(end)}, [note])


def fork_under_checkpoints(a: Attack) -> Change:
    """Another history from some number on, correctly hashed; the checkpoints stay."""
    p = a.victim()
    seq = a.seq(p)
    a.rewrite_from(p, seq)
    return Change("checkpoints kept", {p: range(seq, len(a.copy[p].decisions))})


def fork_one_decision(a: Attack) -> Change:
    """One decision says something else, correctly hashed; the checkpoints stay."""
    p = a.victim()
    seq = a.seq(p)
    while a.copy[p].decisions[seq] == (lie := a.lie(a.copy[p].decisions[seq])):
        pass
    a.put(p, seq, lie)
    return Change("one decision, checkpoints kept", {p: one(seq)})


def fork_by_another_key(a: Attack) -> Change:
    """Another history from some number on, signed by another key."""
    p = a.victim()
    seq = a.seq(p)
    a.rewrite_from(p, seq)
    a.sign_again(p, seq, a.other_key())
    return Change("signed by another key", {p: range(seq, len(a.copy[p].decisions))})


def fork_by_the_key(a: Attack) -> Change:
    """Another history from some number on, signed by whoever holds the key."""
    p = a.victim()
    seq = a.seq(p)
    note = a.honest_note(p, seq)
    a.rewrite_from(p, seq)
    a.sign_again(p, seq, a.true_key())
    return Change("signed by the key", {p: range(seq, len(a.copy[p].decisions))}, [note])


def fork_unsigned(a: Attack) -> Change:
    """Another history from some number on; the checkpoints over it are gone."""
    p = a.victim()
    seq = a.seq(p)
    note = a.honest_note(p, seq)
    a.rewrite_from(p, seq)
    a.copy[p].checkpoints = [value for value in a.copy[p].checkpoints if read(value)["size"] <= seq]
    return Change("not signed", {p: range(seq, len(a.copy[p].decisions))}, [note])


def resign_all(a: Attack) -> Change:
    """Every checkpoint of a partition, over the true leaves, by another key."""
    p = a.victim()
    end = max(a.copy[p].sizes())
    a.sign_again(p, -1, a.other_key())
    return Change("all checkpoints", {p: range(end)})


def resign_one(a: Attack) -> Change:
    """One checkpoint, over the true leaves, by another key."""
    p = a.victim()
    held = a.copy[p]
    at = a.dice.randrange(len(held.checkpoints))
    leaves = [read(value)["leaf"] for value in held.decisions]
    size = held.sizes()[at]
    held.checkpoints[at] = checkpoint(held.checkpoints[at], leaves[:size], a.other_key())
    return Change("one checkpoint", {p: range(size)})
