"""Sealed resources."""

import base64

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.tokens.sealing import Sealer
from tests.support.settings import DEIDENTIFICATION_KEY

SEALER = Sealer(DEIDENTIFICATION_KEY.encode())
OTHER_SEALER = Sealer(DEIDENTIFICATION_KEY.encode()[::-1])
JSON = b'[{"u":"1.2.276.0.99.1"}]'

json_texts = st.binary(max_size=600).map(lambda noise: noise.hex().encode())


@given(json=json_texts, share_id=st.text("abc-_1", max_size=22))
def test_what_was_sealed_is_read_again(json: bytes, share_id: str) -> None:
    sealed = SEALER.seal(json, share_id)
    assert SEALER.unseal(sealed, share_id).rstrip(b" ") == json


@given(json=json_texts, place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(json: bytes, place: int, bit: int) -> None:
    sealed = SEALER.seal(json, "share-1")
    raw = bytearray(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    raw[place % len(raw)] ^= 1 << bit
    changed = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(InvalidTokenError):
        SEALER.unseal(changed, "share-1")


@given(
    json=json_texts,
    place=st.integers(0, 10**6),
    other=st.characters(exclude_categories=["Cs"]),
)
def test_any_other_character_is_refused(json: bytes, place: int, other: str) -> None:
    sealed = SEALER.seal(json, "share-1")
    at = place % len(sealed)
    changed = sealed[:at] + other + sealed[at + 1 :]
    if changed == sealed:
        return
    for text in (changed, sealed + other, other + sealed, sealed[:at]):
        with pytest.raises(InvalidTokenError):
            SEALER.unseal(text, "share-1")


def test_the_last_character_has_one_spelling() -> None:
    sealed = SEALER.seal(JSON, "share-1")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for other in alphabet.replace(sealed[-1], ""):
        with pytest.raises(InvalidTokenError):
            SEALER.unseal(sealed[:-1] + other, "share-1")


@given(st.text(max_size=100))
def test_any_text_may_come(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        SEALER.unseal(text, "share-1")


def test_it_is_bound_to_its_share_and_key() -> None:
    sealed = SEALER.seal(JSON, "share-1")
    with pytest.raises(InvalidTokenError):
        SEALER.unseal(sealed, "share-2")
    with pytest.raises(InvalidTokenError):
        OTHER_SEALER.unseal(sealed, "share-1")


def test_it_shows_neither_content_nor_exact_length() -> None:
    one, two = SEALER.seal(JSON, "share-1"), SEALER.seal(JSON, "share-1")
    assert one != two
    assert len(one) == len(SEALER.seal(JSON * 10, "share-1"))
    raw = base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))
    assert b"1.2.276" not in raw


def test_a_short_key_is_refused_without_being_told() -> None:
    key = DEIDENTIFICATION_KEY.encode()[:31]
    with pytest.raises(
        ConfigurationError, match="DEIDENTIFICATION_KEY is shorter"
    ) as e:
        Sealer(key)
    assert key.decode() not in str(e.value)
    assert DEIDENTIFICATION_KEY not in repr(SEALER)
