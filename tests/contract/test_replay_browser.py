"""The recorded sessions of Orthanc Explorer 2 in a browser, line after line."""

from datetime import timedelta
from pathlib import Path

from tests.support.answers import PATH_TO_ROUTE, complaints
from tests.support.recording_service import recording_service
from tests.support.replay import Line, lines, replay, studies, study_of
from tests.support.service import running
from tests.support.tokens import share_token


def route_of(line: Line) -> str:
    """Return what a line asks for."""
    if line.path.endswith("/roles"):
        return f"roles-{line.method.lower()}"
    return PATH_TO_ROUTE.get(line.path, "create")


def test_the_whole_sessions_work_with_one_service(roles_file: Path) -> None:
    routes = set()
    expired = share_token(studies()[0], ends=-timedelta(hours=1))
    with running(permissions_file_path=roles_file) as service:
        for line in lines("oe2-browser"):
            token = share_token(study_of(line))
            answer = replay(service.base, line, token, expired)
            route = route_of(line)
            assert complaints(route, answer) == [], line.case
            if route == "validate":
                assert answer.json["granted"] is True, line.case
            if route == "decode":
                is_valid = "{TOKEN}" in line.body["token-value"]
                assert bool(answer.json["redirect-url"]) is is_valid, line.case
                assert bool(answer.json["error-code"]) is not is_valid, line.case
            routes.add(route)
    assert routes == {
        "create",
        "validate",
        "profile",
        "decode",
        "roles-get",
        "roles-put",
    }


def test_a_line_is_sent_as_the_plugin_sends_it() -> None:
    line = next(line for line in lines("validate") if "not-ascii" in line.case)
    with recording_service(lambda _: (200, {})) as recorder:
        for _ in range(2):
            replay(recorder.url, line, "A.B.C", "X.Y.Z")
    first, second = recorder.calls
    body = (
        '{"dicom-uid":"1.2.826.0.1.3680043.8.498.8801.1","level":"study",'
        '"method":"get",'
        '"orthanc-id":"b91bf71c-c9b44e3e-e6107938-f2e46c1d-acce7cac",'
        '"server-id":"site-a","token-key":"token",'
        '"token-value":"X.Y.Z\\ufffd\\ufffd"}'
    )
    assert first.raw == f"{len(body):X}\r\n{body}\r\n0\r\n\r\n".encode("ascii")
    assert first.headers["Transfer-Encoding"] == "chunked"
    assert first.headers["token"] == "X.Y.Z\u00ff\u00fe"
    assert first.headers.keys() == line.headers.keys()
    assert first.connection != second.connection
