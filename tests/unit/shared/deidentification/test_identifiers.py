"""Pseudonyms of UIDs and Orthanc ids."""

import uuid

import pytest
from hypothesis import assume, given, strategies as st

from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.resource import is_orthanc_id, is_uid
from tests.support.settings import DEIDENTIFICATION_KEY
from tests.support.strategies import orthanc_ids, uids

KEY = DEIDENTIFICATION_KEY.encode()
OTHER_KEY = KEY[::-1]
UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"

share_ids = st.text("abcXYZ019-_", min_size=1, max_size=22)
many_uids = st.lists(uids, min_size=1, max_size=20, unique=True)
many_ids = st.lists(orthanc_ids, min_size=1, max_size=20, unique=True)


@given(share_ids, uids)
def test_a_pseudonym_of_a_uid_is_a_uid(share_id: str, uid: str) -> None:
    pseudonym = SharePseudonyms(KEY, share_id).uid(uid)
    assert is_uid(pseudonym)
    assert len(pseudonym) <= 64
    assert pseudonym != uid


@given(share_ids, uids)
def test_it_is_made_of_a_uuid_as_ps3_5_b_2_wants(share_id: str, uid: str) -> None:
    number = SharePseudonyms(KEY, share_id).uid(uid).removeprefix("2.25.")
    made = uuid.UUID(int=int(number))
    assert made.version == 8
    assert made.variant == uuid.RFC_4122


@given(share_ids, orthanc_ids)
def test_a_pseudonym_of_an_orthanc_id_is_one(share_id: str, orthanc_id: str) -> None:
    pseudonym = SharePseudonyms(KEY, share_id).orthanc_id(orthanc_id)
    assert is_orthanc_id(pseudonym)
    assert pseudonym != orthanc_id


@given(share_ids, many_uids, many_ids)
def test_within_a_share_each_id_has_one_pseudonym_of_its_own(
    share_id: str, some_uids: list[str], some_ids: list[str]
) -> None:
    first, again = SharePseudonyms(KEY, share_id), SharePseudonyms(KEY, share_id)
    made = [first.uid(uid) for uid in some_uids]
    made += [first.orthanc_id(one) for one in some_ids]
    assert made == [again.uid(uid) for uid in some_uids] + [
        again.orthanc_id(one) for one in some_ids
    ]
    assert len(set(made)) == len(made)


@given(share_ids, share_ids, many_uids, many_ids)
def test_two_shares_cannot_be_joined(
    one: str, other: str, some_uids: list[str], some_ids: list[str]
) -> None:
    assume(one != other)
    here, there = SharePseudonyms(KEY, one), SharePseudonyms(KEY, other)
    assert {here.uid(uid) for uid in some_uids}.isdisjoint(
        there.uid(uid) for uid in some_uids
    )
    assert {here.orthanc_id(i) for i in some_ids}.isdisjoint(
        there.orthanc_id(i) for i in some_ids
    )


def test_another_key_gives_other_pseudonyms() -> None:
    here, there = SharePseudonyms(KEY, "share-1"), SharePseudonyms(OTHER_KEY, "share-1")
    assert here.uid(UID) != there.uid(UID)
    assert here.orthanc_id(ORTHANC_ID) != there.orthanc_id(ORTHANC_ID)


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
        "1.2.840.10008.1.2.1",  # Explicit VR Little Endian
        "1.2.840.10008.1.4.1.1",  # Talairach Brain Atlas Frame of Reference
        "1.2.840.10008.15.1.1",  # Universal Coordinated Time
        "2.16.840.1.113883.6.96",  # SNOMED CT
    ],
)
def test_registered_uids_stay(uid: str) -> None:
    assert SharePseudonyms(KEY, "share-1").uid(uid) == uid


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.100081.5",
        "1.2.840.10008.5.1.4.1.1.2.19450312",
        "1.2.840.10008.1.2.1.4711",
        "1.2.840.10008.",
        "2.16.840.1.113883.6.96.1",
        "2.16.840.1.113883.19.5",
    ],
)
def test_other_uids_below_a_known_root_are_replaced(uid: str) -> None:
    assert SharePseudonyms(KEY, "share-1").uid(uid).startswith("2.25.")


def test_each_purpose_of_each_share_has_a_secret_of_its_own() -> None:
    shares = [SharePseudonyms(KEY, name) for name in ("share-1", "share-2")]
    secrets = {share.secret(purpose) for share in shares for purpose in ("a", "b")}
    assert len(secrets) == 4
    assert all(len(secret) == 32 for secret in secrets)


def test_pseudonyms_stay_the_same_over_releases() -> None:
    # Links that are out hold them: whoever changes this breaks those links.
    pseudonyms = SharePseudonyms(b"k" * 32, "share-1")
    assert pseudonyms.uid(UID) == "2.25.38531171219851748314021990376905981167"
    assert (
        pseudonyms.orthanc_id(ORTHANC_ID)
        == "322da1bc-2e0143a0-7c3d00f7-6fe692cd-9d907063"
    )


def test_their_text_holds_no_key() -> None:
    assert "SharePseudonyms(share_id='share-1')" in repr(
        SharePseudonyms(KEY, "share-1")
    )
