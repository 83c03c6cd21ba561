"""Tokens of the predecessors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orthanc_share.domain.errors import InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.tokens.legacy import from_legacy_claims

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
ENDS = datetime(2031, 5, 4, 10, 0, tzinfo=UTC)
# Shapes of protocol B.1.5, A.1 and A.3.
OF_AUTH_SERVICE: dict[str, Any] = {
    "id": None,
    "resources": [
        {"dicom_uid": UID, "orthanc_id": ORTHANC_ID, "url": None, "level": "study"}
    ],
    "type": "stone-viewer-publication",
    "expiration_date": "2031-05-04T10:00:00+00:00",
    "validity_duration": 1296000,
}
OF_SHARE_23: dict[str, Any] = {
    "id": "referral-0815",
    "studies": [{"dicom_uid": UID, "orthanc_id": ORTHANC_ID}],
    "anonymized": False,
    "type": "stone-viewer-publication",
    "expiration_date": "2031-05-04T10:00:00+00:00",
}
OF_SHARE_22: dict[str, Any] = {
    "id": "referral-0815",
    "dicom_uid": UID,
    "orthanc_id": ORTHANC_ID,
    "anonymized": True,
    "type": "osimis-viewer-publication",
    "expiration_date": None,
}


def read(claims: Any, until: datetime | None = None) -> Share:
    return from_legacy_claims(json.dumps(claims).encode(), "aaa.bbb.ccc", until)


@pytest.mark.parametrize("claims", [OF_AUTH_SERVICE, OF_SHARE_23, OF_SHARE_22])
def test_every_shape_is_a_share(claims: dict[str, Any]) -> None:
    share = read(claims)
    assert share.type == ShareType(claims["type"])
    assert share.resources == (Resource(Level.STUDY, UID, ORTHANC_ID),)
    assert share.expires_at == (ENDS if claims["expiration_date"] else None)
    assert share.issued_at is None
    is_anonymized = claims.get("anonymized", False)
    assert (share.flavour is Flavour.ANONYMIZED) is is_anonymized


def test_its_id_follows_from_the_token() -> None:
    share_id = read(OF_SHARE_23).id
    assert len(share_id) == 22
    payload = json.dumps(OF_SHARE_23).encode()
    assert from_legacy_claims(payload, "aaa.bbb.ccc", None).id == share_id
    assert from_legacy_claims(payload, "aaa.bbb.ccd", None).id != share_id


def test_an_empty_id_is_none() -> None:
    share = read(OF_SHARE_22 | {"orthanc_id": ""})
    assert share.resources == (Resource(Level.STUDY, UID),)


def test_other_levels_came_with_the_auth_service() -> None:
    claims = OF_AUTH_SERVICE | {"resources": [{"dicom_uid": UID, "level": "series"}]}
    assert read(claims).resources == (Resource(Level.SERIES, UID),)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2031-05-04T10:00:00", ENDS),  # without offset: UTC
        ("2031-05-04T12:00:00+02:00", ENDS),
        ("2031-05-04T10:00:00.987654Z", ENDS),
        ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (None, None),
    ],
)
def test_the_expiry_is_read_in_utc(
    stated: str | None, expected: datetime | None
) -> None:
    assert read(OF_SHARE_23 | {"expiration_date": stated}).expires_at == expected


def test_a_site_can_end_them_earlier_but_never_prolong_them() -> None:
    day = timedelta(days=1)
    assert read(OF_SHARE_23, ENDS - day).expires_at == ENDS - day
    assert read(OF_SHARE_23, ENDS + day).expires_at == ENDS
    assert read(OF_SHARE_22, ENDS).expires_at == ENDS


@pytest.mark.parametrize(
    "claims",
    [
        {},
        [],
        None,
        OF_SHARE_23 | {"type": "inbox-link"},
        OF_SHARE_23 | {"type": None},
        OF_SHARE_23 | {"anonymized": "yes"},
        OF_SHARE_23 | {"anonymized": None},
        OF_SHARE_23 | {"studies": []},
        OF_SHARE_23 | {"studies": [{}]},
        OF_SHARE_23 | {"studies": [{"dicom_uid": "1&x=y#"}]},
        OF_SHARE_23 | {"studies": [{"dicom_uid": UID, "orthanc_id": "x"}]},
        OF_SHARE_23 | {"studies": UID},
        OF_SHARE_23 | {"studies": None},
        OF_SHARE_23 | {"expiration_date": ""},
        OF_SHARE_23 | {"expiration_date": "tomorrow"},
        OF_SHARE_23 | {"expiration_date": 1935741600},
        OF_AUTH_SERVICE | {"resources": [{"dicom_uid": UID, "level": "system"}]},
        OF_AUTH_SERVICE | {"resources": [{"dicom_uid": UID, "level": "STUDY"}]},
        # A user token, or anything else that was signed with the same key.
        {"sub": "user", "exp": 1935741600},
    ],
)
def test_anything_else_is_refused(claims: Any) -> None:
    with pytest.raises(InvalidTokenError):
        read(claims)


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b'{"type":', b"NaN"])
def test_a_payload_that_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidTokenError):
        from_legacy_claims(payload, "aaa.bbb.ccc", None)
