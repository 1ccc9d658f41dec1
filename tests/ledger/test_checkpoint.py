from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, open_checkpoint, origin, read_checkpoint, sign_checkpoint
from ledger.digest import leaf_of, text_digest
from ledger.errors import BadSignature, MalformedCheckpoint, UnknownSigner
from ledger.merkle import EMPTY_ROOT, leaf_hash
from ledger.note import sign_note
from tests.ledger.helpers import KEY, ORIGIN, OTHER_KEY

ROOT = bytes(range(32))
ROOT64 = b64encode(ROOT).decode()


def test_the_specifications_example():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = read_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.to_text() == text


@given(
    st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(st.sampled_from(["x", "y z"]))
)
def test_a_signed_checkpoint_opens(size, root, extensions):
    checkpoint = Checkpoint(origin("log-a", 3), size, root, tuple(extensions))
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), [KEY.verify_key], ORIGIN) == checkpoint


def test_one_key_signs_for_every_partition_but_a_note_is_of_one():
    note = sign_checkpoint(Checkpoint(origin("log-a", 4), 7, ROOT), KEY)
    assert open_checkpoint(note, [KEY.verify_key], "log-a/4").size == 7
    with pytest.raises(MalformedCheckpoint, match="'log-a/4' where one of 'log-a/3'"):
        open_checkpoint(note, [KEY.verify_key], ORIGIN)


def test_edits_and_strangers_are_found():
    note = sign_checkpoint(Checkpoint(ORIGIN, 7, ROOT), KEY)
    with pytest.raises(BadSignature):
        open_checkpoint(note.replace("\n7\n", "\n8\n"), [KEY.verify_key], ORIGIN)
    with pytest.raises(UnknownSigner):
        open_checkpoint(note, [OTHER_KEY.verify_key], ORIGIN)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"\n7\n{ROOT64}\n",
        f"{ORIGIN}\n07\n{ROOT64}\n",
        f"{ORIGIN}\n-7\n{ROOT64}\n",
        f"{ORIGIN}\n+7\n{ROOT64}\n",
        f"{ORIGIN}\n7 \n{ROOT64}\n",
        f"{ORIGIN}\n\u0667\n{ROOT64}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT64}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT64}\n",
        f"{ORIGIN}\n7\n{ROOT64[:-4]}\n",
        f"{ORIGIN}\n7\n{ROOT64[:-1]}\n",
        f"{ORIGIN}\n7\n{ROOT64}\n\nx\n",
        f"{ORIGIN}\n0\n{ROOT64}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_though_signed(text):
    with pytest.raises(MalformedCheckpoint):
        open_checkpoint(sign_note(text, [KEY]), [KEY.verify_key], ORIGIN)


def test_the_empty_tree_has_a_checkpoint():
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY)
    assert open_checkpoint(note, [KEY.verify_key], ORIGIN).root == EMPTY_ROOT


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_a_leaf_is_that_of_the_parts_together(parts):
    assert leaf_of(parts) == leaf_hash(b"".join(parts))


def test_a_texts_digest_is_bound_to_salt_and_field():
    # printf '\0\0\0\0\0\0\0\4saltcontent\0text' | sha256sum
    assert text_digest(b"salt", "content", b"text").hex() == (
        "421a5589fd318699f43ee085b9634b64edc40e20ba5b0ea7c51aa31dc0857afb"
    )
    assert text_digest(None, "content", b"text") == text_digest(b"", "content", b"text")
    digests = {text_digest(s, f, b"x") for s in (None, b"s") for f in ("arguments", "content")}
    assert len(digests) == 4


def test_no_part_of_a_text_can_be_moved_into_the_salt():
    text = b'{"content": "rm -rf /", "ok": 1}'
    at = text.index(b"content")
    moved = text_digest(b"salt" + b"content" + text[:at], "content", text[at + len(b"content") :])
    assert moved != text_digest(b"salt", "content", text)
