"""Which images may be shown: nothing that is not known to be clean.

Text in pixels cannot be found with certainty, so an object is judged by what it is:
SOP class, Image Type, Burned In Annotation and the traces of a screen capture.
Source: PS3.15 E.3.1, and the rule that RSNA's CTP publishes for its DICOM filter.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orthanc_share.deidentification.bitstream import CLEANABLE
from orthanc_share.deidentification.gate import (
    Facts,
    Outcome,
    Reason,
    Values,
    Verdict,
)
from orthanc_share.deidentification.masks import DECODABLE
from orthanc_share.deidentification.profile import MaskRule, Profile
from orthanc_share.deidentification.regions import Region, outside
from orthanc_share.deidentification.storage_classes import (
    CLASSES,
    DOCUMENTS,
    RT_DOSE,
    ULTRASOUND,
    VIDEOS,
    WHOLE_SLIDE,
    StorageClass,
    Trust,
)

TRANSFER_SYNTAX: Final = 0x00020010
SOP_CLASS: Final = 0x00080016
IMAGE_TYPE: Final = 0x00080008
FRAME_TYPE: Final = 0x00089007
CONVERSION_TYPE: Final = 0x00080064
MANUFACTURER: Final = 0x00080070
MODEL: Final = 0x00081090
SERIES_DESCRIPTION: Final = 0x0008103E
SAMPLES_PER_PIXEL: Final = 0x00280002
PHOTOMETRIC: Final = 0x00280004
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
BURNED_IN: Final = 0x00280301
SPECIMEN_LABEL: Final = 0x00480010
REGIONS: Final = 0x00186011
_REGION_EDGES: Final = (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)
"""Region Location Min x0, Min y0, Max x1, Max y1; the last ones lie inside."""

_PALETTES = frozenset({0x00281201, 0x00281202, 0x00281203})
"""Red, green and blue of a palette; segmented ones and alpha are not kept."""

_CAPTURE = frozenset(0x00181000 + low for low in range(0x10, 0x1C))
"""What only captures, digitizers and printers write: (0018,1010) to (0018,101B)."""

_OVERLAY_BITS = frozenset(0x60000102 + (group << 16) for group in range(0, 0x20, 2))
"""Overlay Bit Position; not zero means an overlay within the pixel cells."""

KNOWN_MAX: Final = 1024
"""Verdicts that are remembered."""

_SUSPECT_TYPE = re.compile(
    "SECONDARY|SAVE|SCREEN|CAPTURE|LABEL|REPORT|OVERVIEW|THUMBNAIL|POSTER|SUMMARY"
    "|ANNOTAT|BURN|DOSE|INFO|PROTOCOL|\\bPROT\\b|\\N{REPLACEMENT CHARACTER}"
)
_SUSPECT_DOSE_TYPE = re.compile(_SUSPECT_TYPE.pattern.replace("|DOSE", ""))
_SUSPECT_DESCRIPTION = re.compile(
    r"SAVE|SCREEN ?(SHOT|CAP|GRAB)|(DOSE|PATIENT) ?(REPORT|INFO|PROT|SUMMARY)"
)
_SCANNED_DOCUMENT = "SD"
_SIZE_MAX = 65_535  # Rows and Columns are of VR US


class PixelGate:
    """The gate of a site.

    Args:
        profile: Which classes the site permits, and where its images have text.
    """

    needs: Final = (
        frozenset(
            {
                TRANSFER_SYNTAX,
                *(SOP_CLASS, IMAGE_TYPE, CONVERSION_TYPE, MANUFACTURER, MODEL),
                *(SERIES_DESCRIPTION, SAMPLES_PER_PIXEL, ROWS, COLUMNS, BURNED_IN),
                *(SPECIMEN_LABEL, PHOTOMETRIC),
            }
        )
        | _PALETTES
        | _CAPTURE
        | _OVERLAY_BITS
    )
    needs_nested: Final = frozenset({FRAME_TYPE, BURNED_IN})
    needs_items: Final[Mapping[int, frozenset[int]]] = {
        REGIONS: frozenset(_REGION_EDGES)
    }

    def __init__(self, profile: Profile) -> None:
        self._permits = frozenset(profile.allowed_modalities)
        self._masks = tuple(profile.masks)
        self._order = sorted(self.needs)
        self._known: dict[tuple[tuple[str, ...] | None, ...], Verdict] = {}

    def judge(self, facts: Facts) -> Verdict:
        """Return what happens to an object with these facts; never raises."""
        if facts.nested or facts.items:
            return self._judged(facts)
        # The images of a series differ in nothing that matters here.
        found = map(facts.values.get, self._order)
        key = tuple(None if one is None else tuple(one) for one in found)
        verdict = self._known.get(key)
        if verdict is None:
            verdict = self._judged(facts)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = verdict
        return verdict

    def _judged(self, facts: Facts) -> Verdict:
        sop_class = _only(facts.values, SOP_CLASS)
        storage = CLASSES.get(sop_class)
        if storage is None:
            return _blocked(_why_not_shown(sop_class))
        suspicion = _suspicion(facts, sop_class, storage)
        if suspicion is not None:
            return _blocked(suspicion)
        if storage.trust is Trust.PERMITTED and storage.permit not in self._permits:
            return _blocked(Reason.NOT_PERMITTED)
        return self._masked(facts, sop_class) or _declared(
            facts, storage, permitted=storage.permit in self._permits
        )

    def _masked(self, facts: Facts, sop_class: str) -> Verdict | None:
        """Return the verdict where there is a mask, None where there is none."""
        values = facts.values
        rows, columns = _number(values, ROWS), _number(values, COLUMNS)
        for rule in self._masks:
            if _fits(rule, values, rows, columns):
                return _mask(Reason.MASK_RULE, rule.regions, values)
        if sop_class not in ULTRASOUND or _says_clean(facts):
            return None
        kept = _ultrasound_regions(facts.items.get(REGIONS, ()))
        if not kept:
            return None
        around = outside(kept, max(rows, 0), max(columns, 0))
        return _mask(Reason.ULTRASOUND_REGIONS, around, values)


def _blocked(reason: Reason) -> Verdict:
    return Verdict(Outcome.BLOCKED, reason)


def _why_not_shown(sop_class: str) -> Reason:
    if sop_class in VIDEOS:
        return Reason.VIDEO
    if sop_class.startswith(DOCUMENTS):
        return Reason.DOCUMENT
    return Reason.UNKNOWN_CLASS


def _suspicion(facts: Facts, sop_class: str, storage: StorageClass) -> Reason | None:
    """Return what speaks against showing, whatever the site permits."""
    values = facts.values
    if sop_class == WHOLE_SLIDE and not _is_slide(values):
        return Reason.SLIDE_LABEL
    if _captured(values, storage):
        return Reason.SCREEN_CAPTURE
    if not _type_is_clean(facts, sop_class, storage):
        return Reason.IMAGE_TYPE
    return _hiding_place(values, storage)


def _hiding_place(values: Values, storage: StorageClass) -> Reason | None:
    """Return where text could be hidden so that nobody finds it."""
    if not CLEANABLE.issuperset(values.get(TRANSFER_SYNTAX, ())):
        return Reason.TRANSFER_SYNTAX
    if any(_filled(values, tag, but="0") for tag in _OVERLAY_BITS & values.keys()):
        return Reason.OVERLAY
    if not storage.colour and _filled(values, SAMPLES_PER_PIXEL, but="1"):
        return Reason.COLOUR
    coloured = _only(values, PHOTOMETRIC) == "PALETTE COLOR"
    return Reason.PALETTE if coloured and not values.keys() >= _PALETTES else None


def _is_slide(values: Values) -> bool:
    volume = tuple(values.get(IMAGE_TYPE, ()))[2:3] == ("VOLUME",)
    return volume and _only(values, SPECIMEN_LABEL) == "NO"


def _captured(values: Values, storage: StorageClass) -> bool:
    """Tell whether the image is a copy of a screen, a film or a sheet of paper."""
    description = " ".join(values.get(SERIES_DESCRIPTION, ())).upper()
    if _SUSPECT_DESCRIPTION.search(description.replace("_", " ")):
        return True
    if storage.permit == "SC":  # what the site permits is a capture anyway
        return _SCANNED_DOCUMENT in values.get(CONVERSION_TYPE, ())
    traces = (_CAPTURE | {CONVERSION_TYPE}) & values.keys()
    return any(_filled(values, tag) for tag in traces)


def _type_is_clean(facts: Facts, sop_class: str, storage: StorageClass) -> bool:
    image_type = facts.values.get(IMAGE_TYPE, ())
    if storage.typed and not any(image_type):
        return False
    if storage.permit == "SC":  # SECONDARY is what it has to say
        return True
    suspect = _SUSPECT_DOSE_TYPE if sop_class == RT_DOSE else _SUSPECT_TYPE
    words = (*image_type, *facts.nested.get(FRAME_TYPE, ()))
    return not any(suspect.search(word.upper()) for word in words)


def _declared(facts: Facts, storage: StorageClass, *, permitted: bool) -> Verdict:
    """Judge by what the image says of text burned in."""
    if _says_clean(facts):
        return Verdict(Outcome.ALLOWED, Reason.CLEAN)
    if _filled(facts.values, BURNED_IN) or any(facts.nested.get(BURNED_IN, ())):
        return _blocked(Reason.BURNED_IN)
    original = tuple(facts.values.get(IMAGE_TYPE, ()))[:1] == ("ORIGINAL",)
    clean = {
        Trust.ORIGIN: True,
        Trust.ORIGINAL: original,
        Trust.DECLARED: permitted,
        Trust.PERMITTED: False,
    }[storage.trust]
    if not clean:
        return _blocked(Reason.NOT_DECLARED)
    return Verdict(Outcome.ALLOWED, Reason.CLEAN)


def _says_clean(facts: Facts) -> bool:
    nested = {*facts.nested.get(BURNED_IN, ())}
    return _only(facts.values, BURNED_IN) == "NO" and nested <= {"NO", ""}


def _ultrasound_regions(items: Sequence[Values]) -> list[Region]:
    """Return the regions that can be read; one that cannot is not kept."""
    read = ([_number(item, tag) for tag in _REGION_EDGES] for item in items)
    return [
        Region(left, top, right - left + 1, bottom - top + 1)
        for left, top, right, bottom in read
        if 0 <= left <= right and 0 <= top <= bottom
    ]


def _fits(rule: MaskRule, values: Values, rows: int, columns: int) -> bool:
    names = (_only(values, MANUFACTURER), _only(values, MODEL))
    return (rule.rows, rule.columns, rule.manufacturer, rule.model) == (
        *(rows, columns),
        *names,
    )


def _mask(reason: Reason, blank: Iterable[Region], values: Values) -> Verdict:
    """Return a verdict; a mask that blanks nothing proves nothing."""
    rows, columns = (max(_number(values, tag), 0) for tag in (ROWS, COLUMNS))
    clipped = (region.clipped(rows, columns) for region in blank)
    regions = tuple(one for one in clipped if one.width and one.height)
    if not (regions and DECODABLE.issuperset(values.get(TRANSFER_SYNTAX, ()))):
        return _blocked(Reason.MASK_IMPOSSIBLE)
    return Verdict(Outcome.MASKED, reason, regions)


def _only(values: Values, tag: int) -> str:
    """Return the value of an element with exactly one value, else an empty text."""
    found = values.get(tag, ())
    return found[0].strip() if len(found) == 1 else ""


def _filled(values: Values, tag: int, *, but: str = "") -> bool:
    return any(value.strip() not in {"", but} for value in values.get(tag, ()))


def _number(values: Values, tag: int) -> int:
    """Return a whole number from 0 to 65,535, else -1."""
    text = _only(values, tag)
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_SIZE_MAX)):
        return -1
    return int(text) if int(text) <= _SIZE_MAX else -1
