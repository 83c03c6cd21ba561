"""What a token holds."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.web.sharing import build_sharing
from suite.inspection import inspect
from tests.support.settings import token_service_settings
from tests.support.strategies import NOW

HOUR = timedelta(hours=1)
SETTINGS = token_service_settings()
CODEC = build_sharing(SETTINGS).codec


def token(**changes: Any) -> str:
    lifetime = {"issued_at": NOW, "not_before": NOW, "expires_at": NOW + HOUR}
    resources = (Resource(Level.SERIES, "1.2.276.0.99.1"),)
    share = Share(
        "share-1", ShareType.VIEWER_INSTANT_LINK, resources, **lifetime | changes
    )
    return CODEC.sign(share)


def at(instant: datetime) -> Any:
    return lambda: instant


def test_a_token_is_told_in_full() -> None:
    assert inspect(token(), SETTINGS, at(NOW)) == {
        "share": "share-1",
        "type": "viewer-instant-link",
        "flavour": "standard",
        "status": "valid",
        "issued-at": "2026-03-03T14:00:00+00:00",
        "not-before": "2026-03-03T14:00:00+00:00",
        "expires-at": "2026-03-03T15:00:00+00:00",
        "resources": [
            {"level": "series", "dicom-uid": "1.2.276.0.99.1", "orthanc-id": None}
        ],
    }


@pytest.mark.parametrize(
    ("instant", "status"),
    [(NOW, "valid"), (NOW - HOUR, "not yet valid"), (NOW + HOUR, "expired")],
)
def test_whether_it_is_valid_is_told(instant: datetime, status: str) -> None:
    assert inspect(token(), SETTINGS, at(instant))["status"] == status


def test_a_token_without_expiry_has_none() -> None:
    assert inspect(token(expires_at=None), SETTINGS)["expires-at"] is None


def test_a_link_holds_its_token() -> None:
    link = f"https://share.example.org/welcome/?lang=de&token={token()}#top"
    assert inspect(link, SETTINGS)["share"] == "share-1"


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "https://h.example/", "https://h.example/?token=x", "http://[?"],
)
def test_what_holds_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        inspect(text, SETTINGS)


def test_the_keys_must_be_right() -> None:
    with pytest.raises(ConfigurationError):
        inspect(token(), token_service_settings(secret_key="short"))
