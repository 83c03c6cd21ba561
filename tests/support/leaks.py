"""A real Orthanc with the hostile corpus, an anonymizer before it, and two shares."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymizer.app import create_app
from anonymizer.settings import AnonymizerSettings
from demo.calls import call
from demo.orthanc_server import OrthancSetup
from demo.processes import free_port
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import KeySettings, build_key_ring
from orthanc_share.tokens.sealing import Sealer
from suite.leaktest.collect import identities
from suite.leaktest.needles import Kind, Needle
from suite.leaktest.scan import Scanner
from suite.leaktest.transport import Site
from suite.leaktest.world import World, explore
from tests.support.by_element import IDENTIFYING, kept_in_file, kept_in_json
from tests.support.corpus.build import Corpus, corpus
from tests.support.corpus.study import CorpusFile, Patient, Shown
from tests.support.orthanc import require_orthanc
from tests.support.pixel_routes import Source, pixel_requests
from tests.support.server import serve
from tests.support.service import basic
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY

ORTHANC_NAME = "QZSITENAME"
"""Name of the Orthanc: nothing of it may come out."""

LOGIN = ("qzloginname", "QZPASSPHRASE")
"""With this the anonymizer reads Orthanc."""

PUBLIC_ROOT = f"{PUBLIC}/anon-shares/"
"""Where the anonymizer is for the public."""


@dataclass(frozen=True)
class LeakSite:
    """What a leak test needs.

    Args:
        corpus: What was uploaded.
        orthanc: The raw Orthanc, with login.
        anonymizer: Address of the anonymizer.
        refused: Names of the files that Orthanc did not take.
        raw: The shared study as the raw Orthanc shows it.
    """

    corpus: Corpus
    orthanc: Site
    anonymizer: str
    refused: frozenset[str]
    raw: World
    second: World
    needles: tuple[Needle, ...] = field(repr=False)
    _sites: list[Site] = field(default_factory=list, repr=False)

    def scanner(self) -> Scanner:
        """Return the scanner for everything that must not come out."""
        return Scanner(self.needles, identities(self.raw, self.needles))

    def share(self, name: str = "first") -> Site:
        """Return the anonymizer as the holder of a share of the study sees it."""
        return self._opened(self.token(name))

    def small_share(self) -> Site:
        """Return the anonymizer as one sees it who has the second patient's study."""
        study = self.second.studies[0]
        resource = Resource(Level.STUDY, study.uid, study.id)
        return self._opened(token("small", [resource]))

    def bare(self) -> Site:
        """Return the anonymizer as one sees it who has no token."""
        return self._opened(None)

    def through(self, anonymizer: str) -> Site:
        """Return another anonymizer before the same Orthanc, as `share` does."""
        return self._opened(self.token("first"), anonymizer)

    def _opened(self, token: str | None, anonymizer: str | None = None) -> Site:
        headers = {} if token is None else {"token": token}
        opened = Site(anonymizer or self.anonymizer, headers)
        self._sites.append(opened)
        return opened

    def close(self) -> None:
        """Close all connections."""
        for opened in (self.orthanc, *self._sites):
            opened.close()

    def token(self, name: str, flavour: Flavour = Flavour.ANONYMIZED) -> str:
        """Return the token of a share of the study."""
        study = self.raw.studies[0]
        return token(name, [Resource(Level.STUDY, study.uid, study.id)], flavour)


def oracles(share: Site, patient: Patient) -> Iterator[str]:
    """Give the queries that tell a right guess of the original from a wrong one."""
    right = patient.files[-1]
    guesses = {
        "PatientID": patient.patient_id,
        "00100020": patient.patient_id,
        "AccessionNumber": patient.accession,
        "PatientBirthDate": patient.birth_date,
        "StudyDate": patient.study_date,
        "StudyInstanceUID": patient.study_uid,
        "0020000E": right.series,
        "00080018": right.uid,
    }
    for level in ("studies", "series", "instances"):
        for name, value in guesses.items():
            path = f"/dicom-web/{level}?{name}="
            guessed = share.ask("GET", path + value)
            wrong = share.ask("GET", path + value[:-1] + "7")
            if (guessed.status, guessed.body) != (wrong.status, wrong.body):
                yield path


def blocked_but_shown(
    share: Site, patient: Patient, shown: World
) -> Iterator[tuple[str, str]]:
    """Give the names of files whose pixels may not come out, with the routes that do.

    All routes that give pixels of an instance are asked for each of the files.
    """
    names = SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share_id("first"))
    for file in patient.files:
        if file.shown is Shown.BLOCKED and file.pixels is not None:
            source = Source(file)
            for ask in pixel_requests(shown, names.uid(file.uid)):
                answer = share.ask(ask.method, ask.path, ask.headers)
                if answer.status == _OK and source.is_in(answer.body):
                    yield file.name, ask.template


_OK = 200


def kept_elements(site: LeakSite, share: Site, shown: World) -> Iterator[str]:
    """Give the elements that are kept although PS3.15 wants them changed, by route.

    Those whose values are no canaries included. The last file of each class is asked
    for, and the kitchen sink that is written like most files.
    """
    names = SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share_id("first"))
    paths = {one.uid: one for one in shown.instances}
    raw_paths = {one.uid: one for one in site.raw.instances}
    for file in _judged_by_element(site.corpus.patient):
        instance = paths[names.uid(file.uid)]
        body = share.ask("GET", f"/instances/{instance.id}/file").body
        for tag in kept_in_file(file.content, body, IDENTIFYING):
            yield f"file {tag:08X}"
        source, made = (
            json.loads(server.ask("GET", f"{path}/metadata").body)[0]
            for server, path in (
                (site.orthanc, raw_paths[file.uid].path),
                (share, instance.path),
            )
        )
        for tag in kept_in_json(source, made, IDENTIFYING):
            yield f"metadata {tag:08X}"


def _judged_by_element(patient: Patient) -> Iterator[CorpusFile]:
    allowed = [one for one in patient.files if one.shown is Shown.ALLOWED]
    last = {one.sop_class: one for one in allowed}
    chosen = {one.name for one in last.values()}
    for file in allowed:
        if file.name in chosen or file.name == "sink explicit":
            yield file


def own_uids(world: World) -> set[str]:
    """Return all UIDs in the metadata but those that DICOM itself gives."""
    found = {uid for dataset in world.metadata for uid in _uids(dataset)}
    return {uid for uid in found if not uid.startswith(_OF_DICOM)}


def _uids(dataset: Mapping[str, Any]) -> Iterator[str]:
    for attribute in dataset.values():
        values = attribute.get("Value", ())
        if attribute["vr"] == "UI":
            yield from values
        if attribute["vr"] == "SQ":
            for item in values:
                yield from _uids(item)


_OF_DICOM = "1.2.840.10008."
"""How the UIDs of classes and transfer syntaxes begin (PS3.5 9.1)."""


def share_id(name: str) -> str:
    """Return the id of the share of this name."""
    return f"a-share-called-{name}"


def token(
    name: str, resources: list[Resource], flavour: Flavour = Flavour.ANONYMIZED
) -> str:
    """Return the token of a share."""
    share = Share(
        id=share_id(name),
        type=ShareType.STONE_PUBLICATION,
        flavour=flavour,
        resources=tuple(resources),
        issued_at=utc_now(),
    )
    ring = build_key_ring(KeySettings(secret_key=SECRET_KEY))
    sealer = Sealer(DEIDENTIFICATION_KEY.encode())
    return ShareCodec(ring, sealer=sealer, clock=utc_now).sign(share)


def anonymizer_settings(orthanc: str, **changes: Any) -> AnonymizerSettings:
    """Return the settings of an anonymizer before the Orthanc at an address."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "registry": False,
        "deidentification_key": DEIDENTIFICATION_KEY,
        "public_anonymized_orthanc_root": PUBLIC_ROOT,
        "orthanc_root": orthanc,
        "orthanc_username": LOGIN[0],
        "orthanc_password": LOGIN[1],
    }
    return AnonymizerSettings(**values | changes)


@contextmanager
def leak_site(
    folder: Path, made: Corpus | None = None, **settings: Any
) -> Iterator[LeakSite]:
    """Run an Orthanc with the corpus, or another one, and an anonymizer before it."""
    require_orthanc()
    made = corpus() if made is None else made
    setup = OrthancSetup(ORTHANC_NAME, folder, free_port(), users=dict([LOGIN]))
    with ExitStack() as stack:
        stack.enter_context(setup.start())
        refused = frozenset(_upload(setup.url, made))
        orthanc = Site(setup.url, {"Authorization": basic(*LOGIN)})
        app = create_app(anonymizer_settings(setup.url, **settings))
        anonymizer = stack.enter_context(serve(app))
        raw = explore(orthanc, [made.patient.study_uid])
        second = explore(orthanc, [made.second.study_uid])
        needles = tuple(_needles(made, (raw, second), setup.url))
        running = LeakSite(made, orthanc, anonymizer, refused, raw, second, needles)
        stack.callback(running.close)
        yield running


def _upload(url: str, made: Corpus) -> Iterator[str]:
    """Upload the corpus; give the names of what was refused."""
    for file in (*made.patient.files, *made.second.files):
        reply = call("POST", f"{url}instances", file.content, login=LOGIN)
        if reply.status != 200:
            yield file.name


def _needles(made: Corpus, worlds: tuple[World, ...], orthanc: str) -> Iterator[Needle]:
    yield from made.patient.canaries.needles
    yield from made.second.canaries.needles
    for world in worlds:
        for orthanc_id in world.ids:
            yield Needle(orthanc_id, Kind.ORTHANC_ID, "Orthanc id")
            plain = orthanc_id.replace("-", "")
            yield Needle(plain, Kind.ORTHANC_ID, "Orthanc id without dashes")
    host = orthanc.split("/")[2]
    yield Needle(host, Kind.ADDRESS, "address of Orthanc")
    for name in (ORTHANC_NAME, *LOGIN):
        yield Needle(name, Kind.ADDRESS, "name or login of Orthanc")
