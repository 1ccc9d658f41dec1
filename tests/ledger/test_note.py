import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadSignature, LedgerError, MalformedKey, MalformedNote, UnknownSigner
from ledger.keys import SigningKey, VerifyKey
from ledger.note import Signature, open_note, sign_note
from runtime.errors import PraetorError
from tests.ledger.helpers import KEY, OTHER_KEY

# The example in the documentation of golang.org/x/mod/sumdb/note.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = (
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH = (
    "\u2014 EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NOTE = f"{TEXT}\n{PETER}"
PETER_KEY = VerifyKey.from_text(VKEY)


def test_go_example_keys_and_note():
    key = SigningKey.from_text(SKEY + "\n")
    assert key.to_text() == SKEY
    assert key.verify_key.to_text() == VKEY
    assert PETER_KEY == key.verify_key
    assert sign_note(TEXT, [key]) == NOTE
    assert open_note(NOTE, [PETER_KEY]).text == TEXT


def test_go_example_of_a_second_signature():
    enoch = SigningKey("EnochRoot", bytes(32))
    note = open_note(NOTE, [PETER_KEY])
    both = sign_note(note.text, [enoch], note.verified + note.unverified)
    assert both == NOTE + ENOCH
    assert [one.name for one in open_note(both, [enoch.verify_key, PETER_KEY]).verified] == [
        "PeterNeumann",
        "EnochRoot",
    ]
    opened = open_note(both, [enoch.verify_key])
    assert [one.name for one in opened.unverified] == ["PeterNeumann"]
    assert sign_note(note.text, [enoch], open_note(both, [PETER_KEY]).unverified) == f"{TEXT}\n{ENOCH}"


@given(
    st.text(min_size=1, max_size=40).filter(lambda s: not any(c == "+" or c < " " or c.isspace() for c in s)),
    st.binary(min_size=32, max_size=32),
)
def test_keys_survive_their_text(name, seed):
    key = SigningKey(name, seed)
    assert SigningKey.from_text(key.to_text()) == key
    assert VerifyKey.from_text(key.verify_key.to_text()) == key.verify_key


def test_a_seed_is_never_shown():
    key = SigningKey.from_text(SKEY)
    assert "seed" not in repr(key)
    broken = SKEY[:-1] + "!"
    with pytest.raises(MalformedKey) as error:
        SigningKey.from_text(broken)
    assert "AYEKFAL" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not of the form"),
        ("PeterNeumann+c74f20a3", "not of the form"),
        ("PeterNeumann+c74f20a+ARpc", "not of the form"),
        (VKEY.replace("c74f20a3", "c74f20a4"), "its text says c74f20a4"),
        (VKEY[:-1], "base64"),
        (VKEY[:-4], "not an Ed25519 key"),
        (VKEY.replace("+ARpc", "+ARp\n"), "base64"),
        ("Peter Neumann" + VKEY[12:], "white space"),
        ("a+00000000+" + base64.b64encode(b"\x04" + bytes(32)).decode(), "not an Ed25519 key"),
        (SKEY, "private key is given"),
    ],
)
def test_a_malformed_verifier_key_is_refused(text, says):
    with pytest.raises(MalformedKey, match=says):
        VerifyKey.from_text(text)


@pytest.mark.parametrize(
    "text", ["", VKEY, SKEY.replace("c74f20a3", "c74f20a4"), SKEY[:-1], SKEY[:-4], "PRIVATE+KEY+x"]
)
def test_a_malformed_signing_key_is_refused(text):
    with pytest.raises(MalformedKey) as error:
        SigningKey.from_text(text)
    assert isinstance(error.value, PraetorError | ValueError)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x00", "\ud800"])
def test_a_name_that_a_note_cannot_bear_is_refused(name):
    with pytest.raises(MalformedKey):
        SigningKey(name, bytes(32))


@pytest.mark.parametrize(
    "message",
    [
        "",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE.replace("\u2014", "--"),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE + "x\n",
        NOTE + "\n",
        NOTE.replace("x08go", "x08g o"),
        NOTE.replace("AM=\n", "AM\n"),
        NOTE.replace("AM=\n", "AN=\n"),
        NOTE.replace("If", "I\rf"),
        NOTE.replace("If", "I\ud800f"),
        f"{TEXT}\n\u2014 PeterNeumann x08gow==\n",
        f"{TEXT}\n{PETER * 101}",
    ],
)
def test_what_is_no_note_is_refused(message):
    with pytest.raises(MalformedNote):
        open_note(message, [PETER_KEY])


@given(st.integers(0, len(TEXT) - 2), st.characters(min_codepoint=0x20, exclude_categories=["Cs"]))
def test_no_character_of_the_text_can_be_changed(place, character):
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed == NOTE:
        return
    with pytest.raises(BadSignature, match=r"PeterNeumann\+c74f20a3"):
        open_note(changed, [PETER_KEY])


@given(st.integers(32, 543))
def test_no_bit_of_the_signature_can_be_changed(bit):
    raw = bytearray(base64.b64decode(PETER.split(" ")[2]))
    raw[bit // 8] ^= 1 << bit % 8
    forged = f"{TEXT}\n\u2014 PeterNeumann {base64.b64encode(raw).decode()}\n"
    with pytest.raises(BadSignature):
        open_note(forged, [PETER_KEY])


def test_a_stranger_vouches_for_nothing():
    note = sign_note("text\n", [OTHER_KEY])
    with pytest.raises(UnknownSigner, match="log-a"):
        open_note(note, [KEY.verify_key])
    with pytest.raises(UnknownSigner):
        open_note(note, [])


def test_a_false_signature_by_a_known_key_spoils_the_note():
    good = open_note(sign_note("text\n", [OTHER_KEY]), [OTHER_KEY.verify_key])
    wrong = Signature(KEY.name, base64.b64encode(KEY.verify_key.hash + bytes(64)).decode())
    note = sign_note("text\n", [], [*good.verified, wrong])
    with pytest.raises(BadSignature):
        open_note(note, [KEY.verify_key, OTHER_KEY.verify_key])


def test_the_text_may_hold_blank_lines():
    note = sign_note("a\n\nb\n", [KEY])
    assert open_note(note, [KEY.verify_key]).text == "a\n\nb\n"


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n"])
def test_only_text_is_signed(text):
    with pytest.raises(MalformedNote):
        sign_note(text, [KEY])


def test_nobody_signs():
    with pytest.raises(LedgerError, match="no key"):
        sign_note("text\n", [])


def test_of_several_signatures_by_one_key_the_first_counts():
    wrong = f"\u2014 {KEY.name} {base64.b64encode(KEY.verify_key.hash + bytes(64)).decode()}\n"
    good = sign_note("text\n", [KEY])
    assert len(open_note(good + wrong, [KEY.verify_key]).verified) == 1
    with pytest.raises(BadSignature):
        open_note(good.replace("\n\n", "\n\n" + wrong), [KEY.verify_key])
