"""An explanation says what the decision says, and why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.access import (
    AccessPolicy,
    AccessRequest,
    Denied,
    Granted,
    decide,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from suite.commands.explaining import MISMATCHES_MAX, explain

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ID = "11111111-22222222-33333333-44444444-55555555"
OTHER_ID = "66666666-77777777-88888888-99999999-aaaaaaaa"
UIDS = ["1.2.3", "1.2.4"]
POLICY = AccessPolicy({Flavour.STANDARD: "orthanc-for-shares"})

instants = st.none() | st.integers(-200, 200).map(lambda s: NOW + timedelta(seconds=s))
resources = st.builds(
    Resource,
    st.sampled_from([Level.STUDY, Level.SERIES]),
    st.sampled_from(UIDS),
    st.none() | st.sampled_from([ID, OTHER_ID]),
)
shares = st.builds(
    Share,
    id=st.just("share-1"),
    type=st.just(ShareType.VIEWER_INSTANT_LINK),
    flavour=st.sampled_from(Flavour),
    resources=st.lists(resources, min_size=1, max_size=5).map(tuple),
    not_before=instants,
    expires_at=instants,
    needs_opening=st.booleans(),
    view_id=st.none() | st.just("view-1"),
)
requests = st.builds(
    AccessRequest,
    method=st.sampled_from(["get", "post", "put"]),
    level=st.sampled_from([*Level, "nonsense"]),
    dicom_uid=st.none() | st.sampled_from(UIDS),
    orthanc_id=st.none() | st.sampled_from([ID, OTHER_ID]),
    server_id=st.none() | st.sampled_from(["orthanc-for-shares", "other"]),
)
policies = st.builds(
    AccessPolicy,
    servers=st.dictionaries(
        st.sampled_from(Flavour), st.none() | st.just("orthanc-for-shares")
    ),
    levels=st.sampled_from([POLICY.levels, POLICY.levels | {Level.PATIENT}]),
)


@given(shares, requests, policies)
def test_the_first_rule_that_fails_is_the_reason_of_the_decision(
    share: Share, request: AccessRequest, policy: AccessPolicy
) -> None:
    found = explain(share, request, policy, NOW)
    assert found.decision == decide(share, request, policy, NOW)
    failed = [rule.refusal for rule in found.rules if rule.refusal is not None]
    match found.decision:
        case Granted():
            assert failed == []
        case Denied(reason):
            assert failed[0] is reason


def share(*resources: Resource, **members: object) -> Share:
    values = {"id": "s", "type": ShareType.STONE_PUBLICATION, **members}
    return Share(resources=resources or (Resource(dicom_uid=UIDS[0]),), **values)  # type: ignore[arg-type]


def text(of: Share, rule: str, **asked: str | None) -> str:
    values: dict[str, str | None] = {
        "method": "get",
        "level": "study",
        "dicom_uid": UIDS[0],
        "server_id": "orthanc-for-shares",
    }
    request = AccessRequest(**values | asked)  # type: ignore[arg-type]
    rules = explain(of, request, POLICY, NOW).rules
    return next(one.text for one in rules if one.name == rule)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (timedelta(days=3), "2026-11-05 12:00:00 UTC, in 3 d"),
        (timedelta(hours=-5), "2026-11-02 07:00:00 UTC, 5 h ago"),
        (timedelta(minutes=3), "2026-11-02 12:03:00 UTC, in 3 min"),
        (timedelta(0), "2026-11-02 12:00:00 UTC, 0 s ago"),
    ],
)
def test_an_end_says_how_far_it_is_away(ends: timedelta, expected: str) -> None:
    assert text(share(expires_at=NOW + ends), "end") == expected


def test_another_server_is_named_with_the_right_one() -> None:
    said = text(share(), "server", server_id="other")
    assert said.startswith("'other' asks, standard shares are for 'orthanc-for-shares'")


@pytest.mark.parametrize(
    ("one", "asked", "expected"),
    [
        (Resource(dicom_uid="1.2.3"), {"dicom_uid": "1.2.4"}, "another UID is asked"),
        (
            Resource(dicom_uid="1.2.3", orthanc_id=ID),
            {"orthanc_id": OTHER_ID},
            "another Orthanc id is asked",
        ),
        (Resource(orthanc_id=ID), {}, "and the question has only its other id"),
        (Resource(dicom_uid="1.2.3"), {"level": "series"}, "but the series is asked"),
        (Resource(dicom_uid="1.2.3"), {"dicom_uid": None}, "names no id"),
    ],
)
def test_a_mismatch_says_what_differs(
    one: Resource, asked: dict[str, str | None], expected: str
) -> None:
    assert expected in text(share(one), "resource", **asked)


def test_of_many_resources_some_are_told() -> None:
    many = [Resource(dicom_uid=f"1.2.9.{number}") for number in range(1, 11)]
    said = text(share(*many), "resource")
    assert said.count("another UID") == MISMATCHES_MAX
    assert said.endswith("and 7 more, which differ too")


def test_the_patients_level_names_its_setting() -> None:
    assert text(share(), "level", level="patient").endswith("(ALLOW_PATIENT_LEVEL)")
