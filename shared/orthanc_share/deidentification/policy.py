"""The policy of one share, as the codecs ask for it."""

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from orthanc_share.deidentification.actions import Action, Code, Element
from orthanc_share.deidentification.codes import known_code
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.deidentification.markers import marks
from orthanc_share.deidentification.profile import Option, Profile
from orthanc_share.deidentification.rulings import (
    PATIENT_ID,
    PATIENT_NAME,
    rulings,
)
from orthanc_share.deidentification.unlisted import Ruling
from orthanc_share.deidentification.values import DUMMIES, REMOVED, Cleaner

NAME = "Anonymous"
"""Patient's Name in every share."""

SHIFT_MIN = timedelta(days=366)
"""Shortest time by which dates are moved back."""

SHIFT_MAX = timedelta(days=3652)
"""Longest time by which dates are moved back: ten years."""

UIDS_REMEMBERED = 4096
"""Pseudonyms of UIDs that a policy keeps, so as not to compute them again."""

_CHARACTER_SET = 0x00080005
_MODALITY = 0x00080060
_SERIES_DESCRIPTION = 0x0008103E
_SERIES_NUMBER = 0x00200011
_DESCRIPTION_LENGTH_MAX = 64  # LO, PS3.5 6.2
_PADDING = " \0"
_DROP = Action.DROP


class _Compiled:
    """The rulings of a set of options, sorted for quick look-up.

    Args:
        known: As `rulings` returns them.
    """

    def __init__(self, known: Mapping[tuple[int, str], Ruling]) -> None:
        self.actions: dict[str, dict[int, Action]] = {}
        self.cleaners: dict[int, Cleaner] = {}
        self.lengths: dict[int, int] = {}
        for (tag, vr), ruling in known.items():
            self.actions.setdefault(vr, {})[tag] = ruling.action
            if ruling.clean is not None:
                self.cleaners[tag] = ruling.clean
            self.lengths[tag] = max(ruling.length_max, self.lengths.get(tag, 0))


@lru_cache(maxsize=16)
def _compiled(options: frozenset[Option]) -> _Compiled:
    return _Compiled(rulings(options))


class SharePolicy:
    """The rules of one share: `Rules` of `actions.py`.

    Args:
        profile: What the site lets pass.
        pseudonyms: Of the share.
        clean_pixels: Whether regions with text have been made black in the objects
            that it is used for: they are marked so.
    """

    def __init__(
        self,
        profile: Profile,
        pseudonyms: SharePseudonyms,
        *,
        clean_pixels: bool = False,
    ) -> None:
        self.profile = profile
        self.pseudonyms = pseudonyms
        self.patient_id = _patient_id(pseudonyms)
        self._shift = _shift(pseudonyms)
        self._marks = marks(profile.options, clean_pixels=clean_pixels)
        compiled = _compiled(profile.options)
        self._actions = compiled.actions
        self._cleaners = compiled.cleaners
        self._lengths = compiled.lengths
        self._uid = lru_cache(maxsize=UIDS_REMEMBERED)(pseudonyms.uid)

    def for_clean_pixels(self) -> "SharePolicy":
        """Return the same rules for objects whose pixels have been cleaned.

        They are marked with BurnedInAnnotation=NO and 113101 (PS3.15 E.3.1).
        """
        return SharePolicy(self.profile, self.pseudonyms, clean_pixels=True)

    def decide(self, tag: int, vr: str) -> Action:
        """Return what happens to an element (`Rules.decide`)."""
        try:
            return self._actions[vr].get(tag, _DROP)
        except KeyError:
            return _DROP

    def dummy(self, tag: int, vr: str) -> tuple[str, ...]:
        """Return what is written for `Action.DUMMY` (`Rules.dummy`)."""
        if tag == PATIENT_NAME:
            return (NAME,)
        if tag == PATIENT_ID:
            return (self.patient_id,)
        return (DUMMIES.get(vr, REMOVED),)

    def length_max(self, tag: int, vr: str) -> int:  # noqa: ARG002 - part of Rules
        """Return the longest value in bytes for `Action.KEEP` (`Rules.length_max`)."""
        return self._lengths.get(tag, 0)

    def uid(self, uid: str) -> str:
        """Return the pseudonym of a UID, with or without padding (`Rules.uid`)."""
        return self._uid(uid.strip(_PADDING))

    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:  # noqa: ARG002
        """Return what is written for `Action.TEXT` (`Rules.text`)."""
        clean = self._cleaners.get(tag)
        return None if clean is None else clean(values, self._shift.days)

    def code(self, value: str, scheme: str) -> Code | None:
        """Return what is written for a coded entry (`Rules.code`)."""
        return known_code(value.strip(_PADDING), scheme.strip(_PADDING))

    def additions(self, facts: Mapping[int, str]) -> Sequence[Element]:
        """Return what is written into the main dataset (`Rules.additions`)."""
        return (
            Element(_CHARACTER_SET, "CS", ("ISO_IR 192",)),
            Element(_SERIES_DESCRIPTION, "LO", (self._description(facts),)),
            Element(PATIENT_NAME, "PN", (NAME,)),
            Element(PATIENT_ID, "LO", (self.patient_id,)),
            *self._marks,
        )

    @property
    def additions_need(self) -> Collection[int]:
        """The tags whose de-identified values `additions` wants."""
        return (_MODALITY, _SERIES_DESCRIPTION, _SERIES_NUMBER)

    def _description(self, facts: Mapping[int, str]) -> str:
        """Return a description that tells the series of a study apart."""
        described = self._checked(facts, _SERIES_DESCRIPTION)
        if described:  # only with the option Clean Descriptors
            return described[:_DESCRIPTION_LENGTH_MAX].rstrip()
        modality = self._checked(facts, _MODALITY) or "OT"
        return f"{modality} {self._checked(facts, _SERIES_NUMBER)}".rstrip()

    def _checked(self, facts: Mapping[int, str], tag: int) -> str:
        """Return the fact, checked even if the codec gives the original value."""
        values = self.text(tag, "", (facts.get(tag, ""),))
        return values[0] if values else ""


def build_policy(profile: Profile, key: bytes, share_id: str) -> SharePolicy:
    """Return the rules of one share.

    Args:
        profile: What the site lets pass.
        key: The site's `DEIDENTIFICATION_KEY`.
        share_id: Id of the share (`jti`).
    """
    return SharePolicy(profile, SharePseudonyms(key, share_id))


def _patient_id(pseudonyms: SharePseudonyms) -> str:
    digest = base64.b32encode(pseudonyms.secret("patient-id"))
    return f"ANON-{digest[:8].decode()}"


def _shift(pseudonyms: SharePseudonyms) -> timedelta:
    band = (SHIFT_MAX - SHIFT_MIN).days + 1
    number = int.from_bytes(pseudonyms.secret("date-shift")[:8], "big")
    return SHIFT_MIN + timedelta(days=number % band)
