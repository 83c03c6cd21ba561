"""Whom the anonymizer lets in: holders of an anonymized share, nobody else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from anonymizer.routes import ROUTES
from orthanc_share.domain.resource import Level
from orthanc_share.domain.share import Flavour
from tests.support.anonymized import (
    Running,
    Source,
    anonymized_token,
    anonymizer_settings,
    as_json,
    running,
    running_anonymizer,
)
from tests.support.orthanc_double import Reply
from tests.support.service import NOW
from tests.support.tokens import altered, foreign_tokens

PATH = "/dicom-web/studies"
SOURCE = Source.sample(1)
STUDY = SOURCE.resource(Level.STUDY)


@pytest.fixture
def shared(anonymizer: Running) -> Iterator[Running]:
    anonymizer.share(SOURCE)
    yield anonymizer
    anonymizer.client.headers.pop("token", None)


@pytest.mark.parametrize("place", ["token", "Authorization", "query", "all"])
def test_a_token_is_taken_from_where_viewers_put_it(
    place: str, shared: Running
) -> None:
    token = shared.client.headers.pop("token")
    headers = {"token": token, "Authorization": f"bearer {token}"}
    sent = {name: value for name, value in headers.items() if place in {name, "all"}}
    query = {"token": token} if place in {"query", "all"} else {}
    answer = shared.client.get(PATH, headers=sent, params=query)
    assert answer.status_code == 200


def test_without_a_token_there_is_a_challenge(shared: Running) -> None:
    del shared.client.headers["token"]
    for headers in ({}, {"token": ""}, {"Authorization": "Basic abcd"}):
        answer = shared.client.get(PATH, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_two_different_tokens_are_refused(shared: Running) -> None:
    other = anonymized_token(STUDY, share_id="another")
    answer = shared.client.get(PATH, params={"token": other})
    assert answer.status_code == 400


def test_what_opens_nothing_opens_nothing_here(shared: Running) -> None:
    tokens = {
        **foreign_tokens(SOURCE.study),
        "standard": anonymized_token(STUDY, flavour=Flavour.STANDARD),
        "expired": anonymized_token(STUDY, expires_at=NOW - timedelta(seconds=1)),
        "nearly over": anonymized_token(STUDY, expires_at=NOW + timedelta(seconds=0.5)),
        "altered": altered(anonymized_token(STUDY))[0],
    }
    # Of these two studies this Orthanc has none, which is another test.
    del tokens["anonymized"], tokens["of a series"]
    for what, token in tokens.items():
        answer = shared.client.get(PATH, headers={"token": token})
        assert answer.status_code == 403, what
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert not shared.orthanc.asked, what


def test_every_route_wants_a_token(shared: Running) -> None:
    del shared.client.headers["token"]
    uid, number = "2.25.1", "1"
    values = {
        "study": uid,
        "series": uid,
        "instance": uid,
        "frames": number,
        "frame": number,
        "index": number,
        "tag_path": "7FE00010",
        "id": SOURCE.study.orthanc_id,
    }
    assert ROUTES
    for route in ROUTES:
        for method in route.methods:
            path = route.template.format(**values)
            answer = shared.client.request(method, path)
            assert answer.status_code == 401, (method, path)
    assert not shared.orthanc.asked


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/dicom-web",
        "/dicom-web/",
        "/dicom-web/studies/",
        "//dicom-web/studies",
        "/dicom-web//studies",
        "/dicom-web/studies/%2e%2e/studies",
        "/dicom-web/studie%73",
        "/dicom-web/studies%3Flimit=1",
        "/dicom-web/studies%2f1.2.3/series",
        "/dicom-web/studies/1.2.3%2fseries",
        "/dicom-web/studies/A.B",
        "/dicom-web/servers",
        "/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5/frames/0",
        "/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5/frames/1,",
        "/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5/bulk/1",
        "/instances",
        "/changes",
        "/app/explorer.html",
        "/plugins",
    ],
)
def test_all_else_does_not_exist(path: str, shared: Running) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
        answer = shared.client.request(method, path)
        assert answer.status_code == 404, method
        if method != "HEAD":
            assert answer.json()["status"] == 404
    assert not shared.orthanc.asked


def test_a_path_that_is_there_takes_no_other_method(shared: Running) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert shared.client.request(method, PATH).status_code == 404


def test_a_share_of_a_study_that_orthanc_does_not_have_is_empty(
    shared: Running,
) -> None:
    shared.orthanc.answers = {}
    answer = shared.get(PATH)
    assert answer.json() == []


def test_orthanc_gets_nothing_of_the_client(shared: Running) -> None:
    sent = {
        "Forwarded": "host=evil.example",
        "X-Forwarded-Host": "evil.example",
        "Cookie": "a=b",
        "Range": "bytes=0-10",
        "Accept-Encoding": "gzip",
        "User-Agent": "evil.example",
    }
    answer = shared.client.get(PATH, headers=sent)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    for asked in shared.orthanc.asked:
        assert asked.fields.keys() == {
            *("host", "accept", "accept-encoding", "user-agent")
        }
        assert "evil" not in str(asked.fields)
        assert asked.fields["accept-encoding"] == "identity"


def test_orthanc_gets_the_services_login_and_if_wanted_the_token() -> None:
    settings = {
        "orthanc_username": "anonymizer",
        "orthanc_password": "a-password",
        "orthanc_pass_token": True,
    }
    with running(**settings) as started:
        started.share(SOURCE)
        token = started.client.headers["token"]
        started.get(PATH)
        started.orthanc.answers["system"] = Reply(status=403)
        assert started.client.get("/ready").status_code == 200
        asked = started.orthanc.asked
    assert {one.fields["authorization"] for one in asked} == {
        "Basic YW5vbnltaXplcjphLXBhc3N3b3Jk"
    }
    shown = [one.fields.get("token") for one in asked if one.path != "/system"]
    assert set(shown) == {token}


def test_an_orthanc_that_refuses_the_services_login_is_not_ready(
    shared: Running,
) -> None:
    for reply, status in ((as_json({}), 200), (Reply(status=401), 503)):
        shared.orthanc.answers["system"] = reply
        assert shared.client.get("/ready").status_code == status


def test_no_share_is_served_where_none_can_be_made() -> None:
    settings = anonymizer_settings("http://127.0.0.1:9/")
    off = settings.model_copy(update={"public_anonymized_orthanc_root": None})
    with running_anonymizer(off, SOURCE.token()) as client:
        assert client.get(PATH).status_code == 404
        assert client.get("/ready").json()["dependencies"] == {}
