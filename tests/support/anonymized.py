"""Studies behind the anonymizer: files, what Orthanc tells of them, and links."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from pydicom import Dataset, dcmread, dcmwrite

from anonymizer.app import create_app
from anonymizer.settings import AnonymizerSettings
from demo.sample_data import CT_STUDY, STUDIES, SampleStudy, orthanc_id
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from tests.support.orthanc_double import (
    Answer,
    OrthancDouble,
    Reply,
    multipart,
    orthanc_double,
)
from tests.support.replay import Study
from tests.support.server import serve
from tests.support.service import NOW
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY
from tests.support.tokens import codec

ROOT = f"{PUBLIC}/anon-shares/"
"""Public address of the anonymizer in tests."""

SHARE_ID = "a-share-of-a-test"
"""Id of the shares that `share_token` makes."""

ANY_FILE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""The field `Accept` of those who take files as they are."""

ANY_FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
"""The field `Accept` of those who take frames as they are."""


def anonymizer_settings(orthanc_root: str | None, **changes: Any) -> AnonymizerSettings:
    """Return settings of an anonymizer before that Orthanc, and `changes`."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "registry": False,
        "deidentification_key": DEIDENTIFICATION_KEY,
        "public_orthanc_root": f"{PUBLIC}/shares/",
        "server_identifier": "std",
        "public_anonymized_orthanc_root": ROOT,
        "anonymized_server_identifier": "anon",
        "orthanc_root": orthanc_root,
        "orthanc_timeout": timedelta(seconds=20),
    }
    return AnonymizerSettings(**values | changes)


@contextmanager
def running_anonymizer(
    settings: AnonymizerSettings, token: str | None
) -> Iterator[httpx.Client]:
    """Run an anonymizer; give a client that sends the token as the viewers do."""
    with serve(create_app(settings, clock=lambda: NOW)) as base:
        headers = {} if token is None else {"token": token}
        with httpx.Client(
            base_url=base, headers=headers, timeout=60, trust_env=False
        ) as client:
            yield client


@cache
def _images(key: str) -> list[Dataset]:
    """Return the first images of a sample study; made once."""
    study = next(one for one in STUDIES if one.key == key)
    return list(islice(study.datasets(), 4))


def anonymized_token(
    *resources: Resource,
    share_id: str = SHARE_ID,
    flavour: Flavour = Flavour.ANONYMIZED,
    expires_at: datetime | None = None,
) -> str:
    """Return the token of a share."""
    share = Share(
        id=share_id,
        type=ShareType.STONE_PUBLICATION,
        flavour=flavour,
        resources=resources,
        issued_at=NOW,
        not_before=NOW,
        expires_at=expires_at,
    )
    return codec().sign(share)


@dataclass(frozen=True)
class Source:
    """A study as Orthanc has it.

    Args:
        datasets: Its images, with pixels; all of one patient and study.
    """

    datasets: Sequence[Dataset]

    @classmethod
    def sample(cls, images: int = 3, study: SampleStudy = CT_STUDY) -> "Source":
        """Return the first images of a sample study."""
        return cls(deepcopy(_images(study.key)[:images]))

    @cached_property
    def study(self) -> Study:
        """The identifiers of the study."""
        first = self.datasets[0]
        path = (str(first.PatientID), str(first.StudyInstanceUID))
        return Study(path[1], orthanc_id(*path), frozenset())

    def token(self, share_id: str = SHARE_ID) -> str:
        """Return the token of an anonymized share of the study."""
        ids = (self.study.dicom_uid, self.study.orthanc_id)
        return anonymized_token(Resource(Level.STUDY, *ids), share_id=share_id)

    def resource(self, level: Level, number: int = 0) -> Resource:
        """Return the study, series or instance of an image."""
        ids = _ids(self.datasets[number])
        depth = {Level.STUDY: 2, Level.SERIES: 3, Level.INSTANCE: 4}[level]
        return Resource(level, ids[depth - 1], orthanc_id(*ids[:depth]))

    def canaries(self) -> list[bytes]:
        """Return what must never come out."""
        found = {
            *(b"DEMO^", b"DEMO-", b"Demo hospital", b"20250115", b"19700101"),
            self.study.orthanc_id.encode(),
        }
        for dataset in self.datasets:
            found |= {uid.encode() for uid in _ids(dataset)}
        return sorted(found)

    def answers(self) -> dict[str, Answer]:
        """Return what Orthanc answers, by path."""
        found: dict[str, Answer] = {"tools/lookup": self._look_up}
        found |= _study_answers(self)
        for series in self.series():
            found |= _series_answers(series)
            for dataset in series:
                found |= _instance_answers(dataset)
        return found

    def series(self) -> list[list[Dataset]]:
        """Return the images by series."""
        by_uid: dict[str, list[Dataset]] = {}
        for dataset in self.datasets:
            by_uid.setdefault(str(dataset.SeriesInstanceUID), []).append(dataset)
        return list(by_uid.values())

    def _look_up(self, body: bytes) -> Reply:
        found = []
        for dataset in self.datasets:
            ids = _ids(dataset)
            kinds = ("Patient", "Study", "Series", "Instance")
            for depth, kind in enumerate(kinds, 1):
                entry = {"ID": orthanc_id(*ids[:depth]), "Path": "", "Type": kind}
                if ids[depth - 1].encode() == body and entry not in found:
                    found.append(entry)
        return as_json(found)


@dataclass(frozen=True)
class Names:
    """The names that a study has outside.

    Args:
        source: The study.
        share_id: Id of the share.
    """

    source: Source
    share_id: str = SHARE_ID

    @cached_property
    def pseudonyms(self) -> SharePseudonyms:
        """What makes them."""
        return SharePseudonyms(DEIDENTIFICATION_KEY.encode(), self.share_id)

    @property
    def study(self) -> str:
        """The StudyInstanceUID."""
        return self.pseudonyms.uid(self.source.study.dicom_uid)

    def series_uid(self, number: int = 0) -> str:
        """Return the SeriesInstanceUID of an image."""
        real = str(self.source.datasets[number].SeriesInstanceUID)
        return self.pseudonyms.uid(real)

    def instance_uid(self, number: int = 0) -> str:
        """Return the SOPInstanceUID of an image."""
        return self.pseudonyms.uid(str(self.source.datasets[number].SOPInstanceUID))

    @property
    def study_path(self) -> str:
        """Where DICOMweb has the study."""
        return f"/dicom-web/studies/{self.study}"

    def series_path(self, number: int = 0) -> str:
        """Return where DICOMweb has the series of an image."""
        return f"{self.study_path}/series/{self.series_uid(number)}"

    def instance_path(self, number: int = 0) -> str:
        """Return where DICOMweb has an image."""
        return f"{self.series_path(number)}/instances/{self.instance_uid(number)}"


def file_of(dataset: Dataset) -> bytes:
    """Return an image as a DICOM file."""
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def as_json(value: Any, content_type: str = "application/json") -> Reply:
    """Return JSON as Orthanc answers it."""
    return Reply(json.dumps(value).encode(), content_type)


def dicom_json(dataset: Dataset) -> dict[str, Any]:
    """Return an image's metadata as Orthanc's DICOMweb tells them."""

    def bulk(element: Any) -> str:
        return f"http://orthanc.internal/bulk/{element.tag:08x}"

    # Read again, because only then all VRs are known.
    written = dcmread(io.BytesIO(file_of(dataset)))
    told: dict[str, Any] = written.to_json_dict(64, bulk)
    return told


def real_path(dataset: Dataset) -> str:
    """Return where Orthanc's DICOMweb has an image."""
    return f"{real_series_path(dataset)}/instances/{dataset.SOPInstanceUID}"


def real_series_path(dataset: Dataset) -> str:
    """Return where Orthanc's DICOMweb has the series of an image."""
    study = f"dicom-web/studies/{dataset.StudyInstanceUID}"
    return f"{study}/series/{dataset.SeriesInstanceUID}"


def _ids(dataset: Dataset) -> tuple[str, str, str, str]:
    return (
        str(dataset.PatientID),
        str(dataset.StudyInstanceUID),
        str(dataset.SeriesInstanceUID),
        str(dataset.SOPInstanceUID),
    )


def _main_tags(dataset: Dataset, *keywords: str) -> dict[str, str]:
    tags = {}
    for keyword in keywords:
        element = dataset.data_element(keyword)
        if element is not None:
            name = f"{element.tag.group:04x},{element.tag.element:04x}"
            tags[name] = str(element.value)
    return tags


def _study_document(dataset: Dataset) -> dict[str, Any]:
    ids = _ids(dataset)
    return {
        "ID": orthanc_id(*ids[:2]),
        "ParentPatient": orthanc_id(*ids[:1]),
        "Type": "Study",
        "MainDicomTags": _main_tags(
            dataset,
            *("StudyInstanceUID", "StudyDate", "StudyDescription", "AccessionNumber"),
        ),
        "PatientMainDicomTags": _main_tags(dataset, "PatientID", "PatientName"),
    }


def _series_document(dataset: Dataset) -> dict[str, Any]:
    ids = _ids(dataset)
    return {
        "ID": orthanc_id(*ids[:3]),
        "ParentStudy": orthanc_id(*ids[:2]),
        "Type": "Series",
        "MainDicomTags": _main_tags(
            dataset,
            *("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"),
        ),
    }


def _instance_document(dataset: Dataset) -> dict[str, Any]:
    ids = _ids(dataset)
    return {
        "ID": orthanc_id(*ids),
        "ParentSeries": orthanc_id(*ids[:3]),
        "Type": "Instance",
        "MainDicomTags": _main_tags(dataset, "SOPInstanceUID", "InstanceNumber"),
    }


def _study_answers(source: Source) -> dict[str, Answer]:
    base = f"studies/{source.study.orthanc_id}"
    firsts = [images[0] for images in source.series()]
    return {
        base: as_json(_study_document(source.datasets[0])),
        f"{base}/series": as_json([_series_document(one) for one in firsts]),
        f"{base}/instances": as_json(
            [_instance_document(one) for one in source.datasets]
        ),
    }


def _series_answers(images: Sequence[Dataset]) -> dict[str, Answer]:
    first = images[0]
    base = f"series/{orthanc_id(*_ids(first)[:3])}"
    web = real_series_path(first)
    return {
        base: as_json(_series_document(first)),
        f"{base}/study": as_json(_study_document(first)),
        f"{base}/instances": as_json([_instance_document(one) for one in images]),
        web: multipart([file_of(one) for one in images]),
        f"{web}/metadata": as_json(
            [dicom_json(one) for one in images], "application/dicom+json"
        ),
    }


def _instance_answers(dataset: Dataset) -> dict[str, Answer]:
    base, web = f"instances/{orthanc_id(*_ids(dataset))}", real_path(dataset)
    octets = "application/octet-stream"
    pixels = bytes(dataset.PixelData) if "PixelData" in dataset else b""
    return {
        base: as_json(_instance_document(dataset)),
        f"{base}/study": as_json(_study_document(dataset)),
        f"{base}/series": as_json(_series_document(dataset)),
        web: multipart([file_of(dataset)]),
        f"{web}/metadata": as_json([dicom_json(dataset)], "application/dicom+json"),
        f"{web}/frames/1": multipart(
            [pixels], octets, part_kind=f"{octets}; transfer-syntax=1.2.840.10008.1.2.1"
        ),
    }


def profile_file(folder: Path, text: str) -> Path:
    """Return a profile of a site in a file."""
    path = folder / "profile.toml"
    path.write_text(text)
    return path


def leaks(answer: httpx.Response, source: Source) -> list[bytes]:
    """Return what of the original an answer holds."""
    fields: Mapping[str, str] = answer.headers
    shown = answer.content + "\n".join(f"{k}: {v}" for k, v in fields.items()).encode()
    return [canary for canary in source.canaries() if canary in shown]


class Running:
    """A running anonymizer before a stand-in, as a new share sees it each time.

    Args:
        client: Of the anonymizer.
        orthanc: The stand-in.
    """

    def __init__(self, client: httpx.Client, orthanc: OrthancDouble) -> None:
        self.client = client
        self.orthanc = orthanc
        self.source = Source.sample()
        self.names = Names(self.source)
        self._shares = 0

    def share(
        self,
        source: Source,
        *resources: Resource,
        changes: Mapping[str, Answer] | None = None,
    ) -> Names:
        """Let Orthanc hold a study, and send the token of a new share from now on.

        Args:
            source: The study.
            resources: What is shared; the study if nothing is named.
            changes: What Orthanc answers otherwise.
        """
        self._shares += 1
        share_id = f"share-{self._shares:020}"
        self.orthanc.asked.clear()
        self.orthanc.answers = source.answers() | dict(changes or {})
        self.source, self.names = source, Names(source, share_id)
        shared = resources or (source.resource(Level.STUDY),)
        token = anonymized_token(*shared, share_id=share_id)
        self.client.headers["token"] = token
        return self.names

    def get(
        self, path: str, accept: str | None = None, status: int = 200
    ) -> httpx.Response:
        """Return an answer with that status that holds nothing of the original."""
        fields = {} if accept is None else {"Accept": accept}
        answer = self.client.get(path, headers=fields)
        assert answer.status_code == status, answer.text
        assert not leaks(answer, self.source)
        return answer


@contextmanager
def running(**settings: Any) -> Iterator[Running]:
    """Run an anonymizer before a stand-in, with changes of its settings."""
    with (
        orthanc_double({}) as orthanc,
        running_anonymizer(
            anonymizer_settings(orthanc.url, **settings), None
        ) as client,
    ):
        yield Running(client, orthanc)


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """Return content type and body of each part of a multipart answer."""
    boundary = answer.headers["Content-Type"].rpartition("boundary=")[2].encode()
    start, *parts, end = answer.content.split(b"--" + boundary)
    assert (start, end) == (b"", b"--\r\n")
    found = []
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        name, _, kind = head.strip().decode().partition(": ")
        assert name == "Content-Type"
        found.append((kind, body.removesuffix(b"\r\n")))
    return found


def files_in(answer: httpx.Response) -> list[Dataset]:
    """Return the DICOM files of a multipart answer."""
    found = parts_of(answer)
    assert {kind for kind, _ in found} <= {"application/dicom"}
    return [dcmread(io.BytesIO(body)) for _, body in found]
