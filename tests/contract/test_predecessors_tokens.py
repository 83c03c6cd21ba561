"""Links that the predecessors made keep working, as long as the site wants it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.service import NOW, OTHER_STUDY, STUDY, Service, question, running
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC
from tests.support.tokens import (
    OTHER_KEY,
    forged,
    header,
    predecessors_claims,
    predecessors_token,
)

SHAPES = ("flat", "studies", "resources")
SOON = (NOW + timedelta(seconds=40)).isoformat()
IDS = {"dicom_uid": STUDY.dicom_uid, "orthanc_id": STUDY.orthanc_id}
OTHER_IDS = {"dicom_uid": OTHER_STUDY.dicom_uid, "orthanc_id": OTHER_STUDY.orthanc_id}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_predecessors_link_opens_its_study_and_no_other(
    shape: str, service: Service
) -> None:
    token = predecessors_token(shape)
    for presented in (token, f"Bearer {token}"):
        assert service.is_granted(presented) is True
        assert service.is_granted(presented, **OTHER_IDS) is False
        assert service.is_granted(presented, method="post") is True
        assert service.is_granted(presented, method="delete") is False
        assert service.is_granted(presented, level="instance") is False


@pytest.mark.parametrize("shape", SHAPES)
def test_decode_tells_a_predecessors_share(shape: str, service: Service) -> None:
    token = predecessors_token(shape)
    decoded = service.decode(token)
    assert decoded["error-code"] is None
    assert decoded["token-type"] == "stone-viewer-publication"
    assert [one["dicom-uid"] for one in decoded["resources"]] == [STUDY.dicom_uid]
    assert decoded["redirect-url"].startswith(f"{PUBLIC}/shares/stone-webviewer/")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_expiry_of_a_predecessors_link_holds(shape: str, service: Service) -> None:
    soon = predecessors_token(shape, expiration_date=SOON)
    asked = service.ask("/tokens/validate", question(soon))
    assert asked == {"granted": True, "validity": 40}
    naive = predecessors_token(shape, expiration_date="2026-11-02T12:00:01")
    assert service.is_granted(naive) is True
    for over in ("2026-11-02T12:00:00", "2026-11-02T12:30:00+01:00", "2020-01-01"):
        token = predecessors_token(shape, expiration_date=over)
        assert service.is_granted(token) is False
        assert service.decode(token)["error-code"] == "expired"
        assert service.decode(token)["resources"] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_site_can_end_the_predecessors_links(shape: str) -> None:
    token = predecessors_token(shape)
    with running(accept_legacy_tokens=False) as service:
        assert service.is_granted(token) is False
        assert service.is_granted(service.token()) is True
    with running(legacy_tokens_until=NOW + timedelta(seconds=30)) as service:
        asked = service.ask("/tokens/validate", question(token))
        assert asked == {"granted": True, "validity": 30}
    with running(legacy_tokens_until=datetime(2026, 11, 2, 12, 0)) as service:  # noqa: DTZ001 - a setting without offset is UTC
        assert service.is_granted(token) is False
        assert service.decode(token)["error-code"] == "expired"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_predecessors_link_of_another_key_opens_nothing(
    shape: str, service: Service
) -> None:
    assert service.is_granted(predecessors_token(shape, key=OTHER_KEY)) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "invalid"},
        {"type": None},
        {"resources": []},
        {"resources": [{"level": "study"}]},
        {"resources": [{**IDS, "level": "system"}]},
        {"resources": [{"dicom_uid": "no uid", "level": "study"}]},
        {"expiration_date": "soon"},
        {"expiration_date": 5},
        {"anonymized": True},
    ],
)
def test_what_the_predecessors_should_not_have_made_opens_nothing(
    changes: dict[str, Any], service: Service
) -> None:
    token = predecessors_token("resources", **changes)
    assert service.is_granted(token) is False
    assert service.decode(token)["resources"] == []


def test_a_predecessors_link_with_one_id_only_opens_by_that(service: Service) -> None:
    for one in ({"dicom_uid": STUDY.dicom_uid}, {"orthanc_id": STUDY.orthanc_id}):
        empty = {"dicom_uid": "", "orthanc_id": ""} | one
        for study in (one, empty):
            token = predecessors_token("studies", studies=[study])
            assert service.is_granted(token) is True


def test_the_ids_of_a_predecessors_link_never_mix(service: Service) -> None:
    studies = [IDS, OTHER_IDS]
    token = predecessors_token("studies", studies=studies)
    assert service.is_granted(token, **OTHER_IDS) is True
    assert service.is_granted(token, dicom_uid=OTHER_STUDY.dicom_uid) is False
    holes = [{"orthanc_id": STUDY.orthanc_id}, {"dicom_uid": OTHER_STUDY.dicom_uid}]
    token = predecessors_token("studies", studies=holes)
    assert service.is_granted(token) is True
    assert service.is_granted(token, orthanc_id="f" * 8 + "-f" * 4) is False


def test_a_predecessors_claims_under_our_header_open_nothing(service: Service) -> None:
    token = forged(header(), predecessors_claims("studies"))
    assert service.is_granted(token) is False


def test_our_claims_under_a_predecessors_header_open_nothing(service: Service) -> None:
    assert service.is_granted(forged({"alg": "HS256", "typ": "JWT"})) is False
    assert service.is_granted(forged({"alg": "HS256"})) is False


def test_a_predecessors_anonymized_link_opens_the_anonymized_server_only() -> None:
    token = predecessors_token("studies", anonymized=True)
    with running(
        public_anonymized_orthanc_root=f"{PUBLIC}/anon-shares/",
        anonymized_server_identifier="anon",
        server_identifier="std",
        deidentification_key=DEIDENTIFICATION_KEY,
    ) as service:
        assert service.is_granted(token, server_id="anon") is True
        assert service.is_granted(token, identifier="anon", server_id=None) is True
        assert service.is_granted(token, server_id="std") is False
        assert service.is_granted(token) is False
        standard = predecessors_token("studies")
        assert service.is_granted(standard, server_id="std") is True
        assert service.is_granted(standard, server_id="anon") is False
        redirect = service.decode(token)["redirect-url"]
    assert STUDY.dicom_uid not in redirect.split("token=")[0]


def test_the_time_of_the_shares_is_utc() -> None:
    assert NOW.tzinfo is UTC
