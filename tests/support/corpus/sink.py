"""The kitchen sink: one CT that holds every attribute of the dictionary."""

from collections.abc import Iterator

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from orthanc_share.deidentification.table import TABLE
from tests.support.corpus.canaries import Canaries
from tests.support.corpus.study import CT, Patient, Shown, image, plane
from tests.support.corpus.writer import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    El,
    Items,
)

SYNTAXES = {
    "explicit": EXPLICIT,
    "implicit": IMPLICIT,
    "big endian": BIG_ENDIAN,
    "deflated": DEFLATED,
}

GATE = frozenset(
    {
        0x00080008,  # ImageType
        0x00080064,  # ConversionType
        0x00080068,  # PresentationIntentType
        0x00180022,  # ScanOptions
        0x00181010,  # SecondaryCaptureDeviceID and its kin
        0x00181011,
        0x00181012,
        0x00181014,
        0x00181016,
        0x00181017,
        0x00181018,
        0x00181019,
        0x0018101A,
        0x0018101B,
        0x00081123,
        0x00280301,  # BurnedInAnnotation
        0x00280302,  # RecognizableVisualFeatures
    }
)
"""What may make the gate block an image."""

_STRUCTURE = frozenset(
    {
        *(0x00080001, 0x00080005, 0x00080006, 0x00080016, 0x00080018, 0x00080060),
        *(0x0020000D, 0x0020000E, 0x00200011, 0x00200013, 0x00100020),
        *range(0x00280000, 0x00280010),  # layout of the pixels
        *range(0x00280010, 0x00280015),
        *range(0x00280031, 0x00280107),
        *range(0x00280400, 0x00280500),
        *range(0x7FE00000, 0x7FE1FFFF),
        *(0x00280A02, 0x00287FE0, 0x00282110, 0x00282112, 0x00282114, 0x00189004),
    }
)
"""What would make the file something else than an image, or unreadable."""

_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
_TEXT = {"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"}
_NUMBERS = {"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"}
_NESTED = 0x00081199  # an attribute that sequences are nested with


def value(made: Canaries, tag: int, vr: str, source: str) -> El:
    """Return an element with a canary in the form that its VR has."""
    source = f"{source} {vr}"
    makers = {
        "PN": lambda: f"{made.text(source)}^{made.text(source)}",
        "UR": lambda: f"http://{made.text(source)}.example/{made.text(source)}",
        "UI": lambda: made.uid(source),
        "DA": lambda: made.date(source),
        "TM": lambda: made.time(source),
        "DT": lambda: made.moment(source),
    }
    if tag in TABLE:  # numbers that may tell who it is
        makers["AS"] = lambda: made.age(source)
        makers["DS"] = lambda: made.decimal(source)
        makers["IS"] = lambda: made.integer(source)
    if vr in makers:
        return El(tag, vr, makers[vr]())
    if vr in _TEXT:
        return El(tag, vr, made.text(source))
    if vr in _BINARY:
        return El(tag, vr, made.text(source).encode())
    if vr in _NUMBERS:
        return El(tag, vr, [made.short() if vr == "US" and tag in TABLE else 1])
    if vr == "AT":
        return El(tag, vr, [0x00280010])
    return El(tag, vr, {"AS": "097Y", "DS": "1.5", "IS": "1"}[vr])


def item(made: Canaries, source: str, depth: int = 1) -> Items:
    """Return an item that holds what identifies, and itself once more."""
    wanted = (
        (0x00080050, "SH"),
        (0x00080100, "SH"),
        (0x00080102, "SH"),
        (0x00080104, "LO"),
        (0x00081155, "UI"),
        (0x0008103E, "LO"),
        (0x00100010, "PN"),
        (0x00100020, "LO"),
        (0x0008002A, "DT"),
        (0x00100030, "DA"),
        (0x0040A121, "DA"),
        (0x0040A122, "TM"),
        (0x0040A160, "UT"),
        (0x00091002, "OB"),
        (0x00091003, "UN"),
    )
    own = f"{source} item"
    elements = [value(made, tag, vr, f"{own}/{tag:08X}") for tag, vr in wanted]
    elements.append(El(0x00090010, "LO", made.text(f"{own}/creator")))
    if depth:
        nested = item(made, f"{own}/{_NESTED:08X}", depth - 1)
        elements.append(El(_NESTED, "SQ", [nested], undefined=True))
    return elements


def attributes(made: Canaries, source: str, leave_out: frozenset[int]) -> Iterator[El]:
    """Give every attribute of the dictionary, with canaries."""
    unwanted = leave_out | _STRUCTURE
    for tag, (vrs, _vm, _name, _retired, keyword) in DicomDictionary.items():
        if tag >> 16 < 0x0008 or tag & 0xFFFF == 0 or tag in unwanted:
            continue
        vr = vrs.split(" or ")[0]
        if vr == "NONE" or tag >> 16 == 0xFFFE:
            continue
        own = f"{source}/{tag:08X} {keyword}"
        if vr == "SQ":
            depth = int(tag % 8 == 0)
            yield El(tag, "SQ", [item(made, own, depth)], undefined=tag % 4 < 2)
        else:
            yield value(made, tag, vr, own)


def repeated(made: Canaries, source: str) -> Iterator[El]:
    """Give curves and overlays (groups 50xx and 60xx)."""
    for mask, (vrs, _vm, _name, _retired, keyword) in RepeatersDictionary.items():
        if not mask.startswith(("50xx", "60xx")):
            continue
        tag = int(mask.replace("xx", "02"), 16)
        vr = vrs.split(" or ")[0]
        if vr == "SQ":
            yield El(tag, "SQ", [item(made, f"{source}/{mask} {keyword}")])
        elif tag not in {0x60020102, 0x60020100}:
            yield value(made, tag, vr, f"{source}/{mask} {keyword}")


def private(made: Canaries, source: str) -> Iterator[El]:
    """Give private blocks, known and unknown, and what comes after Pixel Data."""
    for group in (0x0009, 0x0029, 0x7053, 0x7FE1):
        own = f"{source}/private {group:04X}"
        base = group << 16
        creator = "Philips PET Private Group" if group == 0x7053 else made.text(own)
        yield El(base | 0x0010, "LO", creator)
        for number, vr in enumerate(("LO", "OB", "UN", "PN", "DA", "UI")):
            yield value(made, base | 0x1000 | number, vr, own)
        yield El(base | 0x1010, "SQ", [item(made, own)], undefined=True)
    yield El(0xFFFAFFFA, "SQ", [item(made, f"{source}/FFFAFFFA signature")])
    yield El(0xFFFCFFFC, "OB", made.text(f"{source}/FFFCFFFC padding").encode())


def add_sinks(patient: Patient) -> None:
    """Put kitchen sinks into the corpus: four that are shown, one that is not."""
    for name, syntax in SYNTAXES.items():
        _add(patient, f"sink {name}", syntax, GATE, Shown.ALLOWED)
    _add(patient, "sink blocked", EXPLICIT, frozenset(), Shown.BLOCKED)


def _add(
    patient: Patient, name: str, syntax: str, leave_out: frozenset[int], shown: Shown
) -> None:
    made = patient.canaries
    layout, pixels = image(seed=len(patient.files))
    position = plane() if shown is Shown.ALLOWED else {}
    head = patient.head(name, CT, "CT")
    elsewhere = {*head, *layout, *position, *_LAST}
    elements = {el.tag: el for el in attributes(made, name, leave_out | elsewhere)}
    elements |= {el.tag: el for el in repeated(made, name)}
    elements |= {el.tag: el for el in private(made, name)}
    elements |= head | position | layout
    if shown is Shown.ALLOWED:
        kind = f"ORIGINAL\\PRIMARY\\AXIAL\\{made.text(f'{name}/ImageType 4')}"
        elements[0x00080008] = El(0x00080008, "CS", kind)
    if syntax == BIG_ENDIAN:
        data = elements[0x7FE00010].value
        assert isinstance(data, bytes)
        swapped = b"".join(data[n : n + 2][::-1] for n in range(0, len(data), 2))
        elements[0x7FE00010] = El(0x7FE00010, "OW", swapped)
    patient.add(name, elements, shown, syntax, pixels)


_LAST = (0xFFFAFFFA, 0xFFFCFFFC)
