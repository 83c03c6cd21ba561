"""HTTP calls of the demo to its own programs: no proxy, no redirect, no library."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any

from typing_extensions import override

TIMEOUT = 30.0
"""Seconds for an answer."""


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: Content.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the JSON in the body."""
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Show redirects to the caller."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def call(
    method: str,
    url: str,
    body: bytes | Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
) -> Reply:
    """Make a call; anything but bytes in `body` is sent as JSON.

    Raises:
        OSError: Nothing answers.
    """
    sent = dict(headers or {})
    if login is not None:
        sent["Authorization"] = f"Basic {b64encode(':'.join(login).encode()).decode()}"
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    request = urllib.request.Request(url, body, sent, method=method)  # noqa: S310
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            return _reply(answer)
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error)


def answers(url: str) -> bool:
    """Tell whether an HTTP server answers at `url`, with whatever status."""
    try:
        call("GET", url)
    except OSError:
        return False
    return True


def _reply(answer: HTTPResponse | urllib.error.HTTPError) -> Reply:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status or 0, headers, answer.read())
