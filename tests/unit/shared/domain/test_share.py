"""Shares."""

import secrets
import string
from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.errors import (
    ExpiredTokenError,
    InvalidResourceError,
    NotYetValidTokenError,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import (
    CLOCK_LEEWAY,
    RESOURCES_MAX,
    Flavour,
    Share,
    ShareType,
    new_share_id,
)
from tests.support.strategies import NOW

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
BOTH = Resource(Level.STUDY, UID, ORTHANC_ID)
SECOND = timedelta(seconds=1)


def share(*resources: Resource, **changes: Any) -> Share:
    kind = ShareType.STONE_PUBLICATION
    return Share("share-1", kind, resources or (BOTH,), **changes)


def test_the_types_are_the_plugin_s_token_types() -> None:
    publications = {one for one in ShareType if one.is_publication}
    assert {str(one) for one in publications} == {
        f"{viewer}-viewer-publication"
        for viewer in ("osimis", "stone", "ohif", "volview", "meddream")
    }
    assert {str(one) for one in set(ShareType) - publications} == {
        f"{what}-instant-link" for what in ("meddream", "viewer", "download")
    }
    assert {one for one in ShareType if one.is_meddream} == {
        ShareType.MEDDREAM_INSTANT_LINK,
        ShareType.MEDDREAM_PUBLICATION,
    }


def test_ids_of_shares_are_random_and_long_enough() -> None:
    ids = [new_share_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    letters = set(string.ascii_letters + string.digits + "-_")
    assert all(len(one) == 22 and set(one) <= letters for one in ids)
    # 21 characters hold 6 bits each, the first nearly so: more than 128 bits.
    for place in range(1, 22):
        assert {one[place] for one in ids} == letters


def test_no_id_of_a_share_looks_like_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not any(new_share_id().startswith("-") for _ in range(2000))
    drawn = ["-" * 30, "-a" * 15, "_" * 30]
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: drawn.pop(0))
    assert new_share_id() == "_" * 22


def test_a_share_shows_the_images_as_they_are_unless_asked() -> None:
    assert share().flavour is Flavour.STANDARD


def test_its_text_does_not_show_what_it_opens() -> None:
    text = repr(share())
    assert UID not in text
    assert ORTHANC_ID not in text


def test_it_needs_resources_but_not_too_many() -> None:
    kind = ShareType.STONE_PUBLICATION
    with pytest.raises(InvalidResourceError, match="at least one"):
        Share("share-1", kind, ())
    Share("share-1", kind, (BOTH,) * RESOURCES_MAX)
    with pytest.raises(InvalidResourceError, match=f"at most {RESOURCES_MAX}"):
        Share("share-1", kind, (BOTH,) * (RESOURCES_MAX + 1))


def test_it_ends_in_the_very_second_of_its_expiry() -> None:
    ending = share(expires_at=NOW)
    ending.check_time(NOW - SECOND)
    with pytest.raises(ExpiredTokenError) as caught:
        ending.check_time(NOW)
    assert caught.value.share_type == ShareType.STONE_PUBLICATION
    assert caught.value.expired_at == NOW


def test_it_starts_when_it_should_with_leeway_for_slow_clocks() -> None:
    later = share(not_before=NOW)
    later.check_time(NOW)
    later.check_time(NOW - CLOCK_LEEWAY)
    with pytest.raises(NotYetValidTokenError) as caught:
        later.check_time(NOW - CLOCK_LEEWAY - SECOND)
    assert caught.value.share_type == ShareType.STONE_PUBLICATION
    assert caught.value.not_before == NOW


def test_without_limits_it_is_always_valid() -> None:
    share().check_time(NOW - timedelta(days=9999))
    share().check_time(NOW + timedelta(days=9999))


def test_its_ids_come_in_order() -> None:
    other = Resource(Level.STUDY, "1.3", ORTHANC_ID.replace("1", "9"))
    both = share(other, BOTH)
    assert both.dicom_uids == ("1.3", UID)
    assert both.orthanc_ids == (ORTHANC_ID.replace("1", "9"), ORTHANC_ID)


def test_an_id_that_one_resource_lacks_is_missing() -> None:
    with pytest.raises(InvalidResourceError, match="every dicom-uid"):
        _ = share(BOTH, Resource(Level.STUDY, None, ORTHANC_ID)).dicom_uids
    with pytest.raises(InvalidResourceError, match="every orthanc-id"):
        _ = share(BOTH, Resource(Level.STUDY, UID)).orthanc_ids


def test_it_knows_whether_it_has_only_studies() -> None:
    assert share(BOTH, BOTH).has_only_studies
    assert not share(BOTH, Resource(Level.SERIES, UID)).has_only_studies
