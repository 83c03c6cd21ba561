"""Who asked for it learns that a link was opened, from the running service."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

from pydantic import SecretStr
from typing_extensions import override

from orthanc_share.upstream.notices import sign
from tests.support.service import NOW, running
from tests.support.tokens import codec

KEY = "hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U"  # made up, for tests only


@contextmanager
def receiver() -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """Run who wants to know; give its address and what arrives."""
    arrived: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.put(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/opened", arrived
        finally:
            server.shutdown()
            thread.join()


def test_an_opening_is_told_signed_and_names_nothing(tmp_path: Path) -> None:
    with receiver() as (address, arrived):
        settings: dict[str, Any] = {
            "data_dir": tmp_path,
            "notify_url": address,
            "notify_key": SecretStr(KEY),
        }
        with running(registry=True, **settings) as service:
            made = service.made(id="referral-0815")
            share = codec().read(made["token"])
            view = codec().sign_view(share, "view-1", NOW, NOW - NOW.replace(hour=0))
            assert service.is_granted(view)
            headers, body = arrived.get(timeout=30)
    expected = sign(KEY.encode(), headers["webhook-id"], NOW, body)
    assert headers["webhook-signature"] == expected["webhook-signature"]
    assert made["share-id"].encode() in body
    assert b"1.2.276.0.99.1" not in body
    assert made["token"].encode() not in body


def test_a_share_may_name_who_is_told_where_the_site_allows_it(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "data_dir": tmp_path,
        "notify_key": SecretStr(KEY),
        "notify_allowed_hosts": ("ris.example.org",),
    }
    with running(registry=True, **settings) as service:
        made = service.made(notify="https://ris.example.org/opened?key=canary")
        shown = service.call("GET", f"/shares/{made['share-id']}")
        assert shown.json["notify-host"] == "ris.example.org"
        listed = service.call("GET", "/shares")
        assert b"ris.example.org" in listed.raw
        events = service.call("GET", f"/shares/{made['share-id']}/events")
        for answer in (shown, listed, events):
            assert b"canary" not in answer.raw
        for address in ("https://elsewhere.example.org/", "http://ris.example.org/"):
            answer = service.create(notify=address)
            assert (answer.status, answer.json["code"]) == (422, "notice_address")
            assert b"elsewhere" not in answer.raw


def test_where_no_notices_are_sent_nobody_may_be_named(tmp_path: Path) -> None:
    for settings in ({"registry": True, "data_dir": tmp_path}, {"registry": False}):
        with running(None, **settings) as service:
            answer = service.create(notify="https://ris.example.org/opened")
        assert (answer.status, answer.json["code"]) == (422, "notice_address")
