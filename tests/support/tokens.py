"""Tokens that the service never made: of others, of predecessors, of attackers."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import HmacKey, KeySettings, build_key_ring
from orthanc_share.tokens.sealing import Sealer
from tests.support.replay import Study
from tests.support.service import NOW, OTHER_STUDY, STUDY
from tests.support.settings import DEIDENTIFICATION_KEY, SECRET_KEY

OTHER_KEY = "tQ7mZ2vLr9XcKs4HyN8bWd3JfGp6UaE5iRo1TgVk"  # made up, for tests only
"""A key that is not the site's."""


def codec(key: str = SECRET_KEY) -> ShareCodec:
    """Return a codec that signs with `key` and seals with the site's key."""
    ring = build_key_ring(KeySettings(secret_key=key))
    sealer = Sealer(DEIDENTIFICATION_KEY.encode())
    return ShareCodec(ring, sealer=sealer, clock=lambda: NOW)


def share_token(
    study: Study = STUDY,
    *,
    key: str = SECRET_KEY,
    kind: ShareType = ShareType.STONE_PUBLICATION,
    flavour: Flavour = Flavour.STANDARD,
    level: Level = Level.STUDY,
    starts: timedelta = timedelta(0),
    ends: timedelta | None = None,
) -> str:
    """Return the token of a share whose start and end are relative to `NOW`."""
    share = Share(
        id="a-share-of-a-test",
        type=kind,
        flavour=flavour,
        resources=(Resource(level, study.dicom_uid, study.orthanc_id),),
        issued_at=NOW + min(starts, timedelta(0)),
        not_before=NOW + starts,
        expires_at=None if ends is None else NOW + ends,
    )
    return codec(key).sign(share)


def header(key: str = SECRET_KEY, **members: Any) -> dict[str, Any]:
    """Return the header of a share token (RFC 7515 4), with changes."""
    own = {"alg": "HS256", "kid": HmacKey(key.encode()).id, "typ": "share+jwt"}
    return own | members


def claims(**members: Any) -> dict[str, Any]:
    """Return the claims of a share of `STUDY`, with changes."""
    now = int(NOW.timestamp())
    return {
        "iss": "orthanc-share",
        "aud": "orthanc-share:standard",
        "jti": "a-share-of-a-test",
        "iat": now,
        "nbf": now,
        "use": "stone-viewer-publication",
        "res": [{"u": STUDY.dicom_uid, "o": STUDY.orthanc_id}],
    } | members


def segment(value: Any) -> str:
    """Return one part of a token: bytes, or anything else as JSON, in base64url."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(headers: Any, payload: Any = None, *, key: str | None = SECRET_KEY) -> str:
    """Return a token with any header, signed with HS256 whatever the header says.

    Args:
        headers: The header: bytes, or JSON.
        payload: The claims: bytes, or JSON; None: of a share of `STUDY`.
        key: What signs; None: an empty signature.
    """
    content = claims() if payload is None else payload
    signed = f"{segment(headers)}.{segment(content)}"
    return f"{signed}." + ("" if key is None else signature_of(signed, key))


def signature_of(signed: str, key: str = SECRET_KEY) -> str:
    """Return the HS256 signature of the first two parts of a token."""
    algorithm = jwt.get_algorithm_by_name("HS256")
    return segment(algorithm.sign(signed.encode(), key.encode()))


def parts(token: str) -> list[bytes]:
    """Return the decoded parts of a token."""
    return [
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        for part in token.split(".")
    ]


def predecessors_claims(shape: str, **members: Any) -> dict[str, Any]:
    """Return a predecessor's claims of `STUDY` (protocol A.1, B.1.5).

    Args:
        shape: `flat` (to 22.10.5), `studies` (to 23.1.0) or `resources` (auth-service).
        members: Changes.
    """
    ids = {"dicom_uid": STUDY.dicom_uid, "orthanc_id": STUDY.orthanc_id}
    leveled = ids | {"url": None, "level": "study"}
    common = {"id": None, "type": "stone-viewer-publication", "expiration_date": None}
    shapes: Mapping[str, dict[str, Any]] = {
        "flat": {**ids, "anonymized": False},
        "studies": {"studies": [ids], "anonymized": False},
        "resources": {"resources": [leveled], "validity_duration": None},
    }
    return common | shapes[shape] | members


def predecessors_token(shape: str, key: str = SECRET_KEY, **members: Any) -> str:
    """Return a token as a predecessor made it: HS256, no registered claim."""
    return jwt.encode(predecessors_claims(shape, **members), key, algorithm="HS256")


def users_token() -> str:
    """Return what Keycloak gives to a user: another issuer, another algorithm."""
    return forged(
        {"alg": "RS256", "typ": "JWT", "kid": "a-key-of-keycloak"},
        {
            "iss": "http://keycloak:8080/realms/orthanc",
            "aud": "account",
            "exp": int((NOW + timedelta(minutes=5)).timestamp()),
            "realm_access": {"roles": ["admin"]},
            "preferred_username": "jane",
        },
        key=OTHER_KEY,
    )


def altered(token: str) -> list[str]:
    """Return the token with each possible other last character, and cut or longer."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = [token[:-1] + one for one in alphabet if one != token[-1]]
    return [*last, token[:-1], token + "A", token + "=", token + "."]


def foreign_tokens(study: Study) -> dict[str, str]:
    """Return tokens that must not open `study`, by what is wrong with them."""
    other = OTHER_STUDY
    valid = share_token(study)
    return {
        "random text": "made-up-text",
        "of another study": share_token(other),
        "expired": share_token(study, ends=-timedelta(seconds=1)),
        "ends now": share_token(study, ends=timedelta(0)),
        "starts later": share_token(study, starts=timedelta(hours=1)),
        "of another key": share_token(study, key=OTHER_KEY),
        "anonymized": share_token(study, flavour=Flavour.ANONYMIZED),
        "of a series": share_token(study, level=Level.SERIES),
        "of a user": users_token(),
        "of alg none": forged({"alg": "none"}, key=None),
        "last character changed": altered(valid)[0],
        "cut": valid[: len(valid) // 2],
    }


def expiry_of(token: str) -> datetime | None:
    """Return the expiry that a share token names."""
    end = json.loads(parts(token)[1]).get("exp")
    return None if end is None else datetime.fromtimestamp(end, NOW.tzinfo)
