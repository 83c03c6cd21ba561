"""The wire format of the audit trail: what is asked of it, and what it answers."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictStr,
    model_validator,
)

from orthanc_share.domain.resource import is_uid
from orthanc_share.store.audit import PAGE_MAX, EventFilter
from orthanc_share.store.text import TEXT_LENGTH_MAX
from orthanc_share.store.verifying import BEGINNING, Anchor, Broken, Intact
from token_service.registry_requests import PAGE_LENGTH, Cursor, Number, Request
from token_service.wire import Instant, Wire

STEP_MAX = 20_000
"""Most events that one question follows, so that its answer comes soon."""

ANCHORS_MAX = 1000
"""Most anchors of one question."""


def _uid(text: str) -> str:
    if not is_uid(text):
        raise ValueError("should be a StudyInstanceUID")
    return text


def _anchor(value: object) -> Anchor:
    if isinstance(value, Anchor):
        return value
    return Anchor.read(value if isinstance(value, str) else "")


AnchorText = Annotated[
    Anchor,
    BeforeValidator(_anchor, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
    Field(description="Number and hash of an event: `4711:9f86…`"),
]
"""An event that was noted."""


class AuditQuery(Request):
    """Which events to list; all that is given must be true."""

    since: Annotated[Instant, Field(description="First instant, ISO 8601")] = None
    until: Annotated[
        Instant, Field(description="First instant that is left out, ISO 8601")
    ] = None
    share: Annotated[
        Annotated[StrictStr, Field(min_length=1, max_length=TEXT_LENGTH_MAX)] | None,
        Field(description="Only of this share"),
    ] = None
    study: Annotated[
        Annotated[StrictStr, AfterValidator(_uid)] | None,
        Field(description="Only of this StudyInstanceUID, also where it is hashed"),
    ] = None
    limit: Annotated[Number, Field(ge=1, le=PAGE_MAX)] = PAGE_LENGTH
    cursor: Cursor = None

    def to_filter(self) -> EventFilter:
        """Return which events are meant."""
        return EventFilter(self.since, self.until, self.share, self.study)


class VerificationRequest(Request):
    """From where on to follow the trail, and what was noted of it."""

    after: Annotated[
        AnchorText, Field(description="`anchor` of the answer before; absent: all")
    ] = BEGINNING
    anchors: Annotated[
        tuple[AnchorText, ...],
        Field(max_length=ANCHORS_MAX, description="Noted earlier; none before `after`"),
    ] = ()

    @model_validator(mode="after")
    def _looks_ahead(self) -> "VerificationRequest":
        if any(anchor.seq < self.after.seq for anchor in self.anchors):
            raise ValueError("names an anchor before `after`")
        return self


class Verdict(Wire):
    """Whether the trail is as it was written."""

    intact: bool
    anchor: Annotated[
        AnchorText | None,
        Field(description="The last event that was followed; null: it is broken"),
    ] = None
    more: Annotated[
        bool, Field(description="Whether it goes on: ask again with `after`")
    ] = False
    seq: Annotated[
        int | None, Field(description="The first event that does not fit; null: none")
    ] = None
    problem: Annotated[
        str | None, Field(description="What is wrong there; null: nothing")
    ] = None

    @classmethod
    def of(cls, found: Intact | Broken) -> "Verdict":
        """Return the wire form of what was found."""
        if isinstance(found, Broken):
            return cls(intact=False, seq=found.seq, problem=found.problem)
        return cls(intact=True, anchor=found.reached, more=found.has_more)

    def to_found(self) -> Intact | Broken:
        """Return what was found.

        Raises:
            ValueError: The answer says neither.
        """
        if self.intact and self.anchor is not None:
            return Intact(self.anchor, self.more)
        if self.intact or self.seq is None:
            raise ValueError("says neither that it is intact, nor where it is broken")
        return Broken(self.seq, self.problem or "")
