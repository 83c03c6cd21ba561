"""The wire format between services: what landing and the anonymizer ask.

The answers are written by `orthanc_share.registry.messages`, which reads them at the
other end too; here they are described.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, RootModel, SecretStr, StrictInt, StrictStr, model_validator

from orthanc_share.registry.links import Link, LinkReason, Opening
from orthanc_share.registry.messages import REPORT_MAX
from orthanc_share.store.records import Origin, Tally, View
from orthanc_share.store.text import TEXT_LENGTH_MAX
from token_service.registry_requests import Number, Request
from token_service.registry_schemas import Moment
from token_service.wire import Instant, Wire, revealed

CURSOR_MAX = (1 << 63) - 1
"""Largest number of an event."""

COUNT_MAX = 1_000_000_000
"""Most questions on one share between two reports."""

REASONS_MAX = 32
"""Most reasons of one report on a share; there are fewer."""

VIEW_AGE_MAX = timedelta(days=7)
"""How old a view may be that is reported; no viewer token lives longer."""

GRACE_MAX = 24 * 60 * 60
"""How long after an opening it may be asked for again, in seconds."""

# Not the codes themselves: a newer service may know more.
ReasonCode = Annotated[StrictStr, Field(pattern=r"^[a-z_]{1,64}$")]
"""Stable code of a reason."""


class LinkQuestion(Request):
    """A link, by what its address holds."""

    token: SecretStr | None = None
    code: SecretStr | None = None
    opening: Annotated[
        Annotated[SecretStr, Field(min_length=22, max_length=64)] | None,
        Field(description="Random id of the opening: asked for again, it counts once"),
    ] = None
    opening_grace: Annotated[
        StrictInt,
        Field(ge=0, le=GRACE_MAX, description="For so many seconds after it counted"),
    ] = 0

    @model_validator(mode="after")
    def _is_one_link(self) -> "LinkQuestion":
        if (self.token is None) == (self.code is None):
            raise ValueError("should hold token or code, one of both")
        return self

    def to_link(self) -> Link:
        """Return the link."""
        return Link(revealed(self.token), revealed(self.code))

    def to_opening(self) -> Opening | None:
        """Return which opening is meant."""
        opening = revealed(self.opening)
        if opening is None:
            return None
        return Opening(opening, timedelta(seconds=self.opening_grace))


class VisitorQuestion(LinkQuestion):
    """A link, and who has come with it."""

    address: Annotated[
        Annotated[StrictStr, Field(max_length=TEXT_LENGTH_MAX)] | None,
        Field(description="The visitor's network address"),
    ] = None
    user_agent: Annotated[
        StrictStr | None, Field(description="What the visitor's browser calls itself")
    ] = None

    def to_origin(self) -> Origin:
        """Return the visitor."""
        return Origin(None, self.address or None, self.user_agent or None)


class LookRequest(VisitorQuestion):
    """What is this link good for?

    Nothing changes. With a visitor, a refusal is counted and written down.
    """

    view: Annotated[
        SecretStr | None, Field(description="Viewer token that the browser has of it")
    ] = None

    def to_view(self) -> str | None:
        """Return the viewer token."""
        return revealed(self.view)

    def to_visitor(self) -> Origin | None:
        """Return the visitor; None: nobody sees what is answered."""
        visitor = self.to_origin()
        return None if visitor == Origin() else visitor


class OpenRequest(VisitorQuestion):
    """Open this link, and count it."""

    password: Annotated[
        SecretStr | None, Field(description="What the visitor gave")
    ] = None

    def to_password(self) -> str | None:
        """Return what the visitor gave."""
        return revealed(self.password)


class RefusedAnswer(Wire):
    """The link does not open."""

    outcome: Literal["refused"]
    reason: LinkReason
    share_id: str | None
    moment: Annotated[
        Moment | None, Field(description="Its end, its start, or the end of a lock")
    ]
    tries_left: Annotated[
        int | None, Field(description="Wrong passwords until a pause")
    ]


class ReadyAnswer(Wire):
    """The link is good."""

    outcome: Literal["ready"]
    share_id: str
    needs_password: bool
    left: Annotated[int | None, Field(description="Openings left; null: no limit")]
    view: Annotated[
        str | None, Field(description="A viewer token; null: ask, then open")
    ]


class OpenedAnswer(Wire):
    """The link was opened."""

    outcome: Literal["opened"]
    share_id: str
    view: Annotated[str, Field(description="A viewer token")]


class LookAnswer(RootModel[ReadyAnswer | RefusedAnswer]):
    """What a link is good for."""


class OpenAnswer(RootModel[OpenedAnswer | RefusedAnswer]):
    """What became of a link."""


class NewsQuery(Request):
    """From where on news are wanted."""

    cursor: Annotated[
        Number, Field(ge=0, le=CURSOR_MAX, description="0: all that matter still")
    ] = 0


class NewsOut(Wire):
    """What became of a share; the last about a share counts."""

    share_id: str
    revoked: bool
    needs_landing: Annotated[
        bool, Field(description="Its long token opens nothing by itself")
    ]
    expires: Annotated[Moment | None, Field(description="Null: never")]


class NewsAnswer(Wire):
    """Some news, oldest first."""

    news: list[NewsOut]
    cursor: Annotated[int, Field(description="To ask from the next time")]
    more: Annotated[bool, Field(description="Ask again at once")]
    fresh_start: Annotated[bool, Field(description="Forget what was told before")]


class TallyIn(Request):
    """Decisions on a share since the last report."""

    share_id: Annotated[StrictStr, Field(max_length=TEXT_LENGTH_MAX)]
    granted: Annotated[StrictInt, Field(ge=0, le=COUNT_MAX)] = 0
    denied: Annotated[StrictInt, Field(ge=0, le=COUNT_MAX)] = 0
    reasons: Annotated[tuple[ReasonCode, ...], Field(max_length=REASONS_MAX)] = ()


class ViewIn(Request):
    """A viewer token that was granted something for the first time."""

    id: Annotated[StrictStr, Field(max_length=TEXT_LENGTH_MAX)]
    share_id: Annotated[StrictStr, Field(max_length=TEXT_LENGTH_MAX)]
    at: Annotated[Instant, Field(description="When, ISO 8601; null: now")] = None


class ReportRequest(Request):
    """What was decided elsewhere since the last report."""

    tallies: Annotated[tuple[TallyIn, ...], Field(max_length=REPORT_MAX)] = ()
    views: Annotated[tuple[ViewIn, ...], Field(max_length=REPORT_MAX)] = ()

    def to_tallies(self, now: datetime) -> list[Tally]:
        """Return how often was decided, as counted `now`."""
        return [
            Tally(
                one.share_id,
                now,
                one.granted,
                one.denied,
                tuple(dict.fromkeys(one.reasons)),
            )
            for one in self.tallies
        ]

    def to_views(self, now: datetime) -> list[View]:
        """Return which viewer tokens were used, until `now`."""
        oldest = now - VIEW_AGE_MAX
        return [
            View(one.id, one.share_id, max(oldest, min(one.at or now, now)))
            for one in self.views
        ]


class ReportAnswer(Wire):
    """The report was written down."""

    tallies: int
    views: int
