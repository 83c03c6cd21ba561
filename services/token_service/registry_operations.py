"""The endpoints of the share registry that are described."""

from orthanc_share.web.qr_code import QrFormat
from token_service.audit_wire import (
    AuditQuery,
    Verdict,
    VerificationRequest,
)
from token_service.neighbour_schemas import (
    LookAnswer,
    LookRequest,
    NewsAnswer,
    NewsQuery,
    OpenAnswer,
    OpenRequest,
    ReportAnswer,
    ReportRequest,
)
from token_service.operations import Operation
from token_service.registry_requests import (
    ChangeRequest,
    EventsQuery,
    ReasonQuery,
    RevocationRequest,
    SelectionRequest,
    SharesQuery,
)
from token_service.registry_schemas import (
    EventsPage,
    FreshLink,
    ManagedShare,
    RevokedCount,
    SharesPage,
)

_QUESTION = (400, 404, 422)
_CHANGE = (400, 404, 409, 422)
_FRESH = (404, 409, 422)
_LINK = "It opens as those that were given out; they stay as they are."
_INTERNAL = "For landing and anonymizer, which have no database."

REGISTRY_OPERATIONS = (
    Operation(
        "get",
        "/shares",
        "List shares",
        answer=SharesPage,
        refusals=_QUESTION,
        query=SharesQuery,
    ),
    Operation(
        "get", "/shares/{share}", "Show a share", answer=ManagedShare, refusals=(404,)
    ),
    Operation(
        "get",
        "/shares/{share}/events",
        "What happened to a share",
        answer=EventsPage,
        refusals=_QUESTION,
        description="Newest first; they stay when the share is gone.",
        query=EventsQuery,
    ),
    Operation(
        "patch",
        "/shares/{share}",
        "Change a share",
        ChangeRequest,
        ManagedShare,
        _CHANGE,
        "What is not named stays; null takes away. A new end is cut to "
        "MAX_SHARE_DURATION from now on.",
    ),
    Operation(
        "delete",
        "/shares/{share}",
        "Revoke a share",
        RevocationRequest,
        ManagedShare,
        _QUESTION,
        "Asked again it changes nothing: the first revocation and its reason stay. "
        "The reason may be in the query or in a body.",
        query=ReasonQuery,
        needs_body=False,
    ),
    Operation(
        "post",
        "/shares/revoke",
        "Revoke many shares",
        SelectionRequest,
        RevokedCount,
        _QUESTION,
        "Those for which all that is given is true, and that are not over. "
        "One of study, creator and created-before must be given.",
    ),
    Operation(
        "post",
        "/shares/{share}/link",
        "One more short link of a share",
        answer=FreshLink,
        refusals=_FRESH,
        description=_LINK,
    ),
    *(
        Operation(
            "get",
            f"/shares/{{share}}/qr.{form}",
            "One more short link of a share, as QR code",
            refusals=_FRESH,
            description=_LINK,
            media_type=form.media_type,
        )
        for form in QrFormat
    ),
    Operation(
        "get",
        "/audit/events",
        "What happened",
        answer=EventsPage,
        refusals=_QUESTION,
        description="Earliest first, of all shares.",
        query=AuditQuery,
    ),
    Operation(
        "post",
        "/audit/verify",
        "Is the audit trail as it was written?",
        VerificationRequest,
        Verdict,
        _QUESTION,
        "A part at a time: while the answer has `more`, ask with its `anchor` as "
        "`after`, and leave out `anchors` before it. Note the last anchor where nobody "
        "reaches it who can write to the database, and give it among `anchors` later.",
        needs_body=False,
    ),
    Operation(
        "post",
        "/links/look",
        "What is this link good for?",
        LookRequest,
        LookAnswer,
        _QUESTION,
        f"{_INTERNAL} Nothing changes, and nothing is counted.",
    ),
    Operation(
        "post",
        "/links/open",
        "Open a link",
        OpenRequest,
        OpenAnswer,
        _QUESTION,
        f"{_INTERNAL} One opening is counted.",
    ),
    Operation(
        "get",
        "/shares/news",
        "What was revoked or changed",
        answer=NewsAnswer,
        refusals=_QUESTION,
        description=_INTERNAL,
        query=NewsQuery,
    ),
    Operation(
        "post",
        "/shares/tallies",
        "What was decided elsewhere",
        ReportRequest,
        ReportAnswer,
        _QUESTION,
        _INTERNAL,
    ),
)
"""The endpoints that answer `registry_off` where the site keeps no registry."""
