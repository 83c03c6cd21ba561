"""The keys."""

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, strategies as st

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.tokens.keyring import (
    Ed25519Key,
    HmacKey,
    KeySettings,
    build_key_ring,
)
from tests.support.settings import SECRET_KEY
from tests.unit.shared.tokens.keys import (
    OLD_SECRET_KEY,
    OTHER_VERIFICATION_KEY,
    SHORT_SECRET_KEY,
    SIGNING_KEY,
    VERIFICATION_KEY,
    private_pem,
    public_pem,
    ring,
)

KEY = Ed25519PrivateKey.generate()
PUBLIC = Ed25519Key(KEY.public_key())
SECRET = HmacKey(SECRET_KEY.encode())


def encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def problems(**settings: object) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        build_key_ring(KeySettings(**settings))  # type: ignore[arg-type]
    return caught.value.problems


def test_a_shared_secret_signs_and_verifies() -> None:
    made = ring(SECRET_KEY)
    assert made.signing is not None
    assert made.signing.public.algorithm == "HS256"
    assert list(made.verifying) == [made.signing.public.id]
    assert made.legacy == (SECRET,)


def test_a_retired_secret_only_verifies() -> None:
    made = ring(SECRET_KEY, retired=(OLD_SECRET_KEY, SHORT_SECRET_KEY))
    assert made.signing is not None
    assert made.signing.public == SECRET
    assert len(made.verifying) == 3
    assert [key.secret for key in made.legacy] == [
        text.encode() for text in (SECRET_KEY, OLD_SECRET_KEY, SHORT_SECRET_KEY)
    ]
    assert ring(retired=(OLD_SECRET_KEY,)).signing is None


def test_a_private_key_signs_before_a_secret() -> None:
    made = ring(SECRET_KEY, signing_key=SIGNING_KEY)
    assert made.signing is not None
    assert made.signing.public.algorithm == "EdDSA"
    assert {key.algorithm for key in made.verifying.values()} == {"HS256", "EdDSA"}
    assert made.legacy == (SECRET,)


def test_public_keys_verify_and_cannot_sign() -> None:
    made = ring(verification_keys=VERIFICATION_KEY + OTHER_VERIFICATION_KEY)
    assert made.signing is None
    assert len(made.verifying) == 2
    assert made.legacy == ()


def test_a_secret_beside_public_keys_does_not_sign() -> None:
    # It is there for the predecessors' links; this service is none that makes shares.
    assert ring(SECRET_KEY, verification_keys=VERIFICATION_KEY).signing is None


def test_the_public_key_of_the_signing_key_counts_once() -> None:
    made = ring(signing_key=SIGNING_KEY, verification_keys=VERIFICATION_KEY)
    assert len(made.verifying) == 1


def test_text_between_public_keys_is_no_mistake() -> None:
    text = f"newest\n{VERIFICATION_KEY}\nretired 2026\n{OTHER_VERIFICATION_KEY}"
    assert len(ring(verification_keys=text).verifying) == 2


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS is missing."),
        ({"secret_key": ""}, "SECRET_KEY is shorter than 32 bytes."),
        ({"secret_key": SECRET_KEY[:31]}, "SECRET_KEY is shorter than 32 bytes."),
        (
            {"secret_key": "Change-Me-" + SECRET_KEY},
            "SECRET_KEY is a sample value: make a random one.",
        ),
        (
            {"secret_key": "this-is-an-example-of-a-secret-key"},
            "SECRET_KEY is a sample value: make a random one.",
        ),
        (
            {"secret_key": "abcabc" * 9},
            "SECRET_KEY repeats a few characters: make a random one.",
        ),
        (
            {"secret_key": SIGNING_KEY},
            "SECRET_KEY is a key pair's file: make a random text.",
        ),
        (
            {"secret_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"},
            "SECRET_KEY is a key pair's file: make a random text.",
        ),
        (
            {"secret_keys_retired": ["kV3zQ8mT1xWp6Rb"]},
            "SECRET_KEYS_RETIRED is shorter than 16 bytes.",
        ),
        (
            {"secret_keys_retired": ["changeme" * 4]},
            "SECRET_KEYS_RETIRED is a sample value: make a random one.",
        ),
        (
            {"signing_key": "nonsense"},
            "SIGNING_KEY is not an unencrypted private key in PEM.",
        ),
        (
            {"signing_key": VERIFICATION_KEY},
            "SIGNING_KEY is not an unencrypted private key in PEM.",
        ),
        (
            {"signing_key": private_pem(generate_private_key(SECP256R1()))},
            "SIGNING_KEY is not an Ed25519 key.",
        ),
        (
            {"verification_keys": "nonsense"},
            "VERIFICATION_KEYS holds no public key in PEM.",
        ),
        (
            {"verification_keys": "-----BEGIN PUBLIC KEY-----\nnonsense"},
            "VERIFICATION_KEYS holds something that is no public key.",
        ),
        (
            {"verification_keys": SIGNING_KEY},
            "VERIFICATION_KEYS holds something that is no public key.",
        ),
        (
            {"verification_keys": public_pem(X25519PrivateKey.generate())},
            "VERIFICATION_KEYS holds a key that is not Ed25519.",
        ),
    ],
)
def test_a_key_that_is_none_stops_the_service(
    settings: dict[str, object], line: str
) -> None:
    assert problems(**settings) == (line,)


def test_an_encrypted_private_key_is_refused() -> None:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    expected = "SIGNING_KEY is not an unencrypted private key in PEM."
    assert problems(signing_key=pem.decode()) == (expected,)


def test_every_mistake_is_told_at_once() -> None:
    lines = problems(
        secret_key="short",
        secret_keys_retired=["short", "change-me"],
        signing_key="nonsense",
        verification_keys=VERIFICATION_KEY + "-----BEGIN PUBLIC KEY-----",
    )
    assert [line.split()[0] for line in lines] == [
        "SECRET_KEY",
        "SECRET_KEYS_RETIRED",
        "SECRET_KEYS_RETIRED",
        "SIGNING_KEY",
        "VERIFICATION_KEYS",
    ]


def test_no_text_of_keys_shows_a_secret() -> None:
    settings = KeySettings(
        secret_key=SECRET_KEY,
        secret_keys_retired=[OLD_SECRET_KEY],
        signing_key=SIGNING_KEY,
        verification_keys=SIGNING_KEY,  # by mistake
    )
    made = ring(SECRET_KEY, retired=(OLD_SECRET_KEY,), signing_key=SIGNING_KEY)
    only_secret = ring(SECRET_KEY)
    for shown in (settings, made, made.signing, only_secret, only_secret.signing):
        text = f"{shown!r} {shown}"
        assert SECRET_KEY not in text
        assert OLD_SECRET_KEY not in text
        assert "PRIVATE" not in text
        assert SIGNING_KEY.splitlines()[1] not in text


def test_an_id_tells_keys_apart_and_stays_the_same_over_releases() -> None:
    # Tokens that are out name it.
    assert HmacKey(b"k" * 32).id == "VcGriwkiJlA"
    public = Ed25519PublicKey.from_public_bytes(b"k" * 32)
    assert Ed25519Key(public).id == "JrP8nzT3VcT"
    assert HmacKey(b"l" * 32).id != HmacKey(b"k" * 32).id


def test_the_id_of_a_public_key_begins_its_thumbprint() -> None:
    # The example of RFC 8037, appendix A.3.
    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert thumbprint.startswith(Ed25519Key(Ed25519PublicKey.from_public_bytes(x)).id)


@given(st.binary(max_size=200))
def test_a_signature_of_ours_is_accepted_in_its_one_spelling(signed: bytes) -> None:
    digest = hmac.digest(SECRET.secret, signed, hashlib.sha256)
    assert SECRET.verifies(signed, encoded(digest))
    assert not SECRET.verifies(signed, base64.urlsafe_b64encode(digest))
    signature = KEY.sign(signed)
    assert PUBLIC.verifies(signed, encoded(signature))
    assert not PUBLIC.verifies(signed, base64.urlsafe_b64encode(signature))


@given(
    signed=st.binary(max_size=50),
    place=st.integers(0, 10**6),
    other=st.one_of(
        st.sampled_from(b"ABCXYZabcxyz0189-_+/=. \n\xc3"), st.integers(0, 255)
    ).map(lambda character: bytes([character])),
)
def test_any_other_character_in_a_signature_is_refused(
    signed: bytes, place: int, other: bytes
) -> None:
    good: list[tuple[HmacKey | Ed25519Key, bytes]] = [
        (SECRET, encoded(hmac.digest(SECRET.secret, signed, hashlib.sha256))),
        (PUBLIC, encoded(KEY.sign(signed))),
    ]
    for key, signature in good:
        at = place % len(signature)
        changed = signature[:at] + other + signature[at + 1 :]
        assert key.verifies(signed, changed) is (changed == signature)
        assert not key.verifies(signed, signature + other)
        assert not key.verifies(signed, signature[:at])


@given(st.binary(max_size=300))
def test_a_signature_may_be_any_bytes(noise: bytes) -> None:
    assert not SECRET.verifies(b"signed", noise)
    assert not PUBLIC.verifies(b"signed", noise)
