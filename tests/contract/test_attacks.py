"""Attacks that worked once."""

import pytest

from tests.support.service import STUDY, Service, running
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
