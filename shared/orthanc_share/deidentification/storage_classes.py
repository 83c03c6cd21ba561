"""What the gate knows of the storage SOP classes of PS3.4 B.5.

What is not named here is not shown.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_ROOT = "1.2.840.10008.5.1.4.1.1."

ULTRASOUND = frozenset({_ROOT + "6.1", _ROOT + "3.1"})
"""US Image and US Multi-frame Image: they may tell where their regions are."""

RT_DOSE = _ROOT + "481.2"
"""RT Dose: the only class whose images may be called a dose."""

WHOLE_SLIDE = _ROOT + "77.1.6"
"""VL Whole Slide Microscopy: some of its images photograph the slide's label."""

SECONDARY_CAPTURE = _ROOT + "7"
"""Secondary Capture Image: what a placeholder is."""


class Trust(Enum):
    """When images of a class may be shown, if nothing else speaks against them."""

    ORIGIN = "origin"
    """If nothing speaks against it: the device made them from measurements."""

    ORIGINAL = "original"
    """If they are original, or say that nothing is burned in."""

    DECLARED = "declared"
    """If they say that nothing is burned in, or the site permits the modality."""

    PERMITTED = "permitted"
    """If they say that nothing is burned in, and the site permits the modality."""


class StorageClass(NamedTuple):
    """What is known of a storage SOP class.

    Args:
        permit: Its name in `Profile.allowed_modalities`. The class decides, not the
            Modality of the object: a capture of a CT has Modality CT.
        trust: When its images may be shown.
        typed: Whether its Image Type is Type 1, so that its absence is suspect.
        colour: Whether its images may have colours.
    """

    permit: str
    trust: Trust
    typed: bool = False
    colour: bool = False


def _classes() -> Iterator[tuple[str, StorageClass]]:
    for suffix in ("2", "2.1", "2.2"):
        yield suffix, StorageClass("CT", Trust.ORIGIN, typed=True)
    for suffix in ("4", "4.1", "4.4"):
        yield suffix, StorageClass("MR", Trust.ORIGIN, typed=True)
    yield "4.3", StorageClass("MR", Trust.ORIGIN, typed=True, colour=True)
    for suffix in ("128", "128.1", "130"):
        yield suffix, StorageClass("PT", Trust.ORIGIN, typed=True)
    yield "20", StorageClass("NM", Trust.ORIGIN, typed=True, colour=True)
    for suffix in ("66.4", "66.7"):  # Segmentation, Label Map Segmentation
        yield suffix, StorageClass("SEG", Trust.ORIGIN, typed=True, colour=True)
    yield "481.2", StorageClass("RTDOSE", Trust.ORIGIN)
    yield "481.3", StorageClass("RTSTRUCT", Trust.ORIGIN)
    for suffix in ("1.2", "1.2.1", "13.1.3", "13.1.4", "13.1.5"):
        yield suffix, StorageClass("MG", Trust.ORIGINAL, typed=True)
    yield "1", StorageClass("CR", Trust.DECLARED)
    for suffix in ("1.1", "1.1.1"):
        yield suffix, StorageClass("DX", Trust.DECLARED, typed=True)
    yield from _classes_of_sites()


def _classes_of_sites() -> Iterator[tuple[str, StorageClass]]:
    for permit, colour, suffixes in (
        ("US", True, ("6.1", "3.1", "6.2")),
        ("SC", True, ("7", "7.1", "7.2", "7.3", "7.4")),
        ("XA", False, ("12.1", "12.1.1", "13.1.1", "13.1.2")),
        ("RF", False, ("12.2", "12.2.1")),
        ("IO", False, ("1.3", "1.3.1")),
        ("RTIMAGE", False, ("481.1",)),
        ("ES", True, ("77.1.1",)),
        ("GM", True, ("77.1.2",)),
        ("SM", True, ("77.1.3", "77.1.6")),
        ("XC", True, ("77.1.4", "77.1.7")),
        ("OP", True, ("77.1.5.1", "77.1.5.2", "77.1.5.5", "77.1.5.6")),
        ("OPT", True, ("77.1.5.4",)),
        ("IVOCT", True, ("14.1", "14.2")),
    ):
        for suffix in suffixes:
            yield suffix, StorageClass(permit, Trust.PERMITTED, colour=colour)


CLASSES = {_ROOT + suffix: storage for suffix, storage in _classes()}
"""The classes whose images can be shown, by UID."""

PERMITS = frozenset(
    one.permit
    for one in CLASSES.values()
    if one.trust in {Trust.DECLARED, Trust.PERMITTED}
)
"""What a site can permit in `Profile.allowed_modalities`."""

_VIDEOS = ("77.1.1.1", "77.1.2.1", "77.1.4.1")
VIDEOS = frozenset(_ROOT + suffix for suffix in _VIDEOS)
"""Video endoscopic, microscopic and photographic images."""

DOCUMENTS = tuple(_ROOT + suffix for suffix in ("88.", "104.", "11.", "9.1."))
"""Roots of SR and KO, encapsulated documents, presentation states, waveforms."""
