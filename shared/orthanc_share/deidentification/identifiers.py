"""Pseudonyms of UIDs and Orthanc ids: keyed, and different in every share.

`HMAC-SHA256(K_share, id)` with `K_share` derived from the site's key and the share's
id: the same id has the same pseudonym everywhere in one share, two shares cannot be
joined, and nothing can be found by trying ids.
"""

import hmac
import uuid
from dataclasses import dataclass, field

DICOM_STANDARD_ROOT = "1.2.840.10008."
"""UIDs that the DICOM standard itself registers name no patient. Source: PS3.5 9."""

_PURPOSE = b"orthanc-share/deidentification/identifiers/v1\0"
_GROUP_LENGTH = 8  # hexadecimal digits of each of the five groups of an Orthanc id
_ORTHANC_ID_DIGITS = 40


@dataclass(frozen=True, slots=True)
class SharePseudonyms:
    """The pseudonyms of one share.

    Args:
        key: The site's `DEIDENTIFICATION_KEY`, 32 bytes or more.
        share_id: Id of the share (`jti`).
    """

    key: bytes = field(repr=False)
    share_id: str
    _share_key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        derived = _hmac(self.key, _PURPOSE + self.share_id.encode())
        object.__setattr__(self, "_share_key", derived)

    def uid(self, uid: str) -> str:
        """Return the pseudonym of `uid`, in the `2.25.` form of PS3.5 B.2.

        UIDs of the DICOM standard stay as they are. One function serves all levels:
        some objects put a StudyInstanceUID where a SOPInstanceUID belongs.
        """
        if uid.startswith(DICOM_STANDARD_ROOT):
            return uid
        digest = bytearray(_hmac(self._share_key, b"uid\0" + uid.encode())[:16])
        digest[6] = digest[6] & 0x0F | 0x80  # UUID version 8 (RFC 9562 5.8)
        digest[8] = digest[8] & 0x3F | 0x80  # variant
        return f"2.25.{uuid.UUID(bytes=bytes(digest)).int}"

    def orthanc_id(self, orthanc_id: str) -> str:
        """Return the pseudonym of `orthanc_id`, in Orthanc's own form."""
        digest = _hmac(self._share_key, b"orthanc-id\0" + orthanc_id.encode())
        digits = digest.hex()[:_ORTHANC_ID_DIGITS]
        starts = range(0, _ORTHANC_ID_DIGITS, _GROUP_LENGTH)
        return "-".join(digits[start : start + _GROUP_LENGTH] for start in starts)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
