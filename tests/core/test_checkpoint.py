"""Checkpoints are held to our vectors, which Go's x/mod/sumdb/note and transparency-dev/formats accepted."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import checkpoint
from compliance.core.checkpoint import Checkpoint, LogKey
from compliance.errors import BadSignature, InvalidInput, VerificationFailed

ALL = json.loads((Path(__file__).parents[1] / "vectors/evidence.json").read_text(encoding="utf-8"))
VECTORS = ALL["checkpoint"]
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(ALL["keys"]["log_ed25519_seed"]))
PUBLIC = bytes.fromhex(ALL["keys"]["log_ed25519_pub"])
ORIGIN = "evidence.example.org/cxr"
HEAD = Checkpoint(ORIGIN, 7, bytes.fromhex(ALL["merkle"]["roots"]["7"]))
OURS = checkpoint.sign(HEAD, KEY.sign, PUBLIC)


def test_text_key_and_signature_are_the_vectors() -> None:
    assert HEAD.body() == VECTORS["body"]
    assert checkpoint.vkey(ORIGIN, PUBLIC) == VECTORS["log_vkey"]
    assert VECTORS["note"].startswith(OURS)  # theirs carries a witness's signature as well
    assert str(LogKey.parse(VECTORS["log_vkey"])) == VECTORS["log_vkey"]


def test_a_witness_that_we_do_not_know_is_passed_over() -> None:
    assert checkpoint.verify(VECTORS["note"], VECTORS["log_vkey"]) == HEAD
    assert checkpoint.unverified(VECTORS["note"]) == HEAD


def test_the_example_of_the_signed_note_specification() -> None:
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    with pytest.raises(VerificationFailed, match="origin, size or root"):  # the signature holds; it is no checkpoint
        checkpoint.verify(note, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    with pytest.raises(BadSignature, match="does not match"):
        checkpoint.verify(
            note.replace("cryptography", "Cryptography"),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        )


def test_a_signature_has_one_spelling_only() -> None:
    """The last digit before the padding holds bits that no byte keeps."""
    end = OURS.rindex("=")
    while OURS[end - 1] == "=":
        end -= 1
    last = OURS[end - 1]
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".replace(last, ""):
        with pytest.raises((BadSignature, VerificationFailed)):
            checkpoint.verify(OURS[: end - 1] + other + OURS[end:], VECTORS["log_vkey"])


@given(st.data())
def test_no_changed_character_is_accepted(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(OURS) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != OURS[place]))
    with pytest.raises((BadSignature, VerificationFailed)):
        checkpoint.verify(OURS[:place] + other + OURS[place + 1 :], VECTORS["log_vkey"])


@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises((BadSignature, VerificationFailed)):
        checkpoint.verify(text, VECTORS["log_vkey"])


def test_another_log_is_another_log() -> None:
    with pytest.raises(BadSignature, match="not signed by"):
        checkpoint.verify(OURS, checkpoint.vkey("other.example.org", PUBLIC))
    stranger = LogKey(ORIGIN, PUBLIC)
    body = f"other.example.org\n7\n{VECTORS['body'].splitlines()[2]}\n"
    import base64

    signature = base64.b64encode(stranger.key_id + KEY.sign(body.encode())).decode()
    with pytest.raises(VerificationFailed, match=r"is about other\.example\.org"):
        checkpoint.verify(f"{body}\n— {ORIGIN} {signature}\n", stranger)


@pytest.mark.parametrize("size", ["07", "-1", "+7", "7 ", "٧", "", "9" * 20])
def test_a_size_has_one_spelling(size: str) -> None:
    import base64

    body = VECTORS["body"].replace("\n7\n", f"\n{size}\n")
    signature = base64.b64encode(LogKey(ORIGIN, PUBLIC).key_id + KEY.sign(body.encode())).decode()
    with pytest.raises(VerificationFailed):
        checkpoint.verify(f"{body}\n— {ORIGIN} {signature}\n", VECTORS["log_vkey"])


@pytest.mark.parametrize(
    "key", ["", "a+b", "a b+00000000+AQ==", VECTORS["log_vkey"].replace("37e1", "37e2"), VECTORS["witness_vkey"]]
)
def test_what_is_no_log_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        LogKey.parse(key)


def test_a_name_without_spaces_or_plus() -> None:
    with pytest.raises(InvalidInput, match="cannot name a log"):
        checkpoint.vkey("two words", PUBLIC)
