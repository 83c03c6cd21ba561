"""Downloads: a client that takes large answers from its socket and only counts them."""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse

from typing_extensions import override

from benchmarks.servers import Server

TIMEOUT = 120.0
"""Longest wait for a piece of an answer, in seconds."""

_PIECE = 1_048_576
_HEAD_MAX = 65_536
_TAIL = b"\r\n0\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Download:
    """An answer that was taken.

    Args:
        status: Its status; 0: there was none.
        received: Bytes of its body, with the framing of chunks.
        is_whole: Whether it ended as it should.
    """

    status: int
    received: int
    is_whole: bool

    def is_right(self, least: int) -> bool:
        """Tell whether it is a good answer of at least so many bytes."""
        is_good = self.status == HTTPStatus.OK and self.is_whole
        return is_good and self.received >= least


@dataclass(frozen=True)
class Want:
    """What is asked for.

    Args:
        path: Path and query.
        token: Share token; empty for Orthanc itself.
        accept: The field `Accept`.
    """

    path: str
    token: str = ""
    accept: str = 'multipart/related; type="application/dicom"; transfer-syntax=*'

    def request(self) -> bytes:
        """Return the request; the server is to close the connection."""
        fields = [
            f"GET {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Accept: {self.accept}",
            "Connection: close",
            *([f"token: {self.token}"] if self.token else []),
        ]
        return "\r\n".join([*fields, "", ""]).encode()


def download(server: Server, want: Want, pause: float = 0.0) -> Download:
    """Take an answer and forget it.

    Args:
        server: Who is asked.
        want: For what.
        pause: Seconds of rest after each megabyte, as of a client far away.
    """
    buffer = bytearray(_PIECE)
    view = memoryview(buffer)
    try:
        with _asked(server, want) as link:
            head, rest = _head(link)
            received, tail = len(rest), rest[-len(_TAIL) :]
            while got := link.recv_into(view):
                received += got
                tail = (tail + buffer[max(0, got - len(_TAIL)) : got])[-len(_TAIL) :]
                if pause:
                    time.sleep(pause * got / _PIECE)
    except OSError:
        return Download(0, 0, is_whole=False)
    matched = _STATUS.match(head)
    status = 0 if matched is None else int(matched[1])
    return Download(status, received, _is_whole(head, received, tail))


@dataclass(frozen=True)
class Answer:
    """A whole answer, for whoever looks into it.

    Args:
        status: Its status.
        content_type: The field `Content-Type`.
        body: Its content.
    """

    status: int
    content_type: str
    body: bytes


def fetch(server: Server, want: Want) -> Answer:
    """Return an answer of any size."""
    with _asked(server, want) as link:
        response = HTTPResponse(link)
        response.begin()
        content_type = response.headers.get("Content-Type", "")
        return Answer(response.status, content_type, response.read())


@contextmanager
def _asked(server: Server, want: Want) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as link:
        link.sendall(want.request())
        yield link


def _head(link: socket.socket) -> tuple[bytes, bytes]:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _HEAD_MAX:
        piece = link.recv(_HEAD_MAX)
        if not piece:
            break
        head += piece
    before, end, rest = head.partition(b"\r\n\r\n")
    return before + end, rest


def _is_whole(head: bytes, received: int, tail: bytes) -> bool:
    length = _LENGTH.search(head)
    if length is not None:
        return received == int(length[1])
    return _CHUNKED.search(head) is None or tail == _TAIL


class OnCore(threading.Thread):
    """Does work in a thread of its own on a core, and tells what it cost.

    Args:
        core: The core.
        work: The work.
    """

    def __init__(self, core: int, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.cpu_seconds = 0.0
        self._core = core
        self._work = work
        self._error: BaseException | None = None

    @override
    def run(self) -> None:
        """Do the work."""
        os.sched_setaffinity(0, {self._core})  # of this thread alone
        began = time.thread_time()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - for whoever waits for it
            self._error = error
        self.cpu_seconds = time.thread_time() - began

    def wait(self) -> None:
        """Wait until it is done; raise what it raised."""
        self.join()
        if self._error is not None:
            raise self._error
