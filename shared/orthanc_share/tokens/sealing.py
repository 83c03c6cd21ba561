"""Sealed resources: what an anonymized share opens, unreadable in its token."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.tokens import base64url

DEIDENTIFICATION_KEY_LENGTH_MIN = 32
"""Shortest `DEIDENTIFICATION_KEY`, in bytes."""

_PURPOSE = b"orthanc-share/sealed-resources/v1"
_NONCE_LENGTH = 12  # bytes, RFC 8439
_BLOCK_LENGTH = 256  # bytes; the padded length tells little about the number of studies


class Sealer:
    """Encrypts and authenticates a part of a token (ChaCha20-Poly1305).

    Args:
        key: The site's `DEIDENTIFICATION_KEY`.

    Raises:
        ConfigurationError: The key is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < DEIDENTIFICATION_KEY_LENGTH_MIN:
            least = DEIDENTIFICATION_KEY_LENGTH_MIN
            problem = f"DEIDENTIFICATION_KEY is shorter than {least} bytes."
            raise ConfigurationError([problem])
        derived = HKDFExpand(hashes.SHA256(), 32, _PURPOSE).derive(key)
        self._cipher = ChaCha20Poly1305(derived)

    def seal(self, json: bytes, share_id: str) -> str:
        """Return the JSON text `json` sealed, base64url, bound to the share's id."""
        padded = json + b" " * (-len(json) % _BLOCK_LENGTH)
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        sealed = nonce + self._cipher.encrypt(nonce, padded, share_id.encode())
        return base64url.encode(sealed).decode()

    def unseal(self, sealed: str, share_id: str) -> bytes:
        """Return the JSON text in `sealed`.

        Raises:
            InvalidTokenError: Sealed with another key or for another share.
        """
        try:
            raw = base64url.decode(sealed.encode())
            nonce, encrypted = raw[:_NONCE_LENGTH], raw[_NONCE_LENGTH:]
            return self._cipher.decrypt(nonce, encrypted, share_id.encode())
        except (ValueError, InvalidTag) as error:
            raise InvalidTokenError("The sealed part cannot be opened.") from error
