"""nginx in front: with TLS, before a real Orthanc, and how it is started."""

import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from demo import nginx as demo_nginx
from demo.nginx import Proxy, command, placeholders, render, start
from demo.processes import StartError
from tests.support.echo import TIMEOUT, Answer, ask
from tests.support.nginx import running_nginx
from tests.support.orthanc import running_orthanc
from tests.support.site import Deployment, certificate, deployed

__all__ = ["certificate"]  # a fixture


def test_with_tls_http_only_points_to_https(
    tmp_path: Path, certificate: tuple[str, str]
) -> None:
    settings = {
        "mode": "tls",
        "public_proto": "https",
        "public_host": "share.example.org",
        "tls_certificate": certificate[0],
        "tls_key": certificate[1],
    }
    with deployed(tmp_path, **settings) as site:
        answer = site.ask(
            "GET", "/welcome/?token=abc", headers={"Host": "evil.example"}
        )
        assert answer.status == 308
        location = answer.headers["location"]
        assert location == "https://share.example.org/welcome/?token=abc"
        assert site.ask("GET", "/x?token=%0d%0aSet-Cookie:x").status == 400
        assert site.arrived() == 0

        secure = _over_tls(site, certificate[0], "/shares/system")
        assert secure.headers["strict-transport-security"] == "max-age=63072000"
        wanted = "by=_nginx;for=127.0.0.1;host=share.example.org;proto=https"
        assert secure.json["headers"]["forwarded"] == wanted
        refused = _over_tls(site, certificate[0], "/shares/tools/reset")
        assert refused.status == 404
        assert refused.headers["strict-transport-security"] == "max-age=63072000"


def _over_tls(site: Deployment, authority: str, target: str) -> Answer:
    port = site.nginx.proxy.https_port
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["http/1.1"])
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    link = context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert link.version() == "TLSv1.3"
    return ask(port, "GET", target, connection=link)


def test_with_tls_browsers_get_http_2(
    tmp_path: Path, certificate: tuple[str, str]
) -> None:
    paths = {"tls_certificate": certificate[0], "tls_key": certificate[1]}
    with running_nginx(tmp_path, mode="tls", **paths) as nginx:
        context = ssl.create_default_context(cafile=certificate[0])
        context.set_alpn_protocols(["h2", "http/1.1"])
        address = ("127.0.0.1", nginx.proxy.https_port)
        with (
            socket.create_connection(address, TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as link,
        ):
            assert link.selected_alpn_protocol() == "h2"


def test_real_orthanc_would_delete_on_get_and_nginx_prevents_it(
    tmp_path: Path, samples: Path
) -> None:
    with running_orthanc(tmp_path, samples) as orthanc:
        port = int(orthanc.rstrip("/").rpartition(":")[2])
        with running_nginx(tmp_path, orthanc_for_shares=f"127.0.0.1:{port}") as nginx:
            study, *_ = ask(port, "GET", "/studies").json
            outside = nginx.proxy.http_port
            for target in ("?_method=DELETE", "?%5fmethod=DELETE"):
                refused = ask(outside, "GET", f"/shares/studies/{study}{target}")
                assert refused.status == 400
            override = {"X-HTTP-Method-Override": "DELETE"}
            ask(outside, "GET", f"/shares/studies/{study}", headers=override)
            assert study in ask(port, "GET", "/studies").json
            # The positive control: without nginx it works.
            ask(port, "GET", f"/studies/{study}?_method=DELETE")
            assert study not in ask(port, "GET", "/studies").json


def test_real_orthanc_names_the_public_host_whatever_the_client_says(
    tmp_path: Path, samples: Path
) -> None:
    with running_orthanc(tmp_path, samples) as orthanc:
        address = orthanc.rstrip("/").removeprefix("http://")
        public = {"public_host": "share.example.org:8443", "public_proto": "https"}
        with running_nginx(tmp_path, orthanc_for_shares=address, **public) as nginx:
            answer = ask(
                nginx.proxy.http_port,
                "GET",
                "/shares/dicom-web/studies",
                headers={
                    "Forwarded": "host=evil.example",
                    "Host": "evil.example",
                    "token": "t",
                },
            )
    addresses = [study["00081190"]["Value"][0] for study in answer.json]
    assert addresses
    assert all(a.startswith("https://share.example.org:8443/") for a in addresses)


def test_every_placeholder_has_a_setting_and_every_setting_a_placeholder() -> None:
    assert placeholders() == Proxy().placeholders().keys()


def test_a_placeholder_without_a_value_is_named(tmp_path: Path) -> None:
    values = Proxy().placeholders()
    del values["PROXY_LANDING"]
    with pytest.raises(KeyError, match="PROXY_LANDING"):
        render(values, tmp_path)


def test_a_wrong_setting_stops_the_start_with_nginx_s_own_words(tmp_path: Path) -> None:
    wrong = running_nginx(tmp_path, admin_allow="everybody")
    with (
        contextlib.ExitStack() as stack,
        pytest.raises(StartError, match="invalid parameter"),
    ):
        stack.enter_context(wrong)


def test_only_root_names_a_user_for_the_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert command("nginx", tmp_path)[-1] == "daemon off; user root;"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert command("nginx", tmp_path)[-1] == "daemon off;"


def test_without_nginx_the_demo_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_nginx, "find_program", lambda _name: None)
    with pytest.raises(StartError, match="apt-get install nginx-light"):
        start(Proxy(), tmp_path)
