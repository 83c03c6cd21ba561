"""nginx in front: what it adds, what it drops, and what it writes down."""

import contextlib
import json
import socket
from pathlib import Path

import pytest

from tests.support.echo import TIMEOUT, ask
from tests.support.nginx import OHIF_CONFIG, running_nginx
from tests.support.site import INSTANCE, STUDY, TOKEN, UID, Deployment, deployed, site

__all__ = ["site"]  # a fixture

CODE = "aB3dEfGhIjKlMnOpQrStUv"


def test_forwarded_is_built_from_the_configuration(site: Deployment) -> None:
    spoofed = {
        "Forwarded": "for=6.6.6.6;host=evil.example;proto=https",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Uri": "/evil",
        "X-Forwarded-User": "admin",
        "X-Real-IP": "6.6.6.6",
        "X-Original-URL": "/tools/reset",
        "X-Rewrite-URL": "/tools/reset",
        "Via": "1.1 evil",
        "Proxy": "http://evil.example",
        "X-Request-ID": "chosen-by-the-client",
        "Host": "evil.example",
    }
    host = site.nginx.proxy.public_host
    assert site.nginx.url == f"http://{host}/"
    for target in (
        "/shares/system",
        "/anon-shares/system",
        "/orthanc-admin/x",
        "/welcome/",
    ):
        arrived = site.ask("GET", target, headers=spoofed).json["headers"]
        wanted = f"by=_nginx;for=127.0.0.1;host={host};proto=http"
        assert arrived["forwarded"] == wanted
        assert arrived["host"] == host
        assert arrived["x-request-id"] != "chosen-by-the-client"
        dropped = {name.lower() for name in spoofed}
        dropped -= {"forwarded", "host", "x-request-id"}
        if target == "/welcome/":
            # It counts wrong passwords by address.
            assert arrived.pop("x-forwarded-for") == "127.0.0.1"
        assert not dropped & arrived.keys()


def test_referer_and_cookies_stay_outside(site: Deployment) -> None:
    headers = {"Referer": f"http://x/?token={TOKEN}", "Cookie": "session=1"}
    for target in ("/shares/system", "/anon-shares/system", "/welcome/", "/ohif/x"):
        arrived = site.ask("GET", target, headers=headers).json["headers"]
        assert not {"referer", "cookie"} & arrived.keys()


@pytest.mark.parametrize(
    "target",
    [
        "/shares/system",
        "/anon-shares/system",
        "/anon-shares/stone-webviewer/configuration.json",
        "/anon-shares/x",
        "/welcome/",
        "/ohif/",
        "/nonsense",
        "/shares/x",
    ],
)
def test_answers_carry_each_protective_header_once(
    site: Deployment, target: str
) -> None:
    headers = site.ask("GET", target).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert headers["x-frame-options"] in {"SAMEORIGIN", "DENY"}
    assert headers["server"] == "nginx"
    assert "strict-transport-security" not in headers  # plain http


def test_images_are_not_kept_by_caches_but_programs_are(site: Deployment) -> None:
    token = {"token": TOKEN}
    images = site.ask("GET", f"{INSTANCE}/frames/1", headers=token).headers
    assert images["cache-control"] == "private, no-store"
    program = site.ask("GET", "/shares/stone-webviewer/index.html").headers
    assert program["cache-control"] == "public, max-age=1"


def test_refusals_say_what_is_allowed_and_nothing_of_the_request(
    site: Deployment,
) -> None:
    answer = site.ask("DELETE", f"/shares/studies/{STUDY}?token={TOKEN}")
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
    }
    assert "allow" not in site.ask("GET", f"/shares/studies/{STUDY}").headers


def test_ohif_is_isolated_and_has_our_configuration(site: Deployment) -> None:
    answer = site.ask("GET", "/ohif/app-config.js")
    assert answer.body == OHIF_CONFIG.read_bytes()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    for target in ("/ohif/app-config.js", "/ohif/index.html"):
        headers = site.ask("GET", target).headers
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-embedder-policy"] == "require-corp"


def test_search_engines_are_asked_to_stay_away(site: Deployment) -> None:
    assert site.ask("GET", "/robots.txt").body == b"User-agent: *\nDisallow: /\n"


def test_no_log_holds_a_token_even_when_things_go_wrong(tmp_path: Path) -> None:
    carried = {
        "Authorization": f"Bearer {TOKEN}",
        "token": TOKEN,
        "Referer": f"http://localhost/ohif/viewer?token={TOKEN}",
        "User-Agent": TOKEN,
    }
    secret = TOKEN.partition(".")[0]
    with running_nginx(tmp_path) as nginx:  # without any upstream
        port = nginx.proxy.http_port
        for target, status in (
            (f"/shares/studies/{STUDY}/archive?token={TOKEN}", 503),
            (f"/welcome/?token={TOKEN}", 503),
            (f"/anon-shares/studies/x?token={TOKEN}", 503),
            (f"/shares/tools/reset?token={TOKEN}", 404),
            (f"/shares/{TOKEN}", 404),
            (f"/{TOKEN}/{TOKEN}", 404),
            (f"/shares/system?token={TOKEN}%0d%0a", 400),
            (f"/shares/system?token={TOKEN * 500}", 414),
            (f"/shares/system?token={TOKEN}\x01", 400),
        ):
            answer = ask(port, "GET", target, headers=carried)
            assert answer.status == status
            assert secret.encode() not in answer.body
        for target, form, status in (
            (f"/welcome/s/{CODE}", b"password=" + CODE.encode(), 503),
            (f"/welcome/?token={TOKEN}", b"password=" + CODE.encode(), 503),
            (f"/welcome/s/{CODE}", bytes(9000), 413),
            (f"/welcome/s/{CODE}/", b"", 405),
            (f"/s/{CODE}", b"", 404),
            (f"/{CODE}", b"", 404),
        ):
            answer = ask(port, "POST", target, headers=carried, body=form)
            assert answer.status == status
            assert CODE.encode() not in answer.body
        large = f"/shares/tools/lookup?token={TOKEN}"
        assert (
            ask(port, "POST", large, headers=carried, body=bytes(99_000)).status == 413
        )
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as link:
            link.sendall(f"GET /shares/system?token={TOKEN} HTTP/9.9\r\n\r\n".encode())
            while link.recv(1000):
                pass
        statuses = {
            ask(port, "GET", f"/welcome/?token={TOKEN}", headers=carried).status
            for _ in range(100)
        }
        assert statuses == {429, 503}
    assert "/shares/studies" in nginx.access_log
    assert "/welcome/" in nginx.access_log
    assert '"path":"/welcome/s"' in nginx.access_log
    assert secret not in nginx.everything_written
    assert CODE not in nginx.everything_written


def test_the_access_log_names_no_study_and_says_what_happened(tmp_path: Path) -> None:
    with deployed(tmp_path) as site:
        arrived = site.ask("GET", f"{INSTANCE}/metadata?token={TOKEN}").json["headers"]
        site.ask("GET", f"/shares/studies/{STUDY}?x")
        site.ask("POST", "/orthanc-admin/instances", body=b"x")
        site.ask("GET", f"/shares/{STUDY}")
        site.ask("GET", "/health")
    lines = [json.loads(line) for line in site.nginx.access_log.splitlines()]
    lines = [line for line in lines if line["path"] != "/health"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/shares/dicom-web", 200),
        ("GET", "/shares/studies", 200),
        ("POST", "/orthanc-admin/instances", 200),
        ("GET", "/shares", 404),
    ]
    assert lines[0]["request_id"] == arrived["x-request-id"]
    assert lines[0]["upstream_status"] == "200"
    assert UID not in site.nginx.access_log
    assert STUDY not in site.nginx.access_log


def test_the_welcome_path_is_limited_and_says_so_in_a_page(tmp_path: Path) -> None:
    with deployed(tmp_path) as site:
        answers = [site.ask("GET", "/welcome/?token=x") for _ in range(120)]
    assert answers[0].status == 200
    refused = next(answer for answer in answers if answer.status != 200)
    assert refused.status == 429
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    assert refused.headers["retry-after"] == "10"
    assert b"Please try again" in refused.body


def test_forms_are_limited_more_than_pages(tmp_path: Path) -> None:
    with deployed(tmp_path) as site:
        forms = [site.ask("POST", "/welcome/s/abc", body=b"x") for _ in range(30)]
        page = site.ask("GET", "/welcome/s/abc")
    assert forms[0].status == 200
    assert 429 in {answer.status for answer in forms}
    assert page.status == 200


def test_a_client_that_never_finishes_is_cut_off(site: Deployment) -> None:
    address = ("127.0.0.1", site.nginx.proxy.http_port)
    head = b"POST /shares/tools/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    with (
        socket.create_connection(address, 2 * TIMEOUT) as no_header,
        socket.create_connection(address, 2 * TIMEOUT) as no_body,
    ):
        no_header.sendall(head)
        no_body.sendall(head + b"\r\n1.2")
        assert _until_closed(no_header) == b""
        assert b"200 OK" not in _until_closed(no_body)


def _until_closed(link: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):  # also a way to be cut off
        received = link.recv(10_000)
    return received
