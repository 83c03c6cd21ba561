"""Requests exactly as they are written, odd paths included; answers in whole."""

import contextlib
import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from suite.leaktest.scan import Answer

TIMEOUT = 120.0
"""Seconds without a byte after which an answer is given up."""

BODY_MAX = 2**30
"""Bytes of a body that are looked at."""

_CUT_OFF = "cut off"


@dataclass
class Site:
    """A server that is asked.

    Args:
        root: Its address; paths are appended to it.
        headers: Sent with every request: token or login.
    """

    root: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request and read the answer, as far as it comes.

        Args:
            method: HTTP method.
            path: What follows the root, with its query; sent as it is.
            headers: Further header fields.
            body: Content.

        Raises:
            OSError: Nothing answers.
        """
        target = f"{urlsplit(self.root).path.rstrip('/')}{path}"
        sent = {**self.headers, **(headers or {})}
        try:
            return self._exchange(method, target, sent, body)
        except (http.client.HTTPException, ConnectionError):
            self.close()  # it was an old connection, or the answer made it one
            return self._exchange(method, target, sent, body)

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        try:
            _send(connection, method, target, headers, body)
            return self._read(connection.getresponse())
        except TimeoutError:
            self.close()
            return Answer(0, _CUT_OFF)

    def _connect(self) -> http.client.HTTPConnection:
        address = urlsplit(self.root)
        host = address.hostname or ""
        if address.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, address.port, timeout=TIMEOUT, context=context
            )
        return http.client.HTTPConnection(host, address.port, timeout=TIMEOUT)

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        headers = tuple(response.getheaders())
        try:
            body = response.read(BODY_MAX)
        except http.client.IncompleteRead as error:
            self.close()
            return Answer(response.status, _CUT_OFF, headers, error.partial)
        is_whole = not response.length  # what of its Content-Length has not come
        if response.will_close or not is_whole:
            self.close()
        reason = response.reason if is_whole else _CUT_OFF
        return Answer(response.status, reason, headers, body)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> None:
    names = {name.lower() for name in headers}
    connection.putrequest(
        method, target, skip_host="host" in names, skip_accept_encoding=True
    )
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    # A target is sent as it is, bytes that http.client would refuse included.
    connection.endheaders(body)


@contextmanager
def site(root: str, headers: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Give a site, whose connection is closed in the end."""
    with contextlib.closing(Site(root, headers or {})) as opened:
        yield opened
