"""Requests as the authorization plugin sends them, byte for byte.

Header names, their order and the chunk are those of the recorded traffic; only the
host name and, where a new connection is wanted, `Connection: close` differ: the plugin
closes its connection itself, which wrk does only when the server says so.
"""

import json
from collections.abc import Mapping
from typing import Any

USER = ("share-user", "change-me")
"""The login in the recordings."""

AUTHORIZATION = "Basic c2hhcmUtdXNlcjpjaGFuZ2UtbWU="
"""The header `Authorization` for `USER`."""

STUDY: Mapping[str, str] = {
    "dicom-uid": "1.2.826.0.1.3680043.8.498.7777.1",
    "orthanc-id": "286baa3e-a814ed8c-da53bafb-75297c49-8beb68fc",
}
"""The study of the recordings."""

TOKEN_MARK = "{TOKEN}"  # noqa: S105 - stands for a token
"""What stands for a token in a request."""


def validate_request(*, new_connection: bool = False) -> bytes:
    """Return the question whether `TOKEN_MARK` opens the study."""
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
    return _request("POST", "/tokens/validate", question, headers)


def create_request() -> bytes:
    """Return the wish for a share of the study, as scripts and the README send it."""
    wish = {
        "id": "benchmark",
        "studies": [STUDY],
        "anonymized": False,
        "type": "stone-viewer-publication",
        "expiration-date": "2099-12-31T23:59:59+00:00",
    }
    return _request("PUT", "/shares", wish, {})


def link_request() -> bytes:
    """Return what a browser asks of the landing page."""
    return (
        f"GET /?token={TOKEN_MARK} HTTP/1.1\r\nHost: share.example.org\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
        "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
        "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
    ).encode()


def with_token(raw: bytes, token: str) -> bytes:
    """Return a request with `token`, and a chunk of the right length."""
    filled = raw.replace(TOKEN_MARK.encode(), token.encode())
    return filled.replace(_hex(raw), _hex(filled), 1)


def _request(
    method: str, path: str, body: Mapping[str, Any], more: Mapping[str, str]
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
    chunk = f"{len(text):x}\r\n{text}\r\n0\r\n\r\n"
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{chunk}".encode()
