"""Shares as claims."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from orthanc_share.domain.clock import END_OF_TIME
from orthanc_share.domain.errors import InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.tokens.claims import from_claims, to_claims
from orthanc_share.tokens.sealing import Sealer
from tests.support.settings import DEIDENTIFICATION_KEY
from tests.support.strategies import NOW, shares

SEALER = Sealer(DEIDENTIFICATION_KEY.encode())
UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(Level.STUDY, UID, ORTHANC_ID), Resource(Level.SERIES, "1.3")),
    expires_at=NOW + timedelta(days=1),
)
CLAIMS = to_claims(SHARE, NOW, None)
HIDDEN = to_claims(replace(SHARE, flavour=Flavour.ANONYMIZED), NOW, SEALER)


def read(claims: dict[str, Any], sealer: Sealer | None = SEALER) -> Share:
    return from_claims(json.dumps(claims).encode(), sealer)


@given(shares())
def test_a_share_survives_being_claims(share: Share) -> None:
    assert read(to_claims(share, NOW, SEALER)) == share


def test_the_claims_are_those_of_rfc_7519_and_our_own() -> None:
    assert CLAIMS == {
        "iss": "orthanc-share",
        "aud": "orthanc-share:standard",
        "jti": "share-1",
        "iat": 1772546400,
        "nbf": 1772546400,
        "exp": 1772632800,
        "use": "stone-viewer-publication",
        "res": [{"u": UID, "o": ORTHANC_ID}, {"u": "1.3", "l": "series"}],
    }


def test_a_share_without_expiry_has_no_exp() -> None:
    assert "exp" not in to_claims(replace(SHARE, expires_at=None), NOW, None)


def test_the_claims_of_an_anonymized_share_name_nothing() -> None:
    assert HIDDEN["aud"] == "orthanc-share:anonymized"
    assert "res" not in HIDDEN
    assert UID not in json.dumps(HIDDEN)
    assert ORTHANC_ID not in json.dumps(HIDDEN)
    assert read(HIDDEN).resources == SHARE.resources


def test_without_key_nothing_is_sealed_or_unsealed() -> None:
    with pytest.raises(InvalidTokenError):
        to_claims(replace(SHARE, flavour=Flavour.ANONYMIZED), NOW, None)
    with pytest.raises(InvalidTokenError):
        read(HIDDEN, None)
    assert read(CLAIMS, None) == replace(SHARE, issued_at=NOW, not_before=NOW)


def test_the_last_second_of_the_calendar_can_be_named() -> None:
    last = int(END_OF_TIME.timestamp())
    assert read(CLAIMS | {"exp": last}).expires_at == END_OF_TIME
    assert read(CLAIMS | {"nbf": 0}).not_before == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "orthanc"},
        {"aud": "orthanc-share"},
        {"aud": "orthanc-share:anonymized"},  # has no sealed resources
        {"aud": ["orthanc-share:standard"]},
        {"use": "inbox-link"},
        {"use": None},
        {"jti": 7},
        {"iat": "now"},
        {"iat": -1},
        {"nbf": 2**63},
        {"exp": int(END_OF_TIME.timestamp()) + 1},
        {"exp": True},
        {"exp": "2031-05-19"},
        {"res": None},
        {"res": []},
        {"res": [{}]},
        {"res": [{"u": "1.2 OR 1=1"}]},
        {"res": [{"u": UID, "o": "../admin"}]},
        {"res": [{"l": "system", "u": UID}]},
        {"res": [{"l": "everything", "u": UID}]},
        {"res": [{"u": UID}] * 101},
        {"res": {"u": UID}},
        {"res": None, "box": HIDDEN["box"]},  # sealed, but for the other flavour
    ],
)
def test_claims_that_are_no_share_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        read(CLAIMS | changes)


@pytest.mark.parametrize("missing", sorted(CLAIMS.keys() - {"exp"}))
def test_no_claim_but_the_expiry_may_be_missing(missing: str) -> None:
    with pytest.raises(InvalidTokenError):
        read({name: value for name, value in CLAIMS.items() if name != missing})


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": "share-2"},  # the box belongs to another share
        {"box": HIDDEN["box"][:-1]},
        {"box": None},
        {"box": None, "res": CLAIMS["res"]},
        {"aud": "orthanc-share:standard"},
        {"box": SEALER.seal(b"nonsense", "share-1")},
        {"box": SEALER.seal(b'[{"u":"nonsense"}]', "share-1")},
        {"box": SEALER.seal(b"[]", "share-1")},
    ],
)
def test_sealed_claims_that_are_no_share_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        read(HIDDEN | changes)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"\xff", b"{}{}", b'{"a"'])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidTokenError):
        from_claims(payload, None)


def test_a_claim_of_a_later_release_is_no_mistake() -> None:
    assert read(CLAIMS | {"new": [1]}) == read(CLAIMS)


@pytest.mark.parametrize("flavour", Flavour)
def test_a_view_names_its_share_beside_its_own_id(flavour: Flavour) -> None:
    view = replace(SHARE, flavour=flavour, view_id="view-1")
    claims = to_claims(view, NOW, SEALER)
    assert (claims["jti"], claims["sid"]) == ("view-1", "share-1")
    assert (read(claims).id, read(claims).view_id) == ("share-1", "view-1")
    assert read(claims).resources == SHARE.resources


def test_a_guarded_link_says_so_and_its_view_does_not() -> None:
    guarded = replace(SHARE, needs_opening=True)
    assert to_claims(guarded, NOW, None)["opn"] is True
    assert read(to_claims(guarded, NOW, None)) == replace(
        guarded, issued_at=NOW, not_before=NOW
    )
    assert "opn" not in to_claims(replace(guarded, view_id="view-1"), NOW, None)
