"""Tokens are found where the C++ plugin finds them, in its order."""

from demo.orthanc.options import Options
from demo.orthanc.request import Request, Token

OPTIONS = Options(
    urls={}, headers=("Authorization", "api-key", "token"), arguments=("auth", "token")
)


def test_headers_come_before_arguments_under_their_configured_names() -> None:
    headers = {"token": "h", "authorization": "Bearer a", "other": "x"}
    request = Request.of("/studies", "GET", headers, {"token": "g", "Auth": "no"})
    assert request.tokens(OPTIONS) == [
        Token("Authorization", "Bearer a"),
        Token("token", "h"),
        Token("token", "g", in_header=False),
    ]


def test_an_empty_token_counts() -> None:
    request = Request.of("/studies", "get", {}, {"token": ""})
    assert request.tokens(OPTIONS) == [Token("token", "", in_header=False)]


def test_arguments_are_decoded() -> None:
    request = Request.of("/studies", "get", {}, {"token": "a%2Fb+c"})
    assert request.tokens(OPTIONS)[0].value == "a/b c"


def test_a_final_slash_does_not_matter() -> None:
    assert Request.of("/studies/", "get", {}, {}).path == "/studies"
    assert Request.of("/", "get", {}, {}).path == "/"


def test_tokens_are_not_shown() -> None:
    request = Request.of("/", "get", {"token": "hush"}, {"token": "hush"})
    assert "hush" not in repr(request)
    assert "hush" not in repr(request.tokens(OPTIONS))
