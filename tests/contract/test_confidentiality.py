"""No secret, token or identity in a log line, and none of them in an error."""

from typing import Any

import pytest

from tests.support.logs import CollectedLog
from tests.support.replay import Answer
from tests.support.service import (
    OTHER_STUDY,
    PUBLICATION,
    STUDY,
    Service,
    basic,
    creation,
    question,
    running,
)
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY, USER
from tests.support.tokens import OTHER_KEY, share_token, users_token
from token_service.openapi import ALL_OPERATIONS

PASSWORD = "correct-horse-battery-staple"
ANONYMIZED: dict[str, Any] = {
    "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
    "anonymized_server_identifier": "anon",
    "server_identifier": "std",
    "deidentification_key": DEIDENTIFICATION_KEY,
}


def everything_that_is_asked(service: Service, token: str) -> list[Answer]:
    """Put a token everywhere, rightly and wrongly; return the answers."""
    body = creation() | {"expiration-date": "2031-05-04"}
    members = (*body, "id", "anonymized", "studies", "dicom-uid", "orthanc-id")
    answers = [
        service.call(operation.method.upper(), operation.path, body)
        for operation in ALL_OPERATIONS
        for body in (
            question(token),
            question(f"Bearer {token}"),
            question(token, method="delete"),
            question(token + "x"),
            question(None) | {"user-id": None, token: token},
            token,
            [token],
            b'{"token-value":"%s"' % token.encode(),
        )
    ]
    answers += [service.create(**{name: token}) for name in members]
    answers += [
        service.create(resources=[{name: token}])
        for name in ("dicom-uid", "orthanc-id", "level")
    ]
    answers += [
        service.call("PUT", f"/tokens/{PUBLICATION}?token={token}", body),
        service.call("PUT", f"/tokens/{token}", body),
        service.call("PUT", f"/shares?token={token}", body),
        service.call("GET", f"/nothing/{token}?token={token}"),
        service.call("GET", "/health", headers={"token": token}),
        service.call("POST", "/shares", body, headers={"token": token}),
        service.call("PUT", "/settings/roles", {"roles": {token: {}}}),
        service.call("PUT", "/settings/roles", {"roles": {}, token: token}),
        service.call("PUT", "/settings/roles", {"roles": {"a": {token: []}}}),
    ]
    visitor = Service(service.base, None)
    for header in (f"Bearer {token}", basic(USER[0], PASSWORD), basic(token, token)):
        headers = {"Authorization": header}
        answers.append(visitor.call("PUT", "/shares", body, headers))
        answers.append(visitor.call("POST", "/tokens/validate", body, headers))
    return answers


@pytest.mark.parametrize("kind", ["ours", "expired", "of a user", "of another key"])
def test_no_token_and_no_password_is_logged_or_shown_in_an_error(
    kind: str, service: Service, json_log: CollectedLog
) -> None:
    tokens = {
        "ours": share_token(),
        "expired": service.token(validity_duration=1),
        "of a user": users_token(),
        "of another key": share_token(key=OTHER_KEY),
    }
    token = tokens[kind]
    with running(**ANONYMIZED) as other:
        asked = (service, other)
        answers = [a for one in asked for a in everything_that_is_asked(one, token)]
    assert all(answer.status < 500 for answer in answers)
    signature = token.rpartition(".")[2]
    secrets = (token, signature, PASSWORD, USER[1], SECRET_KEY, DEIDENTIFICATION_KEY)
    shown = "\n".join(a.raw.decode() for a in answers if a.status != 200)
    logged = json_log.text
    for secret in secrets:
        assert secret not in logged
        assert secret not in shown
    encoded = basic(USER[0], PASSWORD).removeprefix("Basic ")
    assert encoded not in logged
    assert len(logged.splitlines()) > 50


def test_no_study_is_named_in_the_log(service: Service, json_log: CollectedLog) -> None:
    everything_that_is_asked(service, service.token())
    logged = json_log.text
    for study in (STUDY, OTHER_STUDY):
        assert study.dicom_uid not in logged
        assert study.orthanc_id not in logged


def test_who_made_which_share_is_logged(
    service: Service, json_log: CollectedLog
) -> None:
    service.token("viewer-instant-link", validity_duration=60)
    (made,) = json_log.entries("share created")
    assert made["caller"] == USER[0]
    assert made["type"] == "viewer-instant-link"
    assert made["resources"] == 1
    assert made["expires"] == "2026-11-02T12:01:00+00:00"
    assert len(made["share"]) == 22


def test_why_a_share_opened_nothing_is_logged_and_not_told(
    service: Service, json_log: CollectedLog
) -> None:
    token = service.token()
    share = json_log.entries("share created")[0]["share"]
    reasons = {
        "no_token": question(""),
        "invalid_token": question("nonsense"),
        "wrong_method": question(token, method="delete"),
        "wrong_level": question(token, level="system"),
        "other_resource": question(token, dicom_uid="9.9"),
        "unreadable_question": question(5),
    }
    answers = [service.ask("/tokens/validate", asked) for asked in reasons.values()]
    assert answers == [{"granted": False, "validity": 60}] * len(reasons)
    denied = json_log.entries("denied", len(reasons))
    assert [entry["reason"] for entry in denied] == list(reasons)
    assert [entry["share"] for entry in denied] == [None, None, *[share] * 3, None]


def test_an_answer_is_for_nobody_else(service: Service) -> None:
    answers = (
        service.create(),
        service.call("POST", "/tokens/validate", question("x")),
        service.call("GET", "/settings/roles"),
        service.call("GET", "/nothing"),
        service.create(resources=[]),
    )
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_request_has_an_id_which_may_come_from_the_proxy(
    service: Service, json_log: CollectedLog
) -> None:
    given = service.call("GET", "/an-id", headers={"X-Request-ID": "abcd-1234"})
    assert given.headers["x-request-id"] == "abcd-1234"
    made = service.call("GET", "/an-id", headers={"X-Request-ID": "a b!"})
    assert len(made.headers["x-request-id"]) == 16
    entries = json_log.entries("request", 2, path="/an-id")
    ids = [entry["request_id"] for entry in entries]
    assert ids == ["abcd-1234", made.headers["x-request-id"]]
