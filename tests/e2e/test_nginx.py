"""nginx in front: what gets through to whom, and what reaches nothing.

A real nginx with the deployment's configuration; the upstreams are stand-ins that
answer with what reached them, so every test knows what Orthanc would have been asked.
"""

from pathlib import Path

import pytest

from anonymizer.route import RouteSpec
from anonymizer.routes import ROUTES
from demo.nginx import Proxy
from tests.support.site import (
    INSTANCE,
    SERIES,
    STUDY,
    TOKEN,
    UID,
    Deployment,
    deployed,
    site,
)

__all__ = ["site"]  # a fixture

SHARE = "AbCdEfGhIjKlMnOpQrStUv"

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
    ("POST", "/welcome/static/page.css", 405),
    ("POST", "/welcome/share-landing/x", 405),
    ("POST", "/welcome/s/", 405),
    ("POST", "/welcome/s/abc/d", 405),
    ("POST", "/welcome/s/a.b", 405),
    ("PUT", "/welcome/?token=x", 405),
    ("PUT", "/welcome/s/abc", 405),
    ("DELETE", "/welcome/", 405),
    ("GET", "/welcome/metrics", 404),
    ("GET", "/welcome/%72eady?x", 404),
    ("GET", "/welcome/health", 404),
    ("GET", "/anon-shares/metrics", 404),
    ("GET", "/anon-shares/ready", 404),
    ("HEAD", "/anon-shares/health", 404),
    ("PUT", f"/anon-shares/studies/{STUDY}", 405),
    ("DELETE", f"/anon-shares/studies/{STUDY}", 405),
    ("POST", f"/anon-shares/studies/{STUDY}/archive", 405),
    ("HEAD", f"/anon-shares/studies/{STUDY}/archive", 405),
    ("PUT", f"/anon-shares/osimis-viewer/studies/{STUDY}/annotations", 405),
    ("POST", f"/anon-shares/dicom-web/studies/{UID}", 405),
    ("GET", "/anon-shares/tools/find", 405),
    ("POST", "/anon-shares/tools/create-dicom", 404),
    ("POST", "/anon-shares/tools/create-archive", 404),
    ("GET", "/anon-shares/studies", 404),
    ("GET", "/anon-shares/studies/", 404),
    ("GET", "/anon-shares/changes", 404),
    ("GET", "/anon-shares/modalities", 404),
    ("GET", "/anon-shares/dicom-web/servers", 404),
    ("GET", "/anon-shares/ui/app/", 404),
    ("GET", "/anon-shares/nonsense", 404),
    ("GET", "/anon-shares/", 404),
    ("GET", "/anon-shares", 404),
    ("PUT", "/anon-shares/volview/index.html", 405),
    ("POST", "/anon-shares/stone-webviewer/configuration.json", 405),
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
        ("/welcome/s/aB3-_x", "landing", "/s/aB3-_x"),
        ("/anon-shares/dicom-web/studies?a=b", "anonymizer", "/dicom-web/studies?a=b"),
        (f"/anon-shares/series/{STUDY}/study", "anonymizer", f"/series/{STUDY}/study"),
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


FORM = b"nonce=abcdefghijklmnopqrstuv&password=secret"
FORM_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Origin": "null",
    "Sec-Fetch-Site": "same-origin",
    "Cookie": "other=1; os-form=abcdefghijklmnopqrstuv",
    "X-Forwarded-For": "6.6.6.6",
}


@pytest.mark.parametrize(
    "path", ["?token=x", "s/aB3-_x", "share-landing?token=x", "share-landing/?token=x"]
)
def test_the_form_of_a_link_arrives_as_it_was_sent(site: Deployment, path: str) -> None:
    answer = site.ask("POST", f"/welcome/{path}", headers=FORM_HEADERS, body=FORM)
    assert answer.json["upstream"] == "landing"
    assert answer.json["method"] == "POST"
    assert answer.json["target"] == f"/{path}"
    assert answer.json["body"] == FORM.decode()
    arrived = answer.json["headers"]
    assert arrived["x-forwarded-for"] == "127.0.0.1"
    for name in ("Content-Type", "Origin", "Sec-Fetch-Site", "Cookie"):
        assert arrived[name.lower()] == FORM_HEADERS[name]


def test_where_links_take_a_form_a_refusal_says_so(site: Deployment) -> None:
    for path, allow in (("s/abc", "GET, HEAD, POST"), ("x", "GET, HEAD")):
        answer = site.ask("DELETE", f"/welcome/{path}")
        assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_a_form_is_short(site: Deployment) -> None:
    before = site.arrived()
    large = site.ask("POST", "/welcome/s/abc", headers=FORM_HEADERS, body=bytes(9000))
    assert large.status == 413
    assert site.arrived() == before


@pytest.mark.parametrize(
    "path",
    [
        "/stone-webviewer/index.html",
        "/stone-webviewer/StoneWebViewer.wasm",
        "/volview/assets/itk-wasm.umd.js",
        "/osimis-viewer/app/index.html",
        "/osimis-viewer/languages/de.json",
        "/osimis-viewer/config.js",
    ],
)
def test_the_programs_of_viewers_come_from_an_orthanc_that_sees_no_token(
    site: Deployment, path: str
) -> None:
    answer = site.ask("GET", f"/anon-shares{path}?study={UID}&token={TOKEN}")
    assert answer.json["upstream"] == "orthanc_for_shares"
    assert answer.json["target"] == path


def test_stone_reads_de_identified_shares_with_a_configuration_of_ours(
    site: Deployment,
) -> None:
    before = site.arrived()
    answer = site.ask("GET", "/anon-shares/stone-webviewer/configuration.json")
    assert site.arrived() == before
    assert answer.headers["content-type"] == "application/json"
    section = answer.json["StoneWebViewer"]
    assert section["DicomWebRoot"] == "../dicom-web"
    assert section["OrthancApiRoot"] == ".."
    assert section["DicomWebHttpHeaders"] == {}
    # Stone alerts at any other value.
    assert section["ShowInfoPanelAtStartup"] in {"Always", "Never", "User"}


PARAMETERS = {
    "study": UID,
    "series": "1.2.3",
    "instance": "1.2.4",
    "frame": "7",
    "frames": ",".join(["1234567"] * 1000),
    "tag_path": "/".join([*["0040A730/12"] * 63, "0040A160"]),
    "id": STUDY,
    "index": "0",
}
"""A value of each parameter in the templates of the anonymizer; the longest ones."""


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.template)
def test_every_route_of_the_anonymizer_is_let_through(
    site: Deployment, route: RouteSpec
) -> None:
    path = route.template.format(**PARAMETERS)
    assert route.pattern().fullmatch(path)
    for method in route.methods:
        answer = site.ask(method, f"/anon-shares{path}?a=b", headers={"token": TOKEN})
        assert answer.status == 200
        assert answer.json["upstream"] == "anonymizer"
        assert answer.json["target"] == f"{path}?a=b"
        assert answer.json["headers"]["token"] == TOKEN
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/tools/lookup", "/tools/find"])
def test_stone_s_two_questions_reach_the_anonymizer(
    site: Deployment, path: str
) -> None:
    answer = site.ask("POST", f"/anon-shares{path}", body=b"2.25.1")
    assert answer.json["upstream"] == "anonymizer"
    assert (answer.json["target"], answer.json["body"]) == (path, "2.25.1")


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
            ("GET", "/shares?status=active"),
            ("POST", "/shares/revoke"),
            ("GET", f"/shares/{SHARE}"),
            ("PATCH", f"/shares/{SHARE}"),
            ("DELETE", f"/shares/{SHARE}"),
            ("GET", f"/shares/{SHARE}/events"),
            ("POST", f"/shares/{SHARE}/link"),
            ("GET", f"/shares/{SHARE}/qr.svg"),
            ("GET", "/audit/events?limit=500"),
            ("POST", "/audit/verify"),
        ):
            answer = site.ask(method, f"/token-service{path}")
            assert answer.json["upstream"] == "token_service"
            assert answer.json["target"] == path
        for path in (
            *("/metrics", "/settings/roles", "/docs", "/user/get-profile", "/manage"),
            *("/shares/roles", "/shares/profile", "/shares/news", "/shares/tallies"),
            *("/links/look", "/links/open", "/tokens", f"/shares/{SHARE}/x", "/audit"),
        ):
            for method in ("GET", "PUT", "POST"):
                assert site.ask(method, f"/token-service{path}").status == 404
        verify, anchors = "/token-service/audit/verify", bytes(100_000)
        assert site.ask("POST", verify, body=anchors).status == 200
        assert site.ask("POST", verify, body=2 * anchors).status == 413
        refused = site.ask("OPTIONS", "/token-service/shares")
        assert refused.headers["allow"] == "GET, PUT, POST, PATCH, DELETE"
        seen = site.ask("GET", "/meddream/?study=1", headers={"Cookie": "a=b"}).json
        assert (seen["upstream"], seen["target"]) == ("meddream", "/?study=1")
        assert seen["headers"]["x-forwarded-proto"] == "http"
        assert seen["headers"]["x-forwarded-host"] == site.nginx.proxy.public_host
        assert seen["headers"]["cookie"] == "a=b"


def test_services_below_a_path_of_the_suite_are_found(tmp_path: Path) -> None:
    paths = {"landing_path": "/welcome/", "anonymizer_path": "/anon-shares/"}
    with deployed(tmp_path, **paths) as site:
        assert site.ask("GET", "/welcome/?a=b").json["target"] == "/welcome/?a=b"
        assert (
            site.ask("GET", "/anon-shares/system").json["target"]
            == "/anon-shares/system"
        )


def test_a_network_that_is_not_allowed_does_not_reach_the_admin_side(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path, admin_allow="192.0.2.0/24") as site:
        answer = site.ask("GET", "/orthanc-admin/")
        assert answer.status == 403
        assert answer.json["title"] == "Forbidden"
        assert site.ask("GET", "/shares/system").status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/shares/dicom-web/studies"),
        ("GET", f"/shares/dicom-web/studies?0020000D={UID}&token="),
        ("GET", "/shares/dicom-web/series"),
        ("POST", "/shares/tools/lookup"),
    ],
)
def test_who_shows_no_token_cannot_list_or_look_up_anything(
    site: Deployment, method: str, target: str
) -> None:
    before = site.arrived()
    assert site.ask(method, target).status == 403
    assert site.arrived() == before


def test_the_share_dialog_s_letters_may_have_two_slashes(site: Deployment) -> None:
    target = "/orthanc-admin/ui/api//emails/templates/share-letter"
    assert site.ask("GET", target).json["upstream"] == "orthanc_for_admin"
    assert site.ask("GET", target + "/%2e%2e/x").status == 400


@pytest.mark.parametrize(
    "target", ["/shares/stone-webviewer/index.html", "/ohif/viewer", "/welcome/"]
)
def test_a_person_gets_a_page_when_a_viewer_is_down(
    tmp_path: Path, target: str
) -> None:
    # Nobody listens on port 1.
    closed = dict.fromkeys(["orthanc_for_shares", "ohif", "landing"], "127.0.0.1:1")
    with deployed(tmp_path, **closed) as site:
        answer = site.ask("GET", f"{target}?token={TOKEN}")
    assert answer.status == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert b"try again" in answer.body
