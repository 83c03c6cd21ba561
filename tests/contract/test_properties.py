"""Rules that hold for every input, tried with many that nobody thought of."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import example, given, strategies as st

from orthanc_share.domain.access import (
    AccessPolicy,
    AccessRequest,
    Denied,
    Granted,
    decide,
)
from orthanc_share.domain.errors import InvalidTokenError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.web.json_body import UnreadableBodyError, parse_json
from tests.support.service import NOW
from tests.support.settings import SECRET_KEY
from tests.support.tokens import OTHER_KEY, codec, forged, header, share_token
from token_service.questions import UnreadableQuestionError, access_request, token

POLICY = AccessPolicy({Flavour.STANDARD: None})
TOKEN = share_token(ends=timedelta(hours=1))
CHARACTERS = st.characters(codec="utf-8")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "

# One codec has read a good token and takes the quick way, the other never has.
QUICK, SLOW = codec(), codec()
QUICK.read(TOKEN)


def is_accepted_by(reader: Any, text: str) -> bool:
    try:
        reader.read(text)
    except InvalidTokenError:
        return False
    return True


def is_accepted_by_pyjwt(text: str) -> bool:
    """Tell whether PyJWT verifies a token with exactly our header and no padding.

    PyJWT takes a padded signature, which RFC 7515 2 forbids.
    """
    if "=" in text:
        return False
    try:
        found = jwt.PyJWS(algorithms=["HS256"]).decode_complete(
            text, SECRET_KEY, algorithms=["HS256"]
        )
    except jwt.PyJWTError:
        return False
    return bool(found["header"] == header())


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Change a good token: characters replaced, put in, taken out, parts swapped."""
    text = TOKEN
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 2))
        text = (
            text[:place] + draw(st.text(ALPHABET, max_size=2)) + text[place + length :]
        )
    if draw(st.booleans()):
        text = ".".join(draw(st.permutations(text.split("."))))
    return text


@given(text=mutations() | st.text(ALPHABET, max_size=200))
@example(TOKEN)
@example(TOKEN + "=")
@example(TOKEN[:-1])
def test_the_quick_way_the_slow_way_and_pyjwt_accept_the_same_tokens(text: str) -> None:
    quick = is_accepted_by(QUICK, text)
    assert quick is is_accepted_by(codec(), text)
    assert quick is is_accepted_by_pyjwt(text)
    assert quick is (text == TOKEN)


@given(last=st.sampled_from(ALPHABET))
def test_only_one_last_character_is_right(last: str) -> None:
    changed = TOKEN[:-1] + last
    assert is_accepted_by(QUICK, changed) is (changed == TOKEN)
    assert is_accepted_by(SLOW, changed) is is_accepted_by_pyjwt(changed)


@given(
    head=st.dictionaries(
        st.sampled_from(["alg", "typ", "kid", "crit", "jku", "b64", "x"]),
        st.sampled_from([*header().values(), "none", None, 0, "", [], {}, "JWT"]),
    )
)
@example(header())
def test_only_the_exact_header_is_accepted(head: dict[str, Any]) -> None:
    text = forged(head)
    assert is_accepted_by(codec(), text) is (head == header())


@given(text=st.text(CHARACTERS, max_size=100))
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    assert is_accepted_by(SLOW, text) is False
    assert is_accepted_by(SLOW, forged(header(), text.encode())) is False
    assert is_accepted_by(QUICK, forged(header(), text.encode())) is False
    assert (
        is_accepted_by(QUICK, forged(header(), text.encode(), key=OTHER_KEY)) is False
    )


UIDS = st.sampled_from(["1.1", "1.2", "1.3"])
ORTHANC_IDS = st.sampled_from(["-".join([digit * 8] * 5) for digit in "abc"])
RESOURCES = st.builds(
    Resource,
    st.sampled_from([Level.STUDY, Level.SERIES]),
    st.none() | UIDS,
    ORTHANC_IDS,
) | st.builds(Resource, st.just(Level.STUDY), UIDS, st.none() | ORTHANC_IDS)
SHARES = st.builds(
    Share,
    id=st.just("x"),
    type=st.sampled_from(ShareType),
    resources=st.lists(RESOURCES, min_size=1, max_size=3).map(tuple),
    expires_at=st.none()
    | st.integers(-100, 200).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
REQUESTS = st.builds(
    AccessRequest,
    method=st.sampled_from(["get", "post", "put", "delete"]),
    level=st.sampled_from(["patient", "study", "series", "instance", "system"]),
    dicom_uid=st.none() | st.just("") | UIDS,
    orthanc_id=st.none() | st.just("") | ORTHANC_IDS,
)


@given(share=SHARES, request=REQUESTS, seconds=st.integers(-300, 300))
def test_a_grant_never_outlives_its_share(
    share: Share, request: AccessRequest, seconds: int
) -> None:
    now = NOW + timedelta(seconds=seconds)
    decision = decide(share, request, POLICY, now)
    if isinstance(decision, Granted):
        assert 1 <= decision.validity <= 60
        end = now + timedelta(seconds=decision.validity)
        assert share.expires_at is None or end <= share.expires_at


@given(share=SHARES, request=REQUESTS)
def test_a_grant_names_one_resource_by_all_ids_that_both_sides_have(
    share: Share, request: AccessRequest
) -> None:
    decision = decide(share, request, POLICY, NOW - timedelta(days=1))
    named = [
        resource
        for resource in share.resources
        if request.level == resource.level
        and (request.dicom_uid or request.orthanc_id)
        and _agree(request.dicom_uid, resource.dicom_uid)
        and _agree(request.orthanc_id, resource.orthanc_id)
        and (
            request.dicom_uid == resource.dicom_uid
            or request.orthanc_id == resource.orthanc_id
        )
    ]
    allowed = request.method in {"get", "post"} and bool(named)
    assert isinstance(decision, Granted) is allowed
    assert isinstance(decision, Denied) is not allowed


def _agree(asked: str | None, shared: str | None) -> bool:
    return not asked or not shared or asked == shared


JSON_TEXTS = st.recursive(
    st.sampled_from(["1", "1.5", "true", "null", '""', '"a:b"', r'"\""', '"{:"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: f"[{','.join(all_)}]")
        | st.lists(
            st.tuples(st.sampled_from(['"a"', r'"\u0061"', '"b"', '":"', '""']), inner),
            max_size=3,
        ).map(lambda pairs: "{" + ", ".join(f"{k} : {v}" for k, v in pairs) + "}")
    ),
    max_leaves=8,
)


def has_twins(text: str) -> bool:
    """Tell, slowly, whether an object in a JSON text names a member twice."""
    found = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        names = [name for name, _ in pairs]
        found = found or any(names.count(name) > 1 for name in names)

    json.loads(text, object_pairs_hook=note)
    return found


@given(text=JSON_TEXTS)
@example('{"a": 1, "a": 2}')
@example('{"a": {}, "a": {}}')
@example('[{"a": 1, "b": {"a": 1}}]')
def test_a_member_that_comes_twice_is_always_found(text: str) -> None:
    if has_twins(text):
        with pytest.raises(UnreadableBodyError):
            parse_json(text.encode())
    else:
        assert parse_json(text.encode()) == json.loads(text)


@given(body=st.binary(max_size=60))
@example(b"{}")
@example(b'{"a":NaN}')
@example(b"\xef\xbb\xbf{}")
def test_no_bytes_at_all_break_the_parser(body: bytes) -> None:
    try:
        value = parse_json(body)
    except UnreadableBodyError:
        return
    assert value == json.loads(body)


VALUES = st.text(CHARACTERS, max_size=20)
NAMES = ("method", "level", "dicom-uid", "orthanc-id", "server-id", "identifier")


@given(
    question=st.fixed_dictionaries(
        {"method": VALUES, "level": VALUES},
        optional=dict.fromkeys(NAMES[2:], VALUES | st.none()),
    ),
    changed=st.sampled_from(NAMES),
    value=st.none() | st.booleans() | st.integers() | st.lists(st.none()) | VALUES,
)
@example({"method": "get", "level": "study"}, "dicom-uid", "1.2")
@example({"method": "get", "level": "study"}, "level", 5)
def test_a_question_is_read_or_refused(
    question: dict[str, Any], changed: str, value: Any
) -> None:
    try:
        request = access_request(question | {changed: value})
    except UnreadableQuestionError:
        return
    assert isinstance(request.method, str)
    assert isinstance(request.level, str)
    for text in (request.dicom_uid, request.orthanc_id, request.server_id):
        assert text is None or isinstance(text, str)


@given(value=st.text(CHARACTERS, max_size=30))
@example("Bearer Bearer x")
def test_taking_off_bearer_takes_off_nothing_else(value: str) -> None:
    taken = token({"token-value": value})
    assert value.strip(" ").endswith(taken)
    assert token({"token-value": f"bEARER  {taken} "}) == taken
