"""The bodies that make a share: three forms, two spellings, any case."""

from typing import Any

import pytest

from tests.support.service import (
    OTHER_STUDY,
    PUBLICATION,
    STUDY,
    Service,
    creation,
    question,
    resource,
    running,
)
from tests.support.settings import PUBLIC

IDS = {"dicom-uid": STUDY.dicom_uid, "orthanc-id": STUDY.orthanc_id}
OTHER_IDS = {"dicom-uid": OTHER_STUDY.dicom_uid, "orthanc-id": OTHER_STUDY.orthanc_id}
EXPIRY = "2031-05-04T10:00:00Z"
FORMS: dict[str, dict[str, Any]] = {
    "flat": IDS,
    "studies": {"studies": [IDS]},
    "resources": {"resources": [resource()]},
}


def underscored(value: Any) -> Any:
    """Return the same body with underscores in the names of its members."""
    if isinstance(value, dict):
        return {k.replace("-", "_"): underscored(v) for k, v in value.items()}
    if isinstance(value, list):
        return [underscored(one) for one in value]
    return value


@pytest.mark.parametrize("spell", [dict, underscored])
@pytest.mark.parametrize("path", ["/shares", f"/shares/{PUBLICATION}", "/shares/"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_spelling_makes_the_same_share(
    form: str, path: str, spell: Any, service: Service
) -> None:
    body = FORMS[form] | {"type": PUBLICATION, "expiration-date": EXPIRY}
    answer = service.call("PUT", path, spell(body))
    assert answer.status == 200
    assert answer.json["url"] == f"{PUBLIC}/welcome/?token={answer.json['token']}"
    assert answer.json["request"]["expiration-date"] == "2031-05-04T10:00:00+00:00"
    assert service.is_granted(answer.json["token"]) is True
    assert service.is_granted(answer.json["token"], **underscored(OTHER_IDS)) is False


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_taken_where_the_plugin_asks(form: str, service: Service) -> None:
    answer = service.call("PUT", f"/tokens/{PUBLICATION}", FORMS[form])
    assert service.is_granted(answer.json["token"]) is True


def test_the_answer_tells_the_request_of_the_first_api(service: Service) -> None:
    body = {
        "id": "referral-0815",
        "studies": [IDS, OTHER_IDS],
        "anonymized": False,
        "type": "stone-viewer-publication",
        "expiration-date": EXPIRY,
    }
    answer = service.call("PUT", "/shares", body)
    told = body | {"expiration-date": "2031-05-04T10:00:00+00:00"}
    assert answer.json["request"] == told
    assert answer.json.keys() == {"request", "token", "url", "share-id"}


def test_the_answer_tells_the_request_of_the_second_api(service: Service) -> None:
    made = service.made(id=None, validity_duration=1_296_000)
    assert made["request"] == {
        "id": None,
        "resources": [resource(url=None)],
        "type": "stone-viewer-publication",
        "expiration-date": "2026-11-17T12:00:00+00:00",
        "validity-duration": 1_296_000,
    }


def test_the_old_explorer_makes_a_share_with_flat_ids_and_no_expiry(
    service: Service,
) -> None:
    # What the proxy of Orthanc Explorer 2 0.4.2 sends (protocol H.1).
    body = IDS | {
        "id": None,
        "anonymized": False,
        "type": "osimis-viewer-publication",
        "expiration-date": None,
    }
    answer = service.call("PUT", "/shares", body)
    assert answer.status == 200
    assert answer.json["request"]["expiration-date"] is None
    assert service.is_granted(answer.json["token"]) is True


@pytest.mark.parametrize("level", ["study", "Study", "STUDY", None])
def test_the_level_comes_in_any_case_or_not_at_all(
    level: str | None, service: Service
) -> None:
    made = service.made(resources=[resource(level=level)])
    assert made["request"]["resources"][0]["level"] == "study"
    absent = {k: v for k, v in resource().items() if k != "level"}
    assert service.is_granted(service.token(resources=[absent])) is True


@pytest.mark.parametrize("missing", ["dicom-uid", "orthanc-id"])
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_id_counts_as_none(
    missing: str, value: str | None, service: Service
) -> None:
    token = service.token(
        "viewer-instant-link", resources=[resource() | {missing: value}]
    )
    assert service.is_granted(token) is True
    wrong = {missing.replace("-", "_"): "9"}
    # Only the id that both sides have can be compared.
    assert service.is_granted(token, **wrong) is True


@pytest.mark.parametrize(
    "extra",
    [
        {"unknown": {"a": [1]}},
        {"Username": "a@example.org"},
        {"resources": [resource(url="/studies/x/archive", extra=1)]},
        {"server-id": "elsewhere"},
        {"server-id": 5},
    ],
)
def test_unknown_members_are_ignored(extra: dict[str, Any], service: Service) -> None:
    answer = service.call("PUT", f"/tokens/{PUBLICATION}", creation() | extra)
    assert answer.status == 200


def test_several_studies_are_all_opened_and_no_mixture(service: Service) -> None:
    token = service.token(resources=[resource(), resource(OTHER_STUDY)])
    assert service.is_granted(token) is True
    assert service.is_granted(token, **underscored(OTHER_IDS)) is True
    assert service.is_granted(token, orthanc_id=OTHER_STUDY.orthanc_id) is False
    assert service.is_granted(token, dicom_uid=OTHER_STUDY.dicom_uid) is False


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "unknown_share_type"),
        ({"type": PUBLICATION}, 422, "invalid_resource"),
        ({"type": PUBLICATION, "studies": []}, 422, "invalid_resource"),
        ({"type": PUBLICATION, "resources": []}, 422, "invalid_resource"),
        ({"type": PUBLICATION, "studies": [{}]}, 422, "invalid_resource"),
        ({"type": PUBLICATION, "studies": [IDS], **IDS}, 422, "invalid_resource"),
        (
            {"type": PUBLICATION, "studies": [IDS], "resources": [resource()]},
            422,
            "invalid_resource",
        ),
        ({"type": "invalid", "studies": [IDS]}, 422, "invalid_request"),
        ({"type": "inbox-link", "resources": []}, 422, "invalid_request"),
        ({"type": PUBLICATION, "studies": [{"dicom-uid": "1..2"}]}, 422, None),
        ({"type": PUBLICATION, "studies": [{"dicom-uid": "1.02"}]}, 422, None),
        ({"type": PUBLICATION, "studies": [{"dicom-uid": "1." + "2" * 63}]}, 422, None),
        ({"type": PUBLICATION, "studies": [{"dicom-uid": "1&x=y#"}]}, 422, None),
        ({"type": PUBLICATION, "studies": [{"orthanc-id": "../x"}]}, 422, None),
        ({"type": PUBLICATION, "studies": [IDS] * 101}, 422, "invalid_request"),
    ],
)
def test_a_share_that_cannot_be_is_a_problem(
    body: Any, status: int, code: str | None, service: Service
) -> None:
    answer = service.call("PUT", "/shares", body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["detail"]
    assert code in {answer.json["code"], None}


@pytest.mark.parametrize("root", ["/shares", "/tokens"])
def test_path_and_body_must_not_name_two_types(root: str, service: Service) -> None:
    body = creation("ohif-viewer-publication")
    answer = service.call("PUT", f"{root}/{PUBLICATION}", body)
    assert answer.status == 400
    assert answer.json["code"] == "share_type_mismatch"


@pytest.mark.parametrize("kind", ["", None])
def test_the_type_in_the_path_is_enough(kind: str | None, service: Service) -> None:
    body = creation()
    del body["type"]
    assert service.call("PUT", f"/tokens/{PUBLICATION}", body).status == 200
    assert service.call("PUT", "/tokens/inbox-link", body).status == 422
    assert service.call("PUT", f"/tokens/{kind or ''}", body).status == 422


@pytest.mark.parametrize("level", ["patient", "Patient"])
def test_whole_patients_are_shared_only_where_the_site_allows_it(
    level: str, service: Service
) -> None:
    patient = {"dicom-uid": "P-1001 é", "orthanc-id": STUDY.orthanc_id, "level": level}
    kind = "viewer-instant-link"
    refused = service.create(kind, resources=[patient])
    assert refused.status == 422
    assert refused.json["code"] == "invalid_resource"
    with running(allow_patient_level=True) as lenient:
        token = lenient.token(kind, resources=[patient])
        asked = question(token) | {"level": "patient", "dicom-uid": "P-1001 é"}
        assert lenient.ask("/tokens/validate", asked)["granted"] is True
        assert lenient.is_granted(token) is False
        assert lenient.create(resources=[patient]).status == 422
    # Another site, or the same one tomorrow, does not open it.
    assert service.ask("/tokens/validate", asked)["granted"] is False


def test_annotations_of_osimis_are_stored_only_where_the_site_allows_it(
    service: Service,
) -> None:
    token = service.token()
    assert service.is_granted(token, method="put") is False
    with running(allow_annotations=True) as lenient:
        assert lenient.is_granted(token, method="put") is True
        assert lenient.is_granted(token, method="delete") is False


def test_a_path_with_an_unknown_type_is_a_problem(service: Service) -> None:
    answer = service.call("PUT", "/tokens/pdf", {"studies": [IDS]})
    assert answer.status == 422
    assert answer.json["code"] == "unknown_share_type"
