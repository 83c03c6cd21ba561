"""What viewers get when Orthanc answers oddly, or has lost what it had."""

import io
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from demo.sample_data import CT_STUDY, OTHER_STUDY, orthanc_id
from tests.support.deidentified import (
    Seen,
    Site,
    assert_hidden,
    image,
    in_front_of,
    members,
    running_site,
)
from tests.support.orthanc import Ids
from tests.support.tampering import Change, as_kind, lost, tampering, with_body

CT = Ids.of(CT_STUDY)
FIRST = f"instances/{CT.instance}"
SECOND = "instances/" + orthanc_id(
    CT_STUDY.patient_id, CT.study_uid, CT.series_uid, CT_STUDY.uid("image/2")
)

MASKS = """
[[masks]]
manufacturer = "Scanner maker"
model = "One"
rows = 256
columns = 256
regions = [[0, 0, 256, 16]]
"""


def undecodable() -> bytes:
    """Return an image that should be masked, with pixels that nobody can decode."""
    file = image(
        CT_STUDY, "garbage", Manufacturer="Scanner maker", ManufacturerModelName="One"
    )
    dataset = dcmread(io.BytesIO(file))
    dataset.file_meta.TransferSyntaxUID = RLELossless
    # One frame, whose header tells of segments that are not there.
    frame = (15).to_bytes(4, "little") + bytes(60) + b"garbage!"
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("profile") / "profile.toml"
    file.write_text(MASKS)
    return file


@pytest.fixture(scope="module")
def site(
    samples: Path, profile: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("odd")
    with running_site(
        folder, samples, undecodable(), deidentification_profile=profile
    ) as one:
        yield one


class Between:
    """Makes shares behind something that changes Orthanc's answers."""

    def __init__(self, site: Site, profile: Path) -> None:
        self._site = site
        self._profile = profile

    def seen(self, changes: dict[str, Change], **options: Any) -> Iterator[Seen]:
        """Yield one share of the CT study."""
        with (
            tampering(self._site.orthanc, changes, **options) as url,
            in_front_of(url, deidentification_profile=self._profile) as site,
        ):
            yield site.share(CT)


@pytest.fixture(scope="module")
def between(site: Site, profile: Path) -> Between:
    return Between(site, profile)


def osimis_image(seen: Seen) -> str:
    return f"osimis-viewer/images/{seen.id(CT.instance)}/0/high-quality"


def test_a_file_that_orthanc_has_lost_keeps_its_place(between: Between) -> None:
    for seen in between.seen({f"{FIRST}/file": lost}):
        reply = seen.ask(f"series/{seen.id(CT.series)}/archive")
        files = members(reply.body)
        assert len(files) == CT_STUDY.slices
        first = dcmread(io.BytesIO(files["SE000001/IM000001.dcm"]))
        assert first.SOPInstanceUID == seen.uid(CT.instance_uid)
        assert first.DerivationDescription.startswith("Image not shown.")
        assert_hidden(reply.body)


def test_a_file_that_is_hidden_after_all_is_left_out(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "profile.toml"
    file.write_text('blocked = "hide"\n')
    changes = {f"{FIRST}/file": lost}
    with (
        tampering(site.orthanc, changes) as url,
        in_front_of(url, deidentification_profile=file) as hiding,
    ):
        seen = hiding.share(CT)
        archive = seen.ask(f"series/{seen.id(CT.series)}/archive")
        assert len(members(archive.body)) == CT_STUDY.slices - 1


def test_without_a_length_the_archive_is_as_good(between: Between) -> None:
    for seen in between.seen({}, tells_length=False):
        reply = seen.ask(f"series/{seen.id(CT.series)}/archive")
        assert len(members(reply.body)) == CT_STUDY.slices


@pytest.mark.parametrize(
    "change", [with_body(b""), with_body(b"no DICOM at all")], ids=["empty", "text"]
)
def test_a_file_that_is_none_has_a_placeholder_in_its_place(
    between: Between, change: Change
) -> None:
    for seen in between.seen({f"{FIRST}/file": change}):
        archive = seen.ask(f"series/{seen.id(CT.series)}/archive").body
        files = members(archive)
        assert len(files) == CT_STUDY.slices
        reply = seen.ask(f"instances/{seen.id(CT.instance)}/file")
        for file in (files["SE000001/IM000001.dcm"], reply.body):
            shown = dcmread(io.BytesIO(file))
            assert shown.SOPInstanceUID == seen.uid(CT.instance_uid)
            assert shown.DerivationDescription.startswith("Image not shown.")


def test_a_file_of_something_else_is_not_answered(between: Between) -> None:
    other = with_body(next(OTHER_STUDY.files()))
    for seen in between.seen({f"({FIRST}|{SECOND})/file": other}):
        for path in (
            f"instances/{seen.id(CT.instance)}/file",
            f"series/{seen.id(CT.series)}/archive",
        ):
            reply = seen.ask(path)
            assert reply.status >= 500
            assert OTHER_STUDY.patient.encode() not in reply.body


def test_a_file_of_something_else_breaks_an_archive_off(between: Between) -> None:
    other = with_body(next(OTHER_STUDY.files()))
    for seen in between.seen({f"{SECOND}/file": other}):
        with pytest.raises(IncompleteRead) as caught:
            seen.ask(f"series/{seen.id(CT.series)}/archive")
        assert OTHER_STUDY.patient.encode() not in caught.value.partial


@pytest.mark.parametrize(
    "change",
    [
        as_kind("text/html"),
        with_body(b""),
        with_body(b"\x89PNG\r\n\x1a\n"),
        with_body(b"GIF89a"),
        lost,
    ],
    ids=["HTML", "empty", "only a signature", "another kind", "lost"],
)
def test_a_picture_that_is_none_is_told_as_such(
    between: Between, change: Change
) -> None:
    for seen in between.seen({f"{FIRST}/frames/0/.*": change}):
        reply = seen.ask(osimis_image(seen))
        assert reply.status == (404 if change is lost else 502)
        assert reply.headers["content-type"] == "application/problem+json"
        assert_hidden(reply.body)


def test_an_image_that_cannot_be_masked_is_not_shown_anywhere(site: Site) -> None:
    seen = site.share(CT)
    series = seen.uid(CT_STUDY.uid("series/garbage"))
    (found,) = seen.json("tools/lookup", series.encode())
    (instance,) = seen.json(f"series/{found['ID']}")["Instances"]
    reply = seen.ask(f"osimis-viewer/images/{instance}/0/high-quality")
    assert reply.status == 200
    png = reply.body[reply.body.index(b"\x89PNG") :]
    shown = np.asarray(Image.open(io.BytesIO(png)))
    file = dcmread(io.BytesIO(seen.ask(f"instances/{instance}/file").body))
    assert file.DerivationDescription.startswith("Image not shown.")
    assert (shown == file.pixel_array).all()
