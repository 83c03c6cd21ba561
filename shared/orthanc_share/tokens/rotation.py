"""New keys beside the old ones, whose links keep working."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.tokens.keyring import (
    Ed25519Key,
    HmacKey,
    private_key,
    public_keys,
)

NEW_SECRET_BYTES = 48
"""Random bytes of a new shared secret: 64 characters, no blank or comma."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """New keys.

    Args:
        old: `kid` of the key that signed.
        new: `kid` of the key that signs from now on.
        signing: `SIGNING_KEY` or `SECRET_KEY`.
        verifying: Each key of `VERIFICATION_KEYS`, or of `SECRET_KEYS_RETIRED`.
    """

    old: str
    new: str
    signing: str = field(repr=False)
    verifying: tuple[str, ...] = field(repr=False)


def rotate_ed25519(signing_key: str, verification_keys: str | None) -> Rotated:
    """Return a new key pair; the public keys are the new one and all old ones.

    Args:
        signing_key: `SIGNING_KEY`, PEM.
        verification_keys: `VERIFICATION_KEYS`, PEM blocks.

    Raises:
        ConfigurationError: One of them cannot be read.
    """
    problems: list[str] = []
    old = private_key(signing_key, problems)
    others = public_keys(verification_keys, problems)
    if old is None or problems:
        raise ConfigurationError(problems)
    new = Ed25519PrivateKey.generate()
    publics = [new.public_key(), old.public_key(), *(key.public for key in others)]
    return Rotated(
        old=Ed25519Key(old.public_key()).id,
        new=Ed25519Key(new.public_key()).id,
        signing=new.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        verifying=tuple(dict.fromkeys(map(_pem, publics))),
    )


def rotate_hmac(secret_key: str, retired: Sequence[str]) -> Rotated:
    """Return a new shared secret; the retired ones are the old one and all before it.

    Args:
        secret_key: `SECRET_KEY`.
        retired: `SECRET_KEYS_RETIRED`.
    """
    new = secrets.token_urlsafe(NEW_SECRET_BYTES)
    return Rotated(
        old=HmacKey(secret_key.encode()).id,
        new=HmacKey(new.encode()).id,
        signing=new,
        verifying=tuple(dict.fromkeys([secret_key, *retired])),
    )


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
