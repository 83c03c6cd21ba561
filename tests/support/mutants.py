"""Policies and gates with a hole: the leak tests must see each of them."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from orthanc_share.deidentification.actions import Action, Code
from orthanc_share.deidentification.gate import Facts, Outcome, Reason, Verdict
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.deidentification.profile import Profile

TEXTS = {"AE", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
"""VRs whose values a policy judges as texts."""

NUMBERS = {"AS", "DS", "IS"}
"""VRs of numbers that are written, and judged, as texts."""

LENGTH = 2**20


class Without(SharePolicy):
    """The policy without its rules for some elements: they pass as they are.

    Args:
        tags: The elements.
        pseudonyms: Of the share.
    """

    def __init__(self, tags: Collection[int], pseudonyms: SharePseudonyms) -> None:
        super().__init__(Profile(), pseudonyms)
        self._tags = frozenset(tags)

    @override
    def decide(self, tag: int, vr: str) -> Action:
        if tag not in self._tags:
            return super().decide(tag, vr)
        if vr == "SQ":
            return Action.RECURSE
        return Action.TEXT if vr in TEXTS | NUMBERS | {"UI"} else Action.KEEP

    @override
    def length_max(self, tag: int, vr: str) -> int:
        return LENGTH

    @override
    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        return tuple(values) if tag in self._tags else super().text(tag, vr, values)


class KeepsUids(SharePolicy):
    """Lets UIDs as they are."""

    @override
    def uid(self, uid: str) -> str:
        return uid


class KeepsCodes(SharePolicy):
    """Lets unknown codes as they are, with their value for a meaning."""

    @override
    def code(self, value: str, scheme: str) -> Code | None:
        return Code(value, scheme, value)


class KeepsPrivate(SharePolicy):
    """Lets private elements pass."""

    @override
    def decide(self, tag: int, vr: str) -> Action:
        if tag >> 16 & 1:
            return Action.TEXT if vr in TEXTS else Action.DROP
        return super().decide(tag, vr)

    @override
    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        if tag >> 16 & 1 == 0:
            return super().text(tag, vr, values)
        return tuple(value.encode("ascii", "replace").decode() for value in values)


class KeepsTexts(SharePolicy):
    """Denies no text that PS3.15 does not name: there is no default."""

    @override
    def decide(self, tag: int, vr: str) -> Action:
        decided = super().decide(tag, vr)
        return Action.TEXT if decided is Action.DROP and vr in _FREE else decided

    @override
    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        if super().decide(tag, vr) is Action.DROP:
            return tuple(values)
        return super().text(tag, vr, values)


_FREE = {"LO", "LT", "SH", "ST", "UC", "UT"}


class GateWithout(PixelGate):
    """Lets pass what the gate blocks for one reason.

    Args:
        reason: That one.
        profile: Of the site.
    """

    def __init__(self, reason: Reason, profile: Profile) -> None:
        super().__init__(profile)
        self._reason = reason

    @override
    def judge(self, facts: Facts) -> Verdict:
        verdict = super().judge(facts)
        is_off = verdict.blocked and verdict.reason is self._reason
        return Verdict(Outcome.ALLOWED, Reason.CLEAN) if is_off else verdict


class OpenGate(PixelGate):
    """Lets everything pass.

    Args:
        profile: Of the site; of no account.
    """

    def __init__(self, profile: Profile | None = None) -> None:
        super().__init__(profile or Profile())

    @override
    def judge(self, facts: Facts) -> Verdict:
        return Verdict(Outcome.ALLOWED, next(iter(Reason)))
