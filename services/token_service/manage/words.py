"""The words of the pages, marked for translation; templates hold the others."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from orthanc_share.domain.access import Reason
from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.registry.links import LinkReason
from orthanc_share.store.records import Detail, Event, EventKind, ShareStatus
from orthanc_share.store.selection import Order


def translatable(message: str) -> str:
    """Mark `message` for translation, which the templates ask for."""
    return message


STATUSES: Final[Mapping[ShareStatus, str]] = {
    ShareStatus.ACTIVE: translatable("Active"),
    ShareStatus.NOT_YET: translatable("Not started"),
    ShareStatus.USED_UP: translatable("Used up"),
    ShareStatus.EXPIRED: translatable("Expired"),
    ShareStatus.REVOKED: translatable("Revoked"),
}
"""What a share is."""

ORDERS: Final[Mapping[Order, str]] = {
    Order.CREATED: translatable("Created"),
    Order.EXPIRES: translatable("End"),
    Order.LAST_OPENED: translatable("Last opened"),
}
"""What a list is sorted by."""

TYPES: Final[Mapping[ShareType, str]] = {
    ShareType.STONE_PUBLICATION: translatable("Stone Web Viewer"),
    ShareType.OHIF_PUBLICATION: translatable("OHIF Viewer"),
    ShareType.OSIMIS_PUBLICATION: translatable("Osimis Web Viewer"),
    ShareType.VOLVIEW_PUBLICATION: translatable("VolView"),
    ShareType.MEDDREAM_PUBLICATION: translatable("MedDream"),
    ShareType.MEDDREAM_INSTANT_LINK: translatable("MedDream, opened at once"),
    ShareType.VIEWER_INSTANT_LINK: translatable("Viewer of Orthanc Explorer 2"),
    ShareType.DOWNLOAD_INSTANT_LINK: translatable("Download"),
}
"""How a share is opened."""

EVENTS: Final[Mapping[EventKind, str]] = {
    EventKind.CREATED: translatable("Created"),
    EventKind.OPENED: translatable("Opened"),
    EventKind.GRANTED: translatable("Images shown (first of the day)"),
    EventKind.DENIED: translatable("Refused"),
    EventKind.SECOND_FACTOR_FAILED: translatable("Wrong password"),
    EventKind.CHANGED: translatable("Changed"),
    EventKind.REVOKED: translatable("Revoked"),
    EventKind.DEIDENTIFIED: translatable("De-identified"),
    EventKind.SWEPT: translatable("Removed from the list"),
}
"""What happened."""

REASONS: Final[Mapping[str, str]] = {
    LinkReason.INVALID: translatable("The link is damaged"),
    LinkReason.NOT_ALLOWED: translatable("Not opened that way"),
    LinkReason.EXPIRED: translatable("After its end"),
    LinkReason.NOT_YET_VALID: translatable("Before its start"),
    LinkReason.REVOKED: translatable("After it was revoked"),
    LinkReason.USED_UP: translatable("No opening was left"),
    LinkReason.WRONG_PASSWORD: translatable("Wrong password"),
    LinkReason.LOCKED: translatable("Too many wrong passwords"),
    Reason.NOT_YET_VALID: translatable("Before its start"),
    Reason.NEEDS_OPENING: translatable("Not opened at the landing page"),
    Reason.OTHER_RESOURCE: translatable("Images that are not in the share"),
    Reason.WRONG_METHOD: translatable("Not for reading"),
    Reason.WRONG_LEVEL: translatable("More than the studies of the share"),
    Reason.WRONG_SERVER: translatable("At another server than the share's"),
}
"""Why something was refused, where it can be said better than by its code."""

DURATIONS: Final[Mapping[int, str]] = {
    3_600: translatable("1 hour"),
    86_400: translatable("1 day"),
    604_800: translatable("1 week"),
    2_592_000: translatable("30 days"),
    7_776_000: translatable("90 days"),
    31_536_000: translatable("1 year"),
    0: translatable("No end"),
}
"""How long a new share may live: seconds, as the API has them."""

FIELDS: Final[Mapping[str, str]] = {
    "studies": translatable("Studies"),
    "type": translatable("Opens in"),
    "title": translatable("Title"),
    "duration": translatable("Valid for"),
    "expires": translatable("Ends (UTC)"),
    "max-openings": translatable("Most openings"),
    "password": translatable("Password"),
    "notify": translatable("Tell each opening to"),
    "reason": translatable("Reason"),
    "user": translatable("User"),
}
"""What the fields of forms are called."""

FIELD_ERRORS: Final[Mapping[str, str]] = {
    "studies": translatable(
        "Give one study on each line: its StudyInstanceUID, its Orthanc id, or both."
    ),
    "type": translatable("Choose one of the viewers."),
    "title": translatable("At most 255 characters on one line."),
    "duration": translatable("Choose one of the times."),
    "expires": translatable("Give a date and a time, such as 2026-12-31 18:00."),
    "max-openings": translatable("Give a whole number from 1 to 1000000, or nothing."),
    "password": translatable("Give 6 to 128 characters, or nothing."),
    "notify": translatable("Give an address of at most 2048 characters, or nothing."),
    "reason": translatable("At most 255 characters on one line."),
}
"""What a field takes, said where it got something else."""

DETAILS: Final[Mapping[str, str]] = {
    "type": translatable("Opens in"),
    "flavour": translatable("Images"),
    "title": translatable("Title"),
    "expires-at": translatable("Ends"),
    "max-openings": translatable("Most openings"),
    "password": translatable("Password"),
    "link": translatable("Link"),
}
"""What the details of an event are called."""

NONE: Final = translatable("none")
_VALUES: Final[Mapping[str, str]] = {
    **{kind.value: text for kind, text in TYPES.items()},
    Flavour.STANDARD.value: translatable("as they are"),
    Flavour.ANONYMIZED.value: translatable("de-identified"),
    "issued": translatable("one more"),
}


def code_of(event: Event) -> str | None:
    """Return what the reason of an event means; None: no code of ours that we know."""
    if event.kind not in {EventKind.DENIED, EventKind.SECOND_FACTOR_FAILED}:
        return None
    return REASONS.get(event.reason or "")


def details_of(event: Event) -> Iterator[tuple[str, str | datetime]]:
    """Yield the details of an event: what it is about, and what was said of it."""
    for name, value in event.details.items():
        yield DETAILS.get(name, name), _value(name, value)


def _value(name: str, value: Detail) -> str | datetime:
    if value is None or value is False:
        return NONE
    if value is True:
        return translatable("given")
    text = str(value)
    if name == "expires-at":
        return datetime.fromisoformat(text)
    return _VALUES.get(text, text)
