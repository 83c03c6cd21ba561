"""The keys: one signs, all verify, and each knows only its own algorithm."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from jwt.utils import is_pem_format, is_ssh_key

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.tokens import base64url

HMAC_KEY_LENGTH_MIN = 32
"""Shortest key that may sign, in bytes. Source: RFC 7518 3.2."""

RETIRED_KEY_LENGTH_MIN = 16
"""Shortest retired key, in bytes: what a predecessor's site may have used."""

KEY_ID_LENGTH = 11
"""Characters of a `kid`; 66 bits tell a handful of keys apart."""

SAMPLE_KEY_MARKS = ("change-me", "changeme", "change_me", "example", "sample")
"""Parts of the keys that the predecessors' and our own samples show."""

_PEM_BEGIN = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A shared secret: who can verify can also sign.

    Args:
        secret: The key, as the bytes of the text that was configured.
    """

    secret: bytes = field(repr=False)
    algorithm: str = field(default="HS256", init=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hmac.digest(self.secret, b"orthanc-share/kid", "sha256")
        object.__setattr__(
            self, "id", base64url.encode(digest).decode()[:KEY_ID_LENGTH]
        )

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Tell whether `signature`, base64url, belongs to the bytes `signed`.

        The encoded forms are compared, so that only the canonical one is accepted.
        """
        expected = hmac.digest(self.secret, signed, "sha256")
        return hmac.compare_digest(base64url.encode(expected), signature)


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """A public key: who can verify cannot sign (RFC 8037).

    Args:
        public: The public key.
    """

    public: Ed25519PublicKey = field(repr=False)
    algorithm: str = field(default="EdDSA", init=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        # The thumbprint of RFC 7638: members in this order, no blanks.
        x = base64url.encode(self.public.public_bytes_raw()).decode()
        jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()
        thumbprint = base64url.encode(hashlib.sha256(jwk).digest()).decode()
        object.__setattr__(self, "id", thumbprint[:KEY_ID_LENGTH])

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Tell whether `signature`, base64url, belongs to the bytes `signed`."""
        try:
            self.public.verify(base64url.decode(signature), signed)
        except (ValueError, InvalidSignature):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that makes new tokens.

    Args:
        public: Its verifying side.
        material: The private key as PyJWT takes it.
    """

    public: HmacKey | Ed25519Key
    material: bytes | Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a service.

    Args:
        signing: Makes new tokens; None in services that can only check them.
        verifying: All keys whose tokens are accepted, by `kid`.
        legacy: Shared secrets with which the predecessors' tokens may be signed.
    """

    signing: SigningKey | None
    verifying: dict[str, HmacKey | Ed25519Key]
    legacy: tuple[HmacKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """The keys as they are configured, each None or empty where not given.

    Args:
        secret_key: `SECRET_KEY`, text of the shared secret.
        secret_keys_retired: `SECRET_KEYS_RETIRED`, older shared secrets.
        signing_key: `SIGNING_KEY`, Ed25519 private key, PKCS#8 PEM.
        verification_keys: `VERIFICATION_KEYS`, Ed25519 public keys, PEM blocks.
    """

    secret_key: str | None = field(default=None, repr=False)
    secret_keys_retired: Sequence[str] = field(default=(), repr=False)
    signing_key: str | None = field(default=None, repr=False)
    verification_keys: str | None = field(default=None, repr=False)


def build_key_ring(settings: KeySettings) -> KeyRing:
    """Return the ring of the configured keys.

    An Ed25519 `signing_key` signs before a `secret_key`, which then only verifies.

    Raises:
        ConfigurationError: A key that is weak, a sample, unreadable, or no key.
    """
    problems: list[str] = []
    secrets = _hmac_keys(settings, problems)
    private = private_key(settings.signing_key, problems)
    publics = public_keys(settings.verification_keys, problems)
    if private is not None:
        publics.append(Ed25519Key(private.public_key()))
    if not (secrets or publics or problems):
        problems.append("SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS is missing.")
    if problems:
        raise ConfigurationError(problems)
    keys: list[HmacKey | Ed25519Key] = [*secrets, *publics]
    return KeyRing(
        signing=_signing_key(private, secrets, settings),
        verifying={key.id: key for key in keys},
        legacy=tuple(secrets),
    )


def _signing_key(
    private: Ed25519PrivateKey | None, secrets: Sequence[HmacKey], settings: KeySettings
) -> SigningKey | None:
    if private is not None:
        return SigningKey(Ed25519Key(private.public_key()), private)
    # Public keys without the private one: this service checks, it does not sign.
    if settings.secret_key and not settings.verification_keys:
        return SigningKey(secrets[0], secrets[0].secret)
    return None


def _hmac_keys(settings: KeySettings, problems: list[str]) -> list[HmacKey]:
    keys = []
    if settings.secret_key is not None:
        least = HMAC_KEY_LENGTH_MIN
        problems += weaknesses("SECRET_KEY", settings.secret_key, least)
        keys.append(HmacKey(settings.secret_key.encode()))
    for text in settings.secret_keys_retired:
        problems += weaknesses("SECRET_KEYS_RETIRED", text, RETIRED_KEY_LENGTH_MIN)
        keys.append(HmacKey(text.encode()))
    return keys


def weaknesses(setting: str, text: str, least: int) -> Iterator[str]:
    """Yield a line if a secret can be guessed, or is no secret.

    Args:
        setting: Its variable.
        text: The secret.
        least: Shortest secret, in bytes.
    """
    if any(mark in text.lower() for mark in SAMPLE_KEY_MARKS):
        yield f"{setting} is a sample value: make a random one."
    elif is_pem_format(text.encode()) or is_ssh_key(text.encode()):
        yield f"{setting} is a key pair's file: make a random text."
    elif len(text.encode()) < least:
        yield f"{setting} is shorter than {least} bytes."
    elif len(set(text)) < least // 4:
        yield f"{setting} repeats a few characters: make a random one."


def private_key(pem: str | None, problems: list[str]) -> Ed25519PrivateKey | None:
    """Return the key in `SIGNING_KEY`; what is wrong with it is added to `problems`."""
    if pem is None:
        return None
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        problems.append("SIGNING_KEY is not an unencrypted private key in PEM.")
        return None
    if isinstance(key, Ed25519PrivateKey):
        return key
    problems.append("SIGNING_KEY is not an Ed25519 key.")
    return None


def public_keys(pems: str | None, problems: list[str]) -> list[Ed25519Key]:
    """Return the keys in `VERIFICATION_KEYS`; mistakes are added to `problems`."""
    keys = []
    blocks = [] if pems is None else pems.split(_PEM_BEGIN)[1:]
    if pems is not None and not blocks:
        problems.append("VERIFICATION_KEYS holds no public key in PEM.")
    for block in blocks:
        try:
            key = serialization.load_pem_public_key((_PEM_BEGIN + block).encode())
        except (ValueError, UnsupportedAlgorithm):
            problems.append("VERIFICATION_KEYS holds something that is no public key.")
            continue
        if isinstance(key, Ed25519PublicKey):
            keys.append(Ed25519Key(key))
        else:
            problems.append("VERIFICATION_KEYS holds a key that is not Ed25519.")
    return keys
