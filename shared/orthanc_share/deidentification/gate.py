"""The words in which codecs and gate speak of pixels: facts, verdict, refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.regions import Region


class Outcome(Enum):
    """What happens to the pixels of an object."""

    ALLOWED = "allowed"
    """They go out as they are."""

    MASKED = "masked"
    """They go out with `Verdict.regions` blanked."""

    BLOCKED = "blocked"
    """Nothing of the object goes out."""


class Reason(StrEnum):
    """Why; the codes are stable: counters and placeholders name them."""

    CLEAN = "clean"
    MASK_RULE = "mask-rule"
    ULTRASOUND_REGIONS = "ultrasound-regions"
    UNKNOWN_CLASS = "unknown-class"
    DOCUMENT = "document"
    VIDEO = "video"
    NOT_PERMITTED = "modality-not-permitted"
    TRANSFER_SYNTAX = "transfer-syntax"
    IMAGE_TYPE = "image-type"
    SLIDE_LABEL = "slide-label"
    SCREEN_CAPTURE = "screen-capture"
    COLOUR = "colour"
    OVERLAY = "overlay-in-pixels"
    PALETTE = "palette"
    BURNED_IN = "burned-in"
    NOT_DECLARED = "burned-in-unknown"
    MASK_IMPOSSIBLE = "mask-impossible"
    TEXT_IN_PIXELS = "text-in-pixels"
    NOT_LOOKED_AT = "pixels-not-looked-at"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found.

    Args:
        outcome: What happens to the pixels.
        reason: Stable code.
        regions: The rectangles to blank in every frame; empty unless masked.
    """

    outcome: Outcome
    reason: Reason
    regions: tuple[Region, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether nothing of the object may go out."""
        return self.outcome is Outcome.BLOCKED


class BlockedInstanceError(DeidentificationError):
    """The gate does not let the object pass; nothing of it has gone out.

    Args:
        verdict: Why.
    """

    code = "blocked_instance"

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"The instance is not shown: {verdict.reason}.")
        self.verdict = verdict


Values = Mapping[int, Sequence[str]]
"""Values by tag: texts decoded as ISO 8859-1, without padding, numbers in decimals."""

_NOTHING: Values = MappingProxyType({})

UNREADABLE = ("\N{REPLACEMENT CHARACTER}",)
"""The values of an element that is there, but cannot be read."""


class Facts(NamedTuple):
    """What the gate must know of an object.

    Args:
        values: The elements of the main dataset that `Gate.needs` names, also the
            Transfer Syntax UID (0002,0010) where it is known.
        nested: All values of the elements that `Gate.needs_nested` names, in whatever
            sequence and depth.
        items: The items of the sequences of the main dataset that `Gate.needs_items`
            names, each with the elements named there.
    """

    values: Values
    nested: Values = _NOTHING
    items: Mapping[int, Sequence[Values]] = MappingProxyType({})


class Gate(Protocol):
    """What the codecs ask before the first byte goes out."""

    @property
    def needs(self) -> frozenset[int]:
        """The elements of the main dataset (and of group 0002) it wants."""

    @property
    def needs_nested(self) -> frozenset[int]:
        """The elements it wants from all sequences, whatever their depth."""

    @property
    def needs_items(self) -> Mapping[int, frozenset[int]]:
        """The elements it wants from each item of a sequence of the main dataset."""

    def judge(self, facts: Facts) -> Verdict:
        """Return what happens to the object; never raises."""
