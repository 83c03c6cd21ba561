"""A study of one enhanced MR image with many frames, of yet another sample person."""

from copy import deepcopy
from dataclasses import replace

from pydicom import Dataset

from demo.sample_data import MR_STUDY, SIZE
from tests.support.valid_images import enhanced_mr, placed_frames

FRAMES = 12

MULTIFRAME_STUDY = replace(
    MR_STUDY,
    key="multi",
    patient="DEMO^MULTI",
    description="Head MR volume",
    slices=FRAMES,
)
"""What it is made from; gives its names."""


def multiframe_image() -> Dataset:
    """Return the image."""
    slices = list(MULTIFRAME_STUDY.datasets())
    made = deepcopy(enhanced_mr())
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDescription",
                    "SeriesInstanceUID", "SeriesDescription", "PatientBirthDate",
                    "SOPInstanceUID", "BitsStored", "HighBit"):  # fmt: skip
        setattr(made, keyword, slices[0][keyword].value)
    made.Rows = made.Columns = SIZE
    made.NumberOfFrames = FRAMES
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence[0].PixelSpacing = slices[0].PixelSpacing
    positions = [one.ImagePositionPatient for one in slices]
    made.PerFrameFunctionalGroupsSequence = placed_frames(positions)
    made.PixelData = b"".join(one.PixelData for one in slices)
    return made
