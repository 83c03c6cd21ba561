"""What goes with an image whose text was blanked: its rules, and its gate.

`MaskedImage.file` of the image goes through the rewriter with these two instead of the
share's own rules and gate. Source: PS3.15 E.3.1 (Clean Pixel Data Option).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from orthanc_share.deidentification.actions import Element
from orthanc_share.deidentification.bitstream import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from orthanc_share.deidentification.gate import Facts, Gate, Outcome, Verdict
from orthanc_share.deidentification.policy import SharePolicy

DECODABLE: Final = frozenset(
    {
        IMPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.2.4.50",  # JPEG Baseline
        "1.2.840.10008.1.2.4.90",  # JPEG 2000, lossless and not
        "1.2.840.10008.1.2.4.91",
        "1.2.840.10008.1.2.5",  # RLE
    }
)
"""UIDs of the transfer syntaxes whose images can be masked here."""

PHOTOMETRIC: Final = 0x00280004
PLANAR_CONFIGURATION: Final = 0x00280006
SAMPLES: Final = 0x00280002
_COLOURS: Final = "3"


class MaskedGate:
    """A gate for files whose regions have been blanked: it lets them pass.

    Args:
        gate: What judges all else.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.needs = gate.needs
        self.needs_nested = gate.needs_nested
        self.needs_items = gate.needs_items

    def judge(self, facts: Facts) -> Verdict:
        """Return what happens to an object with these facts; never raises."""
        verdict = self._gate.judge(facts)
        if verdict.outcome is Outcome.MASKED:
            return Verdict(Outcome.ALLOWED, verdict.reason)
        return verdict


class MaskedRules:
    """The rules of a share for images with blanked regions.

    They add that the pixels were cleaned, and how decoded pixels lie.

    Args:
        policy: The share's.
    """

    def __init__(self, policy: SharePolicy) -> None:
        rules = policy.for_clean_pixels()
        self._rules = rules
        self.decide = rules.decide
        self.dummy = rules.dummy
        self.length_max = rules.length_max
        self.uid = rules.uid
        self.text = rules.text
        self.code = rules.code

    @property
    def additions_need(self) -> Collection[int]:
        """The tags whose (already de-identified) values `additions` wants."""
        return {*self._rules.additions_need, PHOTOMETRIC, SAMPLES}

    def additions(self, facts: Mapping[int, str]) -> Sequence[Element]:
        """Return what is written into the main dataset, in tag order."""
        added = {one.tag: one for one in self._rules.additions(facts)}
        if facts.get(PHOTOMETRIC, "").startswith("YBR"):
            added[PHOTOMETRIC] = Element(PHOTOMETRIC, "CS", ("RGB",))
        if facts.get(SAMPLES) == _COLOURS:
            planar = Element(PLANAR_CONFIGURATION, "US", ("0",))
            added[PLANAR_CONFIGURATION] = planar
        return [added[tag] for tag in sorted(added)]
