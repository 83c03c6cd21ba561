"""A link of an anonymized share names no study, and opens nothing else."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.service import OTHER_STUDY, STUDY, Service, resource, running
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC
from tests.support.tokens import OTHER_KEY, claims, forged, parts

SETTINGS: Mapping[str, Any] = {
    "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
    "public_landing_root": None,
    "anonymized_server_identifier": "anon",
    "server_identifier": "std",
    "deidentification_key": DEIDENTIFICATION_KEY,
}
IDS = (STUDY.dicom_uid, STUDY.orthanc_id, OTHER_STUDY.dicom_uid, OTHER_STUDY.orthanc_id)
KINDS = (
    "stone-viewer-publication",
    "osimis-viewer-publication",
    "ohif-viewer-publication",
    "volview-viewer-publication",
    "viewer-instant-link",
    "download-instant-link",
)


@pytest.fixture(scope="module")
def both() -> Iterator[Service]:
    """Run a service for standard and anonymized shares."""
    with running(**SETTINGS) as started:
        yield started


def two_studies() -> list[dict[str, Any]]:
    return [resource(), resource(OTHER_STUDY)]


def shown_by(link: str) -> bytes:
    """Return everything that somebody can read in a link and in its token."""
    token = link.rpartition("token=")[2]
    return b"\n".join([link.encode(), *parts(token)])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_leaves_the_site_names_the_study(kind: str, both: Service) -> None:
    made = both.made(kind, resources=two_studies(), anonymized=True)
    shown = shown_by(made["url"] or f"?token={made['token']}")
    for real in IDS:
        assert real.encode() not in shown
        assert real.replace("-", "").encode() not in shown
    decoded = both.decode(made["token"])
    assert decoded["error-code"] is None
    assert decoded["resources"] == []
    assert not any(real in json.dumps(decoded) for real in IDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_standard_link_of_the_same_site_names_it(kind: str, both: Service) -> None:
    made = both.made(kind, resources=two_studies())
    shown = shown_by(made["url"] or f"?token={made['token']}")
    assert STUDY.dicom_uid.encode() in shown


def test_a_share_of_one_flavour_opens_no_server_of_the_other(both: Service) -> None:
    anonymized = both.token(anonymized=True)
    standard = both.token()
    for server in ("std", "anon", None, "", "ANON"):
        opens = server == "anon"
        assert both.is_granted(anonymized, server_id=server) is opens
        assert both.is_granted(standard, server_id=server) is (server == "std")


def test_two_links_of_one_study_have_nothing_in_common(both: Service) -> None:
    links = [
        both.made("ohif-viewer-publication", anonymized=True)["url"].split("token=")
        for _ in range(2)
    ]
    assert links[0][0] != links[1][0]
    boxes = [json.loads(parts(token)[1])["box"] for _, token in links]
    first, second = (
        {box[start : start + 8] for start in range(len(box) - 8)} for box in boxes
    )
    assert first.isdisjoint(second)


def test_the_length_of_a_link_does_not_count_the_studies(both: Service) -> None:
    one = both.token("viewer-instant-link", anonymized=True)
    two = both.token("viewer-instant-link", anonymized=True, resources=two_studies())
    assert len(one) == len(two)


def test_only_the_key_of_the_site_opens_a_sealed_share(both: Service) -> None:
    token = both.token(anonymized=True)
    with running(**{**SETTINGS, "deidentification_key": OTHER_KEY}) as other:
        assert other.is_granted(token, server_id="anon") is False
        assert other.decode(token)["error-code"] == "invalid"
    assert both.is_granted(token, server_id="anon") is True


def test_a_sealed_part_belongs_to_one_share(both: Service) -> None:
    header, claimed, _ = parts(both.token(anonymized=True))
    moved = json.loads(claimed) | {"jti": "another-share"}
    same = json.loads(claimed)
    name = json.loads(header)
    assert both.is_granted(forged(name, same), server_id="anon") is True
    assert both.is_granted(forged(name, moved), server_id="anon") is False
    opened = claims(aud="orthanc-share:anonymized")
    assert both.is_granted(forged(name, opened), server_id="anon") is False
    for box in ("", "A", "AAAA", "not base64!", "é", 5):
        token = forged(name, same | {"box": box})
        assert both.is_granted(token, server_id="anon") is False


def test_a_site_that_stops_with_anonymized_shares_opens_none_any_more(
    both: Service, service: Service
) -> None:
    token = both.token(anonymized=True)
    for server in ("anon", "std", None):
        assert service.is_granted(token, server_id=server) is False
    with running(deidentification_key=DEIDENTIFICATION_KEY) as stopped:
        assert stopped.is_granted(token, server_id="anon") is False
        decoded = stopped.decode(token)
    assert decoded["redirect-url"] is None
    assert decoded["error-code"] == "invalid"


def test_a_site_with_anonymized_shares_only_opens_no_standard_one(
    service: Service,
) -> None:
    token = service.token()
    only = dict(SETTINGS) | {"public_orthanc_root": None, "public_ohif_root": None}
    with running(**only) as anonymous:
        for server in ("anon", "std", None):
            assert anonymous.is_granted(token, server_id=server) is False
        assert anonymous.decode(token)["resources"] == []
        assert anonymous.is_granted(anonymous.token(anonymized=True), server_id="anon")
