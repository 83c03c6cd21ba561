"""Settings turned into tools."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.errors import (
    ConfigurationError,
    InvalidTokenError,
    ShareTypeDisabledError,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.web.sharing import build_sharing, examine_keys
from tests.support.settings import DEIDENTIFICATION_KEY, SECRET_KEY
from tests.support.strategies import NOW
from tests.unit.shared.tokens.keys import SIGNING_KEY, VERIFICATION_KEY

PUBLIC = "https://share.example.org"
UID = "1.2.276.0.99.1"
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(Level.STUDY, UID),),
    issued_at=NOW,
    not_before=NOW,
)
HIDDEN = replace(SHARE, flavour=Flavour.ANONYMIZED)
BOTH_KINDS: dict[str, Any] = {
    "secret_key": SECRET_KEY,
    "public_orthanc_root": f"{PUBLIC}/shares/",
    "server_identifier": "standard",
    "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
    "anonymized_server_identifier": "anonymized",
    "deidentification_key": DEIDENTIFICATION_KEY,
}


def settings(**values: Any) -> SharingSettings:
    return SharingSettings(**values)


def present() -> datetime:
    return NOW


def test_a_service_with_a_secret_signs_and_reads() -> None:
    sharing = build_sharing(settings(secret_key=SECRET_KEY), clock=present)
    assert sharing.can_sign
    bare = replace(SHARE, issued_at=None, not_before=None)
    assert sharing.codec.read(sharing.codec.sign(bare)) == SHARE


def test_a_service_with_public_keys_only_reads() -> None:
    signing = build_sharing(settings(signing_key=SIGNING_KEY))
    reading = build_sharing(settings(verification_keys=VERIFICATION_KEY))
    assert signing.can_sign
    assert not reading.can_sign
    assert reading.codec.read(signing.codec.sign(SHARE)) == SHARE


def test_the_policy_is_that_of_the_settings() -> None:
    policy = build_sharing(settings(**BOTH_KINDS), validity=timedelta(seconds=5)).policy
    assert policy.validity == timedelta(seconds=5)
    assert policy.servers == {
        Flavour.STANDARD: "standard",
        Flavour.ANONYMIZED: "anonymized",
    }


def test_pseudonyms_differ_from_share_to_share_and_hide_the_study() -> None:
    sharing = build_sharing(settings(**BOTH_KINDS))
    links = [
        sharing.links.viewer_url(replace(HIDDEN, id=name), "token")
        for name in ("share-1", "share-2")
    ]
    assert links[0] != links[1]
    assert all(link and UID not in link for link in links)
    assert sharing.codec.read(sharing.codec.sign(HIDDEN)) == HIDDEN


def test_without_deidentification_key_there_are_no_anonymized_shares() -> None:
    sharing = build_sharing(settings(**BOTH_KINDS | {"deidentification_key": None}))
    with pytest.raises(ShareTypeDisabledError):
        sharing.links.check(HIDDEN)
    with pytest.raises(InvalidTokenError):
        sharing.codec.sign(HIDDEN)


def test_old_links_follow_the_settings() -> None:
    import jwt  # noqa: PLC0415 - only here, to speak as a predecessor

    claims = {"type": "stone-viewer-publication", "studies": [{"dicom_uid": UID}]}
    token = jwt.encode(claims, SECRET_KEY)
    accepting = build_sharing(settings(secret_key=SECRET_KEY))
    assert accepting.codec.read(token).expires_at is None
    until = build_sharing(settings(secret_key=SECRET_KEY, legacy_tokens_until=NOW))
    assert until.codec.read(token).expires_at == NOW
    refusing = build_sharing(
        settings(secret_key=SECRET_KEY, accept_legacy_tokens=False)
    )
    with pytest.raises(InvalidTokenError):
        refusing.codec.read(token)


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, ["SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS is missing."]),
        (
            {"secret_key": "short", "deidentification_key": "short"},
            [
                "SECRET_KEY is shorter than 32 bytes.",
                "DEIDENTIFICATION_KEY is shorter than 32 bytes.",
            ],
        ),
        (
            {
                "secret_key": SECRET_KEY,
                "deidentification_key": "change-me: 32 random bytes or more, please",
            },
            ["DEIDENTIFICATION_KEY is a sample value: make a random one."],
        ),
        (
            {"secret_key": SECRET_KEY, "deidentification_key": "ab" * 32},
            ["DEIDENTIFICATION_KEY repeats a few characters: make a random one."],
        ),
        (
            {"secret_key": SECRET_KEY, "secret_keys_retired": ["short"]},
            ["SECRET_KEYS_RETIRED is shorter than 16 bytes."],
        ),
    ],
)
def test_a_wrong_key_stops_the_service_and_is_not_told(
    values: dict[str, Any], lines: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_sharing(settings(**values))
    assert list(caught.value.problems) == lines
    ring, _, problems = examine_keys(settings(**values))
    assert ring is None
    assert problems == lines
