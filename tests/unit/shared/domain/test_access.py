"""The decision."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.access import (
    AccessPolicy,
    AccessRequest,
    Denied,
    Granted,
    Reason,
    decide,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import CLOCK_LEEWAY, Flavour, Share, ShareType
from tests.support.strategies import NOW, SHARED_LEVELS, instants, resources, shares

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
OTHER_UID = "1.2.276.0.99.2"
OTHER_ORTHANC_ID = "66666666-22222222-33333333-44444444-55555555"
SECOND = timedelta(seconds=1)
BOTH_KINDS = AccessPolicy(
    {Flavour.STANDARD: "standard-server", Flavour.ANONYMIZED: "anonymized-server"}
)
ANY_SERVER = AccessPolicy({Flavour.STANDARD: None})
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (
        Resource(Level.STUDY, UID, ORTHANC_ID),
        Resource(Level.STUDY, OTHER_UID, OTHER_ORTHANC_ID),
    ),
)
QUESTION = AccessRequest("get", "study", UID, ORTHANC_ID, "standard-server")

ids = st.none() | st.sampled_from(["", UID, ORTHANC_ID, OTHER_UID])
requests = st.builds(
    AccessRequest,
    method=st.sampled_from(["get", "post", "put", "delete", "patch", ""]),
    level=st.sampled_from([*Level, "", "studies"]),
    dicom_uid=ids,
    orthanc_id=ids,
    server_id=st.sampled_from([None, "", "standard-server", "anonymized-server"]),
)
policies = st.builds(
    AccessPolicy,
    servers=st.dictionaries(
        st.sampled_from(Flavour),
        st.sampled_from([None, "standard-server", "anonymized-server"]),
    ),
    validity=st.integers(1, 86_400).map(lambda seconds: timedelta(seconds=seconds)),
)


def question_for(share: Share, **changes: Any) -> AccessRequest:
    """Return a question about the first resource of `share` that may be granted."""
    first = share.resources[0]
    question = AccessRequest("get", first.level, first.dicom_uid, first.orthanc_id)
    return replace(question, **changes)


@given(share=shares(), policy=policies, now=instants)
def test_a_grant_lies_within_the_life_of_the_share(
    share: Share, policy: AccessPolicy, now: datetime
) -> None:
    server = policy.servers.get(share.flavour)
    decision = decide(share, question_for(share, server_id=server), policy, now)
    if isinstance(decision, Denied):
        assert decision.reason in {
            Reason.EXPIRED,
            Reason.NOT_YET_VALID,
            Reason.WRONG_SERVER,
        }
        return
    until = now + timedelta(seconds=decision.validity)
    assert share.expires_at is None or until <= share.expires_at
    assert share.not_before is not None
    assert now >= share.not_before - CLOCK_LEEWAY
    assert 1 <= decision.validity <= policy.validity.total_seconds()


@given(share=shares(), request=requests, policy=policies, now=instants)
def test_a_grant_follows_every_rule(
    share: Share, request: AccessRequest, policy: AccessPolicy, now: datetime
) -> None:
    if isinstance(decide(share, request, policy, now), Denied):
        return
    assert share.flavour in policy.servers
    assert policy.servers[share.flavour] in {None, request.server_id}
    assert request.method in {"get", "post"}
    assert request.level in SHARED_LEVELS
    assert any(
        one.matches(request.level, request.dicom_uid, request.orthanc_id)
        for one in share.resources
    )


@given(one=resources(), other=resources())
def test_ids_of_two_resources_never_open_anything_together(
    one: Resource, other: Resource
) -> None:
    if one.dicom_uid == other.dicom_uid or one.orthanc_id == other.orthanc_id:
        return
    if None in {one.dicom_uid, one.orthanc_id, other.dicom_uid, other.orthanc_id}:
        return
    share = replace(SHARE, resources=(one, other))
    for level in SHARED_LEVELS:
        mixed = AccessRequest("get", level, one.dicom_uid, other.orthanc_id)
        assert decide(share, mixed, ANY_SERVER, NOW) == Denied(Reason.OTHER_RESOURCE)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_share_reads(method: str) -> None:
    asked = replace(QUESTION, method=method)
    assert decide(SHARE, asked, BOTH_KINDS, NOW) == Granted(60)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server_id": None}, Reason.WRONG_SERVER),
        ({"server_id": ""}, Reason.WRONG_SERVER),
        ({"server_id": "anonymized-server"}, Reason.WRONG_SERVER),
        ({"server_id": "Standard-Server"}, Reason.WRONG_SERVER),
        ({"method": "delete"}, Reason.WRONG_METHOD),
        ({"method": "put"}, Reason.WRONG_METHOD),
        ({"method": "head"}, Reason.WRONG_METHOD),
        ({"method": ""}, Reason.WRONG_METHOD),
        ({"level": "system"}, Reason.WRONG_LEVEL),
        ({"level": "patient"}, Reason.WRONG_LEVEL),
        ({"level": "studies"}, Reason.WRONG_LEVEL),
        ({"level": "series"}, Reason.OTHER_RESOURCE),
        ({"dicom_uid": "1.9"}, Reason.OTHER_RESOURCE),
        ({"orthanc_id": OTHER_ORTHANC_ID}, Reason.OTHER_RESOURCE),
        ({"dicom_uid": None, "orthanc_id": None}, Reason.OTHER_RESOURCE),
        ({"dicom_uid": "", "orthanc_id": ""}, Reason.OTHER_RESOURCE),
    ],
)
def test_each_rule_denies_with_its_own_reason(
    changes: dict[str, Any], reason: Reason
) -> None:
    asked = replace(QUESTION, **changes)
    assert decide(SHARE, asked, BOTH_KINDS, NOW) == Denied(reason)


def test_the_first_rule_that_fails_gives_the_reason() -> None:
    all_wrong = AccessRequest("delete", "system", "1.9", None, "other")
    expired = replace(SHARE, expires_at=NOW)
    assert decide(expired, all_wrong, BOTH_KINDS, NOW) == Denied(Reason.EXPIRED)
    assert decide(SHARE, all_wrong, BOTH_KINDS, NOW) == Denied(Reason.WRONG_SERVER)


def test_a_share_is_valid_on_the_server_of_its_flavour_only() -> None:
    anonymized = replace(SHARE, flavour=Flavour.ANONYMIZED)
    there = replace(QUESTION, server_id="anonymized-server")
    assert decide(anonymized, there, BOTH_KINDS, NOW) == Granted(60)
    assert decide(anonymized, QUESTION, BOTH_KINDS, NOW) == Denied(Reason.WRONG_SERVER)
    assert decide(anonymized, there, ANY_SERVER, NOW) == Denied(Reason.WRONG_SERVER)


def test_a_site_with_one_unnamed_server_takes_every_name() -> None:
    for name in (None, "", "whatever"):
        asked = replace(QUESTION, server_id=name)
        assert decide(SHARE, asked, ANY_SERVER, NOW) == Granted(60)


@pytest.mark.parametrize(("left", "validity"), [(61, 60), (60, 60), (59, 59), (1, 1)])
def test_a_grant_is_kept_no_longer_than_the_share_lives(
    left: int, validity: int
) -> None:
    ending = replace(SHARE, expires_at=NOW + left * SECOND)
    assert decide(ending, QUESTION, BOTH_KINDS, NOW) == Granted(validity)


def test_less_than_a_second_is_no_grant() -> None:
    # The plugin would keep a validity of 0 for ever, or never.
    ending = replace(SHARE, expires_at=NOW + SECOND)
    late = NOW + timedelta(microseconds=1)
    assert decide(ending, QUESTION, BOTH_KINDS, late) == Denied(Reason.EXPIRED)


def test_before_its_start_a_share_opens_nothing() -> None:
    later = replace(SHARE, not_before=NOW + timedelta(hours=1))
    assert decide(later, QUESTION, BOTH_KINDS, NOW) == Denied(Reason.NOT_YET_VALID)


def test_a_site_can_allow_more_methods_and_levels() -> None:
    policy = replace(
        BOTH_KINDS,
        methods=BOTH_KINDS.methods | {"put"},
        levels=BOTH_KINDS.levels | {Level.PATIENT},
    )
    patient = replace(SHARE, resources=(Resource(Level.PATIENT, "PAT-1"),))
    asked = AccessRequest("put", "patient", "PAT-1", "", "standard-server")
    assert decide(patient, asked, policy, NOW) == Granted(60)


def test_a_guarded_link_opens_nothing_and_its_view_does() -> None:
    guarded = replace(SHARE, needs_opening=True)
    asked = question_for(guarded)
    assert decide(guarded, asked, BOTH_KINDS, NOW) == Denied(Reason.NEEDS_OPENING)
    view = replace(guarded, view_id="view-1")
    assert isinstance(decide(view, asked, ANY_SERVER, NOW), Granted)
