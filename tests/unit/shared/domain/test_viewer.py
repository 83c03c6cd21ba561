"""Links (protocol C)."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import example, given, strategies as st

from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.errors import (
    InvalidResourceError,
    LimitNotEnforceableError,
    ShareTypeDisabledError,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.domain.viewer import OhifDataSource, ViewerLinks, ViewerRoots
from tests.support.settings import DEIDENTIFICATION_KEY
from tests.support.strategies import shares

PUBLIC = "https://share.example.org"
ROOTS = ViewerRoots(
    orthanc=f"{PUBLIC}/shares/",
    anonymized_orthanc=f"{PUBLIC}/anon-shares/",
    landing=f"{PUBLIC}/welcome/",
    ohif=f"{PUBLIC}/ohif/",
    meddream=f"{PUBLIC}/meddream/",
)
U1, U2 = "1.2.276.0.99.1", "1.2.276.0.99.2"
A = "11111111-22222222-33333333-44444444-55555555"
B = "66666666-22222222-33333333-44444444-55555555"
ONE = Resource(Level.STUDY, U1, A)
TWO = Resource(Level.STUDY, U2, B)
TOKEN = "aaa.bbb.ccc"


def pseudonyms_of(share: Share) -> SharePseudonyms:
    return SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share.id)


def links(**changes: Any) -> ViewerLinks:
    return ViewerLinks(replace(ROOTS, **changes), pseudonyms_of)


def share(kind: str, *resources: Resource, **changes: Any) -> Share:
    return Share("share-1", ShareType(kind), resources or (ONE,), **changes)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "stone-viewer-publication",
            (
                f"{PUBLIC}/shares/stone-webviewer/index.html"
                f"?study={U1},{U2}&selectedStudies={U1},{U2}&token={TOKEN}"
            ),
        ),
        (
            "osimis-viewer-publication",
            (
                f"{PUBLIC}/shares/osimis-viewer/app/index.html"
                f"?pickableStudyIds={A},{B}&selectedStudyIds={A},{B}&token={TOKEN}"
            ),
        ),
        (
            "volview-viewer-publication",
            (
                f"{PUBLIC}/shares/volview/index.html?names=[archive-1.zip,archive-2.zip]"
                f"&urls=../studies/{A}/archive,../studies/{B}/archive"
                f"&token={TOKEN}"
            ),
        ),
        (
            "ohif-viewer-publication",
            f"{PUBLIC}/ohif/viewer?StudyInstanceUIDs={U1},{U2}&token={TOKEN}",
        ),
        (
            "meddream-viewer-publication",
            f"{PUBLIC}/meddream/?study={U1},{U2}&token={TOKEN}",
        ),
        (
            "meddream-instant-link",
            f"{PUBLIC}/meddream/?study={U1},{U2}&token={TOKEN}",
        ),
        ("viewer-instant-link", None),
        ("download-instant-link", None),
    ],
)
def test_the_viewer_s_address_of_two_studies(kind: str, expected: str | None) -> None:
    assert links().viewer_url(share(kind, ONE, TWO), TOKEN) == expected


def test_volview_names_the_archive_of_one_study_as_before() -> None:
    url = links().viewer_url(share("volview-viewer-publication"), TOKEN)
    assert url is not None
    assert "?names=[archive.zip]&urls=" in url
    assert parse_qs(urlsplit(url).query)["urls"] == [f"../studies/{A}/archive"]


def test_ohif_reads_one_study_as_dicom_json() -> None:
    json = links(ohif_data_source=OhifDataSource.DICOM_JSON)
    url = json.viewer_url(share("ohif-viewer-publication"), TOKEN)
    assert url is not None
    assert url.startswith(f"{PUBLIC}/ohif/viewer?url=")
    assert parse_qs(urlsplit(url).query) == {
        "url": [f"../studies/{A}/ohif-dicom-json"],
        "token": [TOKEN],
    }
    with pytest.raises(InvalidResourceError, match="exactly one study"):
        json.viewer_url(share("ohif-viewer-publication", ONE, TWO), TOKEN)


def test_publications_end_at_the_landing_page() -> None:
    for kind in ShareType:
        if kind.is_publication:
            link = links().link(share(kind), TOKEN)
            assert link == f"{PUBLIC}/welcome/?token={TOKEN}"


def test_without_landing_page_they_lead_to_the_viewer() -> None:
    bare = links(landing=None)
    stone = share("stone-viewer-publication")
    assert bare.landing_url(TOKEN) is None
    assert bare.link(stone, TOKEN) == bare.viewer_url(stone, TOKEN)


def test_instant_links_pass_the_landing_page_by() -> None:
    meddream = links().link(share("meddream-instant-link"), TOKEN)
    assert meddream == f"{PUBLIC}/meddream/?study={U1}&token={TOKEN}"
    assert links().link(share("viewer-instant-link"), TOKEN) is None
    assert links().link(share("download-instant-link"), TOKEN) is None


def test_a_landing_page_may_have_a_name() -> None:
    page = links(landing=f"{PUBLIC}/welcome.html")
    assert page.landing_url(TOKEN) == f"{PUBLIC}/welcome.html?token={TOKEN}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("a.b&study=1.2#/../\r\n ü%")
def test_nothing_in_a_token_changes_the_address(token: str) -> None:
    for url in (
        links().landing_url(token),
        links().viewer_url(share("stone-viewer-publication"), token),
    ):
        assert url is not None
        assert url.isascii()
        assert parse_qs(urlsplit(url).query)["token"] == [token]
        assert urlsplit(url).fragment == ""
        assert "/" not in urlsplit(url).query


@given(one=shares())
def test_an_anonymized_link_never_names_what_it_opens(one: Share) -> None:
    hidden = replace(one, flavour=Flavour.ANONYMIZED)
    try:
        links().check(hidden)
    except (ShareTypeDisabledError, InvalidResourceError):
        return
    url = unquote(links().viewer_url(hidden, TOKEN) or "")
    shown = set(url.replace("=", ",").replace("&", ",").replace("/", ",").split(","))
    for resource in hidden.resources:
        assert resource.orthanc_id not in shown
        assert resource.dicom_uid not in shown


def test_an_anonymized_share_is_seen_under_pseudonyms() -> None:
    hidden = share("stone-viewer-publication", flavour=Flavour.ANONYMIZED)
    uid = pseudonyms_of(hidden).uid(U1)
    assert links().viewer_url(hidden, TOKEN) == (
        f"{PUBLIC}/anon-shares/stone-webviewer/index.html"
        f"?study={uid}&selectedStudies={uid}&token={TOKEN}"
    )
    osimis = share("osimis-viewer-publication", flavour=Flavour.ANONYMIZED)
    study = pseudonyms_of(osimis).orthanc_id(A)
    url = links().viewer_url(osimis, TOKEN)
    assert url is not None
    assert url.startswith(f"{PUBLIC}/anon-shares/osimis-viewer/")
    assert f"selectedStudyIds={study}&" in url


def test_ohif_reads_an_anonymized_share_from_the_anonymizer() -> None:
    hidden = share("ohif-viewer-publication", flavour=Flavour.ANONYMIZED)
    uid, study = pseudonyms_of(hidden).uid(U1), pseudonyms_of(hidden).orthanc_id(A)
    assert links().viewer_url(hidden, TOKEN) == (
        f"{PUBLIC}/ohif/viewer/anonymized?StudyInstanceUIDs={uid}&token={TOKEN}"
    )
    json = links(ohif_data_source=OhifDataSource.DICOM_JSON)
    url = json.viewer_url(hidden, TOKEN)
    assert url is not None
    source = f"{PUBLIC}/anon-shares/studies/{study}/ohif-dicom-json?token={TOKEN}"
    assert parse_qs(urlsplit(url).query)["url"] == [source]


def test_volview_reads_an_anonymized_share_by_dicomweb() -> None:
    one = share("volview-viewer-publication", flavour=Flavour.ANONYMIZED)
    root = f"{PUBLIC}/anon-shares/"
    url = links().viewer_url(one, TOKEN)
    assert url is not None
    assert url.startswith(f"{root}volview/index.html?dicomweb=https%3A%2F%2F")
    assert parse_qs(urlsplit(url).query) == {
        "dicomweb": [f"{root}dicom-web/studies/{pseudonyms_of(one).uid(U1)}"],
        "token": [TOKEN],
    }
    # Of several studies it shows the list: all that the token opens.
    url = links().viewer_url(replace(one, resources=(ONE, TWO)), TOKEN)
    assert url is not None
    assert parse_qs(urlsplit(url).query)["dicomweb"] == [f"{root}dicom-web"]


def test_volview_reads_an_anonymized_share_without_uids_as_archives() -> None:
    one = share(
        "volview-viewer-publication",
        Resource(Level.STUDY, None, A),
        flavour=Flavour.ANONYMIZED,
    )
    links().check(one)
    url = links().viewer_url(one, TOKEN)
    assert url is not None
    assert parse_qs(urlsplit(url).query)["urls"] == [
        f"../studies/{pseudonyms_of(one).orthanc_id(A)}/archive"
    ]


@pytest.mark.parametrize(
    ("kind", "root", "setting"),
    [
        ("stone-viewer-publication", "orthanc", "PUBLIC_ORTHANC_ROOT"),
        ("osimis-viewer-publication", "orthanc", "PUBLIC_ORTHANC_ROOT"),
        ("volview-viewer-publication", "orthanc", "PUBLIC_ORTHANC_ROOT"),
        ("ohif-viewer-publication", "ohif", "PUBLIC_OHIF_ROOT"),
        ("meddream-viewer-publication", "meddream", "PUBLIC_MEDDREAM_ROOT"),
        ("meddream-instant-link", "meddream", "PUBLIC_MEDDREAM_ROOT"),
        ("meddream-viewer-publication", "landing", "PUBLIC_LANDING_ROOT"),
    ],
)
def test_a_viewer_that_is_not_set_up_is_not_offered(
    kind: str, root: str, setting: str
) -> None:
    links().check(share(kind))
    with pytest.raises(ShareTypeDisabledError, match=setting):
        links(**{root: None}).check(share(kind))


def test_only_enabled_types_are_offered() -> None:
    only_ohif = links(enabled_types=frozenset({ShareType.OHIF_PUBLICATION}))
    only_ohif.check(share("ohif-viewer-publication"))
    with pytest.raises(ShareTypeDisabledError, match="does not offer stone"):
        only_ohif.check(share("stone-viewer-publication"))


@pytest.mark.parametrize("kind", [one for one in ShareType if "-instant" not in one])
def test_a_publication_shares_whole_studies_only(kind: ShareType) -> None:
    with pytest.raises(InvalidResourceError, match="whole studies"):
        links().check(share(kind, Resource(Level.SERIES, U1, A)))


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        ("stone-viewer-publication", Resource(Level.STUDY, None, A)),
        ("ohif-viewer-publication", Resource(Level.STUDY, None, A)),
        ("meddream-viewer-publication", Resource(Level.STUDY, None, A)),
        ("meddream-instant-link", Resource(Level.STUDY, None, A)),
        ("osimis-viewer-publication", Resource(Level.STUDY, U1)),
        ("volview-viewer-publication", Resource(Level.STUDY, U1)),
    ],
)
def test_a_share_without_the_id_that_the_viewer_needs_is_refused(
    kind: str, lacking: Resource
) -> None:
    with pytest.raises(InvalidResourceError, match="needs every"):
        links().check(share(kind, ONE, lacking))


def test_an_instant_link_may_share_anything() -> None:
    links().check(share("viewer-instant-link", Resource(Level.INSTANCE, U1)))
    links().check(share("download-instant-link", Resource(Level.SERIES, None, A)))


@pytest.mark.parametrize(
    "kind", ["meddream-viewer-publication", "meddream-instant-link"]
)
def test_meddream_shows_nothing_anonymized(kind: str) -> None:
    with pytest.raises(ShareTypeDisabledError, match="cannot be de-identified"):
        links().check(share(kind, flavour=Flavour.ANONYMIZED))


def test_a_site_without_anonymizer_or_key_makes_no_anonymized_links() -> None:
    hidden = share("stone-viewer-publication", flavour=Flavour.ANONYMIZED)
    without_key = ViewerLinks(ROOTS)
    for some in (links(anonymized_orthanc=None), without_key):
        with pytest.raises(ShareTypeDisabledError, match="anonymized shares"):
            some.check(hidden)
    with pytest.raises(ShareTypeDisabledError, match="anonymized shares"):
        without_key.viewer_url(hidden, TOKEN)
    with pytest.raises(ShareTypeDisabledError, match="PUBLIC_ANONYMIZED_ORTHANC_ROOT"):
        links(anonymized_orthanc=None).viewer_url(hidden, TOKEN)


def test_short_links_are_below_a_landing_page_that_is_a_folder() -> None:
    made = links(landing="https://share.example.org/welcome/")
    assert made.short_url("a-b_c") == "https://share.example.org/welcome/s/a-b_c"
    page = links(landing="https://share.example.org/landing.html")
    assert page.short_url("a-b_c") is None
    none = links(landing=None)
    assert none.short_url("a-b_c") is None


def test_a_limit_holds_where_a_landing_page_asks() -> None:
    links().check_guardable(share("stone-viewer-publication"))
    with pytest.raises(LimitNotEnforceableError, match="PUBLIC_LANDING_ROOT"):
        links(landing=None).check_guardable(share("stone-viewer-publication"))
    for kind in ("viewer-instant-link", "meddream-instant-link"):
        with pytest.raises(LimitNotEnforceableError, match=kind):
            links().check_guardable(share(kind))
