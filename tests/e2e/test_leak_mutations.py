"""Mutation control of the leak test: each hole in a running anonymizer is found.

A real Orthanc, and before it one anonymizer after the other, each with one rule or one
wall less; the crawl of `test_leaks` must find a canary in its answers. What would not
be found here could be missing in the real one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import anonymizer.addresses
import anonymizer.app
import anonymizer.context
import anonymizer.frame_source
import anonymizer.gateway
import anonymizer.matching
import anonymizer.multipart
from anonymizer.app import create_app
from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.orthanc_ids import instance_of
from anonymizer.route import Handler, RouteSpec
from anonymizer.routes import ROUTES as SERVED, archive, bulkdata
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.deidentification.profile import Profile
from suite.leaktest.crawl import Leak, Outcome, crawl
from suite.leaktest.odd import foreign_requests, odd_requests
from suite.leaktest.requests import narrow, requests, sample
from suite.leaktest.routes import ROUTES
from suite.leaktest.scan import Scanner
from suite.leaktest.world import World, explore
from tests.support.corpus.build import small_corpus
from tests.support.leaks import (
    LeakSite,
    anonymizer_settings,
    blocked_but_shown,
    kept_elements,
    leak_site,
    oracles,
)
from tests.support.mutants import (
    KeepsPrivate,
    KeepsTexts,
    KeepsUids,
    OpenGate,
    Without,
)
from tests.support.pixel_routes import ROUTES_OF_PIXELS
from tests.support.server import serve

Patch = pytest.MonkeyPatch
Damage = Callable[[Patch, LeakSite], None]
"""Takes away one rule."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeakSite]:
    folder = tmp_path_factory.mktemp("mutations")
    with leak_site(folder, small_corpus()) as running:
        yield running


@pytest.fixture(scope="module")
def scanner(site: LeakSite) -> Scanner:
    return site.scanner()


@pytest.fixture(scope="module")
def shown(site: LeakSite) -> World:
    """What a whole anonymizer shows: the mutants have the same pseudonyms."""
    return explore(site.share())


@contextmanager
def mutant(site: LeakSite) -> Iterator[str]:
    """Run an anonymizer before the same Orthanc; what is patched by now is missing."""
    with serve(create_app(anonymizer_settings(site.orthanc.root))) as url:
        yield url


def policy(make: Callable[[SharePseudonyms], SharePolicy]) -> Damage:
    """Return the damage of another policy."""

    def build(_profile: Profile, key: bytes, share_id: str) -> SharePolicy:
        return make(SharePseudonyms(key, share_id))

    return lambda patch, _site: patch.setattr(anonymizer.context, "build_policy", build)


def without(*tags: int) -> Damage:
    """Return the damage of a policy without its rules for some elements."""
    return policy(lambda names: Without(tags, names))


def bulk_addresses(patch: Patch, _site: LeakSite) -> None:
    def bulk(self: Any, instance: InstanceEntry, tag_path: str) -> str:
        return f"{self.root}instances/{instance.real_uid}/bulk/{tag_path}"

    patch.setattr(anonymizer.addresses.Addresses, "bulk", bulk)


def retrieve_urls(patch: Patch, _site: LeakSite) -> None:
    def study(self: Any, entry: Any) -> str:
        return f"{self.root}dicom-web/studies/{entry.real_uid}"

    patch.setattr(anonymizer.addresses.Addresses, "study", study)


def zip_names(patch: Patch, site: LeakSite) -> None:
    def name(series: int, instance: int) -> str:
        return f"{site.corpus.patient.patient_id}/{series}/{instance}.dcm"

    patch.setattr(archive, "member_name", name)


def download_names(patch: Patch, site: LeakSite) -> None:
    real = site.raw.studies[0].id

    def named(answer: Response, _name: str) -> Response:
        answer.headers["Content-Disposition"] = f'attachment; filename="{real}.zip"'
        return answer

    patch.setattr(archive, "_as_download", named)


def part_headers(patch: Patch, site: LeakSite) -> None:
    writer = anonymizer.multipart.MultipartWriter
    usual = writer.head

    def head(self: Any, content_type: str) -> bytes:
        location = f"{content_type}\r\nContent-Location: {site.raw.studies[0].path}"
        return usual(self, location)

    patch.setattr(writer, "head", head)


def error_bodies(patch: Patch, site: LeakSite) -> None:
    def told(_error: Exception) -> Response:
        return JSONResponse({"Uri": site.raw.studies[0].path}, 404)

    patch.setattr(anonymizer.gateway, "problem_of", told)


def unjudged_tables(patch: Patch, _site: LeakSite) -> None:
    patch.setattr(bulkdata, "served_table_fits", lambda *_: True)


def unblanked_frames(patch: Patch, _site: LeakSite) -> None:
    class Passing:
        def feed(self, data: bytes) -> bytes:
            return data

        def finish(self) -> None:
            pass

    patch.setattr(anonymizer.frame_source, "frame_blanker", lambda *_: Passing())


def routed(template: str, handler: Handler) -> Damage:
    """Return the damage of a route that comes first."""
    routes = (RouteSpec(("GET",), template, handler), *SERVED)
    return lambda patch, _site: patch.setattr(anonymizer.app, "ROUTES", routes)


async def raw_file(context: ShareContext, request: Request) -> Response:
    """Hand on a file as Orthanc has it."""
    instance = await instance_of(context, request.path_params["id"])
    return await raw(context, f"instances/{instance.real_id}/file")


async def any_study(context: ShareContext, request: Request) -> Response:
    """Ask Orthanc for whatever id there is."""
    return await raw(context, f"studies/{request.path_params['id']}")


async def raw(context: ShareContext, path: str) -> Response:
    async with context.orthanc.stream(path) as answer:
        return Response(await answer.read(2**24), media_type=answer.content_type)


METADATA = "/dicom-web/studies/{study}/series/{series}/metadata"
STUDIES = "/dicom-web/studies"
FILE = "/instances/{id}/file"
ZIP = "/studies/{id}/archive"
BULK = "/dicom-web/studies/{study}/series/{series}/instances/{instance}/bulk/{tag_path}"
FRAMES = (
    "/dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"
)

MUTANTS: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "names": (without(0x00080090), (STUDIES, METADATA, FILE)),
    "names in sequences": (without(0x00209170, 0x00100010), (METADATA, FILE)),
    "dates": (without(0x00080020, 0x00080021), (STUDIES, METADATA, FILE)),
    "UIDs": (policy(lambda names: KeepsUids(Profile(), names)), (METADATA, FILE)),
    "private": (policy(lambda names: KeepsPrivate(Profile(), names)), (FILE,)),
    "ages": (without(0x00101010), (METADATA, FILE)),
    "weights": (without(0x00101030), (METADATA, FILE)),
    "texts by default": (
        policy(lambda names: KeepsTexts(Profile(), names)),
        (METADATA, FILE),
    ),
    "look-up tables": (unjudged_tables, (BULK,)),
    "bulk addresses": (bulk_addresses, (METADATA,)),
    "retrieve URLs": (retrieve_urls, (STUDIES,)),
    "ZIP names": (zip_names, (ZIP,)),
    "header": (download_names, (ZIP, FILE)),
    "header of a part": (part_headers, (FRAMES,)),
    "comments in frames": (unblanked_frames, (FRAMES,)),
    "a raw route": (routed(FILE, raw_file), (FILE,)),
}
"""What is missing, and the routes that must give it away, each of them."""


def crawled(
    url: str, site: LeakSite, shown: World, scanner: Scanner, *templates: str
) -> Outcome:
    """Return what comes out of routes, of instances for one of each class.

    Of bulk data and frames for all: tables and comments are in few of them.
    """
    world = shown if {BULK, FRAMES} & {*templates} else sample(shown)
    routes = [route for route in ROUTES if route.template in templates]
    assert len(routes) == len(templates)
    return crawl(site.through(url), requests(world, routes), scanner)


def test_nothing_is_found_where_nothing_is_missing(
    site: LeakSite, shown: World, scanner: Scanner
) -> None:
    every = {one for _damage, templates in MUTANTS.values() for one in templates}
    with mutant(site) as url:
        outcomes = [crawled(url, site, shown, scanner, one) for one in every]
        assert not [leak for one in outcomes for leak in one.leaks]
        # Of the image with tables none is served; it has no other bulk data.
        assert {one for all_ in outcomes for one in all_.answered} == every
        assert not outside(url, site, shown, scanner)
        share = site.through(url)
        assert not list(oracles(share, site.corpus.patient))
        assert not list(blocked_but_shown(share, site.corpus.patient, shown))
        assert not list(kept_elements(site, share, shown))


@pytest.mark.parametrize("missing", MUTANTS)
def test_a_hole_is_found_on_every_route_that_has_it(
    missing: str, site: LeakSite, shown: World, scanner: Scanner, monkeypatch: Patch
) -> None:
    damage, templates = MUTANTS[missing]
    damage(monkeypatch, site)
    with mutant(site) as url:
        outcome = crawled(url, site, shown, scanner, *templates)
    silent = [one for one in templates if not outcome.found_on(one)]
    assert not silent


def outside(url: str, site: LeakSite, shown: World, scanner: Scanner) -> list[Leak]:
    """Return what comes out of odd paths and for ids of others."""
    asks = [ask for ask in odd_requests(narrow(shown)) if "below" in ask.template]
    asks += foreign_requests(site.second)
    return crawl(site.through(url), asks, scanner).leaks


@pytest.mark.parametrize("damage", [error_bodies, routed("/studies/{id}", any_study)])
def test_holes_off_the_routes_are_found(
    damage: Damage, site: LeakSite, shown: World, scanner: Scanner, monkeypatch: Patch
) -> None:
    damage(monkeypatch, site)
    with mutant(site) as url:
        assert outside(url, site, shown, scanner)


def test_a_filter_that_sees_the_original_is_found(
    site: LeakSite, monkeypatch: Patch
) -> None:
    patient = site.corpus.patient
    originals = {patient.patient_id, patient.birth_date, patient.accession}

    def matches(self: Any, _shown: Any, only: Any = None) -> bool:
        del only
        return set(self.filters.values()) <= originals

    monkeypatch.setattr(anonymizer.matching.Query, "matches", matches)
    with mutant(site) as url:
        assert list(oracles(site.through(url), patient))


def test_a_gate_that_is_open_is_found(
    site: LeakSite, shown: World, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(anonymizer.context, "PixelGate", OpenGate)
    with mutant(site) as url:
        found = list(blocked_but_shown(site.through(url), site.corpus.patient, shown))
    assert {"sc", "us", "ct screen"} <= {file for file, _template in found}
    served = {spec.template for spec in SERVED}
    routes = {one.template for one in ROUTES_OF_PIXELS} & served
    assert len(routes) >= 9
    assert {template for _file, template in found} == routes


def test_a_number_of_two_bytes_that_is_kept_is_found(
    site: LeakSite, shown: World, monkeypatch: Patch
) -> None:
    without(0x001021C0)(monkeypatch, site)
    with mutant(site) as url:
        found = set(kept_elements(site, site.through(url), shown))
    assert found == {"file 001021C0", "metadata 001021C0"}
