"""The demo's own HTTP calls take no detour."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typing_extensions import override

from demo.calls import answers, call
from demo.processes import free_port


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(303 if self.path == "/moved" else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(str(self.headers.get("Authorization")).encode())

    def do_PUT(self) -> None:
        self.send_response(418)
        self.send_header("X-Type", str(self.headers.get("Content-Type")))
        self.end_headers()
        self.wfile.write(self.rfile.read(int(self.headers["Content-Length"])))

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_json_is_sent_and_any_status_is_an_answer(url: str) -> None:
    reply = call("PUT", url, {"a": 1})
    assert (reply.status, reply.json()) == (418, {"a": 1})
    assert reply.headers["x-type"] == "application/json"


def test_bytes_are_sent_as_they_are(url: str) -> None:
    reply = call("PUT", url, b"\x00", headers={"Content-Type": "application/dicom"})
    assert reply.body == b"\x00"
    assert reply.headers["x-type"] == "application/dicom"


def test_a_redirect_is_shown_and_not_followed(url: str) -> None:
    reply = call("GET", f"{url}moved")
    assert (reply.status, reply.headers["location"]) == (303, "/elsewhere")


def test_a_login_is_sent_as_basic(url: str) -> None:
    assert call("GET", url, login=("u", "p")).body == b"Basic dTpw"


def test_a_proxy_in_the_environment_does_not_count(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert call("GET", url).status == 200


def test_it_is_noticed_whether_something_answers(url: str) -> None:
    assert answers(f"{url}moved")
    assert not answers(f"http://127.0.0.1:{free_port()}/")
