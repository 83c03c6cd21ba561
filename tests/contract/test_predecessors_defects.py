"""The predecessors' mistakes cannot happen here: each test names the number of one.

Tests elsewhere, and the few mistakes that no test can show, are in
`tests/support/defects.py`; together they cover all of `tests/data/defects.txt`.
"""

import ast
import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.domain.errors import ConfigurationError
from tests.support.defects import ELSEWHERE, NOT_HERE, numbers
from tests.support.logs import CollectedLog
from tests.support.meddream import MedDreamTokenService
from tests.support.service import (
    NOW,
    OTHER_STUDY,
    STUDY,
    MovableClock,
    Service,
    creation,
    question,
    resource,
    running,
)
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, token_service_settings
from tests.support.tokens import (
    expiry_of,
    foreign_tokens,
    forged,
    header,
    parts,
    predecessors_token,
    users_token,
)
from token_service.app import create_app

TYPES = (
    "stone-viewer-publication",
    "osimis-viewer-publication",
    "ohif-viewer-publication",
    "volview-viewer-publication",
    "meddream-viewer-publication",
    "viewer-instant-link",
    "download-instant-link",
)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> MovableClock:
    """Return a clock of this test alone."""
    return MovableClock()


@pytest.fixture
def moving(clock: MovableClock) -> Iterator[Service]:
    """Run a service whose time moves with `clock`."""
    with running(clock) as started:
        yield started


# The table itself


def here() -> set[str]:
    """Return the numbers that tests of this file name."""
    found = (re.match(r"test_([asp]\d+)_", name) for name in globals())
    return {match[1].upper() for match in found if match}


def test_every_defect_has_a_test_or_a_reason() -> None:
    known = [*here(), *ELSEWHERE, *NOT_HERE]
    assert sorted(known) == sorted(numbers())
    assert len(numbers()) == 77 + 40 + 14


@pytest.mark.parametrize("number", ELSEWHERE)
def test_the_tests_elsewhere_exist(number: str) -> None:
    file, _, name = ELSEWHERE[number].partition("::")
    module = ast.parse((ROOT / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in module.body if isinstance(node, functions)}


# Decisions


@pytest.mark.parametrize("kind", TYPES)
def test_a1_no_token_of_any_type_lets_its_holder_change_anything(
    kind: str, service: Service
) -> None:
    token = service.token(kind)
    for method in ("put", "delete", "patch", "DELETE", "Put"):
        assert service.is_granted(token, method=method) is False
    assert service.is_granted(token, level="system", uri="/tools/find") is False
    assert service.is_granted(token, method="get") is True


def test_a2_ids_never_mix_and_no_resource_switches_a_check_off(
    service: Service,
) -> None:
    kind = "viewer-instant-link"
    nameless = {"orthanc-id": OTHER_STUDY.orthanc_id, "level": "study"}
    token = service.token(kind, resources=[resource(), nameless])
    assert service.is_granted(token, dicom_uid="9.9.9") is False
    assert service.is_granted(token, orthanc_id=OTHER_STUDY.orthanc_id) is True
    token = service.token(kind, resources=[resource(), resource(OTHER_STUDY)])
    mixed = {"dicom_uid": STUDY.dicom_uid, "orthanc_id": OTHER_STUDY.orthanc_id}
    assert service.is_granted(token, **mixed) is False


@pytest.mark.parametrize("level", ["instance", "series", "patient", None, ""])
def test_a3_the_level_of_the_question_must_be_that_of_the_share(
    level: str | None, service: Service
) -> None:
    assert service.is_granted(service.token(), level=level) is False


@pytest.mark.parametrize("body", [{"token-key": "", "token-value": ""}, {}])
def test_a4_anonymous_visitors_may_do_nothing(
    body: dict[str, str], service: Service
) -> None:
    profile = service.ask("/user/get-profile", body)
    assert profile["permissions"] == profile["authorized-labels"] == []


def test_a5_garbage_may_do_nothing(service: Service) -> None:
    for token in foreign_tokens(STUDY).values():
        profile = service.ask("/user/get-profile", {"token-value": token})
        assert profile["permissions"] == []


def test_a6_no_grant_outlives_its_share(moving: Service, clock: MovableClock) -> None:
    token = moving.token(validity_duration=90)
    for passed in range(0, 90, 10):
        clock.now = NOW + timedelta(seconds=passed)
        answer = moving.ask("/tokens/validate", question(token))
        assert answer == {"granted": True, "validity": min(60, 90 - passed)}


def test_a7_the_token_in_the_body_counts_for_that_is_what_the_plugin_keeps(
    service: Service,
) -> None:
    headers = {"token": service.token()}
    body = question("nonsense")
    answer = service.call("POST", "/tokens/validate", body, headers)
    assert answer.json["granted"] is False


def test_a8_each_type_can_be_switched_and_meddream_needs_its_own_roots(
    open_service: Service,
) -> None:
    refused = open_service.create("meddream-viewer-publication")
    assert refused.json["code"] == "share_type_disabled"
    with running(share_types="stone-viewer-publication") as service:
        kinds = {kind for kind in TYPES if service.create(kind).status == 200}
    assert kinds == {"stone-viewer-publication"}


def test_a9_the_name_of_the_server_is_enforced_whatever_else_is_set(
    meddream: MedDreamTokenService,
) -> None:
    with running(
        server_identifier="site-a",
        public_orthanc_root=None,
        public_ohif_root=None,
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=meddream.url,
    ) as service:
        made = service.made("meddream-viewer-publication")
        assert made["url"].startswith(f"{PUBLIC}/welcome/?token=")
        assert service.is_granted(made["token"], server_id="site-a") is True
        for other in ("site-b", "", None):
            assert service.is_granted(made["token"], server_id=other) is False


@pytest.mark.parametrize("kind", ["viewer-instant-link", "download-instant-link"])
def test_a11_decode_tells_the_studies_of_a_valid_instant_link(
    kind: str, service: Service
) -> None:
    decoded = service.decode(service.token(kind))
    assert decoded["error-code"] is None
    assert decoded["resources"][0]["dicom-uid"] == STUDY.dicom_uid


# Tokens


def test_a12_tokens_have_the_registered_claims_and_the_name_of_their_key(
    service: Service,
) -> None:
    head, claimed, _ = parts(service.token(validity_duration=60))
    registered = {"iss", "aud", "jti", "iat", "nbf", "exp"}
    assert registered <= json.loads(claimed).keys()
    assert {"kid", "typ", "alg"} == json.loads(head).keys()


@pytest.mark.parametrize("alg", ["H", "HS", "S256", "HS25", "6", ""])
def test_a13_no_part_of_the_name_of_an_algorithm_is_one(
    alg: str, service: Service
) -> None:
    assert service.is_granted(forged(header(alg=alg))) is False
    assert service.is_granted(forged({"alg": alg, "typ": "JWT"})) is False


def test_a15_the_zone_of_the_machine_changes_no_expiry(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            token = service.token(expiration_date="2026-11-02T12:00:30")
            assert expiry_of(token) == NOW + timedelta(seconds=30)
            answer = service.ask("/tokens/validate", question(token))
        time.tzset()
        assert answer == {"granted": True, "validity": 30}


def test_a16_a_date_without_offset_is_utc_when_it_is_made_and_when_it_is_asked(
    service: Service,
) -> None:
    token = service.token(expiration_date="2031-05-04T10:00:00")
    assert service.is_granted(token) is True
    old = predecessors_token("resources", expiration_date="2031-05-04T10:00:00")
    assert service.is_granted(old) is True


def test_a17_no_duration_makes_a_dead_share_or_a_mistake_of_ours(
    service: Service,
) -> None:
    for seconds in (0, 2**31, 2**63, 2**64 - 1, 10**40):
        assert service.is_granted(service.token(validity_duration=seconds)) is True
    for seconds in (-1, -(2**63), -(10**40)):
        assert service.create(validity_duration=seconds).status == 422
    with running(max_share_duration="30d") as limited:
        assert expiry_of(limited.token()) == NOW + timedelta(days=30)


def test_a18_a_share_of_nothing_is_not_made(service: Service) -> None:
    assert service.create(resources=[]).status == 422
    assert service.create(resources=[None]).status == 422
    assert service.create(resources=None).status == 422


def test_a19_a_token_holds_no_text_of_the_caller_and_stays_short(
    service: Service,
) -> None:
    token = service.token(id="Mrs. Doe, ward 3")
    assert not any(b"Doe" in part for part in parts(token))
    ten = [resource() for _ in range(10)]
    assert len(service.token(resources=ten)) < 2_000
    with running(
        public_anonymized_orthanc_root=f"{PUBLIC}/anon-shares/",
        anonymized_server_identifier="anon",
        server_identifier="std",
        deidentification_key=DEIDENTIFICATION_KEY,
    ) as both:
        sealed = both.token(anonymized=True)
    assert not any(STUDY.dicom_uid.encode() in part for part in parts(sealed))


@pytest.mark.parametrize("shape", ["flat", "studies", "resources"])
def test_a20_links_of_all_predecessors_work(shape: str, service: Service) -> None:
    assert service.is_granted(predecessors_token(shape)) is True


# Confidentiality


def test_a21_no_token_of_anybody_is_logged(
    service: Service, json_log: CollectedLog
) -> None:
    tokens = [service.token(), users_token(), "Basic c2VjcmV0OnBhc3N3b3Jk"]
    for token in tokens:
        for path in ("/tokens/validate", "/tokens/decode", "/user/get-profile"):
            service.ask(path, question(token, token_key="Authorization"))
        service.create(id=token)
    json_log.entries("share created", 2)
    assert not any(token in json_log.text for token in tokens)


@pytest.mark.parametrize("name", ["type", "expiration_date", "resources", "id"])
def test_a22_a_refusal_does_not_repeat_what_was_sent(
    name: str, service: Service
) -> None:
    secret = "s3cr3t-" * 60
    refused = service.create(**{name: secret})
    assert refused.status == 422
    for telling in (b"s3cr3t", b".py", b"/home", b"site-packages", b"pydantic"):
        assert telling not in refused.raw


def test_a23_a_mistake_of_ours_tells_nothing_of_itself(
    monkeypatch: pytest.MonkeyPatch, json_log: CollectedLog
) -> None:
    def fails(_path: str) -> str:
        raise RuntimeError("s3cr3t of the program")

    monkeypatch.setattr("token_service.routes.shares._type_in_path", fails)
    with running() as service:
        answer = service.create()
    assert answer.status == 500
    assert b"s3cr3t" not in answer.raw
    assert json_log.entries("unexpected error")
    assert "s3cr3t" not in json_log.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_a25_there_is_no_documentation_unless_it_is_switched_on(
    path: str, service: Service
) -> None:
    assert Service(service.base, None).call("GET", path).status == 404


# HTTP


def test_a28_a_mismatch_of_path_and_type_is_400(service: Service) -> None:
    body = creation("ohif-viewer-publication")
    assert service.call("PUT", "/tokens/viewer-instant-link", body).status == 400
    del body["type"]
    assert service.call("PUT", "/tokens/viewer-instant-link", body).status == 200


def test_a29_the_type_invalid_is_422(service: Service) -> None:
    assert service.create("invalid").status == 422


@pytest.mark.parametrize("level", ["patient", "series", "instance", "system"])
def test_a30_a_meddream_link_of_another_level_is_422(
    level: str, service: Service
) -> None:
    refused = service.create("meddream-instant-link", resources=[resource(level=level)])
    assert refused.status == 422


@pytest.mark.parametrize("body", [{}, {"token-value": None}, {"token-key": "token"}])
def test_a31_decode_without_a_token_says_invalid(
    body: dict[str, Any], service: Service
) -> None:
    assert service.ask("/tokens/decode", body)["error-code"] == "invalid"


@pytest.mark.parametrize("kind", TYPES[:5])
def test_a32_no_publication_is_made_without_a_link(kind: str, service: Service) -> None:
    for missing in ("dicom-uid", "orthanc-id"):
        one = {key: value for key, value in resource().items() if key != missing}
        answer = service.create(kind, resources=[one])
        assert answer.status == 422 or answer.json["url"]


def test_a33_the_level_comes_in_any_case_or_not_at_all(service: Service) -> None:
    for level in ("STUDY", "Study", None):
        assert service.create(resources=[resource(level=level)]).status == 200


def test_a34_a_permission_may_have_any_name(roles_file: Path) -> None:
    role = {"permissions": ["my-own-permission"], "authorized-labels": ["*"]}
    with running(permissions_file_path=roles_file) as service:
        stored = service.call("PUT", "/settings/roles", {"roles": {"x": role}})
        assert stored.status == 200
        shown = service.call("GET", "/settings/roles").json
    assert shown["roles"]["x"] == role


def test_a35_an_unknown_key_of_a_user_has_the_anonymous_profile(
    service: Service,
) -> None:
    asked = {"token-key": "api-key", "token-value": "unknown", "server-id": None}
    assert service.ask("/user/get-profile", asked)["name"] == "Anonymous"


def test_a36_there_are_routes_for_health_and_readiness(service: Service) -> None:
    for path in ("/health", "/ready"):
        assert service.call("GET", path).json["status"] == "ok"


# Links


@pytest.mark.parametrize(
    "uid", ["1&x=y#", "1.2/../3", "1.2%26", "1.2 ", "1.2\r\n", "é", "1.2.", "." * 9]
)
def test_a37_no_id_changes_a_link(uid: str, service: Service) -> None:
    for viewer in ("stone", "ohif", "osimis", "volview"):
        one = resource() | {"dicom-uid": uid}
        kind = f"{viewer}-viewer-publication"
        assert service.create(kind, resources=[one]).status == 422
        one = resource() | {"orthanc-id": uid}
        assert service.create(kind, resources=[one]).status == 422


def test_a38_ohif_gets_one_study_as_dicom_json_or_none() -> None:
    two = [resource(), resource(OTHER_STUDY)]
    with running(ohif_data_source="dicom-json") as service:
        refused = service.create("ohif-viewer-publication", resources=two)
        assert service.create("ohif-viewer-publication").status == 200
    assert refused.status == 422


def test_a39_volview_gets_as_many_names_as_addresses() -> None:
    studies = [resource(), resource(OTHER_STUDY), resource()]
    with running(public_landing_root=None) as service:
        made = service.made("volview-viewer-publication", resources=studies)
    names = re.search(r"names=\[([^]]*)\]", made["url"])
    addresses = re.search(r"urls=([^&]*)", made["url"])
    assert names
    assert addresses
    assert len(names[1].split(",")) == len(addresses[1].split(",")) == 3


def test_a40_a_root_without_its_final_slash_keeps_its_last_segment() -> None:
    with running(
        public_landing_root=None, public_orthanc_root=f"{PUBLIC}/shares"
    ) as service:
        made = service.made()
    assert made["url"].startswith(f"{PUBLIC}/shares/stone-webviewer/")


def test_a41_one_of_meddreams_two_addresses_alone_stops_the_start() -> None:
    settings = token_service_settings(public_meddream_root=f"{PUBLIC}/meddream/")
    assert any(
        "MEDDREAM_TOKEN_SERVICE_URL" in line for line in settings.contradictions()
    )


# Roles, e-mail, operation


def test_a60_roles_work_without_accounts(roles_file: Path) -> None:
    with running(permissions_file_path=roles_file) as service:
        assert "radiologist" in service.call("GET", "/settings/roles").json["roles"]


def test_a64_without_letters_there_are_no_routes_for_them(service: Service) -> None:
    for method, path in (
        ("GET", "/emails/templates"),
        ("GET", "/emails/templates/letter"),
        ("POST", "/emails/send"),
    ):
        assert service.call(method, path, {}).status == 404


def test_a70_making_the_application_leaves_the_log_alone() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    create_app(token_service_settings())
    assert (root.level, list(root.handlers)) == before


def test_a76_calls_to_meddream_share_a_connection() -> None:
    with (
        MedDreamTokenService() as stand_in,
        running(
            public_meddream_root=f"{PUBLIC}/meddream/",
            meddream_token_service_url=stand_in.url,
        ) as service,
    ):
        for _ in range(5):
            assert service.create("meddream-instant-link").status == 200
        assert len(stand_in.calls) == 5
        assert stand_in.connections == 1


# orthanc-share


@pytest.mark.parametrize("path", ["/shares/validate", "/tokens/validate"])
@pytest.mark.parametrize("name", ["identifier", "server-id"])
def test_s1_the_name_of_the_server_is_enforced(path: str, name: str) -> None:
    with running(server_identifier="std-server") as service:
        asked = question(service.token())
        del asked["server-id"]
        answers = {
            value: service.ask(path, asked | {name: value})["granted"]
            for value in ("std-server", "another", "", None)
        }
        assert service.ask(path, asked)["granted"] is False
    assert answers == {"std-server": True, "another": False, "": False, None: False}


@pytest.mark.parametrize("shape", ["flat", "studies"])
def test_s2_no_old_link_lets_its_holder_change_anything(
    shape: str, service: Service
) -> None:
    token = predecessors_token(shape)
    for method in ("put", "delete"):
        asked = question(token, method=method)
        assert service.ask("/shares/validate", asked)["granted"] is False


def test_s3_ids_never_mix_in_old_links(service: Service) -> None:
    ids = [
        {"dicom_uid": study.dicom_uid, "orthanc_id": study.orthanc_id}
        for study in (STUDY, OTHER_STUDY)
    ]
    token = predecessors_token("studies", studies=ids)
    assert service.is_granted(token, dicom_uid=OTHER_STUDY.dicom_uid) is False
    del ids[1]["dicom_uid"]
    token = predecessors_token("studies", studies=ids)
    assert service.is_granted(token, dicom_uid="9.9.9") is False


def test_s4_an_anonymized_share_is_never_valid_on_the_standard_server() -> None:
    settings: dict[str, Any] = {
        "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
        "deidentification_key": DEIDENTIFICATION_KEY,
        "server_identifier": "std",
    }
    lines = list(token_service_settings(**settings).contradictions())
    assert any("ANONYMIZED_SERVER_IDENTIFIER" in line for line in lines)
    with running(**settings, anonymized_server_identifier="anon") as service:
        token = service.token(anonymized=True)
        assert service.is_granted(token, server_id="anon") is True
        for server in ("std", None, ""):
            assert service.is_granted(token, server_id=server) is False


def test_s5_no_token_is_logged_by_the_first_api(
    service: Service, json_log: CollectedLog
) -> None:
    made = service.call("PUT", "/shares", creation()).json["token"]
    service.ask("/shares/validate", question(made, method="delete"))
    assert json_log.entries("denied")
    assert made not in json_log.text


def test_s6_a_question_without_a_token_is_denied(service: Service) -> None:
    asked = {"method": "get", "level": "study", "dicom-uid": STUDY.dicom_uid}
    answer = service.ask("/shares/validate", asked)
    assert answer == {"granted": False, "validity": 60}


def test_s7_without_users_the_service_does_not_start() -> None:
    nobody: dict[str, str] = {}
    for users in (None, nobody):
        settings = token_service_settings(users=users)
        assert any("USERS" in line for line in settings.contradictions())
    lenient = token_service_settings(users=None, allow_unauthenticated=True)
    assert any("EVERYBODY" in line for line in lenient.warnings())


def test_s8_an_old_link_with_a_date_without_offset_is_no_mistake_of_ours(
    service: Service,
) -> None:
    for date, granted in (
        ("2026-11-02T12:00:01", True),
        ("2026-11-02T12:00:00", False),
    ):
        token = predecessors_token("studies", expiration_date=date)
        assert service.is_granted(token) is granted


def test_s9_the_validity_is_what_is_left(service: Service) -> None:
    token = service.token(validity_duration=7)
    answer = service.ask("/shares/validate", question(token))
    assert answer == {"granted": True, "validity": 7}


def test_s11_old_tokens_are_read_with_one_algorithm_only(service: Service) -> None:
    for alg in ("none", "HS384", "HS", "S256", "RS256"):
        token = forged({"alg": alg, "typ": "JWT"})
        assert service.is_granted(token) is False


@pytest.mark.parametrize(
    "body",
    [
        {
            "studies": [{"dicom-uid": STUDY.dicom_uid}],
            "type": "osimis-viewer-publication",
        },
        {
            "studies": [{"orthanc-id": STUDY.orthanc_id}],
            "type": "stone-viewer-publication",
        },
        {"studies": [{}], "type": "stone-viewer-publication"},
        {
            "studies": [resource()],
            "type": "stone-viewer-publication",
            "anonymized": True,
        },
    ],
)
def test_s12_what_cannot_be_shared_is_422_with_a_reason(
    body: dict[str, Any], service: Service
) -> None:
    refused = service.call("PUT", "/shares", body)
    assert refused.status == 422
    assert isinstance(refused.json["detail"], str)
    assert "validation error" not in refused.json["detail"]


def test_s13_meddreams_token_is_encoded_in_the_link(
    service: Service, meddream: MedDreamTokenService
) -> None:
    made = service.made("meddream-instant-link")
    assert set("+/=") <= set(meddream.tokens[-1])
    assert not set("+/=") & set(made["url"].rpartition("token=")[2])


def test_s15_a_landing_page_alone_makes_no_meddream_links() -> None:
    with running() as service:
        refused = service.create("meddream-viewer-publication")
    assert refused.status == 422


def test_s16_newer_plugins_name_the_server_otherwise_and_are_understood() -> None:
    with running(server_identifier="std") as service:
        token = service.token()
        asked = question(token, server_id="std", labels=["a"], uri="/studies")
        assert service.ask("/shares/validate", asked)["granted"] is True


def test_s17_a_site_can_limit_the_lifetime_and_look_after_the_service() -> None:
    with running(max_share_duration="7d", metrics=True) as service:
        assert expiry_of(service.token()) == NOW + timedelta(days=7)
        metrics = service.call("GET", "/metrics").raw.decode()
        assert service.call("GET", "/health").status == 200
    assert 'shares_created_total{flavour="standard",type="stone-v' in metrics


def test_s40_every_viewer_has_an_address_for_every_form_of_the_body() -> None:
    ids = {"dicom-uid": STUDY.dicom_uid, "orthanc-id": STUDY.orthanc_id}
    with running(public_landing_root=None) as service:
        for form in (ids, {"studies": [ids]}, {"resources": [ids]}):
            body = form | {"type": "osimis-viewer-publication"}
            made = service.call("PUT", "/shares", body)
            assert f"pickableStudyIds={STUDY.orthanc_id}" in made.json["url"]


# Callers


def test_p1_the_hidden_post_of_dicomweb_is_granted(service: Service) -> None:
    assert service.is_granted(service.token(), method="post") is True


def test_p2_decode_tells_resources_only_of_what_is_valid_now(
    moving: Service, clock: MovableClock
) -> None:
    token = moving.token(validity_duration=60)
    assert moving.decode(token)["resources"]
    clock.move(60)
    assert moving.decode(token)["resources"] == []


def test_p3_an_uninitialised_duration_counts_as_none(service: Service) -> None:
    made = service.made(validity_duration=139_785_021_256_845)
    assert made["request"]["expiration-date"] is None


def test_p4_the_profile_of_a_share_has_no_right_that_would_break_it(
    service: Service,
) -> None:
    profile = service.ask("/user/get-profile", {"token-value": service.token()})
    assert profile["permissions"] == []


def test_p5_no_profile_is_kept_for_ever_and_none_is_an_error(service: Service) -> None:
    for body in ({}, {"token-value": "x"}, {"user-id": "u-1"}, {"user-id": 5}):
        assert service.ask("/user/get-profile", body)["validity"] >= 1


def test_p7_there_is_no_redirect(service: Service) -> None:
    for path in (
        "/tokens/validate/",
        "/tokens/decode/",
        "/shares/",
        "/settings/roles/",
    ):
        for method in ("POST", "PUT", "GET"):
            answer = service.call(method, path, {})
            assert not 300 <= answer.status < 400


def test_p8_no_share_is_granted_the_level_system(service: Service) -> None:
    token = service.token()
    for uri in (
        "/tools/find",
        "/changes",
        "/auth/settings/roles",
        "/dicom-web/studies",
    ):
        for method in ("get", "post"):
            asked = {"level": "system", "method": method, "uri": uri}
            body = asked | {"token-key": "token", "token-value": token}
            assert service.ask("/tokens/validate", body)["granted"] is False


def test_p10_a_site_can_shorten_the_time_for_which_a_grant_is_kept() -> None:
    with running(decision_validity=2) as service:
        answer = service.ask("/tokens/validate", question(service.token()))
    assert answer == {"granted": True, "validity": 2}


def test_p13_a_duration_that_is_no_number_is_refused(service: Service) -> None:
    body = b'{"resources":[],"type":"inbox-link","validity-duration":NaN}'
    assert service.call("PUT", "/tokens/inbox-link", body).status == 400
    assert service.create("inbox-link", validity_duration=None).status == 422


def test_a_service_that_cannot_sign_does_not_start() -> None:
    with pytest.raises(ConfigurationError):
        create_app(token_service_settings(secret_key=None))
