"""Tokens that somebody made up, changed, or took from elsewhere."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from orthanc_share.tokens.codec import TOKEN_LENGTH_MAX
from tests.support.service import OTHER_STUDY, STUDY, Service, basic, question, running
from tests.support.settings import PUBLIC, SECRET_KEY, USER
from tests.support.tokens import (
    OTHER_KEY,
    altered,
    claims,
    forged,
    header,
    parts,
    segment,
    share_token,
    signature_of,
    users_token,
)

RIGHT = header()
NONE_SPELLINGS = ("none", "None", "NONE", "nOnE", "", None, "null")
OTHER_ALGORITHMS = (
    "HS384",
    "HS512",
    "RS256",
    "ES256",
    "PS256",
    "EdDSA",
    "dir",
    "A128KW",
)

HEADERS: Mapping[str, Any] = {
    **{f"alg {alg!r}": {**RIGHT, "alg": alg} for alg in NONE_SPELLINGS},
    **{f"alg {alg}": {**RIGHT, "alg": alg} for alg in OTHER_ALGORITHMS},
    "alg in lower case": {**RIGHT, "alg": "hs256"},
    "alg with a blank": {**RIGHT, "alg": "HS256 "},
    "alg a list": {**RIGHT, "alg": ["HS256"]},
    "alg a number": {**RIGHT, "alg": 5},
    "alg missing": {"typ": RIGHT["typ"], "kid": RIGHT["kid"]},
    "kid missing": {"alg": "HS256", "typ": "share+jwt"},
    "kid unknown": {**RIGHT, "kid": "AAAAAAAAAAA"},
    "kid empty": {**RIGHT, "kid": ""},
    "kid null": {**RIGHT, "kid": None},
    "kid a number": {**RIGHT, "kid": 0},
    "kid a list": {**RIGHT, "kid": [RIGHT["kid"]]},
    "kid an object": {**RIGHT, "kid": {"a": 1}},
    "kid a path": {**RIGHT, "kid": "../../../../dev/null"},
    "kid SQL": {**RIGHT, "kid": "' UNION SELECT 'x"},
    "kid of 10 KB": {**RIGHT, "kid": "A" * 10_000},
    "typ JWT": {**RIGHT, "typ": "JWT"},
    "typ missing": {"alg": "HS256", "kid": RIGHT["kid"]},
    "typ in capitals": {**RIGHT, "typ": "SHARE+JWT"},
    "typ with application/": {**RIGHT, "typ": "application/share+jwt"},
    "typ null": {**RIGHT, "typ": None},
    "typ a list": {**RIGHT, "typ": ["share+jwt"]},
    "jku": {**RIGHT, "jku": "https://evil.example.org/keys"},
    "jwk": {**RIGHT, "jwk": {"kty": "oct", "k": segment(OTHER_KEY.encode())}},
    "x5u": {**RIGHT, "x5u": "https://evil.example.org/certificate"},
    "x5c": {**RIGHT, "x5c": ["MIIB"]},
    "crit": {**RIGHT, "crit": ["exp"]},
    "crit empty": {**RIGHT, "crit": []},
    "b64": {**RIGHT, "crit": ["b64"], "b64": False},
    "zip": {**RIGHT, "zip": "DEF"},
    "cty": {**RIGHT, "cty": "JWT"},
    "enc": {**RIGHT, "enc": "A128GCM"},
    "empty": {},
    "a list": [],
    "null": None,
    "a text": "HS256",
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "nothing": b"",
    "a member twice": b'{"alg":"none","alg":"HS256","typ":"share+jwt","kid":"x"}',
    "too deep": b"[" * 3000,
    "a number of many digits": b'{"alg":' + b"9" * 5000 + b"}",
}
"""What a header may not be, however well the token is signed."""

PAYLOADS: Mapping[str, Any] = {
    "nothing": b"",
    "null": None,
    "a list": [],
    "a number": 5,
    "no JSON": b"{",
    "not UTF-8": b'{"iss":"\xff"}',
    "another issuer": claims(iss="https://keycloak.example.org"),
    "an inbox link": claims(use="inbox-link", res=[]),
    "too deep": b"[" * 3000,
}
"""What claims may not be, however well the token is signed."""


def is_refused(service: Service, token: str) -> bool:
    """Tell whether every question of the plugin treats the token as nobody's."""
    decoded = service.decode(token)
    asked = {"token-key": "token", "token-value": token, "server-id": None}
    profile = service.ask("/user/get-profile", asked)
    assert profile["permissions"] == profile["authorized-labels"] == []
    assert decoded["error-code"] in {"invalid", "expired"}
    assert decoded["redirect-url"] is None
    assert decoded["resources"] == []
    return not service.is_granted(token)


def test_the_forger_of_these_tests_can_make_a_good_token(service: Service) -> None:
    # Else all others would be refused for the wrong reason.
    assert service.is_granted(forged(RIGHT)) is True


@pytest.mark.parametrize("what", HEADERS)
def test_a_strange_header_is_refused_even_with_a_good_signature(
    what: str, service: Service
) -> None:
    content = HEADERS[what]
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert is_refused(service, forged(raw))


@pytest.mark.parametrize("what", PAYLOADS)
def test_strange_claims_are_refused_even_with_a_good_signature(
    what: str, service: Service
) -> None:
    content = PAYLOADS[what]
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert is_refused(service, forged(RIGHT, raw))


@pytest.mark.parametrize("alg", NONE_SPELLINGS, ids=repr)
@pytest.mark.parametrize("tail", ["", "AAAA"])
def test_a_token_without_signature_is_refused(
    alg: str | None, tail: str, service: Service
) -> None:
    for typ in ("JWT", "share+jwt"):
        bare = {"alg": alg, "typ": typ}
        for head in (bare, {**RIGHT, "alg": alg, "typ": typ}):
            assert is_refused(service, forged(head, key=None) + tail)
    good = forged(RIGHT)
    assert is_refused(service, good.rpartition(".")[0] + "." + tail)
    assert is_refused(service, good.rpartition(".")[0])


@pytest.mark.parametrize("payload", ["A", "!!!!!", "", "A.A", "AA==", "A\x7f"])
def test_a_payload_that_is_no_base64_is_refused_even_with_a_good_signature(
    payload: str, service: Service
) -> None:
    assert service.is_granted(forged(RIGHT)) is True  # the header is known now
    signed = f"{segment(RIGHT)}.{payload}"
    assert is_refused(service, f"{signed}.{signature_of(signed)}")


def test_a_token_of_another_key_is_refused(service: Service) -> None:
    assert is_refused(service, share_token(key=OTHER_KEY))
    assert is_refused(service, forged(RIGHT, key=OTHER_KEY))
    assert is_refused(service, forged(header(OTHER_KEY), key=SECRET_KEY))
    assert is_refused(service, forged({"alg": "HS256", "typ": "JWT"}, key=OTHER_KEY))
    assert is_refused(service, forged(RIGHT, key=""))


def test_each_other_last_character_is_refused(service: Service) -> None:
    for token in (service.token(), forged(RIGHT)):
        assert service.is_granted(token) is True
        for changed in altered(token):
            assert service.is_granted(changed) is False, changed[-4:]


def test_each_changed_part_is_refused(service: Service) -> None:
    token = service.token()
    head, claimed, signature = token.split(".")
    other = share_token(OTHER_STUDY).split(".")
    broader = segment(json.loads(parts(token)[1]) | {"exp": None})
    for changed in (
        f"{head}.{other[1]}.{signature}",
        f"{head}.{claimed}.{other[2]}",
        f"{other[0]}A.{claimed}.{signature}",
        f"{head}.{broader}.{signature}",
        f"{head}.{claimed}=.{signature}",
        f"{head}..{signature}",
        f".{claimed}.{signature}",
        f"{head}.{claimed}.{signature}.{signature}",
        f"{head}.{claimed}.x.{claimed}.{signature}",
        f"{claimed}.{head}.{signature}",
        "..",
        ".",
        "....",
        f"{token}{token}",
        f"{token},{token}",
        f"{token} {token}",
    ):
        assert is_refused(service, changed)
    assert service.is_granted(token) is True


@pytest.mark.parametrize(
    "change",
    [
        "{}\r\n",
        "\r\n{}",
        "{}\r\nX-Extra: yes",
        "{}\n",
        "\t{}",
        "{}\x00",
        "\x00{}",
        "{}\x1c",
        "\x0b{}",
        "Bearer\t{}",
        "Bearer\n{}",
        "\u00a0{}",
        "{}\u200b",
        "\ufeff{}",
        "{}é",
        '"{}"',
        "%20{}",
    ],
)
def test_control_characters_and_others_around_a_token_are_refused(
    change: str, service: Service
) -> None:
    assert is_refused(service, change.format(service.token()))


@pytest.mark.parametrize(
    "change",
    ["{}", " {}", "{}   ", "Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}"],
)
def test_blanks_and_one_bearer_in_any_case_are_taken_off(
    change: str, service: Service
) -> None:
    presented = change.format(service.token())
    assert service.is_granted(presented) is True
    assert service.decode(presented)["error-code"] is None
    for key in ("token", "Authorization", "api-key", "anything", "", None):
        assert service.is_granted(presented, token_key=key) is True


@pytest.mark.parametrize(
    "change",
    [
        "Bearer",
        "Bearer ",
        "Bearer{}",
        "Bearer Bearer {}",
        "Basic {}",
        "Token {}",
        "token={}",
        "Bearer: {}",
        "null",
        "undefined",
        "true",
        "{{TOKEN}}",
    ],
)
def test_anything_else_around_a_token_is_refused(change: str, service: Service) -> None:
    assert is_refused(service, change.format(service.token()))


def test_a_token_of_a_hundred_kilobytes_is_refused(service: Service) -> None:
    token = service.token()
    assert is_refused(service, token + "A" * 100_000)
    assert is_refused(service, "A" * 100_000)
    assert is_refused(service, forged(RIGHT, claims(pad="A" * 100_000)))
    assert is_refused(service, "." * 100_000)


def test_the_longest_token_is_what_a_request_line_can_hold(service: Service) -> None:
    short = len(forged(RIGHT, claims(pad="")))
    room = (TOKEN_LENGTH_MAX - short) * 3 // 4
    assert service.is_granted(forged(RIGHT, claims(pad="A" * (room - 8)))) is True
    assert service.is_granted(forged(RIGHT, claims(pad="A" * (room + 8)))) is False


def test_a_users_token_is_no_share(service: Service) -> None:
    for token in (users_token(), f"Bearer {users_token()}", basic(*USER)):
        assert is_refused(service, token)


def test_a_share_is_no_users_token_and_no_login(service: Service) -> None:
    token = service.token()
    profile = service.ask("/user/get-profile", {"token-value": token})
    assert profile["permissions"] == []
    for scheme in ("Bearer", "Basic", "Token"):
        visitor = Service(service.base, None)
        headers = {"Authorization": f"{scheme} {token}"}
        answer = visitor.call("POST", "/tokens/validate", question(token), headers)
        assert answer.status == 401


def test_of_two_tokens_the_one_in_the_body_counts(
    service: Service, open_service: Service
) -> None:
    good, other = service.token(), share_token(OTHER_STUDY)
    for asked in (service, open_service):
        for name in ("token", "TOKEN", "api-key"):
            for in_body, in_header, granted in (
                (good, other, True),
                (other, good, False),
                ("", good, False),
                ("nonsense", good, False),
                (good, "nonsense", True),
            ):
                answer = asked.call(
                    "POST",
                    "/tokens/validate",
                    question(in_body, token_key=name),
                    {name: in_header},
                )
                assert answer.json["granted"] is granted


def test_a_token_that_comes_as_a_header_only_is_read(service: Service) -> None:
    # As orthanc-share to 22.11.2 wanted it (protocol A.3).
    good = service.token()
    asked = question(None)
    del asked["token-value"]
    for body in (asked, question(None)):
        headers = {"token": f"Bearer {good}"}
        answer = service.call("POST", "/shares/validate", body, headers)
        assert answer.json["granted"] is True
        answer = service.call("POST", "/shares/validate", body, {"api-key": good})
        assert answer.json["granted"] is False
        named = body | {"token-key": "API-Key"}
        answer = service.call("POST", "/shares/validate", named, {"api-key": good})
        assert answer.json["granted"] is True
        assert service.call("POST", "/shares/validate", body).json["granted"] is False


@pytest.mark.parametrize("key", ["é", "", "\r\n", "x" * 10_000, "Authorization"])
def test_no_name_of_a_header_makes_trouble(key: str, open_service: Service) -> None:
    body = question(None, token_key=key)
    headers = {"Authorization": f"Bearer {open_service.token()}"}
    answer = open_service.call("POST", "/tokens/validate", body, headers)
    assert answer.json == {"granted": False, "validity": 60}


@pytest.mark.parametrize(
    "asked",
    [
        {"level": "system", "uri": "/tools/find"},
        {"level": "patient"},
        {"level": "series"},
        {"level": "instance"},
        {"level": "frame"},
        {"level": ""},
        {"method": "put"},
        {"method": "delete"},
        {"method": "DELETE"},
        {"method": "head"},
        {"method": "patch"},
        {"method": ""},
        {"dicom_uid": OTHER_STUDY.dicom_uid},
        {"orthanc_id": OTHER_STUDY.orthanc_id},
        {"dicom_uid": OTHER_STUDY.dicom_uid, "orthanc_id": OTHER_STUDY.orthanc_id},
        {"dicom_uid": "", "orthanc_id": ""},
        {"dicom_uid": None, "orthanc_id": None},
        {"dicom_uid": STUDY.dicom_uid + ".1"},
        {"dicom_uid": STUDY.dicom_uid + " "},
        {"orthanc_id": STUDY.orthanc_id.upper() + "x"},
    ],
)
def test_a_good_token_opens_its_study_only(
    asked: dict[str, Any], service: Service
) -> None:
    for kind in (
        "stone-viewer-publication",
        "viewer-instant-link",
        "download-instant-link",
    ):
        assert service.is_granted(service.token(kind), **asked) is False
        assert service.is_granted(service.token(kind)) is True


def test_the_labels_of_a_study_change_nothing(service: Service) -> None:
    token = service.token()
    assert service.is_granted(token, labels=["external"]) is True
    assert service.is_granted(token, labels="external") is True


def test_a_share_of_a_series_opens_that_series_only(service: Service) -> None:
    series = {"dicom-uid": "1.2.3.4", "orthanc-id": "a" * 8 + "-a" * 4 + "a" * 0}
    series["orthanc-id"] = "-".join(["aaaaaaaa"] * 5)
    token = service.token(
        "viewer-instant-link", resources=[series | {"level": "Series"}]
    )
    asked = question(token) | series | {"level": "series"}
    assert service.ask("/tokens/validate", asked)["granted"] is True
    for level in ("study", "instance", "patient", "system"):
        changed = asked | {"level": level}
        assert service.ask("/tokens/validate", changed)["granted"] is False


def test_meddreams_publications_open_their_study_in_orthanc_too() -> None:
    with running(
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url="http://127.0.0.1:9/v3/generate",
    ) as service:
        token = service.token("meddream-viewer-publication")
        assert service.is_granted(token) is True
        assert service.is_granted(token, method="delete") is False
