"""Images for the tests: small, and with a name that must not come out."""

import io
import json
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from orthanc_share.deidentification.gate import BlockedInstanceError, Gate, Verdict
from orthanc_share.deidentification.masked_image import Pixels
from orthanc_share.deidentification.part10 import rewrite
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Profile
from tests.support.settings import DEIDENTIFICATION_KEY

CT = "1.2.840.10008.5.1.4.1.1.2"
US = "1.2.840.10008.5.1.4.1.1.6.1"
CANARY = "QZCANARY"
ROWS, COLUMNS = 48, 64
JPEG_2000 = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"
KEPT = (10, 20, 40, 39)
"""The first and last column and row of the ultrasound region: x0, y0, x1, y1."""

ULTRASOUND = Profile(allowed_modalities=frozenset({"US"}))


def policy_of(profile: Profile = ULTRASOUND, share_id: str = "share-1") -> SharePolicy:
    return build_policy(profile, DEIDENTIFICATION_KEY.encode(), share_id)


POLICY = policy_of()
GATE: Gate = PixelGate(ULTRASOUND)
PLAN = Plan(POLICY)


def nowhere(_path: str) -> None:
    """Serve no binaries."""


def noise(*shape: int, low: int = 1, high: int = 256) -> Pixels:
    """Return pixels that are never black, the same for each shape."""
    generator = np.random.default_rng(7)
    made: Pixels = generator.integers(low, high, shape).astype(np.uint8)
    return made


def dataset(sop_class: str = US, **elements: Any) -> Dataset:
    """Return an image without pixels."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = "1.2.276.0.99.4"
    made.StudyInstanceUID = "1.2.276.0.99.2"
    made.SeriesInstanceUID = "1.2.276.0.99.3"
    made.PatientName = CANARY
    made.PatientID = CANARY
    made.Modality = "US"
    made.SeriesNumber = 3
    made.InstanceNumber = 5
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def ultrasound(pixels: Pixels, **elements: Any) -> Dataset:
    """Return a US image (frames, rows, columns[, colours]) with one region."""
    made = dataset(**elements)
    frames, rows, columns, *samples = pixels.shape
    made.Rows, made.Columns = rows, columns
    if frames > 1:
        made.NumberOfFrames = frames
    made.SamplesPerPixel = samples[0] if samples else 1
    if "PhotometricInterpretation" not in elements:
        made.PhotometricInterpretation = "RGB" if samples else "MONOCHROME2"
    if samples:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = KEPT[:2]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = KEPT[2:]
    made.SequenceOfUltrasoundRegions = [region]
    made.PixelData = pixels.tobytes()
    return made


def json_of(made: Dataset) -> dict[str, Any]:
    """Return the DICOM JSON of a dataset, with short binaries inline."""
    text = made.to_json(
        bulk_data_threshold=64,
        bulk_data_element_handler=lambda _: "http://orthanc.example/bulk",
    )
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def written(made: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the file of a dataset whose pixels are already in the transfer syntax."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.UID(transfer_syntax)
    into = io.BytesIO()
    made.save_as(into, enforce_file_format=True)
    return into.getvalue()


def compressed(made: Dataset, transfer_syntax: str) -> bytes:
    """Return the file of a dataset with native pixels, compressed without loss."""
    written(made)
    made.compress(pydicom.uid.UID(transfer_syntax), generate_instance_uid=False)
    into = io.BytesIO()
    made.save_as(into, enforce_file_format=True)
    return into.getvalue()


def read(file: bytes) -> Dataset:
    """Return what pydicom reads."""
    return pydicom.dcmread(io.BytesIO(file))


def verdict_of(file: bytes, gate: Gate = GATE) -> Verdict:
    """Return why the rewriter refuses a file."""
    try:
        rewrite(file, POLICY, gate)
    except BlockedInstanceError as refusal:
        return refusal.verdict
    raise AssertionError("the file passes")
