"""What the policy tells the codecs: the words that all parts of the engine share."""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from orthanc_share.domain.errors import OrthancShareError


class DeidentificationError(OrthancShareError):
    """The object cannot be de-identified safely: nothing more of it may go out.

    Its text names the place and the kind of the fault, never a value.
    """

    code = "not_deidentifiable"


class Action(Enum):
    """What happens to one element."""

    DROP = "drop"
    """It is not written."""

    EMPTY = "empty"
    """It is written with length zero."""

    DUMMY = "dummy"
    """It is written with `Rules.dummy`, whatever it held, if it is there at all."""

    KEEP = "keep"
    """A number or a harmless binary: written as it is, if its length fits its VR and
    is not beyond `Rules.length_max`; else dropped."""

    UID = "uid"
    """Each of its UIDs is written as `Rules.uid` maps it."""

    TEXT = "text"
    """Its values are written as `Rules.text` returns them."""

    CODE = "code"
    """Part of a coded entry (PS3.3 8.8): `Rules.code` judges the whole item."""

    RECURSE = "recurse"
    """A sequence: the same rules hold in each of its items."""


class Element(NamedTuple):
    """An element that the policy itself writes.

    Args:
        tag: `0xGGGGEEEE`.
        vr: Value representation, two letters.
        values: Texts; for `SQ` items, each a sequence of elements in tag order.
    """

    tag: int
    vr: str
    values: Sequence["str | Sequence[Element]"]


class Code(NamedTuple):
    """A coded entry: the three of PS3.3 8.8 that are written."""

    value: str
    scheme: str
    meaning: str


class Rules(Protocol):
    """The policy for one share, as the codecs for bytes and for JSON use it.

    All methods are pure and quick; `decide` is called for every element.
    """

    def decide(self, tag: int, vr: str) -> Action:
        """Return what happens to an element.

        Args:
            tag: `0xGGGGEEEE`; never a group length, nor of group 0002.
            vr: The VR in the data. Where the data has none (implicit VR) that of the
                dictionary, `UN` for unknown tags. A VR that contradicts the dictionary
                is a reason to drop.
        """

    def dummy(self, tag: int, vr: str) -> tuple[str, ...]:
        """Return what is written for `Action.DUMMY`: ASCII, valid for the VR."""

    def length_max(self, tag: int, vr: str) -> int:
        """Return the longest value in bytes that `Action.KEEP` lets pass."""

    def uid(self, uid: str) -> str:
        """Return the pseudonym of a UID; UIDs of the standard stay."""

    def text(self, tag: int, vr: str, values: Sequence[str]) -> tuple[str, ...] | None:
        """Return the values to write for `Action.TEXT`: ASCII, valid for the VR.

        Args:
            tag: The element.
            vr: Its VR.
            values: Its values, decoded as ISO 8859-1, without padding.

        Returns:
            None: they cannot be shown; the element is written with length zero.
        """

    def code(self, value: str, scheme: str) -> Code | None:
        """Return what is written for a coded entry; None: its whole item is left out.

        Args:
            value: Code Value (or Long Code Value, or URN Code Value).
            scheme: Coding Scheme Designator.
        """

    def additions(self, facts: Mapping[int, str]) -> Sequence[Element]:
        """Return what is written into the main dataset, in tag order.

        They replace what was there: character set, pseudonym, markers of PS3.15 E.1.1.

        Args:
            facts: Values of the original for the tags in `additions_need`.
        """

    @property
    def additions_need(self) -> Collection[int]:
        """The tags whose (already de-identified) values `additions` wants."""
