"""The demo's plugin in a real Orthanc: what it asks, and what it lets through."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.calls import Reply, call
from demo.processes import StartError
from demo.sample_data import CT_STUDY, MR_STUDY
from tests.support.orthanc import Ids, running_orthanc, shares_section
from tests.support.recording_service import (
    Answer,
    Call,
    RecordingService,
    recording_service,
)

CT, MR = Ids.of(CT_STUDY), Ids.of(MR_STUDY)
METADATA = f"dicom-web/studies/{CT.study_uid}/metadata"
SERIES = f"dicom-web/studies/{CT.study_uid}/series/{CT.series_uid}"
LOGIN = "Basic c2hhcmUtdXNlcjpjaGFuZ2UtbWU="
SHARE = "ct"
ANONYMOUS = {"name": "A", "permissions": [], "authorized-labels": [], "validity": 60}


def decide(asked: Call) -> Answer:
    """Open the CT for `ct…`, everything for `all…`; decode only `ct…`."""
    value = str(asked.body.get("token-value", "")).removeprefix("Bearer ")
    if asked.path == "/user/get-profile":
        return 200, ANONYMOUS
    if asked.path == "/tokens/decode":
        return 200, {"resources": [CT.resource] if value.startswith("ct") else []}
    if asked.path == "/tokens/validate":
        opened = value.startswith("ct") and asked.body["orthanc-id"] == CT.study
        reads = asked.body["method"] in {"get", "post"}
        return 200, {"granted": opened and reads, "validity": 0}
    return 200, {"token": "made", "url": "https://share.example/?token=made"}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[RecordingService]:
    with recording_service(decide) as service:
        yield service


@pytest.fixture(scope="module")
def orthanc(
    stand_in: RecordingService, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("orthanc")
    with running_orthanc(folder, samples, shares_section(stand_in.url)) as url:
        yield url


@pytest.fixture
def service(stand_in: RecordingService, orthanc: str) -> RecordingService:
    assert orthanc
    stand_in.rule = decide
    stand_in.calls.clear()
    return stand_in


def ask(
    url: str, method: str = "GET", body: Any = None, *, token: str | None = SHARE
) -> Reply:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return call(method, url, body, headers=headers)


def raw(url: str, request: str) -> int:
    """Send a request as it is; return the status."""
    target = urlsplit(url)
    with socket.create_connection((target.hostname, target.port), 10) as connection:
        connection.sendall(request.encode("latin-1"))
        return int(connection.recv(100).split()[1])


def test_a_read_asks_for_the_profile_and_then_twice_for_the_study(
    orthanc: str, service: RecordingService
) -> None:
    assert ask(f"{orthanc}{METADATA}", token="ct-1").status == 200
    question = {
        "dicom-uid": CT.study_uid,
        "level": "study",
        "orthanc-id": CT.study,
        "server-id": None,
        "token-key": "Authorization",
        "token-value": "Bearer ct-1",
    }
    assert [(made.method, made.path, made.body) for made in service.calls] == [
        (
            "POST",
            "/user/get-profile",
            {
                "server-id": None,
                "token-key": "Authorization",
                "token-value": "Bearer ct-1",
            },
        ),
        ("POST", "/tokens/validate", {**question, "method": "get"}),
        ("POST", "/tokens/validate", {**question, "method": "post"}),
    ]


def test_every_question_looks_on_the_wire_like_the_recorded_ones(
    orthanc: str, service: RecordingService
) -> None:
    call("GET", f"{orthanc}studies/{CT.study}", headers={"Token": "ct-2"})
    call("GET", f"{orthanc}{METADATA}", headers={"api-key": "ct-2"})
    call("GET", f"{orthanc}studies/{CT.study}?token=ct%2D3")
    call("POST", f"{orthanc}auth/tokens/decode", {"TokenValue": "ct-2"})
    common = {
        "Accept": "*/*",
        "Authorization": LOGIN,
        "Content-Type": "application/json",
        "Host": urlsplit(service.url).netloc,
        "Transfer-Encoding": "chunked",
    }
    for made in service.calls:
        key, value = made.body.get("token-key"), made.body.get("token-value")
        repeated = {key: value} if made.path == "/tokens/validate" else {}
        assert made.headers == {**common, **repeated}
        text = json.dumps(made.body, sort_keys=True, separators=(",", ":"))
        assert made.raw == f"{len(text):X}\r\n{text}\r\n0\r\n\r\n".encode("ascii")
    keys = [made.body["token-key"] for made in service.calls]
    assert {"token", "api-key", ""} <= set(keys)
    assert "ct-3" in [made.body["token-value"] for made in service.calls]
    connections = [made.connection for made in service.calls]
    assert len(set(connections)) == len(connections)


def test_a_request_without_token_is_asked_anonymously(
    orthanc: str, service: RecordingService
) -> None:
    assert ask(f"{orthanc}studies/{CT.study}", token=None).status == 403
    assert service.asked("/tokens/validate") == [
        {
            "dicom-uid": CT.study_uid,
            "level": "study",
            "method": "get",
            "orthanc-id": CT.study,
            "server-id": None,
        }
    ]


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "path",
    [
        f"studies/{CT.study}",
        f"studies/{CT.study}/archive",
        f"series/{CT.series}",
        f"instances/{CT.instance}/preview",
        METADATA,
        f"dicom-web/series?StudyInstanceUID={CT.study_uid}",
        f"{SERIES}/instances/{CT.instance_uid}/frames/1",
    ],
)
def test_the_shared_study_can_be_read(orthanc: str, path: str) -> None:
    reply = ask(f"{orthanc}{path}")
    assert reply.status == 200
    assert reply.body


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "path",
    [
        f"studies/{MR.study}",
        f"studies/{MR.study}/archive",
        f"dicom-web/studies/{MR.study_uid}/metadata",
        f"dicom-web/studies/{MR.study_uid}/series/{CT.series_uid}/metadata",
        f"dicom-web/series?StudyInstanceUID={CT.study_uid}&0020,000D={MR.study_uid}",
        f"dicom-web/series?StudyInstanceUID={CT.study_uid}%5C{MR.study_uid}",
        f"dicom-web/series?StudyInstanceUID={CT.study_uid},{MR.study_uid}",
        "dicom-web/instances",
        f"patients/{CT.patient}",
        f"patients/{MR.patient}",
        "studies",
        "patients",
        "instances",
        "changes",
        "statistics",
        "tools/metrics-prometheus",
        "modalities",
        f"wado?requestType=WADO&objectUID={MR.instance_uid}",
        "app/explorer.html",
    ],
)
def test_nothing_else_can_be_read(orthanc: str, path: str) -> None:
    assert ask(f"{orthanc}{path}").status == 403


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "line",
    [
        f"GET /ohif/../studies/{MR.study}",
        f"GET /ohif/%2e%2e/studies/{MR.study}",
        f"GET //studies//{MR.study}",
        f"GET /studies/{CT.study}/../{MR.study}",
        f"GET /studies/{MR.study}?_method=GET",
        f"GET /studies/{CT.study}?_method=DELETE",
        f"POST /studies/{CT.study}?_method=DELETE",
        f"HEAD /studies/{MR.study}",
    ],
)
def test_odd_requests_open_nothing_else(orthanc: str, line: str) -> None:
    headers = "Host: x\r\nAuthorization: Bearer ct\r\nContent-Length: 0\r\n\r\n"
    assert raw(orthanc, f"{line} HTTP/1.1\r\n{headers}") in {400, 403, 404, 405}
    assert ask(f"{orthanc}studies/{CT.study}").status == 200


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"studies/{CT.study}"),
        ("DELETE", f"instances/{CT.instance}"),
        ("PUT", f"studies/{CT.study}/metadata/1024"),
        ("PUT", f"studies/{CT.study}/attachments/1024"),
        ("POST", "tools/find"),
        ("POST", "tools/execute-script"),
        ("POST", "instances"),
        ("POST", "dicom-web/studies"),
        ("PUT", "auth/tokens/ohif-viewer-publication"),
    ],
)
def test_nothing_can_be_changed(orthanc: str, method: str, path: str) -> None:
    assert (
        ask(f"{orthanc}{path}", method, {"Level": "Study", "Query": {}}).status == 403
    )
    assert ask(f"{orthanc}studies/{CT.study}").status == 200


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("query", ["", "?limit=10", "?PatientID=*", "?PatientID=DEMO*"])
def test_the_list_of_studies_holds_only_what_the_token_names(
    orthanc: str, query: str
) -> None:
    reply = ask(f"{orthanc}dicom-web/studies{query}")
    assert reply.headers["content-type"] == "application/dicom+json"
    (found,) = reply.json()
    assert found["0020000D"]["Value"] == [CT.study_uid]
    assert found["00201208"]["Value"] == [CT_STUDY.slices]
    assert found["00100010"]["Value"] == [{"Alphabetic": "DEMO^CT"}]


@pytest.mark.usefixtures("service")
def test_the_list_of_studies_is_closed_to_everybody_else(orthanc: str) -> None:
    url = f"{orthanc}dicom-web/studies"
    assert ask(f"{url}?PatientID=DEMO-MR").json() == []
    assert ask(f"{url}?StudyInstanceUID={MR.study_uid}").status == 403
    assert ask(f"{url}?StudyInstanceUID={CT.study_uid}").status == 200
    assert ask(url, token="other").status == 403
    assert ask(url, token=None).status == 403
    assert call("GET", f"{url}?token=ct").status == 403
    assert ask(url, "POST", {}).status == 403


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (403, {"granted": True, "validity": 60}),
        (200, {"granted": "true"}),
        (200, {"granted": True, "validity": 60.0}),
        (200, "nonsense"),
    ],
)
def test_a_failing_service_opens_nothing(
    orthanc: str, service: RecordingService, answer: Answer
) -> None:
    service.rule = lambda _call: answer
    url = f"{orthanc}studies/{CT.study}"
    assert ask(url, token="ct-failing").status == 403
    service.rule = decide
    assert ask(url, token="ct-failing").status == 200


def test_a_token_with_a_line_break_adds_no_header(
    orthanc: str, service: RecordingService
) -> None:
    url = f"{orthanc}studies/{CT.study}?token=ct%0D%0AX-Extra:%20yes"
    assert call("GET", url).status == 403
    assert service.asked("/tokens/validate") == []


@pytest.mark.usefixtures("service")
def test_static_content_is_open(orthanc: str) -> None:
    assert ask(f"{orthanc}system", token=None).status == 200


def test_tokens_are_made_as_orthanc_explorer_2_asks_for_them(
    service: RecordingService, samples: Path, tmp_path: Path
) -> None:
    section = {"WebServiceTokenCreationBaseUrl": f"{service.url}tokens/"}
    study = {"OrthancId": CT.study, "DicomUid": CT.study_uid, "Level": "study"}
    body = {"Resources": [study], "Type": "x", "ValidityDuration": 3600}
    login = ("staff", "secret")
    users = dict([login])
    with running_orthanc(tmp_path, samples, section, users=users) as url:
        making = f"{url}auth/tokens/stone-viewer-publication"
        assert call("PUT", making, body).status == 401
        reply = call("PUT", making, body, login=login)
        refused = call("PUT", making, b"nonsense", login=login)
        listed = call("GET", f"{url}studies", login=login)
    assert reply.json() == {
        "Token": "made",
        "Url": "https://share.example/?token=made",
    }
    assert service.asked("/tokens/stone-viewer-publication") == [
        {
            "resources": [CT.resource],
            "server-id": None,
            "type": "stone-viewer-publication",
            "validity-duration": 3600,
        }
    ]
    assert refused.status == 400
    assert len(listed.json()) == 3  # nothing is filtered


@pytest.mark.usefixtures("service")
def test_the_profile_is_shown(orthanc: str) -> None:
    # Without `orthanc-explorer-2`'s unchecked route it would need a permission
    reply = ask(f"{orthanc}auth/user/profile")
    assert reply.json() == {"name": "A", "permissions": [], "groups": []}


@pytest.mark.usefixtures("service")
def test_many_requests_at_once_are_all_answered(orthanc: str) -> None:
    frames = [
        f"{SERIES}/instances/{CT_STUDY.uid(f'image/{number}')}/frames/1"
        for number in range(1, CT_STUDY.slices + 1)
    ]
    paths = [*frames, "dicom-web/studies", f"studies/{MR.study}"] * 2
    with ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(lambda path: ask(f"{orthanc}{path}"), paths))
    statuses = [reply.status for reply in replies]
    expected = ([200] * len(frames) + [200, 403]) * 2
    assert statuses == expected


def test_a_wrong_option_stops_orthanc(samples: Path, tmp_path: Path) -> None:
    wrong = shares_section("http://127.0.0.1:9", CheckedLevel="study")
    with (
        pytest.raises(StartError, match="CheckedLevel"),
        running_orthanc(tmp_path, samples, wrong),
    ):
        pass
