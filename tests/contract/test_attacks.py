"""Attacks that worked once."""

import pytest

from tests.support.service import OTHER_STUDY, STUDY, Service, question, running
from tests.support.tokens import predecessors_token


@pytest.mark.parametrize("path", ["/health/", "/ready/"])
def test_no_answer_leads_to_a_host_that_the_caller_names(
    path: str, service: Service
) -> None:
    answer = service.call("GET", path, headers={"Host": "evil.example"})
    assert answer.status == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("patient_id", ["*", "?", "1.2.*"])
def test_a_patient_id_never_becomes_a_search_for_studies(patient_id: str) -> None:
    patient = {"dicom-uid": patient_id, "orthanc-id": STUDY.orthanc_id}
    resources = [patient | {"level": "patient"}]
    with running(allow_patient_level=True) as lenient:
        token = lenient.token("viewer-instant-link", resources=resources)
        found = lenient.decode(token)["resources"]
    assert [(one["dicom-uid"], one["orthanc-id"]) for one in found] == [
        (None, STUDY.orthanc_id)
    ]


def test_a_predecessors_patient_never_becomes_a_search_for_studies(
    service: Service,
) -> None:
    patient = {"dicom_uid": "*", "orthanc_id": None, "level": "patient"}
    decoded = service.decode(predecessors_token("resources", resources=[patient]))
    assert decoded["resources"][0]["dicom-uid"] is None
    assert (decoded["error-code"], decoded["redirect-url"]) == ("unknown", None)


@pytest.mark.parametrize(
    ("member", "other"),
    [
        ("dicom_uid", OTHER_STUDY.dicom_uid),
        ("orthanc_id", OTHER_STUDY.orthanc_id),
        ("token_value", "another"),
        ("server_id", "another"),
    ],
)
def test_a_question_that_means_two_things_is_denied(
    member: str, other: str, service: Service
) -> None:
    asked = question(service.token(), server_id="site")
    same = asked[member.replace("_", "-")]
    for value, is_granted in ((same, True), (None, True), (other, False)):
        answer = service.ask("/tokens/validate", {**asked, member: value})
        assert answer["granted"] is is_granted
