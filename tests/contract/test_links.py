"""The links of protocol C: every type, standard and anonymized, one study and two."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from orthanc_share.deidentification.identifiers import SharePseudonyms
from tests.support.meddream import MedDreamTokenService
from tests.support.replay import Study
from tests.support.service import OTHER_STUDY, STUDY, Service, resource, running
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC
from tests.support.tokens import parts

ANONYMIZED: Mapping[str, Any] = {
    "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
    "anonymized_server_identifier": "anon",
    "server_identifier": "std",
    "deidentification_key": DEIDENTIFICATION_KEY,
}
ONE = (STUDY,)
TWO = (STUDY, OTHER_STUDY)
U, V = STUDY.dicom_uid, OTHER_STUDY.dicom_uid
A, B = STUDY.orthanc_id, OTHER_STUDY.orthanc_id

LINKS = {
    ("stone", ONE): f"/shares/stone-webviewer/index.html?study={U}"
    f"&selectedStudies={U}&token=T",
    ("stone", TWO): f"/shares/stone-webviewer/index.html?study={U},{V}"
    f"&selectedStudies={U},{V}&token=T",
    ("osimis", ONE): f"/shares/osimis-viewer/app/index.html?pickableStudyIds={A}"
    f"&selectedStudyIds={A}&token=T",
    ("osimis", TWO): f"/shares/osimis-viewer/app/index.html?pickableStudyIds={A},{B}"
    f"&selectedStudyIds={A},{B}&token=T",
    ("ohif", ONE): f"/ohif/viewer?StudyInstanceUIDs={U}&token=T",
    ("ohif", TWO): f"/ohif/viewer?StudyInstanceUIDs={U},{V}&token=T",
    ("volview", ONE): "/shares/volview/index.html?names=[archive.zip]"
    f"&urls=../studies/{A}/archive&token=T",
    ("volview", TWO): "/shares/volview/index.html?names=[archive-1.zip,archive-2.zip]"
    f"&urls=../studies/{A}/archive,../studies/{B}/archive&token=T",
}
"""Where the viewers open standard shares (protocol C.2); T is the token."""

ANONYMIZED_LINKS = {
    viewer: link.replace("/shares/", "/anon-shares/").replace(
        "/ohif/viewer?", "/ohif/viewer/anonymized?"
    )
    for viewer, link in LINKS.items()
} | {
    ("volview", ONE): "/anon-shares/volview/index.html?dicomweb="
    f"{quote(f'{PUBLIC}/anon-shares/dicom-web/studies/', safe='')}{U}&token=T",
    ("volview", TWO): "/anon-shares/volview/index.html?dicomweb="
    f"{quote(f'{PUBLIC}/anon-shares/dicom-web', safe='')}&token=T",
}
"""The same of anonymized shares; ids stand for their pseudonyms."""


def resources(studies: tuple[Study, ...]) -> list[dict[str, Any]]:
    return [resource(study) for study in studies]


def pseudonymous(link: str, token: str) -> str:
    """Return a link with the pseudonyms that the share in `token` has."""
    share_id = json.loads(parts(token)[1])["jti"]
    names = SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share_id)
    for study in TWO:
        link = link.replace(study.dicom_uid, names.uid(study.dicom_uid))
        link = link.replace(study.orthanc_id, names.orthanc_id(study.orthanc_id))
    return link


@pytest.fixture(scope="module")
def direct() -> Iterator[Service]:
    """Run a service without landing page, for both flavours."""
    with running(public_landing_root=None, **ANONYMIZED) as started:
        yield started


@pytest.fixture(scope="module")
def landing() -> Iterator[Service]:
    """Run a service whose landing page is that of Orthanc Explorer 2."""
    page = f"{PUBLIC}/orthanc/ui/app/token-landing.html"
    with running(public_landing_root=page, **ANONYMIZED) as started:
        yield started


@pytest.mark.parametrize(("viewer", "studies"), LINKS)
def test_without_landing_page_a_publication_opens_its_viewer(
    viewer: str, studies: tuple[Study, ...], direct: Service
) -> None:
    kind = f"{viewer}-viewer-publication"
    made = direct.made(kind, resources=resources(studies))
    link = PUBLIC + LINKS[viewer, studies]
    assert made["url"] == link.replace("=T", "=" + made["token"])


@pytest.mark.parametrize(("viewer", "studies"), ANONYMIZED_LINKS)
def test_an_anonymized_publication_opens_its_viewer_under_pseudonyms(
    viewer: str, studies: tuple[Study, ...], direct: Service
) -> None:
    kind = f"{viewer}-viewer-publication"
    made = direct.made(kind, resources=resources(studies), anonymized=True)
    link = PUBLIC + pseudonymous(ANONYMIZED_LINKS[viewer, studies], made["token"])
    assert made["url"] == link.replace("=T", "=" + made["token"])
    for study in studies:
        assert study.dicom_uid not in made["url"].split("token=")[0]
        assert study.orthanc_id not in made["url"]


@pytest.mark.parametrize("anonymized", [False, True])
@pytest.mark.parametrize(("viewer", "studies"), LINKS)
def test_with_landing_page_a_publication_opens_that_and_decode_tells_the_viewer(
    viewer: str, studies: tuple[Study, ...], landing: Service, *, anonymized: bool
) -> None:
    kind = f"{viewer}-viewer-publication"
    made = landing.made(kind, resources=resources(studies), anonymized=anonymized)
    token = made["token"]
    page = f"{PUBLIC}/orthanc/ui/app/token-landing.html"
    assert made["url"] == f"{page}?token={token}"
    links = ANONYMIZED_LINKS if anonymized else LINKS
    link = PUBLIC + (
        pseudonymous(links[viewer, studies], token)
        if anonymized
        else links[viewer, studies]
    )
    decoded = landing.decode(token)
    assert decoded["redirect-url"] == link.replace("=T", "=" + token)
    assert decoded["token-type"] == kind
    assert decoded["error-code"] is None
    told = [one["dicom-uid"] for one in decoded["resources"]]
    assert told == ([] if anonymized else [study.dicom_uid for study in studies])


@pytest.mark.parametrize("kind", ["viewer-instant-link", "download-instant-link"])
@pytest.mark.parametrize("studies", [ONE, TWO])
def test_an_instant_link_is_built_by_its_caller(
    kind: str, studies: tuple[Study, ...], landing: Service
) -> None:
    made = landing.made(kind, resources=resources(studies), validity_duration=200)
    assert made["url"] is None
    decoded = landing.decode(made["token"])
    assert decoded["redirect-url"] is None
    assert decoded["error-code"] is None
    assert len(decoded["resources"]) == len(studies)


@pytest.mark.parametrize("settings", [{}, ANONYMIZED])
def test_ohif_reads_dicom_json_of_exactly_one_study(
    settings: Mapping[str, Any],
) -> None:
    with running(
        public_landing_root=None, ohif_data_source="dicom-json", **settings
    ) as service:
        made = service.made("ohif-viewer-publication")
        two = service.create("ohif-viewer-publication", resources=resources(TWO))
        only_uid = service.create(
            "ohif-viewer-publication", resources=[{"dicom-uid": U}]
        )
    source = quote(f"../studies/{A}/ohif-dicom-json")
    assert made["url"] == f"{PUBLIC}/ohif/viewer?url={source}&token={made['token']}"
    assert two.status == only_uid.status == 422
    assert two.json["code"] == "invalid_resource"


def test_ohif_reads_anonymized_dicom_json_from_the_anonymizer() -> None:
    with running(
        public_landing_root=None, ohif_data_source="dicom-json", **ANONYMIZED
    ) as service:
        made = service.made("ohif-viewer-publication", anonymized=True)
    source = f"{PUBLIC}/anon-shares/studies/{A}/ohif-dicom-json"
    source = pseudonymous(source, made["token"]) + f"?token={made['token']}"
    source = quote(source)
    assert made["url"] == f"{PUBLIC}/ohif/viewer?url={source}&token={made['token']}"


@pytest.mark.parametrize("studies", [ONE, TWO])
def test_a_meddream_instant_link_holds_meddreams_own_token(
    studies: tuple[Study, ...], service: Service, meddream: MedDreamTokenService
) -> None:
    made = service.made("meddream-instant-link", resources=resources(studies))
    token = meddream.tokens[-1]
    uids = ",".join(study.dicom_uid for study in studies)
    encoded = quote(token, safe="")
    assert made["token"] == token
    assert made["url"] == f"{PUBLIC}/meddream/?study={uids}&token={encoded}"
    items = [
        {"studies": {"study": study.dicom_uid, "storage": "Orthanc"}}
        for study in studies
    ]
    assert meddream.calls[-1] == {"items": items}
    assert service.decode(token)["error-code"] == "invalid"
    assert service.is_granted(token) is False


def test_a_meddream_publication_gets_its_meddream_token_when_it_is_opened(
    service: Service, meddream: MedDreamTokenService
) -> None:
    before = len(meddream.calls)
    made = service.made("meddream-viewer-publication", resources=resources(TWO))
    assert made["url"] == f"{PUBLIC}/welcome/?token={made['token']}"
    assert len(meddream.calls) == before
    links = {service.decode(made["token"])["redirect-url"] for _ in range(5)}
    assert len(meddream.calls) == before + 1
    encoded = quote(meddream.tokens[-1], safe="")
    assert links == {f"{PUBLIC}/meddream/?study={U},{V}&token={encoded}"}


def test_a_meddream_publication_needs_a_landing_page(
    meddream: MedDreamTokenService,
) -> None:
    with running(
        public_landing_root=None,
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=meddream.url,
    ) as service:
        refused = service.create("meddream-viewer-publication")
        assert service.create("meddream-instant-link").status == 200
    assert refused.status == 422
    assert refused.json["code"] == "share_type_disabled"


@pytest.mark.parametrize(
    ("missing", "viewers"),
    [
        ("public_orthanc_root", ["stone", "osimis", "volview"]),
        ("public_ohif_root", ["ohif"]),
    ],
)
def test_a_viewer_that_is_not_set_up_is_a_problem(
    missing: str, viewers: list[str]
) -> None:
    with running(**{missing: None}) as service:
        for viewer in viewers:
            refused = service.create(f"{viewer}-viewer-publication")
            assert refused.status == 422
            assert refused.json["code"] == "share_type_disabled"
            assert missing.upper() in refused.json["detail"]


def test_anonymized_shares_that_are_not_set_up_are_a_problem(service: Service) -> None:
    for kind in ("stone-viewer-publication", "viewer-instant-link"):
        refused = service.create(kind, anonymized=True)
        assert refused.status == 422
        assert refused.json["code"] == "share_type_disabled"


@pytest.mark.parametrize(
    "kind", ["meddream-viewer-publication", "meddream-instant-link"]
)
def test_meddream_shows_no_anonymized_shares(
    kind: str, meddream: MedDreamTokenService
) -> None:
    with running(
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=meddream.url,
        **ANONYMIZED,
    ) as service:
        refused = service.create(kind, anonymized=True)
    assert refused.status == 422
    assert refused.json["code"] == "share_type_disabled"


def test_a_site_can_offer_some_types_only() -> None:
    with running(share_types="ohif-viewer-publication") as service:
        refused = service.create("stone-viewer-publication")
        assert refused.status == 422
        assert refused.json["code"] == "share_type_disabled"
        assert service.create("ohif-viewer-publication").status == 200


@pytest.mark.parametrize(
    ("viewer", "needed"),
    [
        ("stone", "dicom-uid"),
        ("ohif", "dicom-uid"),
        ("meddream", "dicom-uid"),
        ("osimis", "orthanc-id"),
        ("volview", "orthanc-id"),
    ],
)
def test_a_publication_without_the_id_that_its_viewer_needs_is_a_problem(
    viewer: str, needed: str, service: Service
) -> None:
    second = resource(OTHER_STUDY)
    del second[needed]
    kind = f"{viewer}-viewer-publication"
    refused = service.create(kind, resources=[resource(), second])
    assert refused.status == 422
    assert refused.json["code"] == "invalid_resource"
    assert needed in refused.json["detail"]


@pytest.mark.parametrize("level", ["series", "instance"])
def test_a_publication_of_another_level_than_study_is_a_problem(
    level: str, service: Service
) -> None:
    for viewer in ("stone", "osimis", "ohif", "volview", "meddream"):
        kind = f"{viewer}-viewer-publication"
        refused = service.create(kind, resources=[resource(level=level)])
        assert refused.status == 422
    assert (
        service.create("viewer-instant-link", resources=[resource(level=level)]).status
        == 200
    )


def test_a_link_that_no_server_would_take_is_a_problem(service: Service) -> None:
    # nginx and Orthanc refuse request lines beyond 16 KB (protocol G.3).
    longest = "1.2." + "3" * 60
    many = [{"dicom-uid": longest, "orthanc-id": A} for _ in range(100)]
    refused = service.create(resources=many)
    assert refused.status == 422
    assert "several" in refused.json["detail"]
    assert service.create(resources=many[:20]).status == 200
