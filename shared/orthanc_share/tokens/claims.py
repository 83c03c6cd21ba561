"""Shares as claims: the wire form of a token's content.

Wire rule: a claim may be added, none may change its meaning or disappear, for links
that are out live for years.

| claim | meaning |
|---|---|
| `iss` | `orthanc-share` |
| `aud` | `orthanc-share:standard` or `orthanc-share:anonymized` (the flavour) |
| `iat`, `nbf`, `exp` | NumericDate; no `exp`: never expires |
| `jti` | the share's id; in a viewer token the id of the view |
| `sid` | in a viewer token: the share's id |
| `opn` | true: opens nothing by itself, see `Share.needs_opening` |
| `use` | the share type, a token type of the plugin |
| `res` | the resources: `{"l": level, "u": dicom-uid, "o": orthanc-id}` |
| `box` | instead of `res` in an anonymized share: the same list, sealed |
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from orthanc_share.domain.clock import END_OF_TIME
from orthanc_share.domain.errors import InvalidResourceError, InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.tokens.sealing import Sealer

ISSUER = "orthanc-share"
"""The claim `iss` (RFC 7519 4.1.1)."""

AUDIENCES = {flavour: f"{ISSUER}:{flavour}" for flavour in Flavour}
"""The claim `aud` (RFC 7519 4.1.3): a token of one flavour is none of the other."""

_FLAVOURS = {audience: flavour for flavour, audience in AUDIENCES.items()}
_LAST_SECOND = int(END_OF_TIME.timestamp())


class ResourceClaim(msgspec.Struct, omit_defaults=True, frozen=True):
    """One resource, with short names and without the level study: links stay short."""

    u: str | None = None
    o: str | None = None
    l: Level = Level.STUDY  # noqa: E741 - the wire name


class ShareClaims(msgspec.Struct, omit_defaults=True, frozen=True):
    """All claims of a share token."""

    iss: str
    aud: str
    jti: str
    iat: int
    nbf: int
    use: ShareType
    exp: int | None = None
    res: list[ResourceClaim] | None = None
    box: str | None = None
    sid: str | None = None
    opn: bool = False


_decode_claims = msgspec.json.Decoder(ShareClaims).decode
_decode_resources = msgspec.json.Decoder(list[ResourceClaim]).decode


def to_claims(share: Share, now: datetime, sealer: Sealer | None) -> dict[str, Any]:
    """Return the claims of `share`.

    Args:
        share: The share.
        now: The present instant, for `iat` and `nbf` where the share has none.
        sealer: Seals the resources of an anonymized share.

    Raises:
        InvalidTokenError: An anonymized share and no sealer.
    """
    issued = share.issued_at or now
    resources = [
        ResourceClaim(r.dicom_uid, r.orthanc_id, r.level) for r in share.resources
    ]
    is_sealed = share.flavour is Flavour.ANONYMIZED
    claims = ShareClaims(
        iss=ISSUER,
        aud=AUDIENCES[share.flavour],
        jti=share.id if share.view_id is None else share.view_id,
        sid=None if share.view_id is None else share.id,
        opn=share.needs_opening and share.view_id is None,
        iat=int(issued.timestamp()),
        nbf=int((share.not_before or issued).timestamp()),
        exp=None if share.expires_at is None else int(share.expires_at.timestamp()),
        use=share.type,
        res=None if is_sealed else resources,
        box=_seal(resources, share.id, sealer) if is_sealed else None,
    )
    built: dict[str, Any] = msgspec.to_builtins(claims)
    return built


def from_claims(payload: bytes, sealer: Sealer | None) -> Share:
    """Return the share in `payload`, the JSON text of verified claims.

    Raises:
        InvalidTokenError: Claims missing, of a wrong type, or of another issuer.
    """
    try:
        claims = _decode_claims(payload)
        if claims.iss != ISSUER or claims.aud not in _FLAVOURS:
            raise InvalidTokenError("The token was not issued for shares.")
        return Share(
            id=claims.jti if claims.sid is None else claims.sid,
            view_id=None if claims.sid is None else claims.jti,
            needs_opening=claims.opn,
            type=claims.use,
            flavour=_FLAVOURS[claims.aud],
            resources=_resources(claims, sealer),
            issued_at=_instant(claims.iat),
            not_before=_instant(claims.nbf),
            expires_at=None if claims.exp is None else _instant(claims.exp),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidResourceError) as error:
        raise InvalidTokenError("The token's content is not a share.") from error


def _resources(claims: ShareClaims, sealer: Sealer | None) -> tuple[Resource, ...]:
    sealed = claims.aud == AUDIENCES[Flavour.ANONYMIZED]
    if sealed and claims.box is not None and sealer is not None:
        claimed = _decode_resources(sealer.unseal(claims.box, claims.sid or claims.jti))
    elif not sealed and claims.res is not None:
        claimed = claims.res
    else:
        raise InvalidTokenError("The token's resources cannot be read here.")
    return tuple(Resource(claim.l, claim.u, claim.o) for claim in claimed)


def _seal(resources: list[ResourceClaim], share_id: str, sealer: Sealer | None) -> str:
    if sealer is None:
        raise InvalidTokenError("Without DEIDENTIFICATION_KEY nothing is anonymized.")
    return sealer.seal(msgspec.json.encode(resources), share_id)


def _instant(seconds: int) -> datetime:
    if not 0 <= seconds <= _LAST_SECOND:
        raise InvalidTokenError("The token names an instant that cannot be.")
    return datetime.fromtimestamp(seconds, UTC)
