"""What comes out of the anonymizer is as valid as what went in, say validators."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset

from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.dicom_json import deidentify_json
from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.profile import Option, Profile
from tests.support.corpus.build import corpus
from tests.support.corpus.study import Shown
from tests.support.valid_images import CANARIES, MAKERS
from tests.support.validators import dciodvfy_errors, dcmdump_errors, iod_errors
from tests.unit.shared.deidentification.byte_samples import SimpleGate
from tests.unit.shared.deidentification.images import (
    json_of,
    nowhere,
    policy_of,
    read,
    written,
)

NOTHING_KEPT = Profile()
ALL_KEPT = Profile(options=frozenset(Option))
PROFILES = pytest.mark.parametrize(
    "profile", [NOTHING_KEPT, ALL_KEPT], ids=["basic", "all options"]
)
KINDS = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)

DEVICES = (
    *("CT_small.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"),
    *("MR_small.dcm", "MR_small_RLE.dcm", "rtdose.dcm", "liver_1frame.dcm"),
)
"""Objects of real devices and programs that come with pydicom."""

DEFORMED = "sink", "deflated", "wrong representation", "enhanced"
"""Files of the corpus that no validator can judge, or that were no objects before."""


@KINDS
def test_the_samples_are_valid(make: Callable[[], Dataset], tmp_path: Path) -> None:
    """Else what is lost on the way would not be noticed."""
    assert dciodvfy_errors(written(make()), tmp_path) == set()


@PROFILES
@KINDS
def test_a_valid_object_stays_valid(
    make: Callable[[], Dataset], profile: Profile, tmp_path: Path
) -> None:
    source = written(make())
    made = rewrite(source, policy_of(profile), PixelGate(profile))
    assert dciodvfy_errors(made, tmp_path) == set()
    assert iod_errors(made) <= iod_errors(source)
    if profile is NOTHING_KEPT:
        assert not [canary for canary in CANARIES if canary in made]


@KINDS
def test_a_placeholder_is_valid(make: Callable[[], Dataset], tmp_path: Path) -> None:
    shown = deidentify_json(json_of(read(written(make()))), policy_of(), nowhere)
    made = placeholder.instance(shown, Reason.NOT_PERMITTED)
    assert dciodvfy_errors(made, tmp_path) == set()
    assert iod_errors(made) == set()


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")  # of one source
@PROFILES
def test_objects_of_devices_get_no_further_errors(
    profile: Profile, tmp_path: Path
) -> None:
    sources = of_devices()
    assert len(sources) > 20
    assert further_errors(sources, profile, tmp_path) == set()


@PROFILES
def test_objects_of_the_corpus_get_no_further_errors(
    profile: Profile, tmp_path: Path
) -> None:
    sources = [
        file.content
        for file in corpus().patient.files
        if file.shown is Shown.ALLOWED
        and not file.is_refused
        and not file.name.startswith(DEFORMED)
    ]
    assert len(sources) > 15
    assert further_errors(sources, profile, tmp_path) == set()


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")  # of one source
@PROFILES
def test_dcmdump_reads_everything_that_comes_out(
    profile: Profile, tmp_path: Path
) -> None:
    """Also what no validator can judge, and what only an open gate lets out."""
    sources = [*of_devices(), *(written(make()) for make in MAKERS.values())]
    sources += [file.content for file in corpus().patient.files]
    made = list(accepted(sources, profile))
    assert len(made) > 90
    assert dcmdump_errors(made, tmp_path) == ""


def test_dcmdump_says_what_is_wrong(tmp_path: Path) -> None:
    """Positive control: else nothing would be as good as no error."""
    good = written(next(iter(MAKERS.values()))())
    assert dcmdump_errors([good], tmp_path) == ""
    assert dcmdump_errors([good, good[:-100]], tmp_path).startswith("E: ")


def test_dcmdump_reads_placeholders(tmp_path: Path) -> None:
    shown = (json_of(read(written(make()))) for make in MAKERS.values())
    made = [
        placeholder.instance(
            deidentify_json(one, policy_of(), nowhere), Reason.NOT_PERMITTED
        )
        for one in shown
    ]
    assert dcmdump_errors(made, tmp_path) == ""


def of_devices() -> list[bytes]:
    """Return the files that come with pydicom."""
    folder = Path(pydicom.__file__).parent / "data/test_files"
    files = [folder / name for name in DEVICES]
    files += (folder / "dicomdirtests/98892003").rglob("[0-9]???*")
    return [file.read_bytes() for file in files if file.is_file()]


def accepted(sources: list[bytes], profile: Profile) -> Iterator[bytes]:
    """Give what comes out, of those that are not refused."""
    policy = policy_of(profile)
    for source in sources:
        with suppress(DeidentificationError):
            yield rewrite(source, policy, SimpleGate())


def further_errors(sources: list[bytes], profile: Profile, folder: Path) -> set[str]:
    """Return what the validators find in the outputs only."""
    found: set[str] = set()
    policy = policy_of(profile)
    for source in sources:
        made = rewrite(source, policy, SimpleGate())
        found |= dciodvfy_errors(made, folder) - dciodvfy_errors(source, folder)
        found |= iod_errors(made) - iod_errors(source)
    return found
