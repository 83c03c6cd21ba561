"""Every member of every body: missing, of a wrong type, too long, twice, too deep."""

import contextlib
import gzip
import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import PATH_TO_ROUTE, complaints
from tests.support.replay import PATIENCE, Answer
from tests.support.service import (
    PUBLICATION,
    Service,
    basic,
    creation,
    question,
    resource,
    running,
)
from tests.support.settings import USER

ABSENT = object()
"""Stands for a member that is not there."""


def nested(depth: int) -> Any:
    """Return a list in a list in a list."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


BAD_VALUES: Mapping[str, Any] = {
    "absent": ABSENT,
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "negative": -1,
    "real": 1.5,
    "huge": 10**30,
    "hugely negative": -(10**30),
    "huge real": 1e308,
    "empty text": "",
    "blank": " ",
    "long text": "x" * 100_000,
    "control characters": "\r\n\x00\x1b",
    "emoji": "\N{PILE OF POO}" * 30,
    "path": "../../../../etc/passwd",
    "markup": "<script>'\";--",
    "empty list": [],
    "list of null": [None],
    "list of lists": [[[]]],
    "long list": [0] * 5000,
    "deep list": nested(400),
    "empty object": {},
    "object": {"a": {"b": 1}},
}

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "/tokens/validate": (
        *("method", "level", "dicom-uid", "orthanc-id", "token-key", "token-value"),
        *("server-id", "identifier", "uri", "labels"),
    ),
    "/tokens/decode": ("token-key", "token-value"),
    "/user/get-profile": (
        *("token-key", "token-value", "server-id", "identifier", "user-id"),
    ),
}
"""Members of the plugin's questions."""

MATTERS = ("method", "level", "dicom-uid", "orthanc-id", "token-value")
"""Members that decide."""

UNREADABLE: Mapping[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"token=abc",
    "cut": b'{"token-value":"abc"',
    "garbage behind": b"{} x",
    "two values": b"{}{}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"token-value":"abc"}'.encode("utf-16"),
    "not UTF-8": b'{"token-value":"\xff\xfe"}',
    "Latin-1": '{"token-value":"é"}'.encode("latin-1"),
    "lone surrogate": rb'{"token-value":"\ud800"}',
    "NaN": b'{"validity-duration":NaN}',
    "infinity": b'{"validity-duration":-Infinity}',
    "comment": b'{/* x */"type":"stone-viewer-publication"}',
    "trailing comma": b'{"type":"stone-viewer-publication",}',
    "single quotes": b"{'type':'stone-viewer-publication'}",
    "gzip": gzip.compress(b'{"type":"stone-viewer-publication"}'),
    "null byte": b'{"type":"\x00"}',
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "number of many digits": b'{"validity-duration":' + b"9" * 5_000 + b"}",
    "twice": b'{"type":"stone-viewer-publication","type":"viewer-instant-link"}',
    "twice, escaped": rb'{"type":"x","t\u0079pe":"y"}',
    "twice, below": b'{"resources":[{"level":"study","level":"series"}]}',
}
"""Bodies that are not one JSON value without doubt."""

NO_OBJECT: Mapping[str, bytes] = {
    "null": b"null",
    "number": b"1",
    "text": b'"token"',
    "true": b"true",
    "list": b"[]",
    "list of objects": b'[{"token-value":"abc"}]',
}
"""JSON that is no object."""


@pytest.fixture(scope="module")
def token(service: Service) -> str:
    """Return a valid token of `STUDY`."""
    return service.token()


def changed(body: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return `body` with one member changed or taken out."""
    rest = {key: one for key, one in body.items() if key != name}
    return rest if value is ABSENT else rest | {name: value}


@pytest.mark.parametrize("bad", BAD_VALUES)
@pytest.mark.parametrize("path", QUESTIONS)
def test_every_question_has_an_answer_that_the_plugin_can_use(
    path: str, bad: str, service: Service, token: str
) -> None:
    value = BAD_VALUES[bad]
    for name in QUESTIONS[path]:
        asked = changed(question(token), name, value)
        answer = service.call("POST", path, asked)
        assert complaints(PATH_TO_ROUTE[path], answer) == [], name
        is_wrong = not (value is ABSENT or value is None or value in ("", " "))
        if path == "/tokens/validate" and name in MATTERS and is_wrong:
            assert answer.json["granted"] is False, name


@pytest.mark.parametrize("path", PATH_TO_ROUTE)
@pytest.mark.parametrize("body", [*UNREADABLE, *NO_OBJECT])
def test_a_question_that_cannot_be_read_is_refused_with_200(
    body: str, path: str, service: Service
) -> None:
    raw = {**UNREADABLE, **NO_OBJECT}[body]
    answer = service.call("POST", path, raw)
    route = PATH_TO_ROUTE[path]
    assert complaints(route, answer) == []
    expected: Mapping[str, Mapping[str, Any]] = {
        "validate": {"granted": False},
        "decode": {"error-code": "invalid", "resources": [], "redirect-url": None},
        "profile": {"permissions": [], "user-id": None},
    }
    assert expected[route].items() <= answer.json.items()


def test_a_member_that_comes_twice_decides_nothing(
    service: Service, token: str
) -> None:
    good = json.dumps(question(token)).encode()
    assert service.call("POST", "/tokens/validate", good).json["granted"] is True
    for twin in question(token):
        twice = b'{"%s":"x",' % twin.encode() + good[1:]
        answer = service.call("POST", "/tokens/validate", twice)
        assert answer.json["granted"] is False, twin


CREATION_MEMBERS = (
    *("id", "resources", "studies", "dicom-uid", "orthanc-id", "anonymized"),
    *("type", "expiration-date", "validity-duration", "server-id"),
)
RESOURCE_MEMBERS = ("dicom-uid", "orthanc-id", "level", "url")


def is_clear(answer: Answer) -> bool:
    """Tell whether an answer is a share, or a problem that says what is wrong."""
    if answer.status == 200:
        return complaints("create", answer) == []
    is_problem = answer.headers["content-type"] == "application/problem+json"
    return is_problem and answer.status in {400, 422} and bool(answer.json["detail"])


@pytest.mark.parametrize("bad", BAD_VALUES)
@pytest.mark.parametrize("path", ["/shares", f"/shares/{PUBLICATION}", "/tokens/x"])
def test_a_share_is_made_or_refused_with_a_reason(
    path: str, bad: str, service: Service
) -> None:
    value = BAD_VALUES[bad]
    bodies = [changed(creation(), name, value) for name in CREATION_MEMBERS]
    for form in ("resources", "studies"):
        for name in RESOURCE_MEMBERS:
            one = changed(resource(), name, value)
            bodies.append({"type": PUBLICATION, form: [one]})
    for body in bodies:
        answer = service.call("PUT", path, body)
        assert is_clear(answer), (body, answer.status)


WRONG_TYPES = ("true", "zero", "real", "list of lists", "object")


@pytest.mark.parametrize("bad", WRONG_TYPES)
def test_a_share_is_not_made_of_members_of_a_wrong_type(
    bad: str, service: Service
) -> None:
    value = BAD_VALUES[bad]
    for name in ("id", "resources", "studies", "dicom-uid", "orthanc-id", "type"):
        answer = service.call("PUT", "/shares", changed(creation(), name, value))
        assert answer.status == 422, name
    for name in ("dicom-uid", "orthanc-id", "level"):
        one = changed(resource(), name, value)
        assert service.create(resources=[one]).status == 422, name


@pytest.mark.parametrize("value", ["yes", 1, "true", None, [], {}])
def test_a_share_is_anonymized_or_not_and_nothing_between(
    value: Any, service: Service
) -> None:
    assert service.create(anonymized=value).status == 422


@pytest.mark.parametrize("path", ["/shares", f"/tokens/{PUBLICATION}"])
@pytest.mark.parametrize("body", [*UNREADABLE, *NO_OBJECT])
def test_a_creation_that_cannot_be_read_is_a_problem(
    body: str, path: str, service: Service
) -> None:
    raw = {**UNREADABLE, **NO_OBJECT}[body]
    answer = service.call("PUT", path, raw)
    assert answer.status == (400 if body in UNREADABLE else 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]


@pytest.fixture(scope="module")
def with_roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a roles file."""
    path = tmp_path_factory.mktemp("roles") / "permissions.json"
    path.write_text('{"roles": {}}')
    with running(permissions_file_path=Path(path)) as started:
        yield started


@pytest.mark.parametrize("bad", BAD_VALUES)
def test_roles_are_stored_or_refused_with_a_reason(
    bad: str, with_roles: Service
) -> None:
    value = BAD_VALUES[bad]
    role = {"permissions": ["view"], "authorized-labels": ["*"]}
    good = {"roles": {"a": role}, "available-labels": ["x"], "server-id": None}
    bodies = [changed(good, name, value) for name in good]
    for name in role:
        bodies.append(good | {"roles": {"a": changed(role, name, value)}})
        listed = [] if value is ABSENT else [value]
        bodies.append(good | {"roles": {"a": role | {name: listed}}})
    bodies.append(good | {"roles": {"a": None if value is ABSENT else value}})
    if isinstance(value, str):
        bodies.append(good | {"roles": {value: role}})
    for body in bodies:
        answer = with_roles.call("PUT", "/settings/roles", body)
        assert answer.status in {200, 422}, body
        shown = with_roles.call("GET", "/settings/roles")
        assert complaints("roles-get", shown) == []
        if answer.status == 200:
            assert answer.json == shown.json
        else:
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [*UNREADABLE, *NO_OBJECT])
def test_roles_that_cannot_be_read_are_a_problem(
    body: str, with_roles: Service
) -> None:
    raw = {**UNREADABLE, **NO_OBJECT}[body]
    answer = with_roles.call("PUT", "/settings/roles", raw)
    assert answer.status in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


TEN_MEGABYTES = 10_000_000


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", PATH_TO_ROUTE)
def test_a_question_of_ten_megabytes_is_refused_with_200(
    path: str, service: Service, token: str, *, chunked: bool
) -> None:
    asked = question(token) | {"uri": "x" * TEN_MEGABYTES}
    answer = service.call("POST", path, asked, chunked=chunked)
    assert complaints(PATH_TO_ROUTE[path], answer) == []
    assert answer.json.get("granted", False) is False
    assert answer.json.get("resources", []) == []


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", ["/shares", "/tokens/x", "/settings/roles"])
def test_a_document_of_ten_megabytes_is_a_problem(
    path: str, service: Service, *, chunked: bool
) -> None:
    body = creation(id="x" * TEN_MEGABYTES)
    answer = service.call("PUT", path, body, chunked=chunked)
    assert answer.status == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "body_too_large"


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_the_type_of_the_content_does_not_matter_to_the_plugins_questions(
    kind: str, service: Service, token: str, *, chunked: bool
) -> None:
    answer = service.call(
        "POST",
        "/tokens/validate",
        question(token),
        {"Content-Type": kind},
        chunked=chunked,
    )
    assert answer.json["granted"] is True


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_question_may_come_in_many_chunks(
    size: int, service: Service, token: str
) -> None:
    raw = json.dumps(question(token)).encode()
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    host = service.base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {"Authorization": basic(*USER), "Transfer-Encoding": "chunked"}
        connection.request(
            "POST", "/tokens/validate", iter(chunks), headers, encode_chunked=True
        )
        assert json.loads(connection.getresponse().read())["granted"] is True


def test_a_compressed_question_is_refused(service: Service, token: str) -> None:
    raw = gzip.compress(json.dumps(question(token)).encode())
    headers = {"Content-Encoding": "gzip"}
    answer = service.call("POST", "/tokens/validate", raw, headers)
    assert answer.json == {"granted": False, "validity": 60}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/shares", "GET, PUT"),
        ("POST", f"/tokens/{PUBLICATION}", "PUT"),
        ("PUT", "/tokens/validate", "POST"),
        ("PUT", "/tokens/decode", "POST"),
        ("GET", "/user/get-profile", "POST"),
        ("DELETE", "/settings/roles", "GET, PUT"),
        ("PATCH", "/shares/roles", "GET, PUT"),
    ],
)
def test_another_method_is_a_problem_that_names_the_right_ones(
    method: str, path: str, allowed: str, service: Service
) -> None:
    answer = service.call(method, path, {})
    assert answer.status == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/nothing", "/tokens", "/user/get-profile/x"])
def test_an_unknown_address_is_a_problem(path: str, service: Service) -> None:
    for method in ("GET", "POST"):
        answer = service.call(method, path)
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
