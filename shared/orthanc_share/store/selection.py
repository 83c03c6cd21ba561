"""Which shares are meant, in what order, and the pages of a list."""

from dataclasses import dataclass
from enum import StrEnum

from orthanc_share.store.records import ShareStatus, StoredShare

PAGE_MAX = 500
"""Most shares of one page."""


class Order(StrEnum):
    """What a list is sorted by; among equals by id."""

    CREATED = "created"
    EXPIRES = "expires"
    LAST_OPENED = "last-opened"


class Direction(StrEnum):
    """What comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, slots=True)
class ShareFilter:
    """Which shares are meant; what is not given does not narrow.

    Args:
        status: Those that are this now.
        creator: Those that this one made.
        study: Those that open this resource, by DICOM UID or by Orthanc id.
        text: Those whose id, title, label or creator has, for every word of the text,
            a word that begins so. A text without any word finds nothing.
    """

    status: ShareStatus | None = None
    creator: str | None = None
    study: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Args:
        shares: In order.
        cursor: Gives the next page; None: this is the last.
    """

    shares: tuple[StoredShare, ...]
    cursor: str | None
