"""For each reason why the gate blocks an object: a file that nothing else blocks."""

from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.profile import Profile
from tests.support.corpus.build import corpus
from tests.support.corpus.documents import PDF
from tests.support.corpus.images import ULTRASOUND, VIDEO
from tests.support.corpus.study import (
    CT,
    SIZE,
    CorpusFile,
    Patient,
    Shown,
    image,
    plane,
)
from tests.support.corpus.writer import El, Items

_OF_CORPUS = {
    Reason.UNKNOWN_CLASS: "private class",
    Reason.NOT_PERMITTED: "us",
    Reason.IMAGE_TYPE: "ct screen",
    Reason.SLIDE_LABEL: "wsi label",
    Reason.SCREEN_CAPTURE: "ct digitized",
    Reason.OVERLAY: "embedded overlay",
    Reason.BURNED_IN: "ct burned",
    Reason.NOT_DECLARED: "cr",
}


def gate_cases() -> dict[Reason, tuple[CorpusFile, Profile]]:
    """Return the files, each with the profile that leaves that reason only."""
    of_corpus = {file.name: file for file in corpus().patient.files}
    default = Profile()
    cases = {reason: (of_corpus[name], default) for reason, name in _OF_CORPUS.items()}
    permits_ultrasound = Profile(allowed_modalities=frozenset({"US"}))
    whole: Items = [
        *(El(tag, "UL", [0]) for tag in (0x00186018, 0x0018601A)),
        *(El(tag, "UL", [SIZE - 1]) for tag in (0x0018601C, 0x0018601E)),
    ]
    more: dict[Reason, tuple[str, dict[int, El]]] = {
        # Native pixels, which its class should not have: no codec refuses those.
        Reason.DOCUMENT: (PDF, {}),
        Reason.VIDEO: (VIDEO, {}),
        Reason.COLOUR: (CT, plane() | image(bits=8, colours=3)[0]),
        Reason.PALETTE: (CT, plane() | _only(El(0x00280004, "CS", "PALETTE COLOR"))),
        Reason.MASK_IMPOSSIBLE: (ULTRASOUND, _only(El(0x00186011, "SQ", [whole]))),
    }
    patient = Patient("gate")
    for number, (reason, (sop_class, extra)) in enumerate(more.items()):
        layout, pixels = image(bits=8, seed=number)
        elements = patient.head(reason, sop_class, "OT") | layout | extra
        patient.add(reason, elements, Shown.BLOCKED, pixels=pixels)
        is_ultrasound = sop_class == ULTRASOUND
        profile = permits_ultrasound if is_ultrasound else default
        cases[reason] = (patient.files[-1], profile)
    return cases


def _only(element: El) -> dict[int, El]:
    return {element.tag: element}
