"""Short cuts of the hot path: nobody can tell them from the long way."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings, strategies as st
from starlette.types import Scope

from orthanc_share.domain.access import AccessRequest
from tests.support.service import STUDY, Service, basic
from tests.support.settings import USER
from tests.support.tokens import share_token
from token_service import questions
from token_service.questions import UnreadableQuestionError

TOKEN = share_token()
NAMES = [
    *("level", "method", "token-value", "dicom-uid", "orthanc-id", "server-id"),
    *("token-key", "uri", "token_value", "dicom_uid", "server_id", "identifier", "x"),
]
TEXTS = st.sampled_from(
    [
        *("study", "STUDY", "series", "get", "GET", "post", "", " ", ":", "a:b"),
        *(TOKEN, f"Bearer {TOKEN}", f" bearer  {TOKEN} ", f"\t{TOKEN}", "Token"),
        *(STUDY.dicom_uid, STUDY.orthanc_id, "\u0130", "\u212a", "\ud800", "x" * 99),
    ]
)
VALUES: st.SearchStrategy[Any] = (
    TEXTS | st.none() | st.integers(-3, 3) | st.just([]) | st.just({"a": "b"})
)
SCOPE: Scope = {"type": "http", "headers": [(b"token", TOKEN.encode())]}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Write a question: members in any order, some twice, some wrong, or half of it."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=9))
    if draw(st.booleans()):
        names += ["level", "method", "token-value"]
    members = [
        json.dumps(name)
        + draw(st.sampled_from([":", " : "]))
        + json.dumps(draw(VALUES))
        for name in names
    ]
    body = ("{" + ",".join(members) + "}").encode()
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


def read_at_length(body: bytes) -> tuple[AccessRequest, str] | None:
    """Return what the slow way reads; None: it is not readable."""
    try:
        question = questions.read_object(body)
        request = questions.access_request(question)
        token = questions.token(question, SCOPE)
    except UnreadableQuestionError:
        return None
    return request, token


def read(body: bytes) -> tuple[AccessRequest, str] | None:
    """Return what is read the way that the service goes."""
    try:
        return questions.read_question(body, SCOPE)
    except UnreadableQuestionError:
        return None


def without_empty_ids(found: tuple[AccessRequest, str] | None) -> Any:
    """Return the same with absent for empty, as which empty ids count."""
    if found is None:
        return None
    request, token = found
    ids = (request.dicom_uid, request.orthanc_id, request.server_id)
    return (request.method, request.level, *(one or None for one in ids), token)


@settings(max_examples=2000)
@given(body=bodies())
def test_both_ways_to_read_a_question_read_the_same(body: bytes) -> None:
    assert without_empty_ids(read(body)) == without_empty_ids(read_at_length(body))


def answered(service: Service, target: str, body: bytes, login: str) -> Any:
    """Return status, JSON and the fields that say what kind of answer it is."""
    connection = http.client.HTTPConnection(urlsplit(service.base).netloc, timeout=20)
    fields = {"Authorization": login, "Token": TOKEN}
    connection.request("POST", target, body, fields)
    response = connection.getresponse()
    kinds = [response.headers[n] for n in ("content-type", "cache-control")]
    found = response.status, *kinds, json.loads(response.read())
    connection.close()
    return found


@pytest.mark.parametrize("is_known", [True, False])
def test_the_answer_at_once_is_the_usual_answer(
    service: Service, *, is_known: bool
) -> None:
    login = basic(*USER) if is_known else "Basic d3Jvbmc6d3Jvbmc="

    @settings(max_examples=150, deadline=None)
    @given(body=bodies())
    def ask(body: bytes) -> None:
        # Only a target without a query is answered at once.
        at_once = answered(service, "/tokens/validate", body, login)
        assert at_once == answered(service, "/tokens/validate?", body, login)

    ask()
