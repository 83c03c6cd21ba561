"""Pseudonyms of UIDs and Orthanc ids: keyed, and different in every share.

`HMAC-SHA256(K_share, id)` with `K_share` derived from the site's key and the share's
id: the same id has the same pseudonym everywhere in one share, two shares cannot be
joined, and nothing can be found by trying ids.
"""

import hmac
import uuid
from dataclasses import dataclass, field

from orthanc_share.deidentification.data_files import read

_CODING_SCHEMES = frozenset(
    {
        "2.16.840.1.113883.3.26.1.1",  # NCIt
        "2.16.840.1.113883.6.1",  # LOINC
        "2.16.840.1.113883.6.8",  # UCUM
        "2.16.840.1.113883.6.24",  # MDC
        "2.16.840.1.113883.6.86",  # UMLS
        "2.16.840.1.113883.6.88",  # RxNorm
        "2.16.840.1.113883.6.96",  # SNOMED CT
        "2.16.840.1.113883.6.119",  # FMA
        "2.16.840.1.113883.6.256",  # RadLex
    }
)

REGISTERED_UIDS = frozenset(read("uids.json", list[str])) | _CODING_SCHEMES
"""UIDs that name no patient: those of PS3.6 Annex A (SOP classes, transfer syntaxes,
well-known frames of reference and the like) and coding schemes of PS3.16 8.

Not everything below the root of DICOM, 1.2.840.10008: anybody can put digits there.
"""

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

        Registered UIDs stay as they are. One function serves all levels: some objects
        put a StudyInstanceUID where a SOPInstanceUID belongs.
        """
        if uid in REGISTERED_UIDS:
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

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes that only this share has, others for each purpose."""
        return _hmac(self._share_key, b"secret\0" + purpose.encode())


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
