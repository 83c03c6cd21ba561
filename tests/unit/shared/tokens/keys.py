"""Keys for tests, made anew in each run or made up."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orthanc_share.tokens.keyring import KeyRing, KeySettings, build_key_ring
from tests.support.settings import SECRET_KEY

OLD_SECRET_KEY = "tG7pXw3LqZ9nKc5RvYd2MsHf8JjUb4Ea"  # made up, for tests only
SHORT_SECRET_KEY = "kV3zQ8mT1xWp6RbN"  # made up: 16 bytes, as a predecessor's may be


def private_pem(key: object) -> str:
    """Return any private key as PKCS#8 PEM."""
    assert hasattr(key, "private_bytes")
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


def public_pem(key: object) -> str:
    """Return the public part of any private key as PEM."""
    assert hasattr(key, "public_key")
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


_FIRST, _SECOND = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
SIGNING_KEY, OTHER_SIGNING_KEY = private_pem(_FIRST), private_pem(_SECOND)
VERIFICATION_KEY, OTHER_VERIFICATION_KEY = public_pem(_FIRST), public_pem(_SECOND)


def ring(
    secret_key: str | None = None,
    *,
    retired: tuple[str, ...] = (),
    signing_key: str | None = None,
    verification_keys: str | None = None,
) -> KeyRing:
    """Return the ring of these keys; without any that of `SECRET_KEY`."""
    if not (secret_key or retired or signing_key or verification_keys):
        secret_key = SECRET_KEY
    return build_key_ring(
        KeySettings(
            secret_key=secret_key,
            secret_keys_retired=retired,
            signing_key=signing_key,
            verification_keys=verification_keys,
        )
    )
