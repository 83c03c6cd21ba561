"""One instance, judged and de-identified by its metadata; pure, slow, for threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from anonymizer.addresses import Addresses
from anonymizer.describing import described_instance
from anonymizer.entries import InstanceEntry
from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError, Rules
from orthanc_share.deidentification.dicom_json import Dataset, deidentify_json
from orthanc_share.deidentification.gate import Facts, Outcome, Values, Verdict
from orthanc_share.deidentification.json_facts import facts_of_json
from orthanc_share.deidentification.masks import MaskedRules
from orthanc_share.deidentification.pixel_cells import LAYOUT_TAGS
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.policy import SharePolicy

PIXEL_DATA: Final = "7FE00010"
"""Path of the Pixel Data."""

UNREADABLE: Final = "not_deidentifiable"
"""Reason of a placeholder for an instance whose dataset is malformed."""

QIDO_TAGS: Final = (
    "00080016",  # SOP Class UID
    "00080018",  # SOP Instance UID
    "00200013",  # Instance Number
    "00280008",  # Number of Frames
    "00280010",  # Rows
    "00280011",  # Columns
    "00280100",  # Bits Allocated
)
"""What QIDO-RS answers of an instance. Source: PS3.18 table 10.6.3-5."""

_AVAILABLE_SYNTAX: Final = "00083002"
_FRAMES: Final = 0x00280008
_ROWS: Final = 0x00280010
_FRAMES_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class Judging:
    """What of a share decides how an instance is shown.

    Args:
        policy: What datasets may hold.
        gate: Which pixels may be shown.
        addresses: The addresses that answers name.
    """

    policy: SharePolicy
    gate: PixelGate
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the routes must know of an instance.

    Args:
        verdict: What happens to its pixels; None: its dataset cannot be read.
        reason: Why; stable code.
        frames: Number of frames that can be asked for.
        layout: How the pixels lie, for the codec of frames.
        shown: What QIDO-RS answers.
        served: Paths of the binary elements that are served.
        stand_in: Metadata of the placeholder, if there is one.
    """

    verdict: Verdict | None
    reason: str
    frames: int
    layout: Values = field(repr=False)
    shown: Dataset = field(repr=False)
    served: frozenset[str]
    stand_in: Dataset | None = field(repr=False, default=None)

    @property
    def is_blocked(self) -> bool:
        """Whether a placeholder stands in its place."""
        return self.stand_in is not None

    @property
    def has_pixels(self) -> bool:
        """Whether there are pixels that can be asked for."""
        return any(self.layout.get(_ROWS, ()))

    @property
    def is_masked(self) -> bool:
        """Whether regions of its pixels are blanked."""
        return self.verdict is not None and self.verdict.outcome is Outcome.MASKED


@dataclass(frozen=True, slots=True)
class Examined:
    """An instance and its metadata as they are shown.

    Args:
        entry: The instance.
        facts: What is known of it.
        metadata: DICOM JSON.
    """

    entry: InstanceEntry
    facts: ImageFacts
    metadata: Dataset = field(repr=False)


class _Curious:
    """A gate that wants to know the layout of the pixels besides."""

    def __init__(self, gate: PixelGate) -> None:
        self.needs = gate.needs | LAYOUT_TAGS
        self.needs_nested = gate.needs_nested
        self.needs_items = gate.needs_items
        self.judge = gate.judge


def examine(
    judging: Judging, entry: InstanceEntry, dataset: Mapping[str, Any]
) -> Examined:
    """Return an instance as it is shown.

    Args:
        judging: The context of the share.
        entry: The instance.
        dataset: Its metadata as Orthanc tells them.
    """
    served: set[str] = set()

    def bulk_uri(path: str) -> str:
        served.add(path)
        return judging.addresses.bulk(entry, path)

    try:
        facts = facts_of_json(dataset, _Curious(judging.gate), _syntax(dataset))
        verdict = judging.gate.judge(facts)
        rules: Rules = judging.policy
        if verdict.outcome is Outcome.MASKED:
            rules = MaskedRules(judging.policy)
        metadata = deidentify_json(dataset, rules, bulk_uri)
    except DeidentificationError:
        return unreadable(judging, entry)
    if verdict.blocked:
        return _blocked(judging, entry, metadata, verdict)
    return Examined(entry, _shown_facts(facts, verdict, metadata, served), metadata)


def unreadable(
    judging: Judging, entry: InstanceEntry, reason: str = UNREADABLE
) -> Examined:
    """Return the placeholder of an instance whose dataset cannot be read."""
    shown = described_instance(entry, judging.policy)
    return _stand_in(judging, entry, shown, reason, None)


def _blocked(
    judging: Judging, entry: InstanceEntry, metadata: Dataset, verdict: Verdict
) -> Examined:
    return _stand_in(judging, entry, metadata, verdict.reason, verdict)


def _stand_in(
    judging: Judging,
    entry: InstanceEntry,
    metadata: Dataset,
    reason: str,
    verdict: Verdict | None,
) -> Examined:
    address = judging.addresses.bulk(entry, PIXEL_DATA)
    made = placeholder.metadata(metadata, reason, address)
    facts = ImageFacts(
        verdict=verdict,
        reason=reason,
        frames=1,
        layout={},
        shown=_picked(made),
        served=frozenset({PIXEL_DATA}),
        stand_in=made,
    )
    return Examined(entry, facts, made)


def _shown_facts(
    facts: Facts, verdict: Verdict, metadata: Dataset, served: set[str]
) -> ImageFacts:
    return ImageFacts(
        verdict=verdict,
        reason=verdict.reason,
        frames=_frames(facts.values),
        layout={tag: tuple(facts.values.get(tag, ())) for tag in LAYOUT_TAGS},
        shown=_picked(metadata),
        served=frozenset(served),
    )


def _picked(metadata: Dataset) -> Dataset:
    return {name: metadata[name] for name in QIDO_TAGS if name in metadata}


def _frames(values: Values) -> int:
    text = "".join(values.get(_FRAMES, ()))
    is_number = text.isascii() and text.isdecimal() and len(text) <= _FRAMES_DIGITS
    return int(text) if is_number else 1


def _syntax(dataset: Mapping[str, Any]) -> str | None:
    """Return the transfer syntax, which only newer Orthancs tell here."""
    told = dataset.get(_AVAILABLE_SYNTAX)
    values = told.get("Value") if isinstance(told, dict) else None
    if isinstance(values, list) and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return None


_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def split(document: bytes) -> Sequence[msgspec.Raw]:
    """Return the datasets of a document, not decoded yet.

    Raises:
        DeidentificationError: It is no array.
    """
    try:
        return _split(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DeidentificationError("The document is no DICOM JSON.") from None


def dataset_of(raw: msgspec.Raw) -> dict[str, Any]:
    """Return one dataset.

    Raises:
        DeidentificationError: It is no object.
    """
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DeidentificationError("The document is no DICOM JSON.") from None
