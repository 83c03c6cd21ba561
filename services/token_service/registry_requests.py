"""The wire format of what is asked of the registry: bodies and queries.

They are stricter than the plugin's: a member that is misspelt is refused, because a
filter, a limit or a `dry-run` that is passed over does harm.
"""

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from orthanc_share.domain.lifetime import ABSURD_DURATION
from orthanc_share.registry.changing import End, Wishes
from orthanc_share.store.audit import PAGE_MAX as EVENTS_MAX
from orthanc_share.store.records import UNSET, ShareStatus
from orthanc_share.store.revoking import Selection
from orthanc_share.store.selection import (
    PAGE_MAX as SHARES_MAX,
    Direction,
    Order,
    ShareFilter,
)
from orthanc_share.store.text import TEXT_LENGTH_MAX
from token_service.wire import (
    Expiry,
    Instant,
    MaxOpenings,
    Password,
    ShortText,
    Title,
    Wire,
    revealed,
)

PAGE_LENGTH = 50
"""Shares or events of a page where no number is asked for."""

STUDY_LENGTH_MAX = 64
"""Longest id of a study, in characters: that of a UID (PS3.5 9.1)."""

CURSOR_LENGTH_MAX = 256
"""Longest cursor that is looked at, in characters."""


def _number(value: Any) -> Any:
    # `int` would take blanks, signs, underscores and the digits of other scripts.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:20])
    raise ValueError("should be a whole number")


Number = Annotated[int, BeforeValidator(_number, json_schema_input_type=int)]
"""A number in a query."""

Cursor = Annotated[
    Annotated[StrictStr, Field(max_length=CURSOR_LENGTH_MAX)] | None,
    Field(description="`next` of the page before"),
]
Study = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=STUDY_LENGTH_MAX)] | None,
    Field(description="Only of this study: StudyInstanceUID or Orthanc id"),
]
Creator = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=TEXT_LENGTH_MAX)] | None,
    Field(description="Only those that this user made"),
]
RevocationReason = Annotated[ShortText | None, Field(description="For the record")]


class Request(Wire):
    """A body or query that is no plugin's: kebab-case only, nothing unknown."""

    model_config = ConfigDict(
        populate_by_name=False, json_schema_extra={"additionalProperties": False}
    )

    @model_validator(mode="before")
    @classmethod
    def _knows(cls, content: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        if isinstance(content, dict) and not content.keys() <= set(known):
            # Named is what is right: what is wrong may be anything.
            raise ValueError(f"knows only {', '.join(known)}")
        return content


class SharesQuery(Request):
    """Which shares to list, and in which order."""

    status: ShareStatus | None = None
    creator: Creator = None
    study: Study = None
    text: Annotated[
        Annotated[StrictStr, Field(min_length=1, max_length=TEXT_LENGTH_MAX)] | None,
        Field(description="Words, or beginnings, of title, label, creator or id"),
    ] = None
    sort: Order = Order.CREATED
    order: Direction = Direction.DESCENDING
    limit: Annotated[Number, Field(ge=1, le=SHARES_MAX)] = PAGE_LENGTH
    cursor: Cursor = None

    def to_filter(self) -> ShareFilter:
        """Return which shares are meant."""
        return ShareFilter(
            status=self.status, creator=self.creator, study=self.study, text=self.text
        )


class EventsQuery(Request):
    """Which part of the events of a share."""

    limit: Annotated[Number, Field(ge=1, le=EVENTS_MAX)] = PAGE_LENGTH
    cursor: Cursor = None


class ReasonQuery(Request):
    """Why a share is taken back."""

    reason: RevocationReason = None


class RevocationRequest(Request):
    """Why a share is taken back."""

    reason: RevocationReason = None


class SelectionRequest(Request):
    """Which shares to take back: those for which all that is given is true."""

    study: Study = None
    creator: Creator = None
    created_before: Annotated[
        Instant, Field(description="Only those made before this instant, ISO 8601")
    ] = None
    reason: RevocationReason = None
    dry_run: Annotated[StrictBool, Field(description="Only count them")] = False

    def to_selection(self) -> Selection:
        """Return which shares are meant.

        Raises:
            InvalidSelectionError: Nothing says which.
        """
        return Selection(self.study, self.creator, self.created_before)


class ChangeRequest(Request):
    """What to change in a share; what is not there stays."""

    title: Title = None
    expiration_date: Expiry = None
    validity_duration: Annotated[
        Annotated[StrictInt, Field(ge=0, le=int(ABSURD_DURATION.total_seconds()))]
        | None,
        Field(description="Seconds from now on; 0 or null: never"),
    ] = None
    max_openings: MaxOpenings = None
    password: Password = None

    @model_validator(mode="after")
    def _has_one_end(self) -> "ChangeRequest":
        if {"expiration_date", "validity_duration"} <= self.model_fields_set:
            raise ValueError("names expiration-date and validity-duration: give one")
        return self

    def to_wishes(self) -> Wishes:
        """Return what is wanted; a member that is null is wanted too."""
        given = self.model_fields_set
        return Wishes(
            title=self.title if "title" in given else UNSET,
            end=self._end()
            if given & {"expiration_date", "validity_duration"}
            else UNSET,
            max_openings=self.max_openings if "max_openings" in given else UNSET,
            password=revealed(self.password) if "password" in given else UNSET,
        )

    def _end(self) -> End:
        return End(self.expiration_date, self.validity_duration or 0)
