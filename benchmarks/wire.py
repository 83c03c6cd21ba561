"""Requests as the authorization plugin sends them, byte for byte.

Header names, values and the one chunk are those of the recorded traffic. Where a new
connection is wanted for each request, `Connection: close` is added: the plugin closes
its connection itself, which wrk does only when the server says so.
"""

import json
from collections.abc import Mapping
from typing import Any

USER = ("share-user", "Tq8-vLx3m")
"""A login as long as that in the recordings, whose password services refuse."""

AUTHORIZATION = "Basic c2hhcmUtdXNlcjpUcTgtdkx4M20="
"""The header `Authorization` for `USER`."""

STUDY: Mapping[str, str] = {
    "dicom-uid": "1.2.826.0.1.3680043.8.498.7777.1",
    "orthanc-id": "286baa3e-a814ed8c-da53bafb-75297c49-8beb68fc",
}
"""The study of the recordings."""

TOKEN_MARK = "{TOKEN}"  # noqa: S105 - stands for a token
"""What stands for a token in a request."""


def validate_request(token_length: int, *, new_connection: bool = False) -> bytes:
    """Return the question whether the token at `TOKEN_MARK` opens the study.

    Args:
        token_length: Length of the token, in characters, for the length of the chunk.
        new_connection: Whether the server is to close the connection.
    """
    question = {
        **STUDY,
        "level": "study",
        "method": "get",
        "server-id": None,
        "token-key": "token",
        "token-value": TOKEN_MARK,
    }
    headers = {"token": TOKEN_MARK}
    if new_connection:
        headers["Connection"] = "close"
    longer = token_length - len(TOKEN_MARK)
    return _request("POST", "/tokens/validate", question, headers, longer)


def create_request() -> bytes:
    """Return the wish for a share of the study, as scripts and the README send it."""
    wish = {
        "id": "benchmark",
        "studies": [STUDY],
        "anonymized": False,
        "type": "stone-viewer-publication",
        "expiration-date": "2099-12-31T23:59:59+00:00",
    }
    return _request("PUT", "/shares", wish, more={})


def link_request() -> bytes:
    """Return what a browser asks of the landing page."""
    return (
        f"GET /?token={TOKEN_MARK} HTTP/1.1\r\nHost: share.example.org\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
        "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
        "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
    ).encode()


def _request(
    method: str,
    path: str,
    body: Mapping[str, Any],
    more: Mapping[str, str],
    longer: int = 0,
) -> bytes:
    headers = {
        "Host": "token-service:8000",
        "Accept": "*/*",
        "Authorization": AUTHORIZATION,
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
        **more,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    chunk = f"{len(text) + longer:x}\r\n{text}\r\n0\r\n\r\n"
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{chunk}".encode()
