"""nginx in front: what gets through, what does not, and what is written down.

A real nginx with the deployment's configuration; the upstreams are stand-ins that
answer with what reached them, so every test knows what Orthanc would have been asked.
"""

import contextlib
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.nginx import Proxy, placeholders, render
from demo.processes import StartError
from tests.support.echo import TIMEOUT, Answer, Upstream, ask, echo_upstream
from tests.support.nginx import OHIF_CONFIG, Nginx, running_nginx
from tests.support.orthanc import running_orthanc, samples
from tests.support.real import require

__all__ = ["samples"]  # a fixture

TOKEN = "eyJhbGciOiJFZERTQSJ9.c2VjcmV0LXNoYXJl.c2lnbmF0dXJl"
STUDY = "0123abcd-0123abcd-0123abcd-0123abcd-0123abcd"
UID = "1.2.276.0.99.1"
SERIES = f"/shares/dicom-web/studies/{UID}/series/1.2.3"
INSTANCE = f"{SERIES}/instances/1.2.4"

UPSTREAMS = (
    "orthanc_for_admin",
    "orthanc_for_shares",
    "landing",
    "anonymizer",
    "token_service",
    "ohif",
    "meddream",
)


@dataclass
class Deployment:
    """A running nginx and what is behind it."""

    nginx: Nginx
    upstreams: dict[str, Upstream]

    def ask(self, method: str, target: str | bytes, **rest: object) -> Answer:
        """Send one request to nginx's http port."""
        return ask(self.nginx.proxy.http_port, method, target, **rest)  # type: ignore[arg-type]

    def arrived(self) -> int:
        """How many requests reached any upstream."""
        return sum(len(upstream.asked) for upstream in self.upstreams.values())


@contextlib.contextmanager
def deployed(folder: Path, **settings: object) -> Iterator[Deployment]:
    with contextlib.ExitStack() as stack:
        upstreams = {
            name: stack.enter_context(echo_upstream(name)) for name in UPSTREAMS
        }
        addresses = {name: upstream.address for name, upstream in upstreams.items()}
        nginx = stack.enter_context(running_nginx(folder, **{**addresses, **settings}))
        yield Deployment(nginx, upstreams)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("site")) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            *(str(require("openssl")), "req", "-x509", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", paths[0], "-keyout", paths[1]),
        ],
        check=True,
        capture_output=True,
    )
    return paths


READS = [
    # Stone, in the order of its calls
    "/shares/stone-webviewer/index.html",
    "/shares/stone-webviewer/StoneWebViewer.wasm",
    "/shares/stone-webviewer/configuration.json",
    "/shares/system",
    f"/shares/dicom-web/studies?0020000D={UID}&includefield=00081030",
    f"/shares/dicom-web/series?0020000D={UID}&includefield=00081030,00200011",
    f"/shares/dicom-web/instances?0020000D={UID}&0020000E=1.2.3&limit=1",
    f"{SERIES}/rendered?viewport=128,128",
    f"{SERIES}/metadata",
    f"{INSTANCE}/metadata",
    INSTANCE,
    f"{INSTANCE}/frames/3/rendered?window=40,400,linear",
    f"/shares/instances/{STUDY}/frames/0/raw?token={TOKEN}",
    f"/shares/studies/{STUDY}/archive?token={TOKEN}",
    f"/shares/studies/{STUDY}/media?token={TOKEN}",
    # OHIF
    f"/shares/dicom-web/studies/{UID}/series?includefield=00080021",
    f"/shares/dicom-web/studies/{UID}/metadata",
    f"/shares/dicom-web/studies/{UID}/instances",
    f"/shares/dicom-web/studies/{UID}",
    f"/shares/dicom-web/studies/{UID}/thumbnail?accept=image/jpeg",
    SERIES,
    f"{SERIES}/instances?limit=1",
    f"{SERIES}/thumbnail",
    f"{INSTANCE}/rendered",
    f"{INSTANCE}/thumbnail",
    f"{INSTANCE}/frames/1,2,3",
    f"{INSTANCE}/bulk/00420011",
    f"{INSTANCE}/bulk/0040a730/1/0040a160",
    f"/shares/studies/{STUDY}/ohif-dicom-json",
    f"/shares/instances/{STUDY}/file",
    "/shares/ohif/app.bundle.4f2e.js",
    # VolView
    "/shares/volview/index.html?names=[archive.zip]&urls=../studies/x/archive",
    "/shares/volview/assets/itk-wasm.umd.js",
    f"/shares/series/{STUDY}/archive",
    # Osimis
    "/shares/osimis-viewer/app/index.html?selectedStudyIds=x",
    "/shares/osimis-viewer/languages/de.json",
    "/shares/osimis-viewer/config.js",
    f"/shares/studies/{STUDY}",
    f"/shares/series/{STUDY}/study",
    f"/shares/instances/{STUDY}/study",
    f"/shares/osimis-viewer/studies/{STUDY}",
    f"/shares/osimis-viewer/studies/{STUDY}/annotations",
    f"/shares/osimis-viewer/series/{STUDY}",
    f"/shares/osimis-viewer/images/{STUDY}/0/high-quality",
    f"/shares/osimis-viewer/images/{STUDY}/12/pixeldata-quality",
    f"/shares/instances/{STUDY}/pdf",
    # The landing page of Orthanc Explorer 2
    f"/shares/ui/app/token-landing.html?token={TOKEN}",
    "/shares/ui/api/pre-login-configuration",
    "/shares/ui/api/configuration",
    f"/shares/tools/create-archive?resources={STUDY},{STUDY}",
]

NEVER = [
    ("POST", f"/shares/studies/{STUDY}/modify", 404),
    ("POST", f"/shares/studies/{STUDY}/anonymize", 404),
    ("POST", f"/shares/studies/{STUDY}/merge", 404),
    ("POST", f"/shares/studies/{STUDY}/split", 404),
    ("POST", f"/shares/studies/{STUDY}/archive", 405),
    ("POST", f"/shares/studies/{STUDY}", 405),
    ("PUT", f"/shares/studies/{STUDY}/labels/vip", 404),
    ("PUT", f"/shares/osimis-viewer/studies/{STUDY}/annotations", 405),
    ("DELETE", f"/shares/studies/{STUDY}", 405),
    ("DELETE", f"/shares/dicom-web/studies/{UID}", 405),
    ("PATCH", f"/shares/studies/{STUDY}", 405),
    ("OPTIONS", f"/shares/studies/{STUDY}", 405),
    ("TRACE", f"/shares/studies/{STUDY}", 405),
    ("POST", "/shares/dicom-web/studies", 405),
    ("POST", f"/shares/dicom-web/studies/{UID}", 405),
    ("POST", "/shares/instances", 404),
    ("GET", "/shares/instances", 404),
    ("GET", "/shares/studies", 404),
    ("GET", "/shares/studies/", 404),
    ("GET", "/shares/series", 404),
    ("GET", "/shares/patients", 404),
    ("GET", f"/shares/patients/{STUDY}", 404),
    ("GET", f"/shares/studies/{STUDY}/metadata", 404),
    ("GET", f"/shares/studies/{STUDY}/patient", 404),
    ("GET", f"/shares/instances/{STUDY}/metadata", 404),
    ("GET", f"/shares/instances/{STUDY}/attachments/dicom/data", 404),
    ("GET", f"/shares/studies/{STUDY[:-1]}", 404),
    ("GET", f"/shares/studies/{STUDY.upper()}", 404),
    ("GET", f"/shares/dicom-web/studies/{'1' * 65}", 404),
    ("GET", f"{INSTANCE}/bulk/../metadata", 400),
    ("GET", "/shares/dicom-web/servers", 404),
    ("GET", "/shares/dicom-web/info", 404),
    ("GET", "/shares/wado", 404),
    ("POST", "/shares/tools/find", 404),
    ("POST", "/shares/tools/execute-script", 404),
    ("POST", "/shares/tools/bulk-modify", 404),
    ("POST", "/shares/tools/create-dicom", 404),
    ("POST", "/shares/tools/create-archive", 405),
    ("POST", "/shares/tools/reset", 404),
    ("POST", "/shares/tools/shutdown", 404),
    ("GET", "/shares/tools/lookup", 405),
    ("GET", "/shares/auth/tokens/decode", 405),
    ("PUT", "/shares/auth/tokens/stone-viewer-publication", 404),
    ("GET", "/shares/auth/settings/roles", 404),
    ("PUT", "/shares/auth/settings/roles", 404),
    ("GET", "/shares/auth/user/profile", 404),
    ("GET", "/shares/ui/api/emails/templates/x", 404),
    ("GET", "/shares/modalities", 404),
    ("GET", "/shares/peers", 404),
    ("GET", "/shares/changes", 404),
    ("GET", "/shares/exports", 404),
    ("GET", "/shares/jobs", 404),
    ("GET", "/shares/plugins", 404),
    ("GET", "/shares/statistics", 404),
    ("GET", "/shares/app/explorer.html", 404),
    ("GET", "/shares/", 404),
    ("GET", "/shares", 404),
    ("GET", "/sharesx/system", 404),
    ("PUT", "/shares/stone-webviewer/index.html", 405),
    ("GET", "/shares/stone-webviewer", 404),
    ("POST", "/welcome/?token=x", 405),
    ("DELETE", "/welcome/", 405),
    ("PUT", "/anon-shares/studies/x", 405),
    ("DELETE", "/anon-shares/studies/x", 405),
    ("POST", "/ohif/viewer", 405),
    ("GET", "/", 302),
    ("GET", "/favicon.ico", 404),
    ("GET", "/nonsense", 404),
    ("PUT", "/shares-validate", 404),
]

TRICKS = [
    f"/shares/stone-webviewer/../studies/{STUDY}/modify",
    f"/shares/stone-webviewer/%2e%2e/tools/reset?token={TOKEN}",
    "/shares/stone-webviewer/%2E%2e%2Ftools/reset",
    "/shares/stone-webviewer/..%2ftools/reset",
    "/shares/stone-webviewer/%252e%252e/tools/reset",
    "/shares/stone-webviewer/..;/tools/reset",
    "/shares/stone-webviewer/%3b/x",
    "/shares/stone-webviewer/..\\tools\\reset",
    "/shares/stone-webviewer/%5c..%5ctools",
    "/shares/stone-webviewer/./x",
    "/shares//studies",
    "//shares/system",
    "/shares/system#/tools/reset",
    "/shares/stone-webviewer/..",
    "/anon-shares/osimis-viewer/app/%2e%2e/%2e%2e/studies/x",
    "/welcome/../token-service/shares",
    "/orthanc-admin/../shares/tools/reset",
    f"/shares/studies/{STUDY}?_method=DELETE",
    f"/shares/studies/{STUDY}?token={TOKEN}&_method=PUT",
    f"/shares/studies/{STUDY}?%5fmethod=DELETE",
    f"/shares/studies/{STUDY}?%5FM%65%74hod=DELETE",
    f"/orthanc-admin/studies/{STUDY}?_method=DELETE",
    f"/anon-shares/studies/{STUDY}?a=b&%20_method=DELETE",
]

CONTROL_CHARACTERS = [
    f"/shares/dicom-web/studies?token={TOKEN}%0d%0aX-Injected:%201",
    f"/shares/studies/{STUDY}?token=a%00b",
    f"/shares/studies/{STUDY}?token=a%0Ab",
    f"/shares/studies/{STUDY}?token=a%1fb",
    f"/shares/studies/{STUDY}?token=a%7Fb",
    f"/shares/studies/{STUDY}?token=a%09b",
    f"/shares/studies/{STUDY}?token=a%250d%250ab",
    f"/shares/studies/{STUDY}?token=a%25250ab",
    "/welcome/?token=a%0d%0ab",
    "/anon-shares/studies?token=a%0d%0ab",
    "/orthanc-admin/studies?x=%0d%0a",
    "/orthanc-admin/x%0ay",
]

RAW_CONTROL_CHARACTERS = [b"\x00", b"\x01", b"\x0b", b"\r", b"\t", b"\x1f", b"\x7f"]


@pytest.mark.parametrize("target", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_viewers_read_reaches_orthanc_for_shares_as_it_was_asked(
    site: Deployment, method: str, target: str
) -> None:
    asked = site.upstreams["orthanc_for_shares"].asked
    before = len(asked)
    answer = site.ask(method, target, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200
    assert len(asked) == before + 1
    assert asked[-1]["method"] == method
    assert asked[-1]["target"] == target.removeprefix("/shares")
    assert asked[-1]["headers"]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("path", ["/tools/lookup", "/auth/tokens/decode"])
def test_the_two_questions_with_a_body_reach_orthanc_for_shares(
    site: Deployment, path: str
) -> None:
    answer = site.ask("POST", f"/shares{path}", body=b"1.2.3", headers={"token": TOKEN})
    assert answer.status == 200
    assert answer.json["upstream"] == "orthanc_for_shares"
    assert answer.json["target"] == path
    assert answer.json["body"] == "1.2.3"
    assert answer.json["headers"]["token"] == TOKEN


@pytest.mark.parametrize(("method", "target", "status"), NEVER)
def test_everything_else_reaches_nothing(
    site: Deployment, method: str, target: str, status: int
) -> None:
    before = site.arrived()
    answer = site.ask(method, target, headers={"token": TOKEN})
    # nginx itself answers TRACE with 405, before our list is asked.
    assert answer.status == status
    assert site.arrived() == before


@pytest.mark.parametrize("target", TRICKS)
def test_a_path_or_method_in_disguise_is_refused(site: Deployment, target: str) -> None:
    before = site.arrived()
    assert site.ask("GET", target).status == 400
    assert site.arrived() == before


@pytest.mark.parametrize("target", CONTROL_CHARACTERS)
def test_encoded_control_characters_never_reach_the_plugin(
    site: Deployment, target: str
) -> None:
    before = site.arrived()
    assert site.ask("GET", target).status == 400
    assert site.arrived() == before


@pytest.mark.parametrize("character", RAW_CONTROL_CHARACTERS)
@pytest.mark.parametrize("place", ["query", "header"])
def test_raw_control_characters_never_reach_the_plugin(
    site: Deployment, character: bytes, place: str
) -> None:
    before = site.arrived()
    if place == "query":
        answer = site.ask("GET", b"/shares/system?token=a" + character + b"b")
    else:
        token = f"a{character.decode()}b"
        answer = site.ask("GET", "/shares/system", headers={"token": token})
    assert answer.status == 400
    assert site.arrived() == before


def test_a_harmless_percent_sign_gets_through(site: Deployment) -> None:
    target = f"/shares/studies/{STUDY}/archive?filename=M%C3%BCller%20100%25.zip"
    assert site.ask("GET", target).json["target"] == target.removeprefix("/shares")


def test_a_method_in_a_header_does_not_change_the_method(site: Deployment) -> None:
    headers = {
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "DELETE",
        "X-Method-Override": "DELETE",
    }
    answer = site.ask("GET", f"/shares/studies/{STUDY}", headers=headers)
    assert answer.json["method"] == "GET"
    assert not {name.lower() for name in headers} & answer.json["headers"].keys()


@pytest.mark.parametrize(
    ("target", "upstream", "arrives"),
    [
        ("/welcome/?token=t", "landing", "/?token=t"),
        ("/welcome/static/page.css", "landing", "/static/page.css"),
        ("/anon-shares/dicom-web/studies?a=b", "anonymizer", "/dicom-web/studies?a=b"),
        ("/ohif/viewer?StudyInstanceUIDs=1.2", "ohif", None),
        ("/ohif/viewer/anonymized?StudyInstanceUIDs=1.2", "ohif", None),
        ("/orthanc-admin/ui/app/", "orthanc_for_admin", "/ui/app/"),
        ("/orthanc-admin/modalities/A%20B", "orthanc_for_admin", "/modalities/A%20B"),
    ],
)
def test_each_public_path_has_its_upstream(
    site: Deployment, target: str, upstream: str, arrives: str | None
) -> None:
    answer = site.ask("GET", target)
    assert answer.json["upstream"] == upstream
    assert answer.json["target"] == (arrives or target)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_staff_may_use_every_method(site: Deployment, method: str) -> None:
    answer = site.ask(
        method,
        f"/orthanc-admin/studies/{STUDY}",
        headers={"Authorization": "Basic c3RhZmY6cGFzcw==", "Cookie": "a=b"},
    )
    assert answer.json["method"] == method
    assert answer.json["headers"]["authorization"] == "Basic c3RhZmY6cGFzcw=="
    assert answer.json["headers"]["cookie"] == "a=b"


def test_a_large_upload_goes_to_the_admin_side_only(site: Deployment) -> None:
    large = bytes(200_000)
    assert site.ask("POST", "/orthanc-admin/instances", body=large).status == 200
    assert site.ask("POST", "/shares/tools/lookup", body=large).status == 413


def test_without_the_final_slash_a_link_still_arrives(site: Deployment) -> None:
    answer = site.ask("GET", "/welcome?token=abc")
    assert answer.status == 308
    assert answer.headers["location"] == "/welcome/?token=abc"
    assert site.ask("GET", "/ohif").headers["location"] == "/ohif/"
    assert site.ask("GET", "/orthanc-admin").headers["location"] == "/orthanc-admin/"


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
    for target in ("/shares/system", "/anon-shares/x", "/orthanc-admin/x", "/welcome/"):
        arrived = site.ask("GET", target, headers=spoofed).json["headers"]
        wanted = f"by=_nginx;for=127.0.0.1;host={host};proto=http"
        assert arrived["forwarded"] == wanted
        assert arrived["host"] == host
        assert arrived["x-request-id"] != "chosen-by-the-client"
        dropped = {name.lower() for name in spoofed}
        dropped -= {"forwarded", "host", "x-request-id"}
        assert not dropped & arrived.keys()


def test_referer_and_cookies_stay_outside(site: Deployment) -> None:
    headers = {"Referer": f"http://x/?token={TOKEN}", "Cookie": "session=1"}
    for target in ("/shares/system", "/anon-shares/x", "/welcome/", "/ohif/x"):
        arrived = site.ask("GET", target, headers=headers).json["headers"]
        assert not {"referer", "cookie"} & arrived.keys()


@pytest.mark.parametrize(
    "target", ["/shares/system", "/welcome/", "/ohif/", "/nonsense", "/shares/x"]
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
    images = site.ask("GET", f"{INSTANCE}/frames/1").headers
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


@pytest.mark.parametrize("path", ["/token-service/shares", "/meddream/"])
def test_token_service_and_meddream_are_off_by_default(
    site: Deployment, path: str
) -> None:
    assert Proxy().expose_token_service == "off"
    before = site.arrived()
    assert site.ask("PUT", path).status == 404
    assert site.arrived() == before


def test_what_is_switched_on_is_reached_and_no_more(tmp_path: Path) -> None:
    switches = {"expose_token_service": "on", "expose_meddream": "on"}
    with deployed(tmp_path, **switches) as site:
        for method, path in (
            ("PUT", "/shares"),
            ("PUT", "/tokens/stone-viewer-publication"),
            ("POST", "/shares/validate"),
        ):
            answer = site.ask(method, f"/token-service{path}")
            assert answer.json["upstream"] == "token_service"
            assert answer.json["target"] == path
        for path in ("/metrics", "/settings/roles", "/docs", "/user/get-profile"):
            assert site.ask("PUT", f"/token-service{path}").status == 404
        assert site.ask("GET", "/token-service/shares").headers["allow"] == "PUT, POST"
        seen = site.ask("GET", "/meddream/?study=1", headers={"Cookie": "a=b"}).json
        assert (seen["upstream"], seen["target"]) == ("meddream", "/?study=1")
        assert seen["headers"]["x-forwarded-proto"] == "http"
        assert seen["headers"]["x-forwarded-host"] == site.nginx.proxy.public_host
        assert seen["headers"]["cookie"] == "a=b"


def test_services_below_a_path_of_the_suite_are_found(tmp_path: Path) -> None:
    paths = {"landing_path": "/welcome/", "anonymizer_path": "/anon-shares/"}
    with deployed(tmp_path, **paths) as site:
        assert site.ask("GET", "/welcome/?a=b").json["target"] == "/welcome/?a=b"
        assert site.ask("GET", "/anon-shares/x").json["target"] == "/anon-shares/x"


def test_a_network_that_is_not_allowed_does_not_reach_the_admin_side(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path, admin_allow="192.0.2.0/24") as site:
        answer = site.ask("GET", "/orthanc-admin/")
        assert answer.status == 403
        assert answer.json["title"] == "Forbidden"
        assert site.ask("GET", "/shares/system").status == 200


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
    assert secret not in nginx.everything_written


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
        while block := link.recv(10_000):
            received += block
    return received


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
                headers={"Forwarded": "host=evil.example", "Host": "evil.example"},
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
    with (
        pytest.raises(StartError, match="invalid parameter"),
        running_nginx(tmp_path, admin_allow="everybody"),
    ):
        pass
