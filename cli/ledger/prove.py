"""`praetor ledger prove`: proofs for an independent verifier."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.ledger.places import From, Place, TrustedKey, Witness, chosen, opened, trusted_keys
from cli.ledger.sources import Log, Source, Wanted
from cli.ledger.witness import read_witness
from cli.options import DataDir, TopicPrefix
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import LedgerError
from ledger.keys import VerifyKey
from ledger.proofs import prove as prove_log
from ledger.tree import Tree
from runtime.errors import PraetorError
from runtime.settings import load_settings


def prove(
    partition: Annotated[int, typer.Option(min=0, help="The partition.")],
    seq: Annotated[list[int], typer.Option(min=0, help="A decision's sequence number; repeatable.")],
    checkpoints: Annotated[
        int, typer.Option(min=0, help="How many of the newest checkpoints to link; 0: all of them.")
    ] = 10,
    record: Annotated[
        bool, typer.Option("--record", help="Add each decision's bytes (without its free text).")
    ] = False,
    key: TrustedKey = None,
    witness: Witness = None,
    place: From = Place.kafka,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Print checkpoints, proofs that each begins with the one before, and that the decisions are in them.

    The JSON is made for verifiers that trust nobody but the public key in it, which they must know already.
    With --witness, the checkpoints of that file are linked too; with --key, they are those that it signed.

    Example: praetor ledger prove --partition 3 --seq 17 --record
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    keys = trusted_keys(key, settings)
    held = read_witness(witness) if witness else {}
    with opened(place, settings) as source:
        log = _one(source, partition)
        wanted = Wanted(keep=frozenset(seq) if record else ())
        stored = source.read(log, wanted, lambda _: None)
    if stored.gone:
        raise PraetorError(
            f"{log.origin} cannot be proven: {stored.gone}".replace("ledger verify", "ledger prove")
        )
    leaves = dict(stored.leaves)
    whole = next((n for n in range(len(leaves)) if n not in leaves), len(leaves))
    signer, notes = _signed([one.text for one in stored.notes], keys, log, checkpoints)
    notes += [one.text for one in held.get(log.origin, ())]
    try:
        tree = Tree(leaves[n] for n in range(whole))
        proof = prove_log(log.origin, signer, notes, tree, sorted(set(seq)), stored.kept)
    except LedgerError as error:
        raise PraetorError(str(error)) from error
    typer.echo(json.dumps(proof, indent=1, ensure_ascii=False))


def _one(source: Source, partition: int) -> Log:
    logs = chosen(source.logs(), partition)
    if len(logs) > 1:
        names = ", ".join(log.log_id for log in logs)
        raise PraetorError(f"partition {partition} is in several logs ({names}); read it --from kafka")
    return logs[0]


def _signed(
    notes: Sequence[str], keys: Sequence[VerifyKey], log: Log, newest: int
) -> tuple[VerifyKey, list[str]]:
    """The key of the greatest checkpoint, and the newest checkpoints that it signed."""
    found: list[tuple[Checkpoint, VerifyKey, str]] = []
    for note in notes:
        for key in keys:
            try:
                found.append((open_checkpoint(note, [key], log.origin), key, note))
            except LedgerError:
                continue
    if not found:
        raise PraetorError(f"{log.origin}: no checkpoint by a key of ours, so nothing can be proven")
    found.sort(key=lambda one: one[0].size)
    key = found[-1][1]
    ours = list(dict.fromkeys(note for _, by, note in found if by == key))
    return key, ours[-newest:]
