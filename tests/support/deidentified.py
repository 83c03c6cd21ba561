"""The anonymizer in front of a real Orthanc, and shares to see through it."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmwrite

from anonymizer.app import create_app
from anonymizer.settings import AnonymizerSettings
from demo.calls import Reply, call
from demo.sample_data import CT_STUDY, MR_STUDY, SampleStudy
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType, new_share_id
from orthanc_share.web.sharing import build_sharing
from tests.support.orthanc import Ids, running_orthanc
from tests.support.server import serve
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY

ROOT = f"{PUBLIC}/anon-shares/"
"""Public address of the anonymizer in tests."""

LOGIN = ("anonymizer", "the password of the anonymizer")
"""How the anonymizer enters Orthanc."""

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Class of objects that are never shown without a permit."""


@dataclass(frozen=True)
class Seen:
    """A share, seen through the anonymizer.

    Args:
        url: Address of the anonymizer, with a final slash.
        token: Of the share.
        names: The pseudonyms of the share.
    """

    url: str
    token: str = field(repr=False)
    names: SharePseudonyms

    def ask(self, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a GET, or a POST if there is a body, with the token."""
        method = "GET" if body is None else "POST"
        sent = {"token": self.token, **headers}
        return call(method, self.url + path, body, headers=sent)

    def json(self, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer that must be 200."""
        reply = self.ask(path, body)
        assert reply.status == 200, (path, reply.body)
        assert reply.headers["content-type"].startswith("application/")
        return reply.json()

    def id(self, orthanc_id: str) -> str:
        """Return the pseudonym of an Orthanc id."""
        return self.names.orthanc_id(orthanc_id)

    def uid(self, uid: str) -> str:
        """Return the pseudonym of a UID."""
        return self.names.uid(uid)


@dataclass(frozen=True)
class Site:
    """An Orthanc, and an anonymizer in front of it.

    Args:
        url: Address of the anonymizer, with a final slash.
        orthanc: That of Orthanc.
        settings: Of the anonymizer.
    """

    url: str
    orthanc: str
    settings: AnonymizerSettings

    def share(self, *ids: Ids, **changes: Any) -> Seen:
        """Return a new share of whole studies."""
        return self.share_of(
            *(Resource(Level.STUDY, one.study_uid, one.study) for one in ids), **changes
        )

    def share_of(self, *resources: Resource, **changes: Any) -> Seen:
        """Return a new share of these resources."""
        values: dict[str, Any] = {
            "id": new_share_id(),
            "type": ShareType.STONE_PUBLICATION,
            "resources": resources,
            "flavour": Flavour.ANONYMIZED,
            "issued_at": utc_now(),
            "expires_at": utc_now() + timedelta(hours=1),
        }
        share = Share(**values | changes)
        token = build_sharing(self.settings).codec.sign(share)
        names = SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share.id)
        return Seen(self.url, token, names)


def anonymizer_settings(orthanc: str, **changes: Any) -> AnonymizerSettings:
    """Return the settings of an anonymizer in front of `orthanc`."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "registry": False,
        "deidentification_key": DEIDENTIFICATION_KEY,
        "public_anonymized_orthanc_root": ROOT,
        "anonymized_server_identifier": "anon",
        "orthanc_root": orthanc,
        "orthanc_username": LOGIN[0],
        "orthanc_password": LOGIN[1],
    }
    return AnonymizerSettings(**values | changes)


@contextmanager
def running_site(
    folder: Path,
    samples: Path,
    *files: bytes,
    **changes: Any,
) -> Iterator[Site]:
    """Run both; Orthanc holds the sample studies and `files` besides."""
    with ExitStack() as stack:
        users = {LOGIN[0]: LOGIN[1]}
        orthanc = stack.enter_context(running_orthanc(folder, samples, users=users))
        for file in files:
            reply = call("POST", f"{orthanc}instances", file, login=LOGIN)
            assert reply.status == 200, reply.body
        yield stack.enter_context(in_front_of(orthanc, **changes))


@contextmanager
def in_front_of(orthanc: str, **changes: Any) -> Iterator[Site]:
    """Run an anonymizer in front of an Orthanc that runs already."""
    settings = anonymizer_settings(orthanc, **changes)
    with serve(create_app(settings)) as url:
        yield Site(f"{url}/", orthanc, settings)


def image(sample: SampleStudy, part: str, **tags: Any) -> bytes:
    """Return a further image of a sample study, in a series of its own, as a file.

    Args:
        sample: The study.
        part: Names the new image; always the same UIDs for the same name.
        tags: Elements that differ, by keyword; None: not there.
    """
    dataset = next(iter(sample.datasets()))
    dataset.SOPInstanceUID = sample.uid(f"image/{part}")
    dataset.SeriesInstanceUID = sample.uid(f"series/{part}")
    dataset.SeriesNumber = 9
    dataset.InstanceNumber = 1
    for keyword, value in tags.items():
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)
    return written(dataset)


def screen_copy(sample: SampleStudy = CT_STUDY) -> bytes:
    """Return a screen copy that belongs to a sample study."""
    return image(sample, "screen", SOPClassUID=SECONDARY_CAPTURE, ConversionType="WSD")


def written(dataset: Dataset) -> bytes:
    """Return a dataset as a file (PS3.10)."""
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def members(archive: bytes) -> Mapping[str, bytes]:
    """Return the files of a ZIP, whose check sums are looked at."""
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        return {name: read.read(name) for name in read.namelist()}


def names_of(*samples: SampleStudy) -> list[str]:
    """Return what must not be seen of sample studies: names, ids, real UIDs."""
    found = []
    for sample in samples or (CT_STUDY, MR_STUDY):
        ids = Ids.of(sample)
        found += [sample.patient, sample.patient_id, sample.description]
        found += [ids.study_uid, ids.series_uid, ids.instance_uid]
        found += [ids.patient, ids.study, ids.series, ids.instance]
    return found


def assert_hidden(shown: Any) -> None:
    """Check that an answer names none of the sample patients."""
    text = shown if isinstance(shown, bytes) else json.dumps(shown).encode()
    for name in names_of():
        assert name.encode() not in text, name
