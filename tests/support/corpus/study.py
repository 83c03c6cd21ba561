"""The ground on which each file of the corpus stands: patient, study, series, image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from suite.leaktest.needles import Kind
from tests.support.corpus.canaries import Canaries
from tests.support.corpus.writer import EXPLICIT, El, Items, Meta, part10

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PT = "1.2.840.10008.5.1.4.1.1.128"

SIZE = 32
"""Rows and columns of the images."""


class Shown(StrEnum):
    """What becomes of the pixels of a file in the default profile."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    NONE = "none"
    """It has no pixels."""


@dataclass(frozen=True)
class CorpusFile:
    """A file of the corpus.

    Args:
        name: What it tries.
        content: Its bytes.
        sop_class: Its class.
        uid: SOPInstanceUID.
        series: SeriesInstanceUID.
        syntax: Transfer syntax.
        shown: What becomes of its pixels.
        pixels: Native pixels of its frames, if they can be compared; else None.
        is_refused: A codec may refuse it altogether.
    """

    name: str
    content: bytes = field(repr=False)
    sop_class: str
    uid: str
    series: str
    syntax: str
    shown: Shown
    pixels: bytes | None = field(default=None, repr=False)
    is_refused: bool = False


@dataclass
class Patient:
    """One patient with one study, and the canaries of both."""

    name: str
    canaries: Canaries = field(init=False)
    files: list[CorpusFile] = field(default_factory=list)

    def __post_init__(self) -> None:
        made = self.canaries = Canaries(self.name)
        self.patient_id = made.text("PatientID")
        self.study_uid = made.uid("StudyInstanceUID")
        self.frame_of_reference = made.uid("FrameOfReferenceUID")
        self.accession = made.text("AccessionNumber")
        self.birth_date = made.date("PatientBirthDate")
        self.study_date = made.date("StudyDate")
        self.study_time = made.time("StudyTime")
        self.age = made.age("PatientAge")
        self.weight = made.decimal("PatientWeight")
        self.pregnancy = made.short()
        self._series: dict[str, str] = {}
        self._head: dict[int, El] = {}

    def series(self, name: str) -> str:
        """Return the UID of the series of this name."""
        if name not in self._series:
            self._series[name] = self.canaries.uid(f"SeriesInstanceUID {name}")
        return self._series[name]

    def head(self, file: str, sop_class: str, modality: str) -> dict[int, El]:
        """Return patient, study, series and identity of a file, with canaries."""
        made, source = self.canaries, file
        uid = made.uid(f"{source}/SOPInstanceUID")
        series = self.series(f"{modality} {sop_class}")
        number = list(self._series.values()).index(series) + 1
        texts = {
            0x00080080: ("LO", "InstitutionName"),
            0x00080090: ("PN", "ReferringPhysicianName"),
            0x00081010: ("SH", "StationName"),
            0x00081030: ("LO", "StudyDescription"),
            0x0008103E: ("LO", "SeriesDescription"),
            0x00081070: ("PN", "OperatorsName"),
            0x00104000: ("LT", "PatientComments"),
        }
        elements = [
            El(0x00080005, "CS", "ISO_IR 100"),
            El(0x00080016, "UI", sop_class),
            El(0x00080018, "UI", uid),
            El(0x00080020, "DA", self.study_date),
            El(0x00080021, "DA", made.date(f"{source}/SeriesDate")),
            El(0x00080030, "TM", self.study_time),
            El(0x00080050, "SH", self.accession),
            El(0x00080060, "CS", modality),
            El(0x00100010, "PN", self._person(f"{source}/PatientName")),
            El(0x00100020, "LO", self.patient_id),
            El(0x00100030, "DA", self.birth_date),
            El(0x00100040, "CS", "F"),
            El(0x00101010, "AS", self.age),
            El(0x00101030, "DS", self.weight),
            El(0x001021C0, "US", [self.pregnancy]),
            El(0x0020000D, "UI", self.study_uid),
            El(0x0020000E, "UI", series),
            El(0x00200010, "SH", made.text(f"{source}/StudyID")),
            El(0x00200011, "IS", str(number)),
            El(0x00200013, "IS", str(len(self.files) + 1)),
            El(0x00200052, "UI", self.frame_of_reference),
            *(
                El(tag, vr, made.text(f"{source}/{keyword}"))
                for tag, (vr, keyword) in texts.items()
            ),
        ]
        self._head = {el.tag: el for el in elements}
        return dict(self._head)

    def _forget_replaced(self, file: str, elements: Mapping[int, El]) -> None:
        for tag, el in self._head.items():
            if elements.get(tag) is not el and isinstance(el.value, str):
                for part in el.value.split("^"):
                    self.canaries.forget(part, file)

    def _person(self, source: str) -> str:
        made = self.canaries
        return f"{made.text(f'{source} family')}^{made.text(f'{source} given')}"

    def meta(self, elements: Mapping[int, El], file: str) -> Meta:
        """Return a file meta group and a preamble full of canaries."""
        made = self.canaries
        return Meta(
            sop_class=str(elements[0x00080016].value),
            sop_instance=str(elements[0x00080018].value),
            preamble=f"II*\0 {made.text(f'{file}/preamble')}".encode(),
            more=(
                El(0x00020013, "SH", made.text(f"{file}/ImplementationVersionName")),
                El(0x00020016, "AE", made.text(f"{file}/SourceApplicationEntity")),
                El(0x00020100, "UI", made.uid(f"{file}/PrivateInformationCreator")),
                El(0x00020102, "OB", made.text(f"{file}/PrivateInformation").encode()),
            ),
        )

    def add(
        self,
        name: str,
        elements: Mapping[int, El] | Items,
        shown: Shown,
        syntax: str = EXPLICIT,
        pixels: bytes | None = None,
        *,
        is_sorted: bool = True,
        is_refused: bool = False,
    ) -> None:
        """Write a file and put it into the corpus."""
        by_tag = _by_tag(elements)
        self._forget_replaced(name, by_tag)
        listed = elements.values() if isinstance(elements, Mapping) else elements
        self.files.append(
            CorpusFile(
                name,
                part10(self.meta(by_tag, name), listed, syntax, is_sorted=is_sorted),
                sop_class=str(by_tag[0x00080016].value),
                uid=str(by_tag[0x00080018].value),
                series=str(by_tag[0x0020000E].value),
                syntax=syntax,
                shown=shown,
                pixels=pixels,
                is_refused=is_refused,
            )
        )

    def note_address(self, value: str, source: str) -> None:
        """Note an address or a name of a machine, which must not come out either."""
        self.canaries.known(Kind.ADDRESS, value, source)


def _by_tag(elements: Mapping[int, El] | Items) -> Mapping[int, El]:
    if isinstance(elements, Mapping):
        return elements
    first: dict[int, El] = {}
    for el in elements:
        first.setdefault(el.tag, el)
    return first


def image(
    *, bits: int = 16, frames: int = 1, seed: int = 0, colours: int = 1
) -> tuple[dict[int, El], bytes]:
    """Return the elements of an image, Pixel Data included, and its pixels."""
    count = SIZE * SIZE * frames * colours
    if bits == 8:
        pixels = bytes((seed * 7 + n * 5) % 251 for n in range(count))
    else:
        values = ((seed * 97 + n * 13) % 4096 for n in range(count))
        pixels = b"".join(value.to_bytes(2, "little") for value in values)
    stored = 8 if bits == 8 else 12
    elements = [
        El(0x00280002, "US", [colours]),
        El(0x00280004, "CS", "RGB" if colours == 3 else "MONOCHROME2"),
        El(0x00280010, "US", [SIZE]),
        El(0x00280011, "US", [SIZE]),
        El(0x00280100, "US", [bits]),
        El(0x00280101, "US", [stored]),
        El(0x00280102, "US", [stored - 1]),
        El(0x00280103, "US", [0]),
        El(0x7FE00010, "OB" if bits == 8 else "OW", pixels),
    ]
    if colours == 3:
        elements.append(El(0x00280006, "US", [0]))
    if frames > 1:
        elements.append(El(0x00280008, "IS", str(frames)))
    return {el.tag: el for el in elements}, pixels


def plane(kind: str = "ORIGINAL\\PRIMARY\\AXIAL") -> dict[int, El]:
    """Return type, position and scale of an image of CT or MR."""
    elements: Iterable[El] = (
        El(0x00080008, "CS", kind),
        El(0x00200032, "DS", "-10\\-10\\5"),
        El(0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
        El(0x00280030, "DS", "1.5\\1.5"),
        El(0x00180050, "DS", "3"),
        El(0x00281050, "DS", "600"),
        El(0x00281051, "DS", "1600"),
        El(0x00281052, "DS", "-1024"),
        El(0x00281053, "DS", "1"),
    )
    return {el.tag: el for el in elements}
