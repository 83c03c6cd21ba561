"""Resources and their ids."""

import pytest
from hypothesis import assume, given, strategies as st

from orthanc_share.domain.errors import InvalidResourceError
from orthanc_share.domain.resource import Level, Resource, is_orthanc_id, is_uid
from tests.support.strategies import orthanc_ids, resources, uids

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"


@pytest.mark.parametrize("uid", [UID, "0.0", "2.25.0", "1." + "9" * 62])
def test_a_uid_of_ps3_5_is_one(uid: str) -> None:
    assert is_uid(uid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        ".1.2",
        "1.2.",
        "1..2",
        "1.02",
        "01.2",
        "1.2a",
        "1.2\n",
        " 1.2",
        "1.2&x=y#",
        "1.٢",  # a digit, but not of ASCII
        "1." + "9" * 63,  # 65 characters
    ],
)
def test_anything_else_is_no_uid(text: str) -> None:
    assert not is_uid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORTHANC_ID.replace("-", ""),
        ORTHANC_ID[:-1],
        ORTHANC_ID + "5",
        ORTHANC_ID + "\n",
        ORTHANC_ID.replace("1", "A"),
        ORTHANC_ID.replace("1", "g"),
        "../" + ORTHANC_ID[3:],
    ],
)
def test_only_five_groups_of_lower_case_hex_are_an_orthanc_id(text: str) -> None:
    assert is_orthanc_id(ORTHANC_ID)
    assert not is_orthanc_id(text)


@given(uids, orthanc_ids)
def test_well_formed_ids_make_a_resource(uid: str, orthanc_id: str) -> None:
    for level in (Level.STUDY, Level.SERIES, Level.INSTANCE):
        assert Resource(level, uid, orthanc_id).matches(level, uid, orthanc_id)


@pytest.mark.parametrize(
    ("level", "dicom_uid", "orthanc_id"),
    [
        (Level.STUDY, None, None),
        (Level.STUDY, "", None),
        (Level.STUDY, "1.2.", None),
        (Level.STUDY, "PAT-1", None),
        (Level.STUDY, UID, ""),
        (Level.STUDY, UID, "nonsense"),
        (Level.SERIES, "1.2?", None),
        (Level.INSTANCE, "*", None),
        (Level.SYSTEM, UID, None),
        (Level.PATIENT, "", None),
        (Level.PATIENT, "x" * 65, None),
        (Level.PATIENT, "a\\b", None),
        (Level.PATIENT, "a\nb", None),
    ],
)
def test_malformed_ids_make_none(
    level: Level, dicom_uid: str | None, orthanc_id: str | None
) -> None:
    with pytest.raises(InvalidResourceError) as caught:
        Resource(level, dicom_uid, orthanc_id)
    assert (dicom_uid or "the") not in str(caught.value).split()


@pytest.mark.parametrize("patient_id", ["PAT-1", "Müller 7", "x" * 64])
def test_a_patient_is_named_by_a_patient_id(patient_id: str) -> None:
    resource = Resource(Level.PATIENT, patient_id)
    assert resource.matches("patient", patient_id, "")
    assert not resource.matches("study", patient_id, "")


@pytest.mark.parametrize(
    ("has", "asked", "expected"),
    [
        ((UID, ORTHANC_ID), (UID, ORTHANC_ID), True),
        ((UID, ORTHANC_ID), (UID, None), True),
        ((UID, ORTHANC_ID), (None, ORTHANC_ID), True),
        ((UID, ORTHANC_ID), (UID, ""), True),
        ((UID, ORTHANC_ID), (UID, ORTHANC_ID.replace("5", "6")), False),
        ((UID, ORTHANC_ID), (UID + "1", ORTHANC_ID), False),
        ((UID, ORTHANC_ID), (None, None), False),
        ((UID, ORTHANC_ID), ("", ""), False),
        ((UID, None), (UID, ORTHANC_ID), True),
        ((UID, None), (None, ORTHANC_ID), False),
        ((None, ORTHANC_ID), (UID, ORTHANC_ID), True),
        ((None, ORTHANC_ID), (UID, None), False),
    ],
)
def test_every_id_that_both_sides_have_must_agree(
    has: tuple[str | None, str | None],
    asked: tuple[str | None, str | None],
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert Resource(Level.STUDY, *has).matches("study", *asked) is expected


@given(
    resource=resources(), level=st.sampled_from(Level), uid=uids, orthanc_id=orthanc_ids
)
def test_no_id_of_another_resource_opens_this_one(
    resource: Resource, level: Level, uid: str, orthanc_id: str
) -> None:
    assume(uid != resource.dicom_uid)
    assume(orthanc_id != resource.orthanc_id)
    assert not resource.matches(level, uid, orthanc_id)
    assert not resource.matches(level, resource.dicom_uid, orthanc_id) or (
        resource.orthanc_id is None
    )
    assert not resource.matches(level, uid, resource.orthanc_id) or (
        resource.dicom_uid is None
    )
