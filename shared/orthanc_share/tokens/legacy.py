"""Claims of the predecessors' tokens, three shapes (protocol A.1, B.1.5).

| release | resources | expiry |
|---|---|---|
| orthanc-share ≤ 22.10.5 | `dicom_uid`, `orthanc_id` at the top | `expiration_date` |
| orthanc-share ≤ 23.1.0 | `studies: [{dicom_uid, orthanc_id}]` | `expiration_date` |
| orthanc-auth-service | `resources: [{dicom_uid, orthanc_id, level}]` | the same |
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.errors import InvalidResourceError, InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType

_ID_LENGTH = 22  # characters, as long as our own


class LegacyResource(msgspec.Struct, frozen=True):
    """A study of the predecessors; the level came with orthanc-auth-service."""

    dicom_uid: str | None = None
    orthanc_id: str | None = None
    level: Level | None = None


class LegacyClaims(msgspec.Struct, frozen=True):
    """The three shapes in one: exactly one kind of resources is filled."""

    type: ShareType
    expiration_date: str | None = None
    anonymized: bool = False
    resources: list[LegacyResource] | None = None
    studies: list[LegacyResource] | None = None
    dicom_uid: str | None = None
    orthanc_id: str | None = None


_decode = msgspec.json.Decoder(LegacyClaims).decode


def from_legacy_claims(payload: bytes, token: str, until: datetime | None) -> Share:
    """Return the share in the verified claims of a predecessor's token.

    Args:
        payload: JSON text of the claims.
        token: The whole token; its hash serves as the share's id.
        until: Instant from which no predecessor's token is valid any more, or None.

    Raises:
        InvalidTokenError: None of the three shapes.
    """
    try:
        claims = _decode(payload)
        return Share(
            id=_share_id(token),
            type=claims.type,
            flavour=Flavour.ANONYMIZED if claims.anonymized else Flavour.STANDARD,
            resources=tuple(_resources(claims)),
            expires_at=_expiry(claims, until),
        )
    except (msgspec.DecodeError, InvalidResourceError, ValueError) as error:
        raise InvalidTokenError("The token's content is not a share.") from error


def _resources(claims: LegacyClaims) -> Iterator[Resource]:
    listed = claims.resources if claims.resources is not None else claims.studies
    if listed is None:
        listed = [LegacyResource(claims.dicom_uid, claims.orthanc_id)]
    for one in listed:
        # A predecessor's token may hold empty texts where it had no id.
        ids = one.dicom_uid or None, one.orthanc_id or None
        yield Resource(one.level or Level.STUDY, *ids)


def _expiry(claims: LegacyClaims, until: datetime | None) -> datetime | None:
    stated = claims.expiration_date
    end = None if stated is None else to_utc(datetime.fromisoformat(stated))
    ends = [instant for instant in (end, until) if instant is not None]
    return min(ends, default=None)


def _share_id(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:_ID_LENGTH]
