"""Records dropped, exchanged, doubled, or brought from another partition."""

from tests.tampering.attack import Attack, Change, NotHere, moved, one, relabelled, signed_end
from tests.tampering.formats import read, rewritten


def drop(a: Attack) -> Change:
    """A decision, or a few in a row; in ClickHouse from one table or from both."""
    p = a.victim()
    start = a.seq(p)
    stop = min(start + a.dice.choice((1, 1, 3)), signed_end(a.copy[p]))
    held = a.copy[p]
    where = a.dice.choice(("decisions", "leaves", "both") if a.clickhouse else ("decisions",))
    if where != "leaves":
        del held.decisions[start:stop]
    if where != "decisions" and held.leaves is not None:
        del held.leaves[start:stop]
    return Change(f"of {where}", {p: range(start, stop)})


def swap_places(a: Attack) -> Change:
    """Two decisions change places: offsets in Kafka, sequence numbers in ClickHouse."""
    p = a.victim(2)
    first, second = a.pair(p)
    held = a.copy[p].decisions
    if a.clickhouse:
        held[first], held[second] = relabelled(held[first], seq=second), relabelled(held[second], seq=first)
    else:
        held[first], held[second] = held[second], held[first]
    return Change("places", {p: range(first, second + 1)})


def swap_numbers(a: Attack) -> Change:
    """Two decisions take each other's number, with leaves to match."""
    p = a.victim(2)
    first, second = a.pair(p)
    held = a.copy[p].decisions
    here, there = rewritten(held[second], seq=first), rewritten(held[first], seq=second)
    a.put(p, first, here)
    a.put(p, second, there)
    return Change("numbers, leaves recomputed", {p: range(first, second + 1)})


def swap_agents(a: Attack) -> Change:
    """Two decisions change their agents."""
    p = a.victim(2)
    first, second = a.pair(p)
    held = a.copy[p].decisions
    agents = [read(held[seq])["agent_id"] for seq in (first, second)]
    if agents[0] == agents[1]:
        raise NotHere
    held[first] = relabelled(held[first], agent_id=agents[1])
    held[second] = relabelled(held[second], agent_id=agents[0])
    return Change("agents", {p: range(first, second + 1)})


def swap_leaves(a: Attack) -> Change:
    """Two leaves change places in ClickHouse's table of leaves."""
    p = a.victim(2)
    first, second = a.pair(p)
    leaves = a.copy[p].leaves
    assert leaves is not None
    leaves[first], leaves[second] = (first, leaves[second][1]), (second, leaves[first][1])
    return Change("leaves", {p: range(first, second + 1)})


def swap_checkpoints(a: Attack) -> Change:
    """Two checkpoints of unlike size change places: offsets in Kafka, times in ClickHouse."""
    p = a.victim(2, sizes=2)
    held = a.copy[p].checkpoints
    first, second = sorted(a.dice.sample(range(len(held)), 2))
    rows = read(held[first]), read(held[second])
    if rows[0]["size"] == rows[1]["size"] or (
        a.clickhouse and rows[0]["received_at"] == rows[1]["received_at"]
    ):
        raise NotHere
    if a.clickhouse:
        held[first] = relabelled(held[first], received_at=rows[1]["received_at"])
        held[second] = relabelled(held[second], received_at=rows[0]["received_at"])
    else:
        held[first], held[second] = held[second], held[first]
    return Change("checkpoints", {p: range(rows[1]["size"])})


def duplicate(a: Attack) -> Change:
    """A decision stands there twice, as it is; in ClickHouse in one table or in both."""
    p = a.victim()
    seq = a.seq(p)
    held = a.copy[p]
    where = a.dice.choice(("decisions", "leaves", "both") if a.clickhouse else ("decisions",))
    if where != "leaves":
        held.decisions.insert(a.dice.randrange(seq + 1, len(held.decisions) + 1), held.decisions[seq])
    if where != "decisions" and held.leaves is not None:
        held.leaves.append(held.leaves[seq])
    return Change(f"of {where}", {p: one(seq)})


def duplicate_changed(a: Attack) -> Change:
    """A second decision of the same number says something else, with a leaf to match."""
    p = a.victim()
    seq = a.seq(p)
    held = a.copy[p]
    other = a.lie(held.decisions[seq])
    if other == held.decisions[seq]:
        raise NotHere
    held.decisions.insert(seq + a.dice.choice((0, 1)), other)
    if held.leaves is not None:
        held.leaves.append((seq, read(other)["leaf"]))
    return Change("with other fields", {p: one(seq)})


def duplicate_checkpoint(a: Attack) -> Change:
    """An old checkpoint comes again, as if the log had been that small once more."""
    p = a.victim(2, sizes=2)
    held = a.copy[p].checkpoints
    small = [value for value in held if read(value)["size"] < signed_end(a.copy[p])]
    later = max(read(value)["received_at"] for value in held) + 1
    again = a.dice.choice(small)
    held.append(relabelled(again, received_at=later))
    return Change("of an old checkpoint", {p: range(read(again)["size"], signed_end(a.copy[p]))})


def splice_decision(a: Attack) -> Change:
    """Another partition's decision in the place of one: as it is, or with coordinates and leaf mended."""
    p = a.victim()
    seq = a.seq(p)
    foreign = _foreign(a, p)
    value = a.dice.choice(a.copy[foreign].decisions)
    if a.clickhouse or a.dice.random() < 0.5:
        a.put(p, seq, moved(value, p, seq))
        return Change("one decision, coordinates mended", {p: one(seq)})
    a.copy[p].decisions[seq] = value
    return Change("one decision", {p: between(seq, read(value)["seq"])})


def splice_into_tail(a: Attack) -> Change:
    """A decision of another partition behind the last checkpoint, where no root covers it yet."""
    tails = [p for p, held in a.copy.items() if len(held.decisions) > signed_end(held)]
    if not tails:
        raise NotHere
    p = a.dice.choice(tails)
    seq = a.dice.randrange(signed_end(a.copy[p]), len(a.copy[p].decisions))
    foreign = _foreign(a, p)
    a.copy[p].decisions[seq] = moved(a.dice.choice(a.copy[foreign].decisions), foreign, seq)
    return Change("one decision, not signed yet", {p: one(seq)})


def splice_tail(a: Attack) -> Change:
    """From some number on, the other partition's history goes on, with its coordinates and leaves mended."""
    p = a.victim()
    seq = a.seq(p)
    foreign = a.copy[_foreign(a, p)].decisions
    for at in range(seq, len(a.copy[p].decisions)):
        a.put(p, at, moved(foreign[at % len(foreign)], p, at))
    return Change("a whole tail", {p: range(seq, len(a.copy[p].decisions))})


def splice_checkpoint(a: Attack) -> Change:
    """Another partition's checkpoint; in ClickHouse, and now and then in Kafka, its row says it is ours."""
    p = a.victim()
    foreign = a.dice.choice([q for q in a.copy if q != p])
    notes = a.copy[foreign].checkpoints
    if not notes:
        raise NotHere
    value = a.dice.choice(notes)
    if a.clickhouse or a.dice.random() < 0.5:
        value = relabelled(value, partition=p)
    held = a.copy[p].checkpoints
    held.insert(a.dice.randrange(len(held) + 1), value)
    return Change("a checkpoint", {p: range(max(read(value)["size"], signed_end(a.copy[p])))})


def splice_whole(a: Attack) -> Change:
    """Two partitions exchange everything, with coordinates and leaves mended, or as it is."""
    p = a.victim()
    foreign = a.dice.choice([q for q in a.copy if q != p])
    ends = {q: range(max(1, signed_end(a.copy[p]), signed_end(a.copy[foreign]))) for q in (p, foreign)}
    a.copy[p], a.copy[foreign] = a.copy[foreign], a.copy[p]
    if a.clickhouse or a.dice.random() < 0.5:
        for q in (p, foreign):
            held = a.copy[q]
            for seq, value in enumerate(list(held.decisions)):
                a.put(q, seq, moved(value, q, seq))
            held.checkpoints = [relabelled(value, partition=q) for value in held.checkpoints]
    return Change("two partitions exchanged", ends)


def between(one: int, other: int) -> range:
    """From the lesser to the greater, both within."""
    return range(min(one, other), max(one, other) + 1)


def _foreign(a: Attack, p: int) -> int:
    fit = [q for q, held in a.copy.items() if q != p and held.decisions]
    if not fit:
        raise NotHere
    return a.dice.choice(fit)
